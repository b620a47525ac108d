import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import { assert, describe, expect, it } from "@effect/vitest"
import { Ajv } from "ajv"
import { Effect } from "effect"
import * as Fs from "node:fs"
import * as Url from "node:url"
import * as Yaml from "yaml"
import * as ConfigFile from "../src/ConfigFile.js"
import * as ConfigSchema from "../src/ConfigSchema.js"
import { describe as describeOptions } from "./optionDocs.js"

const here = (path: string) => Url.fileURLToPath(new URL(path, import.meta.url))
const example = here("../../examples/config/spillway.yaml")

/** Where an editor would complain. */
const complaints = (text: string) => {
  const validate = new Ajv({ strict: false, allErrors: true }).compile(ConfigSchema.toJsonSchema())
  validate(Yaml.parse(text))
  return (validate.errors ?? []).map(({ instancePath }) => instancePath)
}

describe("the JSON Schema of the configuration file", () => {
  it("is the one that is published with the package (`vitest -u` writes it anew)", () =>
    expect(`${JSON.stringify(describeOptions(ConfigSchema.toJsonSchema()), null, 2)}\n`).toMatchFileSnapshot(
      Url.fileURLToPath(ConfigSchema.published)
    ))

  it("says of an option what its comment says", () => {
    const { $defs }: any = describeOptions(ConfigSchema.toJsonSchema())
    const { breaker, queue, retry } = $defs.Policies.properties
    assert.match(queue.anyOf[1].properties.capacity.description, /^Most calls that wait\. [^]*\nDefault: 100$/)
    assert.match(breaker.anyOf[1].properties.rate.properties.failureRate.description, /^The share of failures that opens the circuit/)
    assert.match(retry.anyOf[1].properties.budget.anyOf[1].properties.ratio.description, /^Further attempts/)
    assert.match($defs.Key.anyOf[1].properties.requestsPerMinute.description, /^Requests per minute/)
  })

  it("takes the example of the README", () => {
    assert.deepStrictEqual(complaints(Fs.readFileSync(example, "utf8")), [])
  })

  it("complains where the command does", () => {
    const text = [
      "policies: { queue: { capacity: -1 }, retry: { initialDelay: soon }, hedges: true }",
      "backends: { grok: {}, groq: { keys: [{ key: x, weight: 0 }] } }",
      "models: { fast: [] }",
      "budget: { limits: [{ dollars: lots, of: everybody }] }"
    ].join("\n")
    const places = new Set(complaints(text))
    for (
      const place of [
        "/policies/queue/capacity",
        "/policies/retry/initialDelay",
        "/policies",
        "/backends",
        "/backends/groq/keys/0/weight",
        "/models/fast",
        "/budget/limits/0/dollars",
        "/budget/limits/0/of"
      ]
    ) assert.isTrue(places.has(place), place)
  })
})

describe("the example of the README", () => {
  const given: Record<string, string> = {
    ADA_KEY: "sk-spillway-ada-0123456789",
    SHOP_KEY: "sk-spillway-shop-0123456789",
    OPS_KEY: "sk-spillway-ops-0123456789",
    GROQ_API_KEY: "gsk_1",
    GROQ_SPARE_KEY: "gsk_2",
    OPENAI_API_KEY: "sk-1"
  }

  it.effect("is a file as it must be", () =>
    Effect.gen(function*() {
      const { backends, budget, gateway, models } = yield* ConfigFile.load(example, (name) => given[name])
      assert.deepStrictEqual(backends.map(({ name }) => name), ["groq", "openai", "ollama"])
      assert.deepStrictEqual(Object.keys(models), ["fast", "shared", "embed"])
      assert.lengthOf(budget?.limits ?? [], 3)
      assert.lengthOf(gateway.access?.keys ?? [], 3)
      const [groq, openai, ollama] = backends
      assert.deepStrictEqual(groq.policies.queue, { concurrency: 20, capacity: 500, fairness: { weights: { shop: 3 } } })
      assert.deepStrictEqual(openai?.policies.queue, { concurrency: 50, capacity: 500, fairness: { weights: { shop: 3 } } })
      assert.strictEqual(ollama?.policies.caching, false)
    }).pipe(Effect.provide(NodeFileSystem.layer)))
})
