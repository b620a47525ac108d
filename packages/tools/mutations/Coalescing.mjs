/** Bugs that the tests of `Coalescing` must notice. */
const core = (file) => `packages/core/src/${file}.ts`
const properties = ["packages/core/test/Coalescing.properties.test.ts"]
const cases = ["packages/core/test/Coalescing.test.ts"]
const same = { file: core("internal/canonical"), tests: properties }
const calls = { file: core("internal/sharedCalls"), tests: cases }
const answer = { file: core("internal/sharedAnswer"), tests: cases }
const stream = { file: core("internal/sharedStream"), tests: cases }

export default [
  { ...same, name: "the order of fields matters", find: ".filter((key) => value[key] !== undefined).sort()", replace: ".filter((key) => value[key] !== undefined)" },
  { ...same, name: "a list of one is its item", find: `wrap("[", value.map((item) => canonical(item, depth - 1)), "]")`, replace: `wrap("", value.map((item) => canonical(item, depth - 1)), "")` },
  { ...same, name: "names are not quoted", find: "`${JSON.stringify(key)}:${text}`", replace: "`${key}:${text}`" },
  { ...same, name: "bytes are all the same", find: "`<${Encoding.encodeBase64(value)}>`", replace: "`<${value.length}>`" },
  { ...same, name: "what cannot be compared is as if it were not", tests: cases, find: "if (!isRecord(value)) return undefined", replace: `if (!isRecord(value)) return "{}"` },
  { ...calls, name: "tenants share calls", property: "P9", tests: properties, find: "JSON.stringify([caller.tenant, content])", replace: "JSON.stringify([content])" },
  { ...calls, name: "who goes takes the call along", property: "P28", tests: properties, find: "|| shared.members.size > 0) return Effect.void", replace: ") return Effect.void" },
  { ...calls, name: "the last who goes leaves the call behind", property: "P28", tests: properties, find: "shared.fiber.unsafeInterruptAsFork(FiberId.none)\n", replace: "\n" },
  { ...calls, name: "a call that has ended is joined", find: "close(made)\n", replace: "\n" },
  { ...calls, name: "what is given up is joined", find: "      close(shared)\n      shared.fiber", replace: "      shared.fiber" },
  { ...calls, name: "the urgent wait for others", find: "there.level <= caller.level && ", replace: "" },
  { ...calls, name: "the first one's deadline is everybody's", find: "{ ...caller, deadline: Infinity }", replace: "caller" },
  { ...answer, name: "nobody's deadline is kept", find: "if (deadline < Infinity) {", replace: "if (false) {" },
  { ...stream, name: "parts are told twice", property: "P9", tests: properties, find: "if (work.end === undefined) reader.place++", replace: "" },
  { ...stream, name: "parts are asked for before anybody reads", find: "if (isWaitedFor(readers)) resume(Effect.void)", replace: "if (true) resume(Effect.void)" },
  { ...stream, name: "who is late reads on", find: "if (reader.cut !== undefined) return Effect.fail(Option.some(reader.cut))\n", replace: "\n" },
  { ...stream, name: "who comes late joins in the middle", find: "({ replay }) => replay.isWhole()", replace: "() => true" },
  { name: "parts are kept without end", file: core("internal/replay"), tests: cases, find: "while (parts > maxParts && kept.length > 1)", replace: "while (false)" },
  { name: "texts are shared by themselves", file: core("Coalescing"), tests: cases, find: `=> ["embed", "rerank", "listModels"]`, replace: `=> ["embed", "rerank", "listModels", "generateText"]` }
]
