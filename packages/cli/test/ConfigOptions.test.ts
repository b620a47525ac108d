import { assert, describe, it } from "@effect/vitest"
import * as Core from "@spillway/core"
import * as Access from "@spillway/gateway/Access"
import * as Allowance from "@spillway/gateway/Allowance"
import * as Gateway from "@spillway/gateway/Gateway"
import { Effect, Either, Layer, Option, Schema, SchemaAST } from "effect"
import * as Fs from "node:fs"
import * as Path from "node:path"
import * as Url from "node:url"
import * as ConfigReading from "../src/ConfigReading.js"
import * as ConfigSchema from "../src/ConfigSchema.js"
import * as Settings from "../src/Settings.js"

// -----------------------------------------------------------------------------
// every option of a schema, by its path
// -----------------------------------------------------------------------------

/** The fields of a schema, and of what is in them; `*` stands for any name and any place of a list. */
const optionsOf = (ast: SchemaAST.AST): ReadonlyArray<ReadonlyArray<string>> => {
  switch (ast._tag) {
    case "Refinement":
    case "Transformation":
      return optionsOf(ast.from)
    case "Union":
      return ast.types.flatMap(optionsOf)
    case "TupleType":
      return [...ast.elements, ...ast.rest].flatMap(({ type }) => optionsOf(type)).map((path) => ["*", ...path])
    case "TypeLiteral":
      return [
        ...ast.propertySignatures.flatMap(({ name, type }) => [[String(name)], ...optionsOf(type).map((path) => [String(name), ...path])]),
        ...ast.indexSignatures.flatMap(({ type }) => [["*"], ...optionsOf(type).map((path) => ["*", ...path])])
      ]
    default:
      return []
  }
}
const paths = (schema: Schema.Schema.AnyNoContext) => [...new Set(optionsOf(schema.ast).map((path) => path.join(".")))]

/** Where a file holds the options of a module. */
const sections: Readonly<Record<string, ReadonlyArray<string>>> = {
  Telemetry: ["policies.telemetry", "backends.groq.policies.telemetry"],
  Retry: ["policies.retry", "backends.groq.policies.retry"],
  RetryBudget: ["policies.retry.budget", "backends.groq.policies.retry.budget"],
  Hedging: ["policies.hedge", "backends.groq.policies.hedge"],
  RequestQueue: ["policies.queue", "backends.groq.policies.queue"],
  AdaptiveRate: ["policies.adaptive", "backends.groq.policies.adaptive"],
  CircuitBreaker: ["policies.breaker", "backends.groq.policies.breaker"],
  Timeout: ["policies.timeout", "backends.groq.policies.timeout"],
  Batching: ["policies.batching", "backends.groq.policies.batching"],
  Caching: ["policies.caching", "backends.groq.policies.caching"],
  Coalescing: ["policies.coalescing", "backends.groq.policies.coalescing"],
  KeyPool: ["backends.groq.pool"],
  Budget: ["budget"],
  PriceBook: ["pricing"],
  Gateway: ["gateway"]
}

/** Options that no file has, and why. */
const elsewhere: Readonly<Record<string, string>> = {
  "Gateway.hosts": "follows from where it listens",
  "Gateway.version": "is the program's",
  "Gateway.access.tenants": "stands under `tenants`"
}

const modules: ReadonlyArray<readonly [name: string, schema: Schema.Schema.AnyNoContext]> = [
  ...Object.entries(Core).flatMap(([name, module]) =>
    "Options" in module && Schema.isSchema(module.Options) ? [[name, module.Options as Schema.Schema.AnyNoContext] as const] : []),
  ["Gateway", Gateway.Settings]
]

describe("the options of the configuration file", () => {
  it("are those of every mechanism", () => {
    const found = new Set(paths(ConfigSchema.File))
    assert.sameMembers(modules.map(([name]) => name), Object.keys(sections))
    for (const [name, schema] of modules) {
      for (const section of sections[name]!) {
        assert.isTrue(found.has(section), section)
        for (const option of paths(schema)) {
          if (Object.keys(elsewhere).some((other) => `${name}.${option}.`.startsWith(`${other}.`))) continue
          assert.isTrue(found.has(`${section}.${option}`), `${section}.${option}`)
        }
      }
    }
    for (const [option] of Object.entries(Core.KeyPool.KeyOptions.fields)) assert.isTrue(found.has(`backends.groq.keys.*.${option}`), option)
    for (const option of Object.keys(Allowance.fields)) assert.isTrue(found.has(`tenants.*.${option}`), option)
    for (const option of Object.keys(Access.Settings.from.fields.keys.value.fields)) {
      assert.isTrue(found.has(`gateway.access.keys.*.${option}`), option)
    }
    for (const option of paths(Core.Router.Names)) assert.isTrue(found.has(`models.${option}`), option)
  })

  it("have a section for every module of core that reads options", () => {
    const folder = Path.join(Path.dirname(Url.fileURLToPath(import.meta.url)), "../../core/src")
    const validated = Fs.readdirSync(folder, { recursive: true, encoding: "utf8" })
      .filter((file) => file.endsWith(".ts"))
      .flatMap((file) => Array.from(
        Fs.readFileSync(Path.join(folder, file), "utf8").matchAll(/^(?!\s*\*).*InvalidOptions\.validate\(\s*"(\w+)"/gm),
        ([, name]) => name!
      ))
    // the standard policies are what `policies` holds
    assert.sameMembers([...new Set(validated)].filter((name) => name !== "Resilience"), Object.keys(sections).filter((name) => name !== "Gateway"))
  })

  // what is written into a file's place for an option comes to the mechanism that has it: it is told to refuse it
  const impossible = Number.NaN

  /** The value with another at a path, in whatever is on the way there. */
  const put = (value: unknown, [first, ...rest]: ReadonlyArray<string>): unknown => {
    if (first === undefined) return impossible
    if (first === "*") return Array.isArray(value) ? [put(value[0], rest)] : { any: put({}, rest) }
    return { ...(typeof value === "object" ? value : {}), [first]: put((value as any)?.[first], rest) }
  }
  const within = (path: ReadonlyArray<string>, value: unknown): unknown =>
    path.reduceRight((inner: unknown, name) => ({ [name]: inner }), value)

  const config = (text: string) => Either.getOrThrow(ConfigReading.parse(text, () => undefined)).config
  const base = config("backends: { groq: { keys: [{ key: gsk_1 }] } }")

  /** What the backends of a file that has this cannot be built for. */
  const refusal = (change: Partial<ConfigReading.ConfigFile>) =>
    Effect.map(
      Effect.either(Effect.scoped(Layer.build(Settings.fromFile({ ...base, ...change }, {}).layer))),
      (built) => Either.isLeft(built) && built.left._tag === "InvalidOptions" ? Option.some(built.left) : Option.none()
    )

  const needs: Readonly<Record<string, object>> = {
    Budget: { limits: [{ dollars: 1 }], unknownPrice: { input: 1 } },
    PriceBook: { prices: [{ price: { input: 1 } }] }
  }

  for (const [name, schema] of modules) {
    if (name === "Gateway") continue
    it.effect(`of ${name} come to it, each of them`, () =>
      // a retry's budget has a section of its own
      Effect.forEach(paths(schema).filter((option) => `${name}.${option}` !== "Retry.budget"), (option) =>
        Effect.gen(function*() {
          const [, section = "", ...inner] = sections[name]![0]!.split(".")
          const path = option.split(".")
          const value = put(needs[name], path)
          const change: Partial<ConfigReading.ConfigFile> = name === "Budget"
            ? { budget: value as any }
            : name === "PriceBook"
            ? { pricing: value as any }
            : {
              backends: [{
                ...base.backends[0],
                ...(name === "KeyPool" ? { pool: value } : { policies: within([section, ...inner], value) }) as any
              }]
            }
          const refused = Option.getOrThrowWith(yield* refusal(change), () => new Error(`${name}.${option} is not handed over`))
          assert.strictEqual(refused.module, name)
          const told = refused.field.split(".")
          assert.deepStrictEqual(told.map((part, at) => path[at] === "*" ? "*" : part), path.slice(0, told.length), option)
        }), { discard: true }))
  }

  it.effect("of a key come to its pool, each of them", () =>
    Effect.forEach(Object.keys(Core.KeyPool.KeyOptions.fields), (option) =>
      Effect.gen(function*() {
        const [groq] = base.backends
        const refused = Option.getOrThrow(
          yield* refusal({ backends: [{ ...groq, keys: [{ ...groq.keys[0]!, name: "mine", [option]: impossible }] }] })
        )
        assert.strictEqual(refused.field, `keys.mine.${option}`)
      }), { discard: true }))
})
