/** Bugs that the tests of `Replaceable` must notice. */
const file = "packages/core/src/Replaceable.ts"
const tests = ["packages/core/test/Replaceable.test.ts"]

export default [
  { name: "what is replaced is closed under its calls", file, tests, find: "return before.calls === 0 ? leave(before) : Effect.void", replace: "return leave(before)" },
  { name: "what is replaced closes only when a call ends", file, tests, find: "return before.calls === 0 ? leave(before) : Effect.void", replace: "return Effect.void" },
  { name: "a call is not counted", file, tests, find: "current.calls++", replace: "" },
  { name: "the service in place closes when it is idle", file, tests, find: "--one.calls === 0 && one !== current", replace: "--one.calls === 0" },
  { name: "what could not be made whole is left open", file, tests, find: "Effect.onError((cause) => Scope.close(scope, Exit.failCause(cause)))", replace: "Effect.onError(() => Effect.void)" },
  { name: "two are replaced at a time", file, tests, find: "turn.withPermits(1)(Effect.uninterruptibleMask((restore) =>", replace: "turn.withPermits(0)(Effect.uninterruptibleMask((restore) =>" }
]
