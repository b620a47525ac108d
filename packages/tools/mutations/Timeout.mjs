/** Bugs that the tests of `Timeout` and `Policy` must notice. */
const file = "packages/core/src/Timeout.ts"
const alarms = "packages/core/src/internal/alarms.ts"
const tests = ["packages/core/test/Timeout.test.ts"]

export default [
  { name: "an attempt starts at its deadline", property: "P16", file, tests, find: "if (now >= deadline) return", replace: "if (now > deadline) return" },
  { name: "the deadline is refused a moment late", property: "P16", file, tests, find: "now < end ? next(call)", replace: "now <= end ? next(call)" },
  {
    name: "the time of an attempt is never over",
    property: "P22",
    file,
    tests,
    find: ": Guard.until(next(call), alarms, now + attempt, () => unanswered(call, call.isStreamed ? first : times.attempt))",
    replace: ": next(call)"
  },
  { name: "a stream that falls silent is waited for", file, tests, find: "      idle,\n      silent", replace: "      idle: Infinity,\n      silent" },
  { name: "an alarm waits for the return of a clock that was put back", property: "P22", file: alarms, tests, find: "Number(clock.unsafeCurrentTimeNanos()) / 1_000_000", replace: "now()" },
  { name: "an alarm rings too soon by a clock that was put back", property: "P22", file: alarms, tests, find: "passed() + (time - now())", replace: "time" },
  {
    name: "a stream is silent for as long as a clock was put back",
    file: "packages/core/src/internal/guard.ts",
    tests,
    find: "if (since > now && since < Infinity) since = now",
    replace: ""
  },
  {
    name: "a failed attempt keeps what it took",
    property: "P2",
    file: "packages/core/src/Policy.ts",
    tests: ["packages/core/test/Policy.test.ts"],
    find: `if (exit._tag === "Failure") return held.close(exit)`,
    replace: `if (exit._tag === "Failure") return Effect.void`
  }
]
