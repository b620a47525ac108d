/** Bugs that the tests of `Admin`, `StatusEvents`, `Dashboard` and of what they work must notice. */
const file = "packages/gateway/src/Admin.ts"
const events = "packages/gateway/src/StatusEvents.ts"
const tests = ["packages/gateway/test/Admin.test.ts"]

export default [
  { name: "a page of another origin works the gateway", property: "S29", file, tests, find: "if (Origin.isForeign(exchange.request.headers)) return yield* Origin.refusal", replace: "" },
  { name: "a form works the gateway", property: "S29", file, tests, find: "if (!isJson(exchange))", replace: "if (false)" },
  { name: "a type of content that only mentions JSON is taken", property: "S29", file, tests, find: "/^application\\/json\\s*(;|$)/i", replace: "/application\\/json/i" },
  { name: "who has any key is an admin", property: "S14", file, tests, find: "access: \"admin\"", replace: "access: \"user\"" },
  { name: "an action is in no log", file, tests, find: "          yield* log(exchange, path, asked)\n", replace: "" },
  { name: "a refused action is in no log", file, tests, find: "({ message }) => log(exchange, path, { ...asked, refused: message })", replace: "() => Effect.void" },
  { name: "what a backend said of a key is told", file, tests, find: "error: error._tag })", replace: "error: error.message })" },
  { name: "a key that is not there is taken out of use", file, tests, find: "isFound ? Option.some({}) : Option.none()", replace: "Option.some({})" },
  { name: "an action is done to every backend", file, tests, find: "there.filter((one) => one.backend === backend)", replace: "there" },
  { name: "seconds are milliseconds", file, tests, find: "Duration.seconds(seconds)", replace: "Duration.millis(seconds)" },
  { name: "each who listens has the monitor asked", file: events, tests: ["packages/gateway/test/StatusEvents.test.ts"], find: "at - last.at < everyMillis / 2", replace: "at - last.at < 0" },
  { name: "who listens is told nothing new", file: events, tests: ["packages/gateway/test/StatusEvents.test.ts"], find: "at - last.at < everyMillis / 2", replace: "at - last.at < everyMillis * 2" },
  { name: "who listens does not hear of the end", file: events, tests: ["packages/gateway/test/StatusEvents.test.ts"], find: "if (!isOver()) return now", replace: "return now" },
  { name: "a script may come from anywhere", property: "S14", file: "packages/gateway/src/Dashboard.ts", tests: ["packages/gateway/test/Dashboard.test.ts"], find: "\"script-src 'self'\"", replace: "\"script-src *\"" },
  { name: "the page needs a key", file: "packages/gateway/src/Dashboard.ts", tests: ["packages/gateway/test/Dashboard.test.ts"], find: "access: \"open\"", replace: "access: \"admin\"" },
  { name: "a closed queue stays in the list", file: "packages/core/src/internal/listed.ts", tests: ["packages/core/test/RequestQueue.test.ts"], find: "all.delete(one)", replace: "all.add(one)" },
  { name: "failures are remembered for ever", file: "packages/core/src/internal/tally.ts", tests: ["packages/core/test/Telemetry.test.ts"], find: "if (lastFailures.length > mostFailures) lastFailures.shift()", replace: "" },
  { name: "a name of any length is remembered", file: "packages/core/src/Telemetry.ts", tests: ["packages/core/test/Telemetry.test.ts"], find: "model: model.slice(0, 100)", replace: "model" }
]
