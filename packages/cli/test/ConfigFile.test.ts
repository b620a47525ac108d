import { assert, describe, it } from "@effect/vitest"
import { Effect, Either, Redacted } from "effect"
import * as ConfigFile from "../src/ConfigFile.js"

const environment = (name: string) => ({ GROQ_API_KEY: "gsk_1", SPARE: "gsk_2" })[name]

const read = (text: string) => Either.map(ConfigFile.parse(text, environment), ({ config }) => config)

const problems = (text: string) =>
  Either.match(read(text), {
    onLeft: (problems) => problems.map(({ field, line, message }) => `${line ?? "?"} ${field}: ${message}`),
    onRight: () => []
  })

const good = `
policies:
  retry: { maxRetries: 3 }
backends:
  groq:
    keys: ["\${GROQ_API_KEY}", "\${SPARE}"]
    environment: { GROQ_REGION: eu }
    policies: { queue: { concurrency: 20 } }
  ollama:
    address: http://localhost:11434
models:
  fast: [groq/llama-3.3-70b-versatile, ollama/llama3.2]
`

describe("the configuration file", () => {
  it("says which backends there are, with keys from the environment, each behind the policies of all and its own", () => {
    const { backends, models } = Either.getOrThrow(read(good))
    assert.deepStrictEqual(
      backends.map(({ keys, ...backend }) => ({ ...backend, keys: keys.map(Redacted.value) })),
      [
        {
          name: "groq",
          address: undefined,
          environment: { GROQ_REGION: "eu" },
          keys: ["gsk_1", "gsk_2"],
          policies: { retry: { maxRetries: 3 }, queue: { concurrency: 20 } }
        },
        { name: "ollama", address: "http://localhost:11434", environment: {}, keys: [], policies: { retry: { maxRetries: 3 } } }
      ]
    )
    assert.deepStrictEqual(models, { fast: ["groq/llama-3.3-70b-versatile", "ollama/llama3.2"] })
  })

  it("may be JSON", () => {
    assert.isTrue(Either.isRight(read(`{ "backends": { "ollama": { "address": "http://localhost:11434" } } }`)))
  })

  it("tells of a text that is no YAML by its line", () => {
    assert.match(problems("backends:\n  groq: [\n")[0] ?? "", /^[23] : /)
  })

  it("tells of every variable that is missing, by line and field, before anything else", () => {
    assert.deepStrictEqual(problems("backends:\n  groq:\n    keys: [\"${NOPE}\"]\n    adress: ${NEITHER}\n"), [
      "3 backends.groq.keys.0: the environment has no NOPE",
      "4 backends.groq.adress: the environment has no NEITHER"
    ])
  })

  const wrong: ReadonlyArray<readonly [what: string, text: string, problem: RegExp]> = [
    ["an unknown field", "backends:\n  groq:\n    keys: [x]\n    adress: http://a\n", /^4 backends\.groq\.adress: is unexpected/],
    ["an unknown policy", "backends:\n  groq:\n    keys: [x]\n    policies:\n      retries: 3\n", /^5 backends\.groq\.policies\.retries: is unexpected/],
    ["a key that is no text", "backends:\n  groq:\n    keys: [7]\n", /^3 backends\.groq\.keys\.0: /],
    ["an unknown backend", "backends:\n  grok:\n    keys: [x]\n", /^2 backends\.grok: is no backend; there are openai, /],
    ["no key where one is needed", "backends:\n  groq:\n    keys: []\n", /^2 backends\.groq: needs a key$/],
    ["no address where one is needed", "backends:\n  ollama: {}\n", /^2 backends\.ollama: needs an address/],
    ["a key that nobody wants", "backends:\n  ollama:\n    address: http://a\n    keys: [x]\n", /^4 backends\.ollama\.keys: has no use/],
    ["no backend", "backends: {}\n", /^1 backends: must name a backend$/],
    ["nothing at all", "", /^\? : /],
    ["a model of no backend", "backends:\n  groq: { keys: [x] }\nmodels:\n  fast:\n    - openai/gpt\n", /^5 models\.fast\.0: must be backend\/model/]
  ]
  for (const [what, text, problem] of wrong) {
    it(`tells of ${what} by line and field`, () => {
      const [first, ...others] = problems(text)
      assert.match(first ?? "", problem)
      assert.deepStrictEqual(others, [])
    })
  }

  it("never repeats a key", () => {
    const told = problems("backends:\n  groq:\n    keys: sk-secret-1234\n")
    assert.isNotEmpty(told)
    assert.notInclude(told.join("\n"), "secret")
  })

  it.effect("tells what a policy would refuse by the line that gives it, be it the policy of one backend or of all", () =>
    Effect.gen(function*() {
      const text = [
        "policies:",
        "  queue:",
        "    capacity: -1",
        "backends:",
        "  groq:",
        "    keys: [x]",
        "    policies:",
        "      retry:",
        "        maxRetries: 1000",
        "        jitter: full",
        "  ollama:",
        "    address: http://localhost:11434",
        "    policies:",
        "      timeout: { atempt: 3 seconds }"
      ].join("\n")
      const told = yield* Effect.flip(ConfigFile.read("a.yaml", text, environment))
      const [retry, ...others] = told.message.split("\n")
      assert.match(retry ?? "", /^a\.yaml:9: backends\.groq\.policies\.retry\.maxRetries: .*from 0 to 100, not 1000$/)
      // a backend's first problem hides its next, which is told when that is gone
      assert.match(others.join("\n"), /^a\.yaml:3: policies\.queue\.capacity: /)
    }))

  it.effect("takes what joins and shares calls among the policies, and tries it out as well", () =>
    Effect.gen(function*() {
      const file = (policies: string) =>
        ConfigFile.read("a.yaml", `policies:\n  ${policies}\nbackends:\n  groq: { keys: [x] }`, environment)
      const { backends: [groq] } = yield* file("{ batching: { maxItems: 8 }, coalescing: true, hedge: true }")
      assert.deepStrictEqual(groq.policies, { batching: { maxItems: 8 }, coalescing: true, hedge: true })
      assert.match((yield* Effect.flip(file("batching: { maxItems: 1 }"))).message, /^a\.yaml:2: policies\.batching\.maxItems: .*at least 2/)
      assert.match((yield* Effect.flip(file("coalescing: { parts: 1 }"))).message, /^a\.yaml:2: policies\.coalescing\.parts: /)
      assert.match((yield* Effect.flip(file("hedge: { maxExtra: 9 }"))).message, /^a\.yaml:2: policies\.hedge\.maxExtra: /)
    }))

  it("gives a backend the keys and the address of the file, and of the environment only the rest", () => {
    const { backends: [groq] } = Either.getOrThrow(read(good))
    const outer = { GROQ_API_KEY: "other", GROQ_API_KEY_7: "other", GROQ_BASE_URL: "other", HOME: "/home", GROQ_REGION: "us" }
    assert.deepStrictEqual(Object.fromEntries(ConfigFile.toVariables(groq, outer)), {
      HOME: "/home",
      GROQ_REGION: "eu",
      GROQ_API_KEY_1: "gsk_1",
      GROQ_API_KEY_2: "gsk_2"
    })
  })
})
