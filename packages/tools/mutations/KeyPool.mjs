/** Bugs that the tests of `KeyPool` must notice. */
const at = (name) => `packages/core/src/internal/${name}.ts`
const test = (name = "") => [`packages/core/test/KeyPool${name}.test.ts`]

const properties = test(".properties")
const limits = test(".limits")
const learning = test(".learning")
const changes = test(".changes")
const strategies = test(".strategies")

export default [
  { name: "half a request is enough", property: "P37", file: at("keyBucket"), tests: properties, find: "return missing <= rounding ? now", replace: "return missing <= 0.5 ? now" },
  { name: "to ask takes something", property: "P37", file: at("keyBucket"), tests: properties, find: "const missing = Math.min(amount, bucket.capacity) - fill(bucket, now).level", replace: "const missing = Math.min(amount, bucket.capacity) - (fill(bucket, now).level -= 0.01)" },
  { name: "one goes before the pace is ready", property: "P37", file: at("keyPace"), tests: properties, find: "Bucket.readyAt(pace.bucket, 1, Math.max(now, pace.restsUntil))", replace: "Bucket.readyAt(pace.bucket, 1, now)" },
  { name: "more is given back than fits", property: "P38", file: at("keyBucket"), tests: properties, find: "bucket.level = Math.min(bucket.capacity, bucket.level + amount)", replace: "bucket.level += amount" },
  { name: "what was used is not settled", property: "P38", file: at("keyAllowance"), tests: limits, find: "Bucket.give(allowance.tokens, tokens - used)", replace: "Bucket.give(allowance.tokens, 0)" },
  { name: "a clock that goes back gives something", property: "P39", file: at("keyBucket"), tests: properties, find: "if (now > bucket.at && bucket.level < bucket.capacity) {\n    bucket.level = Math.min(bucket.capacity, bucket.level + (now - bucket.at) * bucket.rate)", replace: "if (bucket.level < bucket.capacity) {\n    bucket.level = Math.min(bucket.capacity, bucket.level + Math.abs(now - bucket.at) * bucket.rate)" },
  { name: "a clock that goes back is waited for", property: "P39", file: at("keyBucket"), tests: properties, find: "  bucket.at = now\n  return bucket", replace: "  bucket.at = Math.max(now, bucket.at)\n  return bucket" },
  { name: "no key's turn passes", property: "P41", file: at("keyLeasing"), tests: properties, find: "  slot.turn = turn\n", replace: "" },
  { name: "a key is used that cools for the model", property: "P42", file: at("keySlot"), tests: properties, find: "slot.cooling.size === 0 ? 0 : slot.cooling.get(model) ?? 0,", replace: "0," },
  { name: "a disabled key is used", property: "P42", file: at("keySlot"), tests: properties, find: "slot.retired || slot.isDisabled\n    ? Infinity", replace: "slot.retired\n    ? Infinity" },
  { name: "a shorter wait shortens a longer one", property: "P44", file: at("keySlot"), tests: properties, find: "slot.cooling.set(model, Math.max(slot.cooling.get(model) ?? 0, until))", replace: "slot.cooling.set(model, until)" },
  { name: "two models that cool leave the key as it is", property: "P44", file: at("keySlot"), tests: properties, find: "if (second !== undefined) slot.coolingUntil", replace: "if (second === undefined) slot.coolingUntil" },
  { name: "not the first to be ready is named", property: "P44", file: at("keyDesk"), tests: properties, find: "if (at < firstAt && at > now)", replace: "if (at > now)" },
  { name: "a key that cools for one model is not found for another", property: "P45", file: at("keySlot"), tests: properties, find: "slot.cooling.size === 0 ? 0 : slot.cooling.get(model) ?? 0,", replace: "slot.cooling.size === 0 ? 0 : Math.max(...slot.cooling.values())," },
  { name: "a key that rests is not found", property: "P45", file: at("keyDesk"), tests: test(), find: "if (rest > rests) continue", replace: "if (rest > 0) continue" },
  { name: "one attempt more than may be", property: "P1", file: at("keyDesk"), tests: properties, find: "slot.inFlight >= slot.maxConcurrent", replace: "slot.inFlight > slot.maxConcurrent" },
  { name: "a lease comes back twice", property: "P1", file: at("keyLeasing"), tests: test(), find: "  use.isReleased = true\n", replace: "" },
  { name: "tokens are lost", property: "P43", file: at("keySlot"), tests: properties, find: "slot.inputTokens += usage.inputTokens ?? 0", replace: "slot.inputTokens = usage.inputTokens ?? 0" },
  { name: "a cost is counted twice", property: "P43", file: at("keyLeasing"), tests: limits, find: "Slot.spent(use.slot, microDollars - use.microDollars)", replace: "Slot.spent(use.slot, microDollars)" },
  { name: "who waits does not hear of a change", property: "P46", file: at("keyKeeping"), tests: changes, find: "      change(slot)\n      serve()", replace: "      change(slot)" },
  { name: "a removed key is seen no more", property: "P46", file: at("keyRing"), tests: properties, find: "leaving = [...stay(), slot]", replace: "leaving = stay()" },
  { name: "an old key's failure is the new one's", property: "P46", file: at("keyLeasing"), tests: test(), find: "if (generation === slot.generation) {\n      if (error", replace: "if (generation <= slot.generation) {\n      if (error" },
  { name: "who is interrupted keeps his key", property: "P2", file: at("keyWaiters"), tests: test(), find: "if (answer !== undefined) giveBack(answer)", replace: "" },
  { name: "who has gone is still served", property: "P11", file: at("keyWaiters"), tests: properties, find: "            leave(place)\n            if (answer", replace: "            if (answer" },
  { name: "who comes later is served first", property: "P12", file: at("keyWaiters"), tests: properties, find: "Heap.add(waiting, waiter, waiter.arrival, waiter.number)", replace: "Heap.add(waiting, waiter, -waiter.arrival, -waiter.number)" },
  { name: "who comes back stands last", property: "P12", file: at("keyWaiters"), tests: test(), find: "arrival: first ?? newest", replace: "arrival: newest" },
  { name: "a delay of one's own is taken for the limit", file: at("keyPace"), tests: learning, find: "wasTested ? Math.min(atMost, 0.7 * rate)", replace: "wasTested ? 0" },
  { name: "what was not sent is counted", property: "P37", file: at("keyDesk"), tests: test(), find: "answer.cancel()", replace: "answer.release()" },
  { name: "a small request passes a big one", file: at("keyDesk"), tests: limits, find: "kept.add(first)", replace: "kept.clear()" },
  { name: "one waits until his deadline", property: "P16", file: at("keyDesk"), tests: limits, find: "at < deadline &&", replace: "at <= deadline &&" },
  { name: "a refusal is charged", file: at("keyLeasing"), tests: limits, find: `if (error._tag === "RateLimited" && reservation !== undefined)`, replace: `if (error._tag === "ServerFault" && reservation !== undefined)` },
  { name: "a day that a clock was ahead of is waited for", property: "P39", file: at("keyQuota"), tests: limits, find: "if (now < quota.day.start) quota.day = quota.calendar(now)", replace: "" },
  { name: "a day has one request more", file: at("keyQuota"), tests: limits, find: "quota.usedToday >= quota.requestsPerDay", replace: "quota.usedToday > quota.requestsPerDay" },
  { name: "the answer that comes last is believed", file: at("keyReported"), tests: limits, find: "if (turn < result.turn) {", replace: "if (turn < 0) {" },
  { name: "what is under way is taken to be counted", file: at("keyReported"), tests: limits, find: "const level = remaining - underWay", replace: "const level = remaining" },
  { name: "what was refused counts as let through", file: at("keyLeasing"), tests: learning, find: "        Sends.forget(slot.sends, sentAt)\n", replace: "" },
  { name: "the rate is never found again", file: at("keyPace"), tests: learning, find: "  pace.tested += tested\n", replace: "" },
  { name: "a refusal teaches no rate", file: at("keyPace"), tests: learning, find: "Math.min(rate * 0.998, Math.max(measured, floor))", replace: "rate * 0.998" },
  { name: "a key that is refused again and again is asked all the same", file: at("keyPace"), tests: learning, find: "Math.min(cooldown, 4 ** known.row / bucket.rate)", replace: "Math.min(cooldown, 1 / bucket.rate)" },
  { name: "a key that has cooled is stormed", file: at("keyPace"), tests: learning, find: "const steepest = 1.6", replace: "const steepest = 1e9" },
  { name: "who is taken pays nothing", file: at("keyStrategy"), tests: strategies, find: "best.credit -= total", replace: "best.credit = 0" },
  { name: "an average does not rise at once", file: at("keyLatency"), tests: strategies, find: "millis > latency.average ? millis : ", replace: "" },
  { name: "a probe that was given up is waited for", property: "P31", file: at("keyLeasing"), tests: changes, find: `        if (use.ticket !== undefined) judge(use, "GivenUp", timeOf(use))\n`, replace: "" },
  { name: "a key that is not accepted is used on", file: at("keyValidation"), tests: changes, find: `slot.retired = verdict.verdict === "invalid"`, replace: "slot.retired = false" }
]
