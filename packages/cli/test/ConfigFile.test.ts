import { assert, describe, it } from "@effect/vitest"
import { Effect, Either, Redacted } from "effect"
import * as BackendLayers from "../src/BackendLayers.js"
import * as ConfigFile from "../src/ConfigFile.js"
import * as ConfigReading from "../src/ConfigReading.js"

const environment = (name: string) => ({ GROQ_API_KEY: "gsk_1", SPARE: "gsk_2" })[name]

const read = (text: string) => Either.map(ConfigReading.parse(text, environment), ({ config }) => config)

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
    keys:
      - \${GROQ_API_KEY}
      - { key: "\${SPARE}", name: spare, weight: 2 }
    pool: { strategy: weighted }
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
      backends.map(({ keys, ...backend }) => ({ ...backend, keys: keys.map(({ key, ...rest }) => [Redacted.value(key), rest]) })),
      [
        {
          name: "groq",
          address: undefined,
          environment: { GROQ_REGION: "eu" },
          keys: [["gsk_1", {}], ["gsk_2", { name: "spare", weight: 2 }]],
          pool: { strategy: "weighted" },
          policies: { retry: { maxRetries: 3 }, queue: { concurrency: 20 } }
        },
        { name: "ollama", address: "http://localhost:11434", environment: {}, keys: [], pool: {}, policies: { retry: { maxRetries: 3 } } }
      ]
    )
    assert.deepStrictEqual(models, { fast: ["groq/llama-3.3-70b-versatile", "ollama/llama3.2"] })
  })

  it("may be JSON", () => {
    for (const indent of [0, 2, "\t"]) {
      const json = JSON.stringify({ backends: { ollama: { address: "http://localhost:11434" } } }, null, indent)
      assert.deepStrictEqual(problems(json), [])
    }
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
    ["an unknown backend", "backends:\n  grok:\n    keys: [x]\n", /^2 backends\.grok: is unexpected, expected: "openai" \| /],
    ["no key where one is needed", "backends:\n  groq:\n    keys: []\n", /^2 backends\.groq: needs a key$/],
    ["no address where one is needed", "backends:\n  ollama: {}\n", /^2 backends\.ollama: needs an address/],
    ["a key that nobody wants", "backends:\n  ollama:\n    address: http://a\n    keys: [x]\n", /^4 backends\.ollama\.keys: has no use/],
    ["no backend", "backends: {}\n", /^1 backends: must name a backend$/],
    ["nothing at all", "", /^\? : /],
    ["a policy that is none", "policies: { queue: 3 }\nbackends:\n  groq: { keys: [x] }\n", /^1 policies\.queue: must be options, or false$/],
    ["a pool's option that is none", "backends:\n  groq:\n    keys: [x]\n    pool: { strategy: best }\n", /^4 backends\.groq\.pool\.strategy: must be "round-robin" or /],
    ["a strategy that S3 takes elsewhere", "backends:\n  s3:\n    keys: [x]\n    pool: { strategy: failover }\n", /^4 backends\.s3\.pool\.strategy: .*S3_STRATEGY/],
    ["a client's key that is too short", "gateway: { access: { keys: [{ name: a, key: short }] } }\nbackends:\n  groq: { keys: [x] }\n", /^1 gateway\.access\.keys\.0\.key: must be sha256: and 64 digits, or a key/],
    ["limits of tenants whom nobody tells apart", "tenants:\n  acme:\n    maxTokens: 5\nbackends:\n  groq: { keys: [x] }\n", /^3 tenants\.acme\.maxTokens: has no meaning without gateway\.access/],
    ["a price that is none", "backends:\n  groq: { keys: [x] }\npricing:\n  prices:\n    - price: { input: -1 }\n", /^5 pricing\.prices\.0\.price\.input: must be dollars/],
    ["a period that is none", "backends:\n  groq: { keys: [x] }\nbudget: { limits: [{ dollars: 1, per: year }] }\n", /^3 budget\.limits\.0\.per: must be "minute" or "day" or "month"/],
    ["a model of no backend, with a weight", "backends:\n  groq: { keys: [x] }\nmodels:\n  fast:\n    - { model: openai/gpt, weight: 2 }\n", /^5 models\.fast\.0: must be backend\/model/],
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

  it.effect("tells what every policy would refuse by the line that gives it, be it the policy of one backend or of all", () =>
    Effect.gen(function*() {
      const text = [
        "policies:",
        "  queue:",
        "    capacity: -1",
        "  breaker: { maxOpenFor: 10 seconds, openFor: 5 seconds }",
        "backends:",
        "  groq:",
        "    keys: [x]",
        "    policies:",
        "      retry:",
        "        maxRetries: 1000",
        "        budget: { ratio: lots }",
        "  ollama:",
        "    address: http://localhost:11434",
        "    policies:",
        "      timeout: { atempt: 3 seconds }"
      ].join("\n")
      assert.deepStrictEqual((yield* Effect.flip(ConfigFile.read("a.yaml", text, environment))).message.split("\n"), [
        "a.yaml:3: policies.queue.capacity: must be a whole number of at least 0, not -1",
        "a.yaml:10: backends.groq.policies.retry.maxRetries: must be a whole number from 0 to 100, not 1000",
        "a.yaml:11: backends.groq.policies.retry.budget.ratio: must be a number from 0 to 100, not \"lots\"",
        "a.yaml:15: backends.ollama.policies.timeout.atempt: is unexpected, expected: \"attempt\" | \"firstPart\" | \"idle\""
      ])
    }))

  it.effect("tells what shows only beside something else, by the line of what is at odds", () =>
    Effect.gen(function*() {
      const text = [
        "gateway:",
        "  access:",
        "    keys:",
        "      - { name: ada, key: sk-spillway-0123456789 }",
        "      - { name: ada, key: sk-spillway-9876543210 }",
        "policies:",
        "  breaker: { maxOpenFor: 20 seconds, openFor: 5 seconds }",
        "backends:",
        "  groq:",
        "    keys:",
        "      - { key: one, name: same }",
        "      - { key: two, name: same }",
        "    policies:",
        "      breaker: { openFor: 30 seconds }",
        "  openai:",
        "    keys:",
        "      - fine",
        "      - not one",
        "budget:",
        "  limits:",
        "    - { dollars: 1, per: day }",
        "    - { dollars: 2, per: day }"
      ].join("\n")
      assert.deepStrictEqual((yield* Effect.flip(ConfigFile.read("a.yaml", text, environment))).message.split("\n"), [
        "a.yaml:5: gateway.access.keys.1.name: must not be the name of another key",
        "a.yaml:7: policies.breaker.maxOpenFor: must be at least openFor, 30s",
        "a.yaml:10: backends.groq.keys: two keys have the name \"same\"",
        "a.yaml:18: backends.openai.keys.1: key-2 holds a space, a line break or another character that no key has",
        "a.yaml:22: budget.limits.1.name: there is another limit named \"all per day\""
      ])
    }))

  it("repeats nothing that the environment has said", () => {
    const told = problems("backends:\n  groq:\n    keys: [{ key: x, weight: \"${SPARE}\" }]\n")
    assert.deepStrictEqual(told, ["3 backends.groq.keys.0.weight: must be a number from 0.001 to 1000000"])
  })

  it("gives a backend its own policies over those of all, option by option", () => {
    const text = [
      "policies: { queue: { capacity: 7, concurrency: 2 }, retry: false, hedge: true, breaker: { failures: 3 } }",
      "backends:",
      "  groq:",
      "    keys: [x]",
      "    policies: { queue: { concurrency: 9 }, retry: { maxRetries: 1 }, hedge: { maxExtra: 2 }, breaker: false }"
    ].join("\n")
    const { backends: [groq] } = Either.getOrThrow(read(text))
    assert.deepStrictEqual(groq.policies, {
      queue: { capacity: 7, concurrency: 9 },
      retry: { maxRetries: 1 },
      hedge: { maxExtra: 2 },
      breaker: false
    })
  })

  it("gives tenants their weights in every queue that does not say otherwise, and their limits at the gateway", () => {
    const text = [
      "gateway:",
      "  port: 9000",
      "  access: { keys: [{ name: ada, key: sk-spillway-0123456789, tenant: acme, role: admin }] }",
      "tenants: { acme: { weight: 3, requestsPerMinute: 60 }, umbrella: { weight: 2 } }",
      "backends:",
      "  groq: { keys: [x], policies: { queue: { fairness: { weights: { umbrella: 5 } } } } }",
      "  openai: { keys: [x], policies: { queue: false } }"
    ].join("\n")
    const { backends: [groq, openai], gateway: { access, ...gateway } } = Either.getOrThrow(read(text))
    assert.deepStrictEqual(groq.policies, { queue: { fairness: { weights: { acme: 3, umbrella: 5 } } } })
    assert.deepStrictEqual(openai?.policies, { queue: false })
    assert.deepStrictEqual(gateway, { port: 9000 })
    assert.deepStrictEqual(access?.tenants, { acme: { requestsPerMinute: 60 }, umbrella: {} })
    assert.deepStrictEqual(access?.keys.map(({ key, ...rest }) => [Redacted.isRedacted(key) && Redacted.value(key), rest]), [
      ["sk-spillway-0123456789", { name: "ada", role: "admin", tenant: "acme" }]
    ])
  })

  it.effect("takes what joins and shares calls, and keeps answers, among the policies, and tries it out as well", () =>
    Effect.gen(function*() {
      const file = (policies: string) =>
        ConfigFile.read("a.yaml", `policies:\n  ${policies}\nbackends:\n  groq: { keys: [x] }`, environment)
      const { backends: [groq] } = yield* file("{ batching: { maxItems: 8 }, coalescing: true, caching: true, hedge: true }")
      assert.deepStrictEqual(groq.policies, { batching: { maxItems: 8 }, coalescing: true, caching: true, hedge: true })
      assert.match((yield* Effect.flip(file("batching: { maxItems: 1 }"))).message, /^a\.yaml:2: policies\.batching\.maxItems: .*at least 2/)
      assert.match((yield* Effect.flip(file("coalescing: { parts: 1 }"))).message, /^a\.yaml:2: policies\.coalescing\.parts: /)
      assert.match((yield* Effect.flip(file("hedge: { maxExtra: 9 }"))).message, /^a\.yaml:2: policies\.hedge\.maxExtra: /)
    }))

  it("gives a backend the keys and the address of the file, and of the environment only the rest", () => {
    const { backends: [groq] } = Either.getOrThrow(read(good))
    const outer = { GROQ_API_KEY: "other", GROQ_API_KEY_7: "other", GROQ_BASE_URL: "other", HOME: "/home", GROQ_REGION: "us" }
    assert.deepStrictEqual(Object.fromEntries(BackendLayers.toVariables(groq, outer)), {
      HOME: "/home",
      GROQ_REGION: "eu",
      GROQ_API_KEY_1: "gsk_1",
      GROQ_API_KEY_2: "gsk_2"
    })
  })
})
