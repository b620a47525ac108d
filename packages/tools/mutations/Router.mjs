/** Bugs that the tests of `Router` must notice. */
const file = "packages/core/src/Router.ts"
const tests = ["packages/core/test/Router.test.ts"]

export default [
  { name: "a stream that has begun is begun anew elsewhere", property: "P25", file, tests, find: "!hasBegun && mayHelp(error)", replace: "mayHelp(error)" },
  { name: "an error that nobody can help against is taken elsewhere", property: "P24", file, tests, find: `LlmError.retriability(error) !== "Never"`, replace: "true" },
  { name: "only what may be tried again is taken elsewhere", file, tests, find: `LlmError.retriability(error) !== "Never"`, replace: `LlmError.retriability(error) === "Retry"` },
  { name: "who lacks the operation is asked", file, tests, find: "operations.has(operation))\n    return head", replace: "operations.size >= 0)\n    return head" },
  { name: "a model that has a weight is begun with no oftener than others", file: "packages/core/src/internal/weightedTurns.ts", tests, find: "credits[best]! -= total", replace: "credits[best]! = 0" },
  { name: "who begins by its weight is on its own", file, tests, find: "failover(service, ...services.filter((_, other) => other !== place))", replace: "failover(service)" }
]
