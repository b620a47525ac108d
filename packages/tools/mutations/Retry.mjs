/** Bugs that the tests of `Retry`, `RetryBudget`, `AdaptiveRate` and of what backends say of waiting must notice. */
const backoff = "packages/core/src/internal/backoff.ts"
const retry = "packages/core/src/Retry.ts"
const budget = "packages/core/src/RetryBudget.ts"
const adaptive = "packages/core/src/AdaptiveRate.ts"
const rate = "packages/core/src/internal/adaptiveRate.ts"
const retryAfter = "packages/providers/src/internal/retryAfter.ts"
const properties = ["packages/core/test/Retry.properties.test.ts"]
const cases = ["packages/core/test/Retry.test.ts"]
const budgets = ["packages/core/test/RetryBudget.test.ts"]
const rates = ["packages/core/test/AdaptiveRate.test.ts"]
const waits = ["packages/providers/test/retryAfter.properties.test.ts"]
const forms = ["packages/providers/test/retryAfter.test.ts"]

export default [
  { name: "one retry too many", property: "P22", file: backoff, tests: properties, find: "state.retries >= settings.maxRetries", replace: "state.retries > settings.maxRetries" },
  { name: "one rotation too many", property: "P22", file: backoff, tests: properties, find: "state.rotations >= maxRotations", replace: "state.rotations > maxRotations" },
  { name: "an attempt begins at the deadline", property: "P22", file: backoff, tests: properties, find: "next.wait >= left", replace: "next.wait > left" },
  { name: "it is slept past the deadline", property: "P22", file: backoff, tests: properties, find: "next === undefined || next.wait >= left", replace: "next === undefined" },
  { name: "no cap after the jitter", property: "P23", file: backoff, tests: properties, find: "Math.min(Math.round(from + chance * (to - from)), Math.floor(maxDelay))", replace: "Math.round(from + chance * (to - from))" },
  { name: "no cap before the jitter", property: "P23", file: backoff, tests: properties, find: "Math.min(initialDelay * factor ** retries, maxDelay)", replace: "initialDelay * factor ** retries" },
  { name: "nothing grown without end is no number", property: "P23", file: backoff, tests: properties, find: "initialDelay === 0 ? 0 : Math.min", replace: "Math.min" },
  { name: "a decorrelated backoff may come to nothing", property: "P23", file: backoff, tests: properties, find: "[initialDelay, 3 *", replace: "[0, 3 *" },
  { name: "what is final is tried again", property: "P24", file: backoff, tests: properties, find: "Never: stop", replace: "Never: wait" },
  { name: "what another backend may do is tried again", property: "P24", file: backoff, tests: properties, find: "Failover: stop", replace: "Failover: wait" },
  {
    name: "a stream is tried again after its first part",
    property: "P25",
    file: "packages/core/src/internal/protecting.ts",
    tests: properties,
    find: "Effect.catchAll(Effect.map(others, noted), end)",
    replace: "Effect.catchAll(Effect.map(others, noted), () => pull)"
  },
  { name: "whatever is asked for is waited for", property: "P26", file: backoff, tests: properties, find: "if (wait > maxRetryAfter) return undefined", replace: "" },
  { name: "who comes later comes too late", property: "P26", file: backoff, tests: properties, find: "Math.min(wait * retryAfterJitter, latest - wait)", replace: "wait * retryAfterJitter" },
  { name: "who is spread comes earlier", property: "P26", file: backoff, tests: properties, find: "return wait + Math.round(chance", replace: "return wait - Math.round(chance" },
  { name: "the window has a fraction", property: "P26", file: backoff, tests: properties, find: "Math.floor(retryAfterWindow)", replace: "retryAfterWindow" },
  { name: "no more than a day", property: "P26", file: retryAfter, tests: waits, find: "Math.min(Math.ceil(millis), day)", replace: "Math.ceil(millis)" },
  { name: "a time gone by is a wait", property: "P26", file: retryAfter, tests: forms, find: "!(millis >= 0) ? undefined", replace: "Number.isNaN(millis) ? undefined" },
  { name: "a number is whatever reads as one", property: "P26", file: retryAfter, tests: forms, find: "text !== undefined && decimal.test(text.trim())", replace: "text !== undefined" },
  { name: "a date is by our own clock", file: retryAfter, tests: forms, find: `(httpDate(headers["date"]) ?? now)`, replace: "now" },
  { name: "a limit with something left is waited for", file: retryAfter, tests: forms, find: "?? 0) > 0) continue", replace: "?? 0) > 99) continue" },
  { name: "a budget gives what it has not", property: "P27", file: budget, tests: budgets, find: "if (saved < price)", replace: "if (saved < 0)" },
  { name: "a budget saves without end", property: "P27", file: budget, tests: budgets, find: "Math.min(saved + deposited, most)", replace: "saved + deposited" },
  { name: "a clock that is put back earns", property: "P27", file: budget, tests: budgets, find: "if (now <= at) return", replace: "" },
  { name: "a retry takes nothing", property: "P27", file: budget, tests: budgets, find: "saved -= price", replace: "" },
  { name: "a retry without budget is made", property: "P27", file: retry, tests: properties, find: "next.isCharged && !mayPay(now)", replace: "next.isCharged && !mayPay(now) && false" },
  { name: "every attempt pays, not the call", property: "P27", file: retry, tests: budgets, find: "onFailure: (error) => recover(call, error, state)", replace: "onFailure: (error) => Effect.zipRight(pays(undefined), recover(call, error, state))" },
  { name: "who is told to come back pays", file: backoff, tests: budgets, find: `error._tag !== "RateLimited" && error._tag !== "KeysCooling"`, replace: "true" },
  { name: "who waits cannot be interrupted", property: "P28", file: retry, tests: properties, find: "Effect.zipRight(Effect.sleep(Duration.millis(next.wait)), again)", replace: "Effect.zipRight(Effect.uninterruptible(Effect.sleep(Duration.millis(next.wait))), again)" },
  { name: "who waits sleeps on", property: "P28", file: retry, tests: properties, find: "Effect.zipRight(Effect.sleep(Duration.millis(next.wait)), again)", replace: "Effect.zipRight(Effect.flatMap(Effect.forkDaemon(Effect.sleep(Duration.millis(next.wait))), (fiber) => fiber.await), again)" },
  { name: "the backend's own word is not heard", file: "packages/core/src/LlmError.ts", tests: cases, find: "return said === undefined ||", replace: "return said === undefined || true ||" },
  { name: "every refusal slows down, old ones too", file: rate, tests: rates, find: "return sentAt <= state.refusedAt ? state : slowed", replace: "return slowed" },
  { name: "a bucket of attempts fills without end", file: rate, tests: rates, find: "Math.max(now - state.at, 0) * state.rate / 1000, Math.max(state.rate, 1))", replace: "Math.max(now - state.at, 0) * state.rate / 1000, Infinity)" },
  { name: "a rate has no floor", property: "P5", file: rate, tests: rates, find: "Math.max(Math.min(cubic(refusedRate, now - refusedAt), most), settings.floor)", replace: "Math.min(cubic(refusedRate, now - refusedAt), most)" },
  { name: "a rate that nobody uses grows", property: "P5", file: rate, tests: rates, find: "const most = Math.max(2 * measured(pace), share * refusedRate)", replace: "const most = Infinity" },
  { name: "a refusal takes nothing off the rate", property: "P5", file: rate, tests: rates, find: "rate: Math.max(share * refusedRate, settings.floor)", replace: "rate: Math.max(refusedRate, settings.floor)" },
  { name: "a clock that is put back is waited for", property: "P39", file: rate, tests: rates, find: "  at: now,\n  refusedAt: Math.min", replace: "  at: Math.max(now, state.at),\n  refusedAt: Math.min" },
  { name: "half seconds that a clock has taken back are counted together", property: "P5", file: rate, tests: rates, find: "if (start === since) return", replace: "if (start <= since) return" },
  { name: "who leaves stays in the row", file: adaptive, tests: rates, find: "if (waiting.delete(waiter)) advance()", replace: "" },
  { name: "who waits is let through past his deadline", file: adaptive, tests: rates, find: "resume(Effect.fail(deadlineExceeded(call)))", replace: "" },
  { name: "a rotation slows down", file: adaptive, tests: rates, find: `error._tag === "RateLimited" && !Option.exists`, replace: `error._tag === "RateLimited" || Option.exists` }
]
