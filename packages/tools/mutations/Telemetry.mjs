/** Bugs that the tests of `Telemetry` must notice. */
const genAi = "packages/core/src/internal/genAiMetrics.ts"
const telemetry = "packages/core/src/Telemetry.ts"
const tests = ["packages/core/test/Telemetry.genAi.test.ts"]
const cases = ["packages/core/test/Telemetry.test.ts"]

export default [
  { name: "failures and successes have one duration", file: genAi, tests, find: `outcome !== "success" && { "error.type": outcome }`, replace: `outcome === "died" && { "error.type": outcome }` },
  { name: "what a caller made up has a series of its own", file: telemetry, tests, find: `if (outcome !== "success" || known.size > models) return other`, replace: "if (known.size > models) return other" },
  { name: "there are as many models as callers name", file: telemetry, tests, find: `if (outcome !== "success" || known.size > models) return other`, replace: `if (outcome !== "success") return other` },
  { name: "output is counted as input", file: genAi, tests, find: "output(operation)(usage.outputTokens)", replace: "input(operation)(usage.outputTokens)" },
  { name: "a bug's message is told to the tracer", file: telemetry, tests: cases, find: `outcome === "died" ? Exit.die("a bug, not an error: see the log") : exit`, replace: "exit" },
  { name: "a retry has no reason", file: telemetry, tests: cases, find: "tally.retried(call.previous._tag)", replace: `tally.retried("ServerFault")` }
]
