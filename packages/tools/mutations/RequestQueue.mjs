/** Bugs that the tests of `RequestQueue` must notice. */
const service = "packages/core/src/RequestQueue.ts"
const internal = (name) => `packages/core/src/internal/${name}.ts`
const turnstile = internal("turnstile")
const turns = internal("turns")
const rounds = internal("rounds")
const room = internal("waitingRoom")
const pace = internal("pace")
const tests = (part) => [`packages/core/test/RequestQueue${part}.test.ts`]
const properties = tests(".properties")
const fairness = tests(".fairness")
const lateness = tests(".lateness")
const scheduling = tests(".scheduling")
const cases = tests("")

export default [
  { name: "one place more is taken by those who waited", property: "P1", file: turnstile, tests: properties, find: "while (inFlight < concurrency &&", replace: "while (inFlight <= concurrency &&" },
  { name: "one place more is taken by newcomers", property: "P1", file: turnstile, tests: properties, find: "if (inFlight >= concurrency ||", replace: "if (inFlight > concurrency ||" },
  { name: "a place is not given back", property: "P2", file: turnstile, tests: properties, find: "    inFlight--\n", replace: "" },
  { name: "a place that comes free is handed to nobody", property: "P3", file: turnstile, tests: properties, find: "    pace.ended(at)\n    advance(at)\n", replace: "    pace.ended(at)\n" },
  { name: "more places are noticed only when a call ends", property: "P3", file: turnstile, tests: properties, find: "      concurrency = value\n      advance(now())\n", replace: "      concurrency = value\n" },
  { name: "who waits holds a place already", property: "P4", file: turnstile, tests: properties, find: "    room.add(waiter)\n", replace: "    room.add(waiter)\n    inFlight++\n" },
  { name: "who goes away is counted nowhere", property: "P6", file: turnstile, tests: properties, find: "      counts.abandoned()\n", replace: "" },
  { name: "who is displaced is never told", property: "P7", file: turnstile, tests: properties, find: `if (displaced !== undefined) sendAway(displaced, "displaced")`, replace: `if (displaced !== undefined) counts.abandoned("displaced")` },
  { name: "a shutdown forgets those who wait", property: "P7", file: turnstile, tests: cases, find: `        sendAway(waiter, "shut")\n`, replace: "" },
  { name: "one more waits than may", property: "P10", file: turnstile, tests: properties, find: "if (room.size() >= capacity && displaced", replace: "if (room.size() > capacity && displaced" },
  { name: "one who is as urgent is displaced", property: "P10", file: turnstile, tests: properties, find: "waiter.level > call.priority ? waiter", replace: "waiter.level >= call.priority ? waiter" },
  { name: "who waits is displaced though it is to refuse", property: "P10", file: room, tests: properties, find: "isPatient && displaces ?", replace: "isPatient ?" },
  { name: "the oldest is displaced", file: room, tests: properties, find: "waiter, -level, -sequence)", replace: "waiter, -level, sequence)" },
  { name: "a tenant has one more waiting than it may", file: turnstile, tests: properties, find: "room.sizeOf(call.tenant) >= tenantCapacity", replace: "room.sizeOf(call.tenant) > tenantCapacity" },
  { name: "who goes away while waiting is let in all the same", property: "P11", file: service, tests: properties, find: "if (turnstile.withdraw(waiter) && alarm !== undefined)", replace: "if (alarm !== undefined)" },
  { name: "of those of one moment the last goes first", property: "P12", file: turns, tests: cases, find: "Heap.add(line.items, waiter, due, sequence)", replace: "Heap.add(line.items, waiter, due, -sequence)" },
  { name: "a further attempt comes as a newcomer", property: "P12", file: turnstile, tests: scheduling, find: "    if (arrival.since !== undefined) return\n", replace: "" },
  { name: "levels are not looked at", property: "P13", file: turns, tests: scheduling, find: "level.spot = Heap.add(byUrgency, level, value)", replace: "level.spot = Heap.add(byUrgency, level, 0)" },
  { name: "patience never ends", property: "P14", file: room, tests: scheduling, find: "while (byPatience.keys[0]! <= now)", replace: "while (byPatience.keys[0]! < 0)" },
  { name: "patience of the less urgent is longer than it says", property: "P14", file: turnstile, tests: scheduling, find: "ageing * (1 + level)", replace: "ageing * (2 + level)" },
  { name: "those out of patience go by their deadlines", property: "P14", file: turns, tests: scheduling, find: "Heap.add(tenant.impatient, waiter, waiter.patience,", replace: "Heap.add(tenant.impatient, waiter, waiter.due," },
  { name: "the latest deadline goes first", property: "P15", file: turns, tests: scheduling, find: "Heap.add(line.items, waiter, due, sequence)", replace: "Heap.add(line.items, waiter, -due, sequence)" },
  { name: "who is let in at its deadline is sent", property: "P16", file: turnstile, tests: cases, find: "if (waiter.until <= at) {", replace: "if (waiter.until < at) {" },
  { name: "who comes at its deadline is sent", property: "P16", file: turnstile, tests: properties, find: "    if (deadlineOf(call) <= at) return false\n", replace: "    if (deadlineOf(call) < at) return false\n" },
  { name: "deadlines ring too late", property: "P16", file: service, tests: properties, find: "alarms.set(waiter.until,", replace: "alarms.set(waiter.until + 1," },
  { name: "what an item costs is not paid", property: "P17", file: rounds, tests: fairness, find: "* flow.quantum - costOfNext(flow)", replace: "* flow.quantum" },
  { name: "a visit adds nothing of those that were passed over", property: "P17", file: rounds, tests: fairness, find: "flow.credit + (round - flow.lastVisit) * flow.quantum", replace: "flow.credit + Math.min(round - flow.lastVisit, 1) * flow.quantum" },
  { name: "who comes anew is visited again and again in one round", property: "P17", file: rounds, tests: fairness, find: "flow.lastVisit = ring.round\n      flow.place", replace: "flow.lastVisit = ring.round - 1\n      flow.place" },
  { name: "weights are not looked at", property: "P17", file: internal("fairness"), tests: fairness, find: "quantum * (known.get(tenant) ?? defaultWeight)", replace: "quantum" },
  { name: "tenants with many calls come often", property: "P19", file: turns, tests: fairness, find: "    } else betweenLines.change(level.ring, line)", replace: "    } else betweenLines.join(level.ring, line)" },
  { name: "the one who was first goes on", property: "P19", file: rounds, tests: fairness, find: "      flow.lastVisit = round\n", replace: "" },
  { name: "many calls out of patience go before the other tenants'", property: "P19", file: turns, tests: fairness, find: "if (impatient > 0) return nextOf(betweenTenants.first(everybody)!)", replace: "if (impatient > 0) return nextOf([...tenants.values()].find((tenant) => tenant.impatient !== undefined && Heap.size(tenant.impatient) > 0)!)" },
  { name: "a call costs one, however many its tokens are", property: "P20", file: internal("fairness"), tests: fairness, find: "payer.cost ??= tokensOf(payer.call)", replace: "payer.cost ??= Math.min(tokensOf(payer.call), 1)" },
  { name: "tenants are never forgotten", property: "P21", file: turns, tests: fairness, find: "      tenants.delete(tenant.name)\n", replace: "" },
  { name: "a tenant's line at a level is never forgotten", property: "P21", file: turns, tests: fairness, find: "    level.lines.delete(tenant)\n", replace: "" },
  { name: "expired calls cost their tenant its turn", file: turnstile, tests: fairness, find: "        room.remove(waiter, at)\n        sendAway(waiter, overdue(waiter, at))", replace: "        room.next(at)\n        sendAway(waiter, overdue(waiter, at))" },
  { name: "a boost makes a call young again", file: turnstile, tests: cases, find: "room.move(waiter, level, patienceOf(waiter.call, level), at)", replace: "room.move(waiter, level, at + ageing * (1 + level), at)" },
  { name: "a boost takes the first of that name only", file: turnstile, tests: cases, find: "        isHere = true\n", replace: "        return true\n" },
  { name: "who would be late waits", file: turnstile, tests: lateness, find: "at + pace.wait(ahead, at) > deadline && lateness.take(arrivals)", replace: "false" },
  { name: "as many are refused by an estimate as come", file: turnstile, tests: lateness, find: "at + pace.wait(ahead, at) > deadline && lateness.take(arrivals)", replace: "at + pace.wait(ahead, at) > deadline" },
  { name: "calls are refused before there is a pace", file: pace, tests: lateness, find: "if (seen < enough || since === undefined) return 0", replace: "if (calls === 0 || since === undefined) return 0" },
  { name: "the call that is next to end has just begun, always", file: pace, tests: lateness, find: "Math.max(each - (at - since), 0)", replace: "each" },
  { name: "a wait is negative by a clock that is put back", file: internal("sample"), tests: cases, find: "Math.max(value, 0)", replace: "value" },
  { name: "the pace is none by a clock that is put back", file: pace, tests: lateness, find: "Math.max(at - since, 0)", replace: "(at - since)" },
  { name: "calls end that are still to come", file: internal("throughput"), tests: cases, find: "then <= second && ", replace: "" },
  { name: "the pace knows nothing of more places", file: pace, tests: lateness, find: "      millis /= times\n", replace: "" },
  { name: "an allowance is saved up for ever", file: internal("allowance"), tests: lateness, find: "Math.min(left + (came - counted) * share, most)", replace: "left + (came - counted) * share" }
]
