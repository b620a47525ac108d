/**
 * One suite that every backend passes: what a program may rely on, whoever answers it.
 *
 * A backend brings recordings of its own wire, small and told in a table; the suite asks the backend through
 * `LlmService` and plays them, whole, in pieces, cut at every byte, broken off, padded with what no client knows yet.
 * The requests that it makes are the constants below, so that a table can say what must have been sent.
 *
 * @since 0.1.0
 */
import * as HttpClient from "@effect/platform/HttpClient"
import { assert, describe, expect, it } from "@effect/vitest"
import * as Completion from "@spillway/core/Completion"
import type * as Embedding from "@spillway/core/Embedding"
import * as LlmError from "@spillway/core/LlmError"
import * as LlmService from "@spillway/core/LlmService"
import * as Prompt from "@spillway/core/Prompt"
import * as Tool from "@spillway/core/Tool"
import type * as Arr from "effect/Array"
import * as Cause from "effect/Cause"
import * as Chunk from "effect/Chunk"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import * as RecordedHttp from "./RecordedHttp.js"

// -----------------------------------------------------------------------------
// models
// -----------------------------------------------------------------------------

/**
 * A backend that is to be tested.
 *
 * @since 0.1.0
 * @category models
 */
export interface Subject {
  readonly backend: string
  /** The backend with the given keys, over the `HttpClient` of the test. */
  readonly layer: (options: {
    readonly apiKeys: Arr.NonEmptyReadonlyArray<Redacted.Redacted>
    readonly http?: { readonly maxResponseBytes?: number; readonly maxEventBytes?: number }
  }) => Layer.Layer<LlmService.LlmService, unknown, HttpClient.HttpClient>
  /** The model that all requests name. */
  readonly model: string
  /** What `toolChat` says of its tool, for a backend that cannot be made to call one. @default "required" */
  readonly toolChoice?: Tool.Choice
  readonly recordings: Recordings
}

/**
 * What must have been sent: the path (query included), some headers, and a part of the JSON body.
 *
 * @since 0.1.0
 * @category models
 */
export interface Sent {
  readonly method?: string
  readonly path?: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: object
}

/**
 * What the backend's wire looks like.
 *
 * @since 0.1.0
 * @category models
 */
export interface Recordings {
  /** A whole answer to `chat`. */
  readonly chat: {
    readonly answer: RecordedHttp.Recording
    readonly text: string
    readonly usage: Completion.Usage
    readonly sent: Sent
  }
  /** A streamed answer to `chat`. Let its text hold characters of several bytes. */
  readonly stream: {
    readonly framing: "sse" | "ndjson"
    readonly answer: RecordedHttp.Whole
    readonly text: string
    readonly usage: Completion.Usage
    /** The text at whose last character the answer is complete. */
    readonly endMarker: string
    /** Frames that a client must skip, wherever they stand: what the backend may invent tomorrow. */
    readonly unknownFrames: ReadonlyArray<string>
    readonly sent: Sent
  }
  /** An answer to `toolChat` with one call of the tool, whole and streamed. */
  readonly toolCall: {
    readonly answer: RecordedHttp.Recording
    readonly streamed: RecordedHttp.Whole
    readonly name: string
    readonly arguments: unknown
    readonly sent: Sent
  }
  /** What is sent when the call of `toolRoundTrip` has been answered. */
  readonly toolRoundTrip: { readonly sent: Sent }
  /** An answer to `structuredChat`. */
  readonly structured: { readonly answer: RecordedHttp.Recording; readonly value: unknown; readonly sent: Sent }
  /** What is sent for `imageChat`. */
  readonly image: { readonly sent: Sent }
  /** An answer to `embedding` that gives the vectors in another order, where the wire lets it. */
  readonly embeddings?: {
    readonly answer: RecordedHttp.Recording
    readonly vectors: ReadonlyArray<ReadonlyArray<number>>
    readonly usage: Completion.Usage
    readonly sent: Sent
  }
  readonly models?: {
    readonly answer: RecordedHttp.Recording
    readonly ids: ReadonlyArray<string>
    readonly sent: Sent
  }
  /** Answers that ended for each reason that the backend knows. */
  readonly finishReasons: { readonly [R in Completion.FinishReason]?: RecordedHttp.Recording }
  /** An answer without any content. */
  readonly empty: RecordedHttp.Recording
  /** Refusals, each with the error that it is. Let one repeat `key`. */
  readonly errors: ReadonlyArray<{
    readonly title: string
    readonly answer: RecordedHttp.Recording
    readonly error: LlmError.Tag
  }>
  /** A refusal that is a rate limit and names no wait. */
  readonly rateLimited: RecordedHttp.Recording
  /** Streams that begin well and hold an error. */
  readonly streamErrors: ReadonlyArray<{
    readonly title: string
    readonly answer: RecordedHttp.Recording
    readonly error: LlmError.Tag
  }>
}

// -----------------------------------------------------------------------------
// what is asked
// -----------------------------------------------------------------------------

/**
 * The key of every test, and its second.
 *
 * @since 0.1.0
 * @category requests
 */
export const key = "sk-conformance-4f9a1c7e2b8d6035"

const secondKey = "sk-conformance-77aa88bb99cc00dd"

/**
 * A request for text.
 *
 * @since 0.1.0
 * @category requests
 */
export const chat = (model: string): Completion.Request => ({
  model,
  prompt: [Prompt.system("Be brief."), Prompt.user("Say hello.")],
  maxTokens: 64
})

/**
 * The tool of the suite.
 *
 * @since 0.1.0
 * @category requests
 */
export const weather = Tool.make("get_weather", {
  description: "The weather in a city, now",
  parameters: Schema.Struct({ city: Schema.String })
})

/**
 * A request that is answered with a call of `weather`; it must be, unless the subject says otherwise.
 *
 * @since 0.1.0
 * @category requests
 */
export const toolChat = (model: string, toolChoice: Tool.Choice = "required"): Completion.Request => ({
  model,
  prompt: "How is the weather in Oslo?",
  tools: [weather],
  toolChoice
})

/**
 * A conversation in which a tool was called and has answered.
 *
 * @since 0.1.0
 * @category requests
 */
export const toolRoundTrip = (model: string): Completion.Request => ({
  model,
  prompt: [
    Prompt.user("How is the weather in Oslo?"),
    Prompt.assistant([
      Prompt.text("Let me look."),
      { _tag: "ToolCall", id: "call_1", name: "get_weather", arguments: "{\"city\":\"Oslo\"}" }
    ]),
    Prompt.tool([{ _tag: "ToolResult", id: "call_1", name: "get_weather", result: "{\"sky\":\"clear\"}" }])
  ],
  tools: [weather]
})

/**
 * A request whose answer must be JSON of a schema.
 *
 * @since 0.1.0
 * @category requests
 */
export const structuredChat = (model: string): Completion.Request => ({
  model,
  prompt: "Who is it?",
  format: {
    _tag: "JsonSchema",
    name: "person",
    strict: true,
    schema: {
      type: "object",
      properties: { name: { type: "string" }, age: { type: "number" } },
      required: ["name", "age"],
      additionalProperties: false
    }
  }
})

/**
 * The picture of `imageChat`, as base64.
 *
 * @since 0.1.0
 * @category requests
 */
export const picture = "iVBORw0KGgo="

/**
 * A question about a picture.
 *
 * @since 0.1.0
 * @category requests
 */
export const imageChat = (model: string): Completion.Request => ({
  model,
  prompt: Prompt.user([
    Prompt.text("What is this?"),
    { _tag: "Image", source: { _tag: "Base64", mediaType: "image/png", data: picture } }
  ])
})

/**
 * Two texts to embed.
 *
 * @since 0.1.0
 * @category requests
 */
export const embedding = (model: string): Embedding.Request => ({ model, input: ["first", "second"] })

// -----------------------------------------------------------------------------
// the suite
// -----------------------------------------------------------------------------

/**
 * Registers the suite for a backend; to be called at the top of a test file.
 *
 * @since 0.1.0
 * @category suite
 */
export const suite = (subject: Subject): void => {
  const { backend, model, recordings } = subject
  const request = chat(model)

  interface Stage {
    readonly llm: LlmService.Service
    readonly http: RecordedHttp.Recorded
  }

  const on = <A, E>(
    script: ReadonlyArray<RecordedHttp.Step | RecordedHttp.Repeat>,
    use: (stage: Stage) => Effect.Effect<A, E>,
    options: Partial<Parameters<Subject["layer"]>[0]> = {}
  ): Effect.Effect<A, E> =>
    Effect.scoped(Effect.flatMap(RecordedHttp.make(...script), (http) =>
      Effect.flatMap(
        Layer.build(Layer.provide(
          subject.layer({ apiKeys: [Redacted.make(key)], ...options }),
          Layer.succeed(HttpClient.HttpClient, http.client)
        )).pipe(Effect.orDie),
        (context) => use({ llm: Context.get(context, LlmService.LlmService), http })
      )))

  const generate = (answer: RecordedHttp.Step, asked: Completion.Request = request) =>
    on([answer], ({ llm }) => llm.generateText(asked))

  /** The parts that came, and the error at the end of them, if there was one. */
  interface Collected {
    readonly parts: ReadonlyArray<Completion.Part>
    readonly error: LlmError.LlmError | undefined
    readonly completion: Completion.Completion
  }

  const collected = (stream: Stream.Stream<Completion.Part, LlmError.LlmError>): Effect.Effect<Collected> =>
    Effect.suspend(() => {
      const parts: Array<Completion.Part> = []
      return Effect.map(
        Effect.either(Stream.runForEach(stream, (part) => Effect.sync(() => parts.push(part)))),
        (result) => ({
          parts,
          error: Either.isLeft(result) ? result.left : undefined,
          completion: Completion.fromParts(parts)
        })
      )
    })

  /** What came of each of the answers, one after the other. */
  const streams = (answers: ReadonlyArray<RecordedHttp.Step>, asked: Completion.Request = request) =>
    on(answers, ({ llm }) => Effect.forEach(answers, () => collected(llm.streamText(asked))))

  const stream = (answer: RecordedHttp.Step) => Effect.map(streams([answer]), ([seen]) => seen!)

  const refused = (answer: RecordedHttp.Step, options?: Parameters<typeof on>[2]) =>
    on([answer], ({ http, llm }) =>
      Effect.flatMap(Effect.flip(llm.generateText(request)), (error) =>
        Effect.map(http.open, (open) => {
          assert.strictEqual(open, 0, "the body of the refusal was left open")
          return checked(error)
        })), options)

  const checked = (error: LlmError.LlmError | undefined): LlmError.LlmError => {
    assert(error !== undefined, "it did not fail")
    assert.strictEqual(error.backend, backend)
    assert.isAtMost(error.message.length, 1200)
    assert.notMatch(error.message, control)
    assert.isFalse(reveals(error, key), `${error._tag} reveals the key`)
    return error
  }

  const streamed = recordings.stream.answer

  describe(`${backend}: conformance`, () => {
    describe("answers", () => {
      it.effect("gives the text, why it ended and what it used", () =>
        on([recordings.chat.answer], ({ http, llm }) =>
          Effect.gen(function*() {
            const answer = yield* llm.generateText(request)
            assert.strictEqual(answer.text, recordings.chat.text)
            assert.strictEqual(answer.finishReason, "stop")
            assert.deepStrictEqual(answer.usage, recordings.chat.usage)
            const requests = yield* http.requests
            assert.strictEqual(requests.length, 1)
            check(requests[0]!, recordings.chat.sent)
            assert.strictEqual(yield* http.open, 0)
          })))

      it.effect("shows the key to the backend and to nobody else", () =>
        on([recordings.chat.answer], ({ http, llm }) =>
          Effect.gen(function*() {
            yield* llm.generateText(request)
            const [asked] = yield* http.requests
            assert.isTrue(Object.values(asked!.headers).some((value) => value.includes(key)))
            assert.notInclude(asked!.url.href, key)
            assert.notInclude(JSON.stringify(asked!.body), key)
            assert.isUndefined(asked!.headers["traceparent"])
          })))

      for (const [reason, answer] of Object.entries(recordings.finishReasons)) {
        it.effect(`knows that an answer ended for the reason ${reason}`, () =>
          Effect.map(generate(answer), (completion) => {
            assert.strictEqual(completion.finishReason, reason)
          }))
      }

      it.effect("gives an answer without content as an empty text", () =>
        Effect.map(generate(recordings.empty), (completion) => {
          assert.strictEqual(completion.text, "")
          assert.deepStrictEqual(completion.toolCalls, [])
        }))

      it.effect("skips fields that it does not know", () =>
        Effect.map(generate(padded(recordings.chat.answer)), (completion) => {
          assert.strictEqual(completion.text, recordings.chat.text)
          assert.deepStrictEqual(completion.usage, recordings.chat.usage)
        }))

      it.effect("ignores a retry-after on a success", () =>
        on(
          [withHeaders(recordings.chat.answer, { "retry-after": "60" }), recordings.chat.answer],
          ({ llm }) => Effect.zipRight(llm.generateText(request), llm.generateText(request))
        ))

      it.effect("gives a tool call with its arguments as the model wrote them", () =>
        on([recordings.toolCall.answer], ({ http, llm }) =>
          Effect.gen(function*() {
            const answer = yield* llm.generateText(toolChat(model, subject.toolChoice))
            checkCall(answer)
            check((yield* http.requests)[0]!, recordings.toolCall.sent)
          })))

      it.effect("sends a tool call and its result back", () =>
        on([recordings.chat.answer], ({ http, llm }) =>
          Effect.gen(function*() {
            yield* llm.generateText(toolRoundTrip(model))
            check((yield* http.requests)[0]!, recordings.toolRoundTrip.sent)
          })))

      it.effect("asks for JSON of a schema and gives it as text", () =>
        on([recordings.structured.answer], ({ http, llm }) =>
          Effect.gen(function*() {
            const answer = yield* llm.generateText(structuredChat(model))
            assert.deepStrictEqual(JSON.parse(answer.text), recordings.structured.value)
            check((yield* http.requests)[0]!, recordings.structured.sent)
          })))

      it.effect("sends a picture", () =>
        on([recordings.chat.answer], ({ http, llm }) =>
          Effect.gen(function*() {
            yield* llm.generateText(imageChat(model))
            check((yield* http.requests)[0]!, recordings.image.sent)
          })))

      const { embeddings, models } = recordings
      if (embeddings !== undefined) {
        it.effect("gives vectors in the order of the texts", () =>
          on([padded(embeddings.answer)], ({ http, llm }) =>
            Effect.gen(function*() {
              const answer = yield* llm.embed(embedding(model))
              assert.deepStrictEqual(answer.vectors, embeddings.vectors)
              assert.deepStrictEqual(answer.usage, embeddings.usage)
              check((yield* http.requests)[0]!, embeddings.sent)
            })))
      } else {
        it.effect("says that it has no embeddings", () =>
          on([], ({ llm }) =>
            Effect.map(Effect.flip(llm.embed(embedding(model))), (error) => {
              assert.strictEqual(error._tag, "Unsupported")
              assert.isFalse(llm.operations.has("embed"))
            })))
      }

      if (models !== undefined) {
        it.effect("lists its models", () =>
          on([padded(models.answer)], ({ http, llm }) =>
            Effect.gen(function*() {
              assert.deepStrictEqual((yield* llm.listModels).map(({ id }) => id), models.ids)
              check((yield* http.requests)[0]!, models.sent)
            })))
      }
    })

    describe("streams", () => {
      const complete = ({ completion, error, parts }: Collected): void => {
        assert.isUndefined(error)
        assert.strictEqual(parts[0]?._tag, "Start")
        assert.strictEqual(parts.at(-1)?._tag, "Finish")
        assert.strictEqual(parts.filter(({ _tag }) => _tag === "Start" || _tag === "Finish").length, 2)
        assert.strictEqual(completion.text, recordings.stream.text)
        assert.strictEqual(completion.finishReason, "stop")
        assert.deepStrictEqual(completion.usage, recordings.stream.usage)
      }
      const bytes = new TextEncoder().encode(streamed.body)
      const { endMarker } = recordings.stream
      const end = new TextEncoder().encode(
        streamed.body.slice(0, streamed.body.lastIndexOf(endMarker) + endMarker.length)
      ).length

      it.effect("begins with Start, ends with Finish, and has text and usage between", () =>
        on([streamed], ({ http, llm }) =>
          Effect.gen(function*() {
            complete(yield* collected(llm.streamText(request)))
            check((yield* http.requests)[0]!, recordings.stream.sent)
          })))

      it.effect("is the same wherever the bytes are cut", () =>
        Effect.gen(function*() {
          const seen = yield* streams([
            ...Array.from(bytes, (_, at) => ({ ...streamed, body: RecordedHttp.cut(streamed.body, [at]) })),
            { ...streamed, body: RecordedHttp.byByte(streamed.body) }
          ])
          seen.forEach(complete)
        }), sweep)

      it.effect("is the same with CRLF, and without the last line's end", () =>
        Effect.gen(function*() {
          const crlf = streamed.body.replaceAll("\n", "\r\n")
          const seen = yield* streams([
            { ...streamed, body: crlf },
            { ...streamed, body: RecordedHttp.byByte(crlf) },
            { ...streamed, body: streamed.body.trimEnd() }
          ])
          seen.forEach(complete)
        }))

      it.effect("skips comments, blank lines and frames that it does not know", () =>
        Effect.gen(function*() {
          const separator = recordings.stream.framing === "sse" ? "\n\n" : "\n"
          const between = recordings.stream.framing === "sse"
            ? [": keep-alive", "retry: 5", "id: 7", "what: ever"]
            : [""]
          const frames = streamed.body.split(separator)
          const seen = yield* streams([...between, ...recordings.stream.unknownFrames].map((noise) => ({
            ...streamed,
            body: frames.join(`${separator}${noise}${separator}`)
          })))
          seen.forEach(complete)
        }))

      it.effect("is an interrupted stream wherever it breaks off before its end marker", () =>
        Effect.gen(function*() {
          const cuts = Array.from(bytes.subarray(0, end), (_, at) => bytes.subarray(0, at))
          const seen = yield* streams([
            ...cuts.map((body) => ({ ...streamed, body: [body] })),
            ...cuts.filter((_, at) => at % 7 === 0).map((body): RecordedHttp.Recording => ({
              ...streamed,
              body: [body, RecordedHttp.broken]
            }))
          ])
          for (const { completion, error } of seen) {
            assert.strictEqual(error?._tag, "StreamInterrupted")
            assert.isTrue(recordings.stream.text.startsWith(completion.text))
          }
          checked(seen[0]!.error)
        }), sweep)

      it.effect("reads nothing after its end marker, and gives the connection back", () =>
        on(
          [{ ...streamed, body: [streamed.body.trimEnd(), "\n\n", "what is this?"] }, recordings.chat.answer],
          ({ http, llm }) =>
            Effect.gen(function*() {
              complete(yield* collected(llm.streamText(request)))
              yield* until(Effect.map(http.open, (open) => open === 0))
              yield* llm.generateText(request)
            })
        ))

      it.effect("gives a tool call in pieces, wherever the bytes are cut", () =>
        Effect.gen(function*() {
          const { streamed } = recordings.toolCall
          const seen = yield* streams(
            Array.from(new TextEncoder().encode(streamed.body), (_, at) => ({
              ...streamed,
              body: RecordedHttp.cut(streamed.body, [at])
            })),
            toolChat(model, subject.toolChoice)
          )
          for (const { completion, error } of seen) {
            assert.isUndefined(error)
            checkCall(completion)
          }
        }), sweep)

      for (const { answer, error, title } of recordings.streamErrors) {
        it.effect(`fails with what the backend says in its midst: ${title}`, () =>
          Effect.map(stream(answer), (seen) => {
            assert.strictEqual(seen.error?._tag, error)
            assert.notStrictEqual(seen.parts.at(-1)?._tag, "Finish")
            checked(seen.error)
          }))
      }

      it.effect("closes the connection when its reader leaves", () =>
        on([{ ...streamed, body: [bytes.slice(0, end - 1), RecordedHttp.hang] }], ({ http, llm }) =>
          Effect.gen(function*() {
            const first = yield* Stream.runCollect(Stream.take(llm.streamText(request), 1))
            assert.strictEqual(Chunk.size(first), 1)
            assert.strictEqual(yield* http.open, 0)
            assert.strictEqual(yield* http.cancelled, 1)
          })))

      it.effect("closes the connection when its reader is interrupted in silence", () =>
        on([{ ...streamed, body: [bytes.slice(0, end - 1), RecordedHttp.hang] }], ({ http, llm }) =>
          Effect.gen(function*() {
            let seen = 0
            const fiber = yield* Effect.fork(
              Stream.runForEach(llm.streamText(request), () => Effect.sync(() => seen++))
            )
            yield* until(Effect.sync(() => seen > 0))
            yield* Fiber.interrupt(fiber)
            assert.strictEqual(yield* http.open, 0)
            assert.strictEqual(yield* http.cancelled, 1)
          })))

      it.effect("refuses an event that is too large, and closes the connection", () =>
        on(
          [{ ...streamed, body: [...Array.from({ length: 64 }, () => "data: x".repeat(64)), RecordedHttp.hang] }],
          ({ http, llm }) =>
            Effect.gen(function*() {
              const error = yield* Effect.flip(Stream.runDrain(llm.streamText(request)))
              assert.strictEqual(error._tag, "MalformedResponse")
              assert.strictEqual(yield* http.open, 0)
            }),
          { http: { maxEventBytes: 1000 } }
        ))
    })

    describe("errors", () => {
      for (const { answer, error: tag, title } of recordings.errors) {
        it.effect(`${title} is ${tag}, whole or streamed`, () =>
          Effect.gen(function*() {
            const whole = yield* refused(answer)
            assert.strictEqual(whole._tag, tag)
            const inPieces = yield* stream(answer)
            assert.strictEqual(inPieces.error?._tag, tag)
            assert.deepStrictEqual(inPieces.parts, [])
            checked(inPieces.error)
          }))
      }

      for (const [title, headers, wait] of waits) {
        it.effect(`waits as long as the backend says: ${title}`, () =>
          Effect.map(refused(withHeaders(recordings.rateLimited, headers)), (error) => {
            assert.strictEqual(error._tag, "RateLimited")
            assert.deepStrictEqual(Option.map(LlmError.retryAfter(error), Duration.toMillis), Option.some(wait))
          }))
      }

      it.effect("rests a key that was refused, and asks with another", () =>
        on(
          [recordings.rateLimited, recordings.chat.answer],
          ({ http, llm }) =>
            Effect.gen(function*() {
              const error = yield* Effect.flip(llm.generateText(request))
              assert.deepStrictEqual(LlmError.retryAfter(error), Option.some(Duration.zero))
              yield* llm.generateText(request)
              const [first, second] = yield* http.requests
              assert.notDeepEqual(first!.headers, second!.headers)
            }),
          { apiKeys: [Redacted.make(key), Redacted.make(secondKey)] }
        ))

      it.effect("is NetworkFailure when the backend cannot be reached, and says why", () =>
        Effect.map(refused(RecordedHttp.unreachable("ECONNREFUSED")), (error) => {
          assert.strictEqual(error._tag, "NetworkFailure")
          assert.include(error.message, "ECONNREFUSED")
        }))

      it.effect("is NetworkFailure when the connection breaks within an answer", () =>
        Effect.map(refused({ ...recordings.chat.answer, body: ["{", RecordedHttp.broken] }), (error) => {
          assert.strictEqual(error._tag, "NetworkFailure")
        }))

      it.effect("is ServerFault when a proxy answers with a page", () =>
        Effect.map(
          refused(RecordedHttp.text("text/html", "<html><h1>502\u001b[31m Bad Gateway</h1></html>", { status: 502 })),
          (error) => {
            assert.strictEqual(error._tag, "ServerFault")
          }
        ))

      for (
        const [title, answer] of [
          ["a page", RecordedHttp.text("text/html", "<html>Welcome</html>")],
          ["nothing", { status: 200 }],
          ["broken JSON", RecordedHttp.text("application/json", "{\"choices\":[{")],
          ["JSON of another kind", RecordedHttp.json({ hello: "world" })],
          ["a redirect", { status: 302, headers: { location: "http://evil.test/?x=1" } }]
        ] as const
      ) {
        it.effect(`is MalformedResponse when the answer is ${title}`, () =>
          Effect.map(refused(answer), (error) => {
            assert.strictEqual(error._tag, "MalformedResponse")
          }))
      }

      it.effect("is MalformedResponse when the answer is larger than allowed, and closes the connection", () =>
        Effect.map(
          refused(
            {
              ...recordings.chat.answer,
              body: [...Array.from({ length: 64 }, () => "x".repeat(100)), RecordedHttp.hang]
            },
            { http: { maxResponseBytes: 1000 } }
          ),
          (error) => {
            assert.strictEqual(error._tag, "MalformedResponse")
          }
        ))
    })

    describe("interruption", () => {
      it.effect("reaches the connection before an answer has come", () =>
        on([Effect.never], ({ http, llm }) =>
          Effect.gen(function*() {
            const fiber = yield* Effect.fork(llm.generateText(request))
            yield* until(Effect.map(http.requests, (requests) => requests.length === 1))
            yield* Fiber.interrupt(fiber)
            assert.strictEqual(yield* http.cancelled, 1)
          })))

      it.effect("reaches the connection in the midst of an answer", () =>
        on([{ ...recordings.chat.answer, body: ["{", RecordedHttp.hang] }], ({ http, llm }) =>
          Effect.gen(function*() {
            const fiber = yield* Effect.fork(llm.generateText(request))
            yield* until(Effect.map(http.open, (open) => open === 1))
            yield* Fiber.interrupt(fiber)
            assert.strictEqual(yield* http.open, 0)
          })))
    })
  })

  const checkCall = (completion: Completion.Completion): void => {
    assert.strictEqual(completion.finishReason, "tool-calls")
    assert.strictEqual(completion.toolCalls.length, 1)
    const [call] = completion.toolCalls
    assert.strictEqual(call!.name, recordings.toolCall.name)
    assert.notStrictEqual(call!.id, "")
    assert.deepStrictEqual(JSON.parse(call!.arguments), recordings.toolCall.arguments)
  }
}

// -----------------------------------------------------------------------------
// how it is checked
// -----------------------------------------------------------------------------

/** Milliseconds that a test may take which goes through every byte. */
const sweep = 60_000

/** What headers say, and the wait in milliseconds; 5 seconds is the pool's own, for what says nothing sane. */
const waits: ReadonlyArray<readonly [string, Readonly<Record<string, string>>, number]> = [
  ["seconds", { "retry-after": "2" }, 2000],
  ["a part of a second", { "retry-after": "0.25" }, 250],
  ["milliseconds", { "retry-after-ms": "1500" }, 1500],
  ["milliseconds before seconds", { "retry-after": "60", "retry-after-ms": "1500" }, 1500],
  ["Azure's milliseconds before seconds", { "retry-after": "60", "x-ms-retry-after-ms": "700" }, 700],
  ["a date", { "retry-after": "Thu, 01 Jan 1970 00:00:10 GMT" }, 10_000],
  ["at most a day", { "retry-after": "2147484" }, 86_400_000],
  ["nothing by a date gone by", { "retry-after": "Wed, 31 Dec 1969 00:00:00 GMT" }, 5000],
  ["nothing by a negative number", { "retry-after": "-1" }, 5000],
  ["nothing by no number", { "retry-after": "abc" }, 5000],
  ["nothing by hex", { "retry-after": "0x10" }, 5000],
  ["nothing at all", {}, 5000]
]

// eslint-disable-next-line no-control-regex
const control = /[\u0000-\u001f\u007f-\u009f]/

const check = (asked: RecordedHttp.Asked, sent: Sent): void => {
  if (sent.method !== undefined) assert.strictEqual(asked.method, sent.method)
  if (sent.path !== undefined) assert.strictEqual(`${asked.url.pathname}${asked.url.search}`, sent.path)
  if (sent.headers !== undefined) expect(asked.headers).toMatchObject(sent.headers)
  if (sent.body !== undefined) expect(asked.body).toMatchObject(sent.body)
}

/** Whether a value reveals a text, by whatever way it is printed or taken apart. */
const reveals = (value: unknown, secret: string): boolean => {
  const seen = new Set<unknown>()
  const walk = (u: unknown): boolean => {
    if (typeof u === "string") return u.includes(secret)
    if ((typeof u !== "object" && typeof u !== "function") || u === null || seen.has(u)) return false
    seen.add(u)
    return Reflect.ownKeys(u).some((name) => walk(name) || walk(Reflect.get(u, name)))
  }
  return walk(value) || walk(String(value)) || walk(JSON.stringify(value)) || walk(Cause.pretty(Cause.fail(value)))
}

const withHeaders = (
  recording: RecordedHttp.Recording,
  headers: Readonly<Record<string, string>>
): RecordedHttp.Recording => ({ ...recording, headers: { ...recording.headers, ...headers } })

/** The recording with a field in every object that no client knows. */
const padded = (recording: RecordedHttp.Recording): RecordedHttp.Recording => {
  const pad = (u: unknown): unknown =>
    Array.isArray(u)
      ? u.map(pad)
      : typeof u === "object" && u !== null
      ? {
        brand_new_field: { deep: [null, 1, "x"] },
        ...Object.fromEntries(Object.entries(u).map(([name, value]) => [name, pad(value)]))
      }
      : u
  return typeof recording.body === "string"
    ? { ...recording, body: JSON.stringify(pad(JSON.parse(recording.body))) }
    : recording
}

/** Lets the others go on until it is so. */
const until = (condition: Effect.Effect<boolean>): Effect.Effect<void> =>
  Effect.gen(function*() {
    for (let tries = 0; tries < 1000; tries++) {
      if (yield* condition) return
      yield* Effect.promise(() => Promise.resolve())
    }
    assert.fail("it never came to be so")
  })
