/** Bugs that the tests of `Router` must notice. */
const file = "packages/core/src/Router.ts"
const tests = ["packages/core/test/Router.test.ts"]

export default [
  { name: "a stream that has begun is begun anew elsewhere", property: "P25", file, tests, find: "!hasBegun && mayHelp(error)", replace: "mayHelp(error)" },
  { name: "an error that nobody can help against is taken elsewhere", property: "P24", file, tests, find: `LlmError.retriability(error) !== "Never"`, replace: "true" },
  { name: "only what may be tried again is taken elsewhere", file, tests, find: `LlmError.retriability(error) !== "Never"`, replace: `LlmError.retriability(error) === "Retry"` },
  { name: "who lacks the operation is asked", file, tests, find: "operations.has(operation))\n    return head", replace: "operations.size >= 0)\n    return head" }
]
