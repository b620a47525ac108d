/** Bugs that the tests of `Protection` must notice, here and at the backends. */
const core = ["packages/core/test/Protection.test.ts"]
const providers = ["packages/providers/test/Protection.test.ts"]

export default [
  {
    name: "what is only a backend's own is left without policies",
    file: "packages/core/src/Resilience.ts",
    tests: core,
    find: "Predicate.isObject(service) ? protectOwn(service, policy) : service",
    replace: "service"
  },
  {
    name: "a second protection takes the place of the first",
    file: "packages/core/src/Protection.ts",
    tests: core,
    find: "outer === none ? inner : both(outer, inner)",
    replace: "outer === none ? inner : outer"
  },
  {
    name: "the first protection stands around the second",
    file: "packages/core/src/Protection.ts",
    tests: core,
    find: "whole: (asked, answer) => outer.whole(asked, inner.whole(asked, answer)),",
    replace: "whole: (asked, answer) => inner.whole(asked, outer.whole(asked, answer)),"
  },
  {
    name: "a copy of a service is made anew from what it was copied from",
    file: "packages/core/src/Protection.ts",
    tests: core,
    find: "{ value: origin }",
    replace: "{ value: origin, enumerable: true }"
  },
  {
    name: "whoever holds something hears the whole answer, whatever is in it",
    file: "packages/core/src/internal/protecting.ts",
    tests: core,
    find: "told === undefined ? Exit.void : Exit.succeed(told(exit.value))",
    replace: "Exit.succeed(told?.(exit.value) ?? exit.value)"
  },
  {
    name: "the progress of a pull is no stream",
    file: "packages/core/src/internal/protecting.ts",
    tests: providers,
    find: "    Effect.contextWithEffect((context: Context.Context<Scope.Scope>) => {\n      const call = Policy.makeCall(context, backend, asked, true)",
    replace: "    Effect.contextWithEffect((context: Context.Context<Scope.Scope>) => {\n      const call = Policy.makeCall(context, backend, asked, false)"
  },
  {
    name: "an operation of TEI waits for its own place when it asks for the server's limit",
    file: "packages/providers/src/Tei.ts",
    tests: providers,
    find: "const ask = Batches.run(batches, limit,",
    replace: "const ask = Batches.run(batches, Batches.limit(maxBatchSize, whole(\"info\", \"\", info)),"
  },
  {
    name: "a server that is not ready is asked again and again",
    file: "packages/providers/src/Ovms.ts",
    tests: providers,
    find: `whole("ready", "", isSo(ask("ready", operations.ready, undefined, "")))`,
    replace: `isSo(run("ready", operations.ready, undefined, ""))`
  }
]
