/**
 * No key is ever seen: whatever goes wrong, wherever it goes wrong, and by whatever means one looks. The services here
 * repeat the key in everything that they say, and so do the clients that fail.
 */
import * as HttpClient from "@effect/platform/HttpClient"
import * as HttpClientError from "@effect/platform/HttpClientError"
import type * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import * as HttpClientResponse from "@effect/platform/HttpClientResponse"
import { assert, describe, it } from "@effect/vitest"
import * as InvalidOptions from "@spillway/core/InvalidOptions"
import * as KeyPool from "@spillway/core/KeyPool"
import * as LlmError from "@spillway/core/LlmError"
import * as LlmService from "@spillway/core/LlmService"
import * as Monitor from "@spillway/core/Monitor"
import * as Resilience from "@spillway/core/Resilience"
import * as Telemetry from "@spillway/core/Telemetry"
import * as Providers from "@spillway/providers"
import * as Catalogue from "@spillway/providers/Catalogue"
import * as Simulator from "@spillway/testing/Simulator"
import {
  Cause,
  type Config,
  ConfigError,
  ConfigProvider,
  ConfigProviderPathPatch,
  Context,
  Effect,
  Exit,
  Fiber,
  HashSet,
  Layer,
  LogLevel,
  Metric,
  Redacted,
  Schema,
  Stream,
  TestClock
} from "effect"
import { createHash } from "node:crypto"
import { serve } from "../../gateway/test/web.js"
import { leaked, logging, shown, tracing } from "./sinks.js"

/** A key like no other text. */
const made = (name: string) => `sk-${createHash("sha256").update(name).digest("base64url").replaceAll(/[-_]/g, "x")}`

const assertNone = (texts: ReadonlyArray<string>, keys: ReadonlyArray<string>) => {
  const found = leaked(texts, keys)
  if (found !== undefined) assert.fail(`a key is seen: ${found}`)
}

// -----------------------------------------------------------------------------
// the backends
// -----------------------------------------------------------------------------

interface Backend {
  readonly name: string
  readonly entry: Catalogue.Entry
  readonly config: Config.Config<object>
  /** Untyped: what programs without types get wrong is tried here too. */
  readonly layer: (options: any) => Catalogue.Entry["layer"]
  /** Whether it has a wire of its own, or is the first to speak the one that it shares. */
  readonly original: boolean
}

/** S3 is no model, and has credentials of another kind: `S3Secrets.test.ts`. */
const models = Object.entries<Catalogue.Entry>(Catalogue.backends).filter(([name]) => name !== "s3")

/** Whatever the catalogue has, with the module that it has it from. */
const backends: ReadonlyArray<Backend> = models.map(([name, entry]) => {
  const module = Object.values<object>(Providers).find((module) => "layerConfig" in module && module.layerConfig === entry.layer)
  if (module === undefined) throw new Error(`the barrel lacks the module of ${name}: npm run codegen`)
  const { config, layer } = module as Pick<Backend, "config" | "layer">
  return { name, entry, config, layer, original: name === "openai" || !("profile" in module) }
})

// over https, since there are backends that show their keys nowhere else
const origin = "https://simulator.test"

const simulated = Effect.runSync(Effect.map(Simulator.make(), (simulator) => simulator.environment(origin)))

/** An environment in which these keys (the first without a number) are set, by whatever name a backend has for them. */
const environment = (
  { addressVariables: [addressVariable] }: Catalogue.Entry,
  keys: ReadonlyArray<string>,
  address = simulated.get(addressVariable) ?? origin
) => {
  const find = (name: string): string | undefined => {
    const [key, n = "0"] = /_(?:KEY|TOKEN)(?:_(\d+))?$/.exec(name) ?? []
    return name === addressVariable ? address : key === undefined ? undefined : keys[Number(n)]
  }
  return ConfigProvider.fromFlat(ConfigProvider.makeFlat({
    load: (path, primitive) => {
      const text = find(path.join("_"))
      return text === undefined
        ? Effect.fail(ConfigError.MissingData([...path], "it is not set"))
        : Effect.map(primitive.parse(text), (value) => [value])
    },
    enumerateChildren: () => Effect.succeed(HashSet.empty()),
    patch: ConfigProviderPathPatch.empty
  }))
}

// -----------------------------------------------------------------------------
// what goes wrong
// -----------------------------------------------------------------------------

/** What is at hand where an answer is made: the request, the key that came with it, and the backend it was meant for. */
interface Asked {
  readonly request: HttpClientRequest.HttpClientRequest
  readonly key: string
  readonly name: string
  readonly simulator: Simulator.Service
}

type Answer = (asked: Asked) => Effect.Effect<HttpClientResponse.HttpClientResponse, HttpClientError.HttpClientError>

/** An error as the backend writes it, its words in every place for words. */
const toBody = (name: string, words: string): object =>
  name === "ollama"
    ? { error: words }
    : { type: "error", error: { message: words, type: words, code: words, param: words, status: words }, request_id: words }

/** The same as an event of a stream. */
const toEvent = (name: string, body: object): string =>
  name === "ollama" ? `${JSON.stringify(body)}\n` : `${name === "anthropic" ? "event: error\n" : ""}data: ${JSON.stringify(body)}\n\n`

const reply = (
  { request }: Asked,
  status: number,
  body: string | object,
  headers: Readonly<Record<string, string>> = {}
) =>
  HttpClientResponse.fromWeb(
    request,
    new Response(
      typeof body === "string" || body instanceof ReadableStream ? body : JSON.stringify(body),
      { status, headers: { "content-type": "application/json", ...headers } }
    )
  )

const answers = (make: (asked: Asked) => HttpClientResponse.HttpClientResponse): Answer => (asked) => Effect.succeed(make(asked))

/** An answer of this status whose every word is made of the key. */
const says = (status: number, words: (key: string) => string): Answer =>
  answers((asked) => {
    const said = words(asked.key)
    return reply(asked, status, toBody(asked.name, said), { "x-request-id": said, "request-id": said, "retry-after": "1" })
  })

/** An error as clients make them: it knows the request, and repeats what it could not send. */
const failure = ({ key, request }: Asked) =>
  Object.assign(new TypeError(`invalid header value: Bearer ${key}`, { cause: request }), { request })

const cut = (asked: Asked, begin: string) =>
  new ReadableStream({
    start: (controller) => controller.enqueue(new TextEncoder().encode(begin)),
    pull: (controller) => controller.error(failure(asked))
  })

/** Every stage at which a call can end, what is answered there, and how it ends. */
const stages: { readonly [stage: string]: readonly [ends: "Success" | "Failure" | "Die", answer: Answer] } = {
  "all is well": ["Success", ({ request, simulator }) => simulator.client.execute(request)],
  "the host cannot be reached": ["Failure", (asked) =>
    new HttpClientError.RequestError({ request: asked.request, reason: "Transport", cause: failure(asked) })],
  "the request cannot be written": ["Failure", ({ key, request }) =>
    new HttpClientError.RequestError({ request, reason: "Encode", description: `no header: ${key}` })],
  "the key is refused, and repeated whole": ["Failure", says(401, (key) => `Incorrect API key provided: ${key}.`)],
  "the key is refused, and its ends repeated": ["Failure", says(401, (key) =>
    `Incorrect API key provided: ${key.slice(0, 8)}${"*".repeat(30)}${key.slice(-8)}. Find yours elsewhere.`)],
  "the key is refused, and pieces of it repeated": ["Failure", says(401, (key) =>
    `No key ends in ${key.slice(-8)} or has ${key.slice(20, 28)} in it (${key.slice(3, 11)})`)],
  "a client refuses the status by itself": ["Failure", (asked) =>
    new HttpClientError.ResponseError({
      request: asked.request,
      response: reply(asked, 401, toBody(asked.name, asked.key)),
      reason: "StatusCode",
      description: asked.key
    })],
  "the key may not do this": ["Failure", says(403, (key) => `${key} may not do this`)],
  "the key has to rest": ["Failure", says(429, (key) => `Rate limit reached for ${key}`)],
  "the quota is used up": ["Failure", says(402, (key) => `${key} has no credit left`)],
  "the request is refused": ["Failure", says(400, (key) => `bad request by ${key}`)],
  "the model is unknown": ["Failure", says(404, (key) => `${key} has no such model`)],
  "a proxy answers a page": ["Failure", answers((asked) =>
    reply(asked, 502, `<html><b>${asked.key}</b>`, { "content-type": `text/html; k=${asked.key}` }))],
  "another server answers a page": ["Failure", answers((asked) =>
    reply(asked, 200, `<html>${asked.key}`, { "content-type": `text/html; k=${asked.key}` }))],
  "the address has moved": ["Failure", answers((asked) =>
    reply(asked, 307, "", { location: `https://elsewhere.test/${asked.key}?key=${asked.key}` }))],
  "nobody answers": ["Failure", () => Effect.never],
  "the JSON is broken": ["Failure", answers((asked) =>
    reply(asked, 200, toEvent(asked.name, { key: asked.key }).replace("}", "")))],
  "the JSON is something else": ["Failure", answers((asked) =>
    reply(asked, 200, { [asked.key]: asked.key, data: asked.key, choices: asked.key, models: asked.key }))],
  "an error comes in the stream": ["Failure", answers((asked) =>
    reply(asked, 200, toEvent(asked.name, toBody(asked.name, `overloaded by ${asked.key}`))))],
  "an error comes as a success": ["Failure", answers((asked) => reply(asked, 200, toBody(asked.name, `broken by ${asked.key}`)))],
  "the answer breaks off": ["Failure", answers((asked) =>
    reply(asked, 200, cut(asked, toEvent(asked.name, { key: asked.key }).slice(0, 30))))],
  "the refusal breaks off": ["Failure", answers((asked) => reply(asked, 500, cut(asked, asked.key)))],
  "the client has a bug": ["Die", (asked) => Effect.die(failure(asked))],
  "the client has a bug in the midst of an answer": ["Die", answers((asked) =>
    Object.create(reply(asked, 200, ""), {
      text: { value: Effect.die(failure(asked)) },
      stream: { value: Stream.die(failure(asked)) }
    }))]
}

/** What is tried also where only a profile differs, and with and without spans for the requests. */
const telling: ReadonlySet<string> = new Set(["the key is refused, and pieces of it repeated", "the client has a bug"])

// -----------------------------------------------------------------------------
// where one looks
// -----------------------------------------------------------------------------

/** Lets the clock go on until the effect has ended. */
const play = <A, E, R>(effect: Effect.Effect<A, E, R>) =>
  Effect.gen(function*() {
    const fiber = yield* Effect.fork(effect)
    while ((yield* Fiber.poll(fiber))._tag === "None") {
      yield* TestClock.adjust("10 seconds")
      yield* Effect.promise(() => new Promise((resolve) => setImmediate(resolve)))
    }
    return yield* Fiber.await(fiber)
  })

const prompt = made("prompt")
const chat = { model: "sim-chat", prompt }

const calls: { readonly [O in LlmService.Operation]?: (llm: LlmService.Service) => Effect.Effect<unknown, LlmError.LlmError> } = {
  generateText: (llm) => llm.generateText(chat),
  streamText: (llm) => Stream.runCollect(llm.streamText(chat)),
  embed: (llm) => llm.embed({ model: "sim-embed", input: [prompt] }),
  rerank: (llm) => llm.rerank({ model: "sim-rerank", query: prompt, documents: [prompt] }),
  listModels: (llm) => llm.listModels
}

const requests = [false, true].map((stream) => ({ model: chat.model, messages: [{ role: "user", content: prompt }], stream }))

/** All that can be seen of a backend whose every request is answered so. */
const seen = ({ config, entry, layer, name }: Backend, stage: string, answer: Answer) =>
  Effect.gen(function*() {
    const keys = Array.from({ length: 8 }, (_, n) => made(`${name} ${n}`))
    const simulator = yield* Simulator.make({ keys, models: ["sim-embed"] })
    const sent = new Set<string>()
    const urls = new Set<string>()
    const client = HttpClient.make((request, url) => {
      const credentials = Object.values(request.headers).join(" ")
      const key = keys.find((key) => credentials.includes(key)) ?? ""
      sent.add(key)
      urls.add(url.href)
      return answer({ request, key, name, simulator })
    })

    const log = logging(LogLevel.Trace)
    const trace = tracing()
    const looks: Array<string> = []
    const look = (value: unknown) => void looks.push(shown(value))
    const outcomes = new Set<string>()

    const program = Effect.gen(function*() {
      const options = yield* config
      look(options)
      const traced = layer({ ...options, http: { spans: true } })
      for (const backend of telling.has(stage) ? [entry.layer, traced] : [traced]) {
        const context = yield* Layer.build(backend.pipe(
          Resilience.layer({ retry: { maxRetries: 1, maxRotations: 0 }, breaker: { failures: 1000 } }),
          Layer.provide(Layer.succeed(HttpClient.HttpClient, client))
        ))
        const llm = Context.get(context, LlmService.LlmService)
        look(context)
        look(llm)
        for (const [operation, call] of Object.entries(calls)) {
          if (!llm.operations.has(operation as LlmService.Operation)) continue
          const exit = yield* play(Effect.withTracer(call(llm), trace.tracer))
          look(exit)
          outcomes.add(Exit.isSuccess(exit) ? "Success" : Cause.isFailure(exit.cause) ? "Failure" : "Die")
          if (Exit.isSuccess(exit)) continue
          const error = Cause.squash(exit.cause)
          yield* Effect.logError("it failed", exit.cause).pipe(Effect.annotateLogs({ error, exit, llm }))
          if (!LlmError.isLlmError(error)) continue
          look(yield* Schema.encode(LlmError.LlmError)(error))
          assert.notInclude(["CircuitOpen", "KeysCooling", "KeysExhausted", "QueueFull"], error._tag, "it was asked")
        }
        const web = yield* serve(llm)
        for (const request of requests) {
          const read = Effect.flatMap(web.post("/v1/chat/completions", request), (response) =>
            Effect.map(Effect.promise(() => response.text()), (text) => [text, ...response.headers]))
          look(yield* yield* play(read))
        }
        for (const path of ["/status.json", "/metrics", "/v1/models", "/readyz"]) {
          const response = yield* yield* play(web.fetch(path))
          looks.push(yield* Effect.promise(() => response.text()))
        }
      }
      look(yield* Monitor.snapshot)
      yield* Telemetry.publish
      looks.push(JSON.stringify(yield* Metric.snapshot))
    })
    yield* program.pipe(
      Effect.withConfigProvider(environment(entry, keys)),
      Effect.provideService(Monitor.CurrentMonitor, Monitor.unsafeMake()),
      Effect.provide(log.layer)
    )
    return { keys, sent, outcomes, looks: [...looks, ...urls], told: [...log.lines, ...trace.told.map(shown)], spans: trace.names }
  })

describe("keys are never seen (S1, S3)", () => {
  it("unless one shows what holds one, which is how one knows that this test can see", () => {
    const key = made("control")
    const request = { headers: { authorization: `Bearer ${key}` } }
    for (
      const value of [request, new Error(key), new Error("", { cause: request }), Cause.die(request), Exit.fail({ key: key.slice(-8) })]
    ) assert.isDefined(leaked([shown(value)], [key]))
    assert.isUndefined(leaked([shown(Redacted.make(key)), key.slice(-7)], [key]))
  })

  for (const backend of backends) {
    describe(`of ${backend.name}`, () => {
      for (const [stage, [ends, answer]] of Object.entries(stages)) {
        if (ends === "Success" && !simulated.has(backend.entry.addressVariables[0])) continue
        if (!backend.original && !telling.has(stage)) continue
        it.scoped(`when ${stage}`, () =>
          Effect.gen(function*() {
            const { keys, looks, outcomes, sent, spans, told } = yield* seen(backend, stage, answer)
            assert.deepStrictEqual([...outcomes], [ends])
            assert.includeMembers(keys, [...sent], "nothing went without a key")
            assert.include(spans, "attempt")
            assert.isTrue(spans.some((name) => /^http\.client (GET|POST)$/.test(name)), "no request is a span")
            assertNone([...looks, ...told], keys)
            // nor is what people ask: it belongs to them and to the model
            assertNone(told, [prompt])
          }))
      }
    })
  }
})

// -----------------------------------------------------------------------------
// before the first call
// -----------------------------------------------------------------------------

const good = made("good")
const noKeys = {
  "with a line break in it": `${made("bad")}\r\nx: y`,
  "with a space at its end": `${made("bad")} `,
  "with a letter that no header carries": `${made("bad")}é`,
  "that is far too long": Array.from({ length: 20 }, (_, n) => made(`bad ${n}`)).join("")
}
const bad = Object.values(noKeys)

/** Why a backend cannot be built; a program without types may get that far, and then nothing is sent. */
const refusal = (backend: Catalogue.Entry["layer"], variables: ConfigProvider.ConfigProvider = ConfigProvider.fromMap(new Map())) =>
  Layer.build(backend).pipe(
    Effect.provideService(HttpClient.HttpClient, HttpClient.make(() => Effect.dieMessage("nothing is to be sent"))),
    Effect.withConfigProvider(variables),
    Effect.exit,
    Effect.tap((exit) => Effect.logError(exit, Exit.isFailure(exit) ? exit.cause : ""))
  )

const reasonOf = (exit: Exit.Exit<unknown, unknown>) => {
  const error = Exit.isFailure(exit) ? Cause.squash(exit.cause) : undefined
  return error instanceof InvalidOptions.InvalidOptions ? error.field : ConfigError.isConfigError(error) ? "config" : error
}

describe("keys are never seen before the first call (S1, S2)", () => {
  for (const { entry, layer, name } of backends) {
    for (const [what, key] of Object.entries(noKeys)) {
      it.scoped(`when ${name} is given a key ${what}`, () =>
        Effect.gen(function*() {
          const log = logging(LogLevel.Trace)
          const exits = yield* Effect.all([
            refusal(entry.layer, environment(entry, [key])),
            refusal(entry.layer, environment(entry, [good, key])),
            refusal(layer({ apiKeys: [Redacted.make(key)], baseUrl: origin })),
            refusal(layer({ apiKeys: [Redacted.make(good), { name: "mine", key: Redacted.make(key) }], baseUrl: origin }))
          ]).pipe(Effect.provide(log.layer))
          assert.deepStrictEqual(exits.map(reasonOf), ["config", "config", "keys", "keys"])
          assertNone([...exits.map(shown), ...log.lines], [good, ...bad])
        }))
    }

    it.scoped(`when ${name} is given a key where it does not belong`, () =>
      Effect.gen(function*() {
        const log = logging(LogLevel.Trace)
        const other = Redacted.make("sk-other")
        const addresses = [`https://me:${good}@simulator.test`, `${origin}/?key=${good}`, `${good}://x`, good]
        const exits = yield* Effect.all([
          ...[{ apiKeys: [good] }, { apiKeys: good }, { apiKeys: [{ key: good }] }, { apiKey: good, apiKeys: [other] }].map((options) =>
            refusal(layer({ ...options, baseUrl: origin }))
          ),
          ...addresses.map((baseUrl) => refusal(layer({ apiKeys: [other], baseUrl }))),
          ...addresses.map((address) => refusal(entry.layer, environment(entry, ["sk-other"], address)))
        ]).pipe(Effect.provide(log.layer))
        assertNone([...exits.map(shown), ...log.lines], [good])
      }))
  }

  it.scoped("in a pool, a lease, or what becomes of either", () =>
    Effect.gen(function*() {
      const keys = [made("one"), made("two"), made("three")] as const
      const log = logging(LogLevel.Trace)
      const pool = yield* KeyPool.make({
        backend: "any",
        keys: [Redacted.make(keys[0]), { name: "second", key: Redacted.make(keys[1]) }]
      })
      const lease = yield* pool.lease("m")
      const seen: Array<unknown> = [pool, lease, yield* pool.stats]
      seen.push(lease.failed(new LlmError.AuthenticationFailed({ backend: "any", message: "no" })))
      assert.isTrue(yield* pool.replace("second", Redacted.make(keys[2])))
      for (const key of bad) seen.push(yield* Effect.exit(pool.replace("second", Redacted.make(key))))
      const other = yield* pool.lease("m")
      assert.strictEqual(Redacted.value(other.key), keys[2])
      seen.push(pool, other, yield* pool.stats, yield* Monitor.snapshot)
      yield* Effect.logInfo(pool, lease).pipe(Effect.annotateLogs({ pool, lease }), Effect.provide(log.layer))
      assertNone([...seen.map(shown), ...log.lines], [...keys, ...bad])
    }))
})
