import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { existsSync, readdirSync, readFileSync } from "node:fs"
import * as Simulator from "@spillway/testing/Simulator"
import { answer, ask, events, text } from "./SimulatorCalls.js"

const folder = new URL("../../../../shared/specs/examples/", import.meta.url)

// oxlint-disable-next-line typescript/no-explicit-any -- recordings are what they are
type Any = any

interface Example {
  readonly name: string
  readonly request?: { readonly method?: string; readonly uri: string; readonly body?: Any; readonly raw?: string }
  readonly response: {
    readonly status: number
    readonly body?: Any
    readonly raw?: string
    readonly headers?: { readonly [name: string]: string }
  }
}

const vendors: { readonly [vendor: string]: (uri: string) => string } = {
  openai: (uri) => uri.replace("https://api.openai.com", "/openai"),
  groq: (uri) => uri.replace("https://api.groq.com", "/groq"),
  anthropic: (uri) => uri.replace("https://api.anthropic.com", "/anthropic"),
  ollama: (uri) => uri.replace(/^(http:\/\/localhost:11434)?\//, "/ollama/"),
  gemini: (uri) => uri.replace("https://generativelanguage.googleapis.com", "/gemini")
}

const examples = (vendor: string): ReadonlyArray<Example> =>
  readdirSync(new URL(`${vendor}/`, folder)).map((file) => ({
    name: `${vendor}/${file.replace(".json", "")}`,
    ...JSON.parse(readFileSync(new URL(`${vendor}/${file}`, folder), "utf8"))
  }))

const spoken =
  /\/(chat\/completions|embeddings|models|messages|messages\/count_tokens)(\?|$)|\/api\/(chat|generate|embed|embeddings|tags|show|version|ps|pull)$|^\/ollama\/$|:\w+(\?alt=sse)?$/

// A recording's model need not be one of the simulator's.
const makeModels = (all: ReadonlyArray<Example>): ReadonlyArray<string> =>
  Array.from(
    new Set(
      all
        .filter(({ response }) => response.status === 200)
        .flatMap(({ request }) => request?.body?.model ?? /\/models\/([^:]+):/.exec(request?.uri ?? "")?.[1] ?? [])
    )
  )

const known = (vendor: string) => {
  const all = examples(vendor).flatMap((example) =>
    example.request === undefined ? [] : [{ ...example, path: vendors[vendor]?.(example.request.uri) ?? "" }]
  )
  // Azure has hosts of its own, Ollama and Gemini a second wire that they share with OpenAI.
  return all.filter(
    ({ path }) => path.startsWith(`/${vendor}/`) && spoken.test(path) && !/^\/(ollama\/v1|gemini\/v1beta\/openai)\//.test(path)
  )
}

// What one run of a service sent and another did not: optional there as here.
const optional = new Set([
  "logprobs",
  "service_tier",
  "system_fingerprint",
  "annotations",
  "caller",
  "stop_details",
  "inference_geo",
  "usage_breakdown",
  "completion_tokens_details",
  "reasoning",
  "thinking",
  "images",
  "seed",
  "moderation",
  "context_length",
  "done_reason",
  "total_duration",
  "load_duration",
  "prompt_eval_count",
  "tensors",
  "details",
  "model_info",
  "queue_time",
  "server_tool_use",
  "avgLogprobs",
  "candidatesTokensDetails",
  "candidatesTokenCount",
  "thoughtsTokenCount"
])

/** Paths of keys in `recorded` that `simulated` lacks; lists are compared by members of the same type. */
const missing = (recorded: Any, simulated: Any, path = ""): ReadonlyArray<string> => {
  if (Array.isArray(recorded)) {
    return !Array.isArray(simulated)
      ? []
      : recorded.flatMap((one: Any) =>
          missing(
            one,
            simulated.find((other: Any) => other?.type === one?.type),
            `${path}[]`
          )
        )
  }
  if (typeof recorded !== "object" || recorded === null || typeof simulated !== "object" || simulated === null) {
    return []
  }
  return Object.keys(recorded).flatMap((key) =>
    key in simulated
      ? missing(recorded[key], simulated[key], `${path}.${key}`)
      : optional.has(key)
        ? []
        : [`${path}.${key}`]
  )
}

const pieces = (raw: string): ReadonlyArray<Any> =>
  (raw.includes("data: ") ? events(raw) : raw.split("\n"))
    .filter((piece) => piece.startsWith("{"))
    .map((piece) => JSON.parse(piece))

// What is said, and what a model is made of, is the model's own; only the shape of what says it is the wire's.
const own = new Set(["input", "arguments", "parameters", "model_info"])
const unsaid = (body: Any): Any => JSON.parse(JSON.stringify(body, (key, value) => (own.has(key) ? undefined : value)))

if (!existsSync(folder)) {
  describe.skip("Simulator: recorded examples (there is no ../shared/specs beside this checkout)", () => {
    it("are compared with what the simulator says", () => {})
  })
} else {
  for (const vendor of Object.keys(vendors)) {
    describe(`Simulator: recorded examples of ${vendor}`, () => {
      const all = known(vendor)
      const headers = { "anthropic-version": "2023-06-01", "x-goog-api-key": "sim-key-1" }
      const make = Effect.suspend(() => Simulator.make({ models: makeModels(all) }))
      const sent = (example: Example) => example.request?.raw ?? example.request?.body ?? undefined

      it.effect("what the service answered, the simulator answers, in the same shape", () =>
        Effect.gen(function*() {
          let compared = 0
          for (const example of all.filter(
            ({ response }) =>
              response.status === 200 && response.body !== undefined && typeof response.body === "object"
          )) {
            const simulator = yield* make
            const response = yield* answer(simulator, example.path, sent(example), headers)
            assert.strictEqual(response.status, 200, `${example.name}: ${JSON.stringify(response.body)}`)
            assert.deepStrictEqual(missing(unsaid(example.response.body), unsaid(response.body)), [], example.name)
            compared++
          }
          assert.isAbove(compared, vendor === "groq" || vendor === "gemini" ? 3 : 5)
        })
      )

      it.effect("what the service streamed, the simulator streams, in pieces of the same shapes", () =>
        Effect.gen(function*() {
          const streams = all.filter(
            ({ response }) =>
              response.status === 200 &&
              response.raw !== undefined &&
              (response.headers?.["content-type"] ?? "").match(/event-stream|ndjson/)
          )
          assert.isAbove(streams.length, 1)
          const mine: Array<Any> = []
          for (const example of streams) {
            const simulator = yield* make
            const response = yield* ask(simulator, example.path, sent(example), headers)
            const stream = yield* response.text
            assert.strictEqual(response.status, 200, `${example.name}: ${stream}`)
            const type = (contentType = "") => contentType.split(";")[0]
            assert.strictEqual(type(response.headers["content-type"]), type(example.response.headers?.["content-type"]))
            mine.push(...pieces(stream))
            const recorded = pieces(example.response.raw ?? "")
            // a stream of one piece begins with its end
            const first = pieces(stream).at(recorded.length === 1 ? -1 : 0)
            assert.deepStrictEqual(missing(unsaid(recorded[0]), unsaid(first)), [], example.name)
          }
          for (const example of streams) {
            for (const piece of pieces(example.response.raw ?? "")) {
              // Tools that the service runs itself the simulator does not have.
              if ("error" in piece || /tool_search|server_tool_use/.test(piece.content_block?.type ?? "")) continue
              const alike = mine.some(
                (one) =>
                  one.type === piece.type &&
                  one.content_block?.type === piece.content_block?.type &&
                  missing(unsaid(piece), unsaid(one)).length === 0
              )
              assert.isTrue(alike, `${example.name}: nothing like ${JSON.stringify(piece)}`)
            }
          }
        })
      )

      it.effect("what the service refused, the simulator refuses with the same status, code and shape", () =>
        Effect.gen(function*() {
          // Rules of single models, of tools that the service validates by running the model, and builds without a feature.
          const beyond =
            /unsupported_value|effort|context_length|tool_use_failed|envoy_chat_bad_request|bad_request|no_thinking|no_tools|embed_unsupported|queue_full|midstream/
          for (const example of all.filter(
            ({ name, response }) =>
              response.status >= 400 && !beyond.test(name) && !beyond.test(JSON.stringify(response.body ?? ""))
          )) {
            const simulator = yield* make
            const response = yield* ask(simulator, example.path, sent(example), headers)
            const raw = yield* response.text
            assert.strictEqual(response.status, example.response.status, `${example.name}: ${raw}`)
            if (example.response.body === undefined) continue
            const mine = JSON.parse(raw) as Any
            assert.deepStrictEqual(missing(example.response.body, mine), [], example.name)
            for (const key of ["type", "code", "param", "status"]) {
              assert.strictEqual(mine.error?.[key], example.response.body.error?.[key], `${example.name}: ${key}`)
            }
          }
        })
      )
    })
  }
}

describe("Simulator: streams", () => {
  it.effect("say what the whole answer says, on every wire", () =>
    Effect.gen(function*() {
      const simulator = yield* Simulator.make({ answerTokens: 30 })
      const asked = { model: "sim-chat", max_tokens: 20, messages: [{ role: "user", content: "héllo 😀" }] }
      const said: ReadonlyArray<readonly [string, (whole: Any) => string, (piece: Any) => string]> = [
        [
          "/openai/v1/chat/completions",
          (whole) => whole.choices[0].message.content,
          (piece) => piece.choices[0]?.delta.content ?? ""
        ],
        [
          "/groq/openai/v1/chat/completions",
          (whole) => whole.choices[0].message.content,
          (piece) => piece.choices[0]?.delta.content ?? ""
        ],
        ["/anthropic/v1/messages", (whole) => whole.content[0].text, (piece) => piece.delta?.text ?? ""],
        ["/ollama/api/chat", (whole) => whole.message.content, (piece) => piece.message.content]
      ]
      for (const [path, ofWhole, ofPiece] of said) {
        const whole = ofWhole((yield* answer(simulator, path, { ...asked, stream: false })).body)
        const stream = yield* text(simulator, path, { ...asked, stream: true })
        const pieces = path.startsWith("/ollama") ? stream.split("\n") : events(stream)
        assert.strictEqual(
          pieces
            .filter((piece) => piece.startsWith("{"))
            .map((piece) => ofPiece(JSON.parse(piece)))
            .join(""),
          whole
        )
        assert.match(whole, /héllo 😀/)
      }
    })
  )
})
