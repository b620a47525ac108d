/** What only one backend does, and what every backend does, behind the same policies. */
import { HttpClient } from "@effect/platform"
import { assert, describe, it } from "@effect/vitest"
import type * as LlmError from "@spillway/core/LlmError"
import * as LlmService from "@spillway/core/LlmService"
import * as Monitor from "@spillway/core/Monitor"
import * as ObjectStore from "@spillway/core/ObjectStore"
import * as ObjectStores from "@spillway/core/ObjectStores"
import * as Policy from "@spillway/core/Policy"
import * as Resilience from "@spillway/core/Resilience"
import * as Anthropic from "@spillway/providers/Anthropic"
import * as Gemini from "@spillway/providers/Gemini"
import * as Groq from "@spillway/providers/Groq"
import * as Llvm from "@spillway/providers/Llvm"
import * as Ollama from "@spillway/providers/Ollama"
import * as Opea from "@spillway/providers/Opea"
import * as OpenAi from "@spillway/providers/OpenAi"
import * as Ovms from "@spillway/providers/Ovms"
import * as S3 from "@spillway/providers/S3"
import * as Tei from "@spillway/providers/Tei"
import * as Tgi from "@spillway/providers/Tgi"
import * as Vllm from "@spillway/providers/Vllm"
import * as RecordedHttp from "@spillway/testing/RecordedHttp"
import { Chunk, type Context, Effect, Either, Fiber, Layer, Metric, Redacted, Stream, TestClock } from "effect"
import { endpoint } from "./s3.js"

const apiKeys = [Redacted.make("key-0123456789abcdef")] as const
const request = { model: "m", prompt: "hi" }
const lines = (...lines: ReadonlyArray<object>) =>
  RecordedHttp.text("application/x-ndjson", lines.map((line) => `${JSON.stringify(line)}\n`).join(""))

/** One of a backend's own operations, how it is answered, and one that every backend has. */
interface Case {
  readonly layer: Layer.Layer<LlmService.LlmService, unknown, HttpClient.HttpClient>
  readonly operation: string
  readonly own: Effect.Effect<unknown, LlmError.LlmError, LlmService.LlmService>
  readonly answer: RecordedHttp.Step
  readonly common: Effect.Effect<unknown, LlmError.LlmError, LlmService.LlmService>
}

const of = <Own extends Context.Tag.Identifier<any>, S>(
  tag: Context.Tag<Own, S>,
  layer: Layer.Layer<LlmService.LlmService | Own, unknown, HttpClient.HttpClient>,
  operation: string,
  ask: (service: S) => Effect.Effect<unknown, LlmError.LlmError>,
  answer: RecordedHttp.Step,
  common: Case["common"] = LlmService.health
): Case => ({
  layer,
  operation,
  // the layer has it, and a table has one type for all
  own: Effect.flatMap(tag, ask) as Case["own"],
  answer,
  common
})

const cases: { readonly [backend: string]: Case } = {
  anthropic: of(
    Anthropic.Anthropic,
    Anthropic.layer({ apiKeys }),
    "countTokens",
    (claude) => claude.countTokens(request),
    RecordedHttp.json({ input_tokens: 3 })
  ),
  gemini: of(
    Gemini.Gemini,
    Gemini.layer({ apiKeys }),
    "countTokens",
    (gemini) => gemini.countTokens(request),
    RecordedHttp.json({ totalTokens: 3 }),
    LlmService.listModels
  ),
  groq: of(
    Groq.Groq,
    Groq.layer({ apiKeys }),
    "transcribe",
    (groq) => groq.transcribe({ audio: { _tag: "Url", url: "https://a.test/a.wav" } }),
    RecordedHttp.json({ text: "hi" })
  ),
  llvm: of(Llvm.Llvm, Llvm.layer(), "status", (llvm) => llvm.status, RecordedHttp.json({ status: "ok" })),
  ollama: of(
    Ollama.Ollama,
    Ollama.layer(),
    "pull",
    (ollama) => Stream.runDrain(ollama.pull({ model: "m" })),
    lines({ status: "pulling manifest" }, { status: "success" })
  ),
  opea: of(
    Opea.Opea,
    Opea.layer(),
    "retrieve",
    (opea) => opea.retrieve({ query: "q", embedding: [1] }),
    RecordedHttp.json({ retrieved_docs: [] })
  ),
  openai: of(
    OpenAi.OpenAi,
    OpenAi.layer({ apiKeys }),
    "cancelResponse",
    (openai) => openai.cancelResponse("resp_1"),
    RecordedHttp.json({ id: "resp_1", status: "cancelled", model: "m", output: [] })
  ),
  ovms: of(
    Ovms.Ovms,
    Ovms.layer(),
    "server",
    (ovms) => ovms.server,
    RecordedHttp.json({ name: "OpenVINO Model Server", version: "2025.3", extensions: [] })
  ),
  tei: of(
    Tei.Tei,
    Tei.layer(),
    "predict",
    (tei) => tei.predict({ input: ["a"] }),
    RecordedHttp.json([[{ label: "a", score: 1 }]])
  ),
  tgi: of(Tgi.Tgi, Tgi.layer(), "info", (tgi) => tgi.info, RecordedHttp.json({ model_id: "m" })),
  vllm: of(
    Vllm.Vllm,
    Vllm.layer(),
    "detokenize",
    (vllm) => vllm.detokenize({ model: "m", tokens: [1] }),
    RecordedHttp.json({ prompt: "hi" })
  )
}

const backends = Object.keys(cases)

/** Runs a program behind the standard policies, against answers that are played. */
const behind = <A, E, R>(
  layer: Layer.Layer<LlmService.LlmService | R, unknown, HttpClient.HttpClient>,
  script: ReadonlyArray<RecordedHttp.Step | RecordedHttp.Repeat>,
  options: Resilience.Options,
  program: (http: RecordedHttp.Recorded) => Effect.Effect<A, E, LlmService.LlmService | R>
) =>
  Effect.flatMap(RecordedHttp.make(...script), (http) =>
    Effect.provide(
      program(http),
      Layer.orDie(Resilience.layer({
        ...options,
        retry: options.retry === false ? false : { jitter: "none", ...options.retry }
      })(layer)).pipe(Layer.provide(Layer.succeed(HttpClient.HttpClient, http.client)))
    ))

const unavailable = RecordedHttp.json({ error: "no" }, { status: 503 })

const play = <A, E, R>(effect: Effect.Effect<A, E, R>) =>
  Effect.gen(function*() {
    const fiber = yield* Effect.fork(Effect.either(effect))
    yield* TestClock.adjust("10 minutes")
    return yield* Fiber.join(fiber)
  })

const tagOf = <A>(effect: Effect.Effect<A, LlmError.LlmError, LlmService.LlmService>) =>
  Effect.map(Effect.either(effect), (result) => Either.isLeft(result) ? result.left._tag : "success")

const monitored = (backend: string) =>
  Effect.map(Monitor.snapshot, ({ backends }) => backends.find((one) => one.backend === backend)!)

/** The operations of which a metric has counted successes. */
const counted = (backend: string) =>
  Effect.map(Metric.snapshot, (pairs) =>
    pairs.flatMap(({ metricKey: { name, tags } }) => {
      const labels = Object.fromEntries(tags.map(({ key, value }) => [key, value]))
      const counts = name === "llm_requests_total" && labels["backend"] === backend && labels["outcome"] === "success"
      return counts ? [labels["operation"]] : []
    }))

describe("what only one backend does", () => {
  it.scoped.each(backends)("is tried again by %s after a 503, and counted under its name", (backend) => {
    const { answer, layer, operation, own } = cases[backend]!
    return behind(layer, [unavailable, unavailable, answer], {}, (http) =>
      Effect.gen(function*() {
        const result = yield* play(own)
        assert.isTrue(Either.isRight(result), String(result))
        assert.deepStrictEqual((yield* http.requests).map(({ at }) => at), [0, 1000, 3000])
        const { calls } = yield* monitored(backend)
        assert.deepInclude(calls, { started: 1, succeeded: 1, retries: { ServerFault: 2 } })
        assert.include(yield* counted(backend), `${backend}.${operation}`)
      }))
  })

  it.scoped.each(backends)("shares the circuit of %s with what every backend does", (backend) => {
    const { common, layer, own } = cases[backend]!
    return behind(layer, [unavailable, unavailable], { retry: false, breaker: { failures: 2 } }, (http) =>
      Effect.gen(function*() {
        const tags = yield* Effect.forEach([own, common, own, common], tagOf)
        assert.deepStrictEqual(tags, ["ServerFault", "ServerFault", "CircuitOpen", "CircuitOpen"])
        assert.strictEqual((yield* http.requests).length, 2)
        assert.strictEqual((yield* monitored(backend)).circuit?.state, "open")
      }))
  })

  it.scoped.each(backends)("shares the places of %s with what every backend does", (backend) => {
    const { common, layer, own } = cases[backend]!
    return behind(layer, [Effect.never], { queue: { concurrency: 1 } }, (http) =>
      Effect.gen(function*() {
        yield* Effect.fork(common)
        yield* Effect.fork(own)
        yield* TestClock.adjust(0)
        assert.strictEqual((yield* http.requests).length, 1)
        assert.deepInclude((yield* monitored(backend)).queue, { inFlight: 1, waiting: 1 })
      }))
  })

  it.scoped.each(backends)("ends at the deadline of its call, at %s too", (backend) => {
    const { layer, own } = cases[backend]!
    return behind(layer, [Effect.never], {}, (http) =>
      Effect.gen(function*() {
        assert.strictEqual(yield* tagOf(Effect.flatten(play(Policy.withDeadline(own, "3 seconds")))), "DeadlineExceeded")
        assert.strictEqual(yield* http.cancelled, 1)
        assert.strictEqual(yield* http.open, 0)
      }))
  })
})

describe("a stream of progress", () => {
  const pull = Stream.unwrap(Effect.map(Ollama.Ollama, (ollama) => ollama.pull({ model: "m" })))
  const begun = (rest: RecordedHttp.Piece): RecordedHttp.Recording => ({
    headers: { "content-type": "application/x-ndjson" },
    body: ["{\"status\":\"pulling manifest\"}\n", rest]
  })
  const seen = Effect.map(Stream.runCollect(Stream.either(pull)), (parts) =>
    Chunk.toReadonlyArray(parts).map(Either.match({ onLeft: ({ _tag }) => _tag, onRight: ({ status }) => status })))

  it.scoped("holds its place until it has ended", () =>
    behind(Ollama.layer(), [begun(RecordedHttp.hang), RecordedHttp.json({ version: "1" })], { queue: { concurrency: 1 } }, () =>
      Effect.gen(function*() {
        const pulling = yield* Effect.fork(Stream.runDrain(pull))
        yield* TestClock.adjust(0)
        const asking = yield* Effect.fork(Effect.flatMap(Ollama.Ollama, ({ version }) => version))
        yield* TestClock.adjust(0)
        assert.deepInclude((yield* monitored("ollama")).queue, { inFlight: 1, waiting: 1 })
        yield* Fiber.interrupt(pulling)
        assert.strictEqual(yield* Fiber.join(asking), "1")
        assert.deepInclude((yield* monitored("ollama")).calls, { succeeded: 1, interrupted: 1 })
      })))

  it.scoped("that breaks before its first part is begun anew, and never after", () =>
    behind(
      Ollama.layer(),
      [{ body: [RecordedHttp.broken] }, begun(RecordedHttp.broken)],
      {},
      (http) =>
        Effect.gen(function*() {
          assert.deepStrictEqual(yield* play(seen), Either.right(["pulling manifest", "StreamInterrupted"]))
          assert.strictEqual((yield* http.requests).length, 2)
        })
    ))

  it.scoped("that falls silent is cut", () =>
    behind(Ollama.layer(), [begun(RecordedHttp.hang)], { timeout: { idle: "5 seconds" } }, (http) =>
      Effect.gen(function*() {
        assert.deepStrictEqual(yield* play(seen), Either.right(["pulling manifest", "TimedOut"]))
        assert.strictEqual(yield* http.open, 0)
      })))

  it.scoped("is cut by the deadline of its call", () =>
    behind(Ollama.layer(), [begun(RecordedHttp.hang)], {}, () =>
      Effect.gen(function*() {
        const result = yield* play(Stream.runDrain(Policy.withDeadlineStream(pull, "5 seconds")))
        assert.isTrue(Either.isLeft(result) && result.left._tag === "DeadlineExceeded" && result.left.phase === "stream")
      })))
})

describe("an operation of several exchanges", () => {
  const answers: { readonly [path: string]: unknown } = {
    "/info": { model_id: "m", max_client_batch_size: 1 },
    "/embed": [[1]],
    "/embed_all": [[[1]]]
  }
  const server = RecordedHttp.repeat(({ url }) =>
    RecordedHttp.json(answers[url.pathname])
  )
  const three = { input: ["a", "b", "c"] }

  it.scoped.each(
    [
      ["/embed_all", Effect.flatMap(Tei.Tei, (tei) => tei.embedAll(three))],
      ["/embed", LlmService.embed({ ...three, model: "m" })]
    ] as const
  )("is one call, which waits for no other: %s in batches", ([path, ask]) =>
    behind(Tei.layer(), [server], { queue: { concurrency: 1 } }, (http) =>
      Effect.gen(function*() {
        yield* ask as Effect.Effect<unknown, LlmError.LlmError, LlmService.LlmService | Tei.Tei>
        assert.deepStrictEqual((yield* http.requests).map(({ url }) => url.pathname), ["/info", path, path, path])
        assert.strictEqual((yield* monitored("tei")).calls?.started, 1)
      })))

  it.scoped("is tried again as a whole", () => {
    const page = (id: string, last: boolean) =>
      RecordedHttp.json({ data: [{ id, type: "model" }], has_more: !last, last_id: id })
    return behind(
      Anthropic.layer({ apiKeys }),
      [page("a", false), unavailable, page("a", false), page("b", true)],
      {},
      () =>
        Effect.gen(function*() {
          const models = yield* play(Effect.flatMap(Anthropic.Anthropic, ({ models }) => models))
          assert.deepStrictEqual(Either.map(models, (models) => models.map(({ id }) => id)), Either.right(["a", "b"]))
          assert.deepInclude((yield* monitored("anthropic")).calls, { started: 1, retries: { ServerFault: 1 } })
        })
    )
  })

  it.scoped("that looks again and again holds no place in between", () => {
    const kept = (status: string) => RecordedHttp.json({ id: "resp_1", status, model: "m", output: [] })
    return behind(OpenAi.layer({ apiKeys }), [kept("in_progress"), unavailable, kept("cancelled")], {}, (http) =>
      Effect.gen(function*() {
        const waiting = yield* Effect.fork(Effect.flatMap(OpenAi.OpenAi, (openai) => Effect.exit(openai.awaitResponse("resp_1"))))
        yield* TestClock.adjust("1 second")
        assert.strictEqual((yield* monitored("openai")).queue?.inFlight, 0)
        yield* TestClock.adjust("10 minutes")
        yield* Fiber.join(waiting)
        assert.deepStrictEqual((yield* http.requests).map(({ at }) => at), [0, 2000, 3000])
      }))
  })

  it.scoped("that is answered by a status is an answer: a server that is not ready is neither asked again nor blamed", () =>
    behind(Ovms.layer(), [unavailable], { breaker: { failures: 1 } }, (http) =>
      Effect.gen(function*() {
        assert.isFalse(yield* Effect.flatMap(Ovms.Ovms, ({ ready }) => ready))
        assert.strictEqual((yield* http.requests).length, 1)
        assert.strictEqual((yield* monitored("ovms")).circuit?.state, "closed")
      })))
})

describe("a backend within a backend", () => {
  it.scoped("is protected with it: the language model behind OPEA's megaservices", () =>
    behind(Opea.layer(), [unavailable], { retry: false, breaker: { failures: 1 } }, (http) =>
      Effect.gen(function*() {
        const opea = yield* Opea.Opea
        assert.strictEqual(yield* tagOf(opea.llm.generateText(request)), "ServerFault")
        assert.strictEqual(yield* tagOf(opea.health("dataprep")), "CircuitOpen")
        assert.strictEqual(yield* tagOf(LlmService.generateText(request)), "CircuitOpen")
        assert.strictEqual((yield* http.requests).length, 1)
      })))
})

describe("a backend that was made without a layer", () => {
  it.scoped("is given one policy for both of its services", () =>
    Effect.gen(function*() {
      const http = yield* RecordedHttp.make(unavailable)
      const { llm, tei } = yield* Effect.provideService(Tei.make(), HttpClient.HttpClient, http.client)
      const policy = yield* Resilience.standard("tei", { retry: false, breaker: { failures: 1 } })
      const own = Resilience.protectOwn(tei, policy)
      assert.strictEqual(yield* Effect.map(Effect.flip(own.info), ({ _tag }) => _tag), "ServerFault")
      assert.strictEqual(
        yield* Effect.map(Effect.flip(Resilience.protect(llm, policy).health), ({ _tag }) => _tag),
        "CircuitOpen"
      )
    }))
})

describe("S3", () => {
  const unavailable: RecordedHttp.Recording = { status: 503, body: "<Error><Code>SlowDown</Code></Error>" }
  const object: RecordedHttp.Recording = { headers: { "content-length": "2", etag: "\"a\"" }, body: "hi" }
  const read = ObjectStore.read({ bucket: "b", key: "k" })

  it.scoped.each(
    [
      ["Resilience.layer", Resilience.layer({ retry: { jitter: "none" } })(S3.layer({ endpoints: [endpoint] }))],
      ["ObjectStores.layer", ObjectStores.layer({ retry: { jitter: "none" } })(S3.layer({ endpoints: [endpoint] }))]
    ] as const
  )("is read again after a 503 behind %s, each exchange a call", ([, layer]) =>
    Effect.gen(function*() {
      const http = yield* RecordedHttp.make(unavailable, object)
      const Store: Layer.Layer<ObjectStore.ObjectStore, never, HttpClient.HttpClient> = Layer.orDie(layer)
      const result = yield* Effect.provide(
        Effect.zip(play(read), monitored("s3")),
        Layer.provide(Store, Layer.succeed(HttpClient.HttpClient, http.client))
      )
      assert.deepStrictEqual(Either.map(result[0], (bytes) => new TextDecoder().decode(bytes)), Either.right("hi"))
      assert.deepInclude(result[1].calls, { started: 1, succeeded: 1 })
      assert.strictEqual((yield* http.requests).length, 2)
    }))
})
