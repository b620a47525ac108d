/** Bugs that the tests of `Telemetry` must notice. */
const genAi = "packages/core/src/internal/genAiMetrics.ts"
const telemetry = "packages/core/src/Telemetry.ts"
const tests = ["packages/core/test/Telemetry.genAi.test.ts"]
const published = ["packages/core/test/Telemetry.publish.test.ts"]
const cases = ["packages/core/test/Telemetry.test.ts"]

export default [
  { name: "failures and successes have one duration", file: genAi, tests, find: `outcome !== "success" && { "error.type": outcome }`, replace: `outcome === "died" && { "error.type": outcome }` },
  { name: "what a caller made up has a series of its own", file: telemetry, tests, find: `if (outcome !== "success" || known.size > models) return other`, replace: "if (known.size > models) return other" },
  { name: "there are as many models as callers name", file: telemetry, tests, find: `if (outcome !== "success" || known.size > models) return other`, replace: `if (outcome !== "success") return other` },
  { name: "output is counted as input", file: genAi, tests, find: "output(operation)(usage.outputTokens)", replace: "input(operation)(usage.outputTokens)" },
  { name: "a circuit's changes are not published", file: "packages/core/src/internal/published.ts", tests: published, find: `set("llm_breaker_transitions_total", { ...labels, from, to }, times)`, replace: "void [from, times, to]" },
  { name: "why calls were refused is not published", file: "packages/core/src/internal/published.ts", tests: published, find: `set("llm_queue_refusals_total", { ...labels, reason }, count)`, replace: `set("llm_queue_refusals_total", { ...labels, reason }, 0)` },
  { name: "changes of a circuit are counted as one kind", file: "packages/core/src/CircuitBreaker.ts", tests: ["packages/core/test/CircuitBreaker.hand.test.ts"], find: "const change = `${from} ${to}`", replace: "const change = from" },
  { name: "a bug's message is told to the tracer", file: telemetry, tests: cases, find: `outcome === "died" ? Exit.die("a bug, not an error: see the log") : exit`, replace: "exit" },
  { name: "a retry has no reason", file: telemetry, tests: cases, find: "tally.retried(call.previous._tag)", replace: `tally.retried("ServerFault")` }
]
