/**
 * One suite that every backend passes: what a program may rely on, whoever answers it.
 *
 * A backend brings recordings of its own wire, small and told in a table; the suite asks the backend through
 * `LlmService` and plays them, whole, in pieces, cut at every byte, broken off, padded with what no client knows yet.
 * The requests that it makes are the constants below, so that a table can say what must have been sent.
 *
 * @since 0.1.0
 */
import { assert, describe, it } from "@effect/vitest"
import * as Completion from "@spillway/core/Completion"
import type * as Embedding from "@spillway/core/Embedding"
import type * as LlmError from "@spillway/core/LlmError"
import type * as LlmService from "@spillway/core/LlmService"
import * as Prompt from "@spillway/core/Prompt"
import * as Tool from "@spillway/core/Tool"
import * as Chunk from "effect/Chunk"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Fiber from "effect/Fiber"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import * as Whole from "./conformance/Whole.js"
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
  readonly layer: Whole.Backend
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
export type Sent = Whole.Sent

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
  /** An answer to `toolChat` with one call of the tool, whole and streamed. Absent where tools are `Unsupported`. */
  readonly toolCall?: {
    readonly answer: RecordedHttp.Recording
    readonly streamed: RecordedHttp.Whole
    readonly name: string
    readonly arguments: unknown
    readonly sent: Sent
  }
  /** What is sent when the call of `toolRoundTrip` has been answered. Absent where tools are `Unsupported`. */
  readonly toolRoundTrip?: { readonly sent: Sent }
  /** An answer to `structuredChat`. Absent where a format is `Unsupported`. */
  readonly structured?: { readonly answer: RecordedHttp.Recording; readonly value: unknown; readonly sent: Sent }
  /** What is sent for `imageChat`. Absent where pictures are `Unsupported`. */
  readonly image?: { readonly sent: Sent }
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
 * The key of every test.
 *
 * @since 0.1.0
 * @category requests
 */
export const key = Whole.key

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

  const on = Whole.stage(subject.layer)

  const whole: Whole.Whole = {
    backend,
    layer: subject.layer,
    ask: (llm) => llm.generateText(request),
    answer: recordings.chat.answer,
    rateLimited: recordings.rateLimited
  }
  const refused = Whole.refusing(whole)
  const checked = (error: LlmError.LlmError | undefined) => Whole.checked(backend, error)

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
            Whole.check(requests[0]!, recordings.chat.sent)
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
        Effect.map(generate(Whole.padded(recordings.chat.answer)), (completion) => {
          assert.strictEqual(completion.text, recordings.chat.text)
          assert.deepStrictEqual(completion.usage, recordings.chat.usage)
        }))

      it.effect("ignores a retry-after on a success", () =>
        on(
          [Whole.withHeaders(recordings.chat.answer, { "retry-after": "60" }), recordings.chat.answer],
          ({ llm }) => Effect.zipRight(llm.generateText(request), llm.generateText(request))
        ))

      const { embeddings, image, models, structured, toolCall, toolRoundTrip: roundTrip } = recordings

      const says = (what: string, asked: Completion.Request): void =>
        it.effect(`says before it sends anything that ${what}`, () =>
          on([], ({ http, llm }) =>
            Effect.gen(function*() {
              assert.strictEqual((yield* Effect.flip(llm.generateText(asked)))._tag, "Unsupported")
              assert.strictEqual((yield* collected(llm.streamText(asked))).error?._tag, "Unsupported")
              assert.deepStrictEqual(yield* http.requests, [])
            })))

      if (toolCall !== undefined) {
        it.effect("gives a tool call with its arguments as the model wrote them", () =>
          on([toolCall.answer], ({ http, llm }) =>
            Effect.gen(function*() {
              const answer = yield* llm.generateText(toolChat(model, subject.toolChoice))
              checkCall(answer, toolCall)
              Whole.check((yield* http.requests)[0]!, toolCall.sent)
            })))
      } else {
        says("it calls no tools", toolChat(model, subject.toolChoice))
      }

      if (roundTrip !== undefined) {
        it.effect("sends a tool call and its result back", () =>
          on([recordings.chat.answer], ({ http, llm }) =>
            Effect.gen(function*() {
              yield* llm.generateText(toolRoundTrip(model))
              Whole.check((yield* http.requests)[0]!, roundTrip.sent)
            })))
      } else {
        says("it takes no results of tools", toolRoundTrip(model))
      }

      if (structured !== undefined) {
        it.effect("asks for JSON of a schema and gives it as text", () =>
          on([structured.answer], ({ http, llm }) =>
            Effect.gen(function*() {
              const answer = yield* llm.generateText(structuredChat(model))
              assert.deepStrictEqual(JSON.parse(answer.text), structured.value)
              Whole.check((yield* http.requests)[0]!, structured.sent)
            })))
      } else {
        says("it answers in no format but text", structuredChat(model))
      }

      if (image !== undefined) {
        it.effect("sends a picture", () =>
          on([recordings.chat.answer], ({ http, llm }) =>
            Effect.gen(function*() {
              yield* llm.generateText(imageChat(model))
              Whole.check((yield* http.requests)[0]!, image.sent)
            })))
      } else {
        says("it looks at no pictures", imageChat(model))
      }

      if (embeddings !== undefined) {
        it.effect("gives vectors in the order of the texts", () =>
          on([Whole.padded(embeddings.answer)], ({ http, llm }) =>
            Effect.gen(function*() {
              const answer = yield* llm.embed(embedding(model))
              assert.deepStrictEqual(answer.vectors, embeddings.vectors)
              assert.deepStrictEqual(answer.usage, embeddings.usage)
              Whole.check((yield* http.requests)[0]!, embeddings.sent)
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
          on([Whole.padded(models.answer)], ({ http, llm }) =>
            Effect.gen(function*() {
              assert.deepStrictEqual((yield* llm.listModels).map(({ id }) => id), models.ids)
              Whole.check((yield* http.requests)[0]!, models.sent)
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
            Whole.check((yield* http.requests)[0]!, recordings.stream.sent)
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
              yield* Whole.until(Effect.map(http.open, (open) => open === 0))
              yield* llm.generateText(request)
            })
        ))

      const { toolCall } = recordings
      if (toolCall !== undefined) {
        it.effect("gives a tool call in pieces, wherever the bytes are cut", () =>
          Effect.gen(function*() {
            const { streamed } = toolCall
            const seen = yield* streams(
              Array.from(new TextEncoder().encode(streamed.body), (_, at) => ({
                ...streamed,
                body: RecordedHttp.cut(streamed.body, [at])
              })),
              toolChat(model, subject.toolChoice)
            )
            for (const { completion, error } of seen) {
              assert.isUndefined(error)
              checkCall(completion, toolCall)
            }
          }), sweep)
      }

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
            yield* Whole.until(Effect.sync(() => seen > 0))
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

      Whole.failing(whole)
    })

    describe("interruption", () => {
      Whole.interrupting(whole)
    })
  })

  const checkCall = (
    completion: Completion.Completion,
    toolCall: { readonly name: string; readonly arguments: unknown }
  ): void => {
    assert.strictEqual(completion.finishReason, "tool-calls")
    assert.strictEqual(completion.toolCalls.length, 1)
    const [call] = completion.toolCalls
    assert.strictEqual(call!.name, toolCall.name)
    assert.notStrictEqual(call!.id, "")
    assert.deepStrictEqual(JSON.parse(call!.arguments), toolCall.arguments)
  }
}

/** Milliseconds that a test may take which goes through every byte. */
const sweep = 60_000

/**
 * An operation that is to be tested of a backend that has no chat.
 *
 * @since 0.1.0
 * @category models
 */
export interface OperationSubject extends Whole.Whole {
  /** What the operation is called. */
  readonly operation: LlmService.Operation
  /** What is made of the good answer. */
  readonly gives: unknown
  readonly sent: Sent
  /** Refusals, each with the error that it is. Let one repeat `key`. */
  readonly errors: Recordings["errors"]
}

/**
 * Registers what of the suite concerns one operation that answers at once, for a backend that has no chat (one that
 * has is tested by `suite`); to be called at the top of a test file.
 *
 * @since 0.1.0
 * @category suite
 */
export const operation = (subject: OperationSubject): void => {
  const { answer, ask, backend, errors, gives, layer, operation, sent } = subject
  const on = Whole.stage(layer)

  describe(`${backend}: conformance of ${operation}`, () => {
    describe("answers", () => {
      it.effect("gives what was asked for, and shows the key to the backend and to nobody else", () =>
        on([answer], ({ http, llm }) =>
          Effect.gen(function*() {
            assert.isTrue(llm.operations.has(operation))
            assert.deepStrictEqual(yield* ask(llm), gives)
            const requests = yield* http.requests
            assert.strictEqual(requests.length, 1)
            const [asked] = requests
            Whole.check(asked!, sent)
            assert.strictEqual(yield* http.open, 0)
            assert.isTrue(Object.values(asked!.headers).some((value) => value.includes(key)))
            assert.notInclude(asked!.url.href, key)
            assert.notInclude(JSON.stringify(asked!.body), key)
            assert.isUndefined(asked!.headers["traceparent"])
          })))

      it.effect("skips fields that it does not know", () =>
        on([Whole.padded(answer)], ({ llm }) =>
          Effect.map(ask(llm), (given) => {
            assert.deepStrictEqual(given, gives)
          })))

      it.effect("ignores a retry-after on a success", () =>
        on(
          [Whole.withHeaders(answer, { "retry-after": "60" }), answer],
          ({ llm }) => Effect.zipRight(ask(llm), ask(llm))
        ))

      it.effect("says that it has no chat", () =>
        on([], ({ llm }) =>
          Effect.map(Effect.flip(llm.generateText(chat("any"))), (error) => {
            assert.strictEqual(error._tag, "Unsupported")
            assert.isFalse(llm.operations.has("generateText"))
          })))
    })

    describe("errors", () => {
      for (const { answer, error: tag, title } of errors) {
        it.effect(`${title} is ${tag}`, () =>
          Effect.map(Whole.refusing(subject)(answer), (error) => {
            assert.strictEqual(error._tag, tag)
          }))
      }

      Whole.failing(subject)
    })

    describe("interruption", () => {
      Whole.interrupting(subject)
    })
  })
}
