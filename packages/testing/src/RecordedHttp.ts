/**
 * An `HttpClient` that plays recorded answers instead of going over the wire, and remembers what it was asked.
 *
 * Each request plays the next step of the script. A request beyond the end is a bug of the test and dies with a message
 * that says so; `repeat` makes a last step that never ends. Bodies come in the pieces in which they are given, so a
 * test decides where they are cut, where they stop, and whether they ever end.
 *
 * @since 0.1.0
 */
import type * as Headers from "@effect/platform/Headers"
import * as HttpClient from "@effect/platform/HttpClient"
import * as HttpClientError from "@effect/platform/HttpClientError"
import type * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import * as HttpClientResponse from "@effect/platform/HttpClientResponse"
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"

// -----------------------------------------------------------------------------
// models
// -----------------------------------------------------------------------------

/**
 * An answer as it stood on the wire.
 *
 * @since 0.1.0
 * @category models
 */
export interface Recording {
  /** @default 200 */
  readonly status?: number
  readonly headers?: Readonly<Record<string, string>>
  /** The body: whole, or in the pieces in which it arrives. @default no body */
  readonly body?: string | ReadonlyArray<Piece>
}

/**
 * An answer whose body is given whole.
 *
 * @since 0.1.0
 * @category models
 */
export interface Whole extends Recording {
  readonly body: string
}

/**
 * A piece of a body: text or bytes, an end of the connection in its midst (`broken`), or silence without end (`hang`).
 *
 * @since 0.1.0
 * @category models
 */
export type Piece = string | Uint8Array | typeof broken | typeof hang

/**
 * What one request is answered: a recording, an effect of one (a slow answer, one that never comes, a failure of the
 * transport), or a function of what was asked.
 *
 * @since 0.1.0
 * @category models
 */
export type Step =
  | Recording
  | Effect.Effect<Step, Unreachable>
  | ((asked: Asked) => Step)

/**
 * A step that is played for every request from here on.
 *
 * @since 0.1.0
 * @category models
 */
export interface Repeat {
  readonly _tag: "Repeat"
  readonly step: Step
}

/**
 * A failure of the transport: no answer came.
 *
 * @since 0.1.0
 * @category models
 */
export interface Unreachable {
  readonly _tag: "Unreachable"
  readonly code: string
}

/**
 * A request as it arrived.
 *
 * @since 0.1.0
 * @category models
 */
export interface Asked {
  readonly method: string
  readonly url: URL
  /** As they were sent, keys included; names in lower case. */
  readonly headers: Headers.Headers
  /** The body as JSON; the text of it when it is none, `undefined` when there is none. */
  readonly body: unknown
  /** The body as it went over the wire; `undefined` when there is none. */
  readonly bytes: Uint8Array | undefined
  /** When it arrived, in milliseconds on the `Clock`. */
  readonly at: number
}

/**
 * A client with a script.
 *
 * @since 0.1.0
 * @category models
 */
export interface Recorded {
  readonly client: HttpClient.HttpClient
  /** Every request so far, in the order of arrival. */
  readonly requests: Effect.Effect<ReadonlyArray<Asked>>
  /** How many answers are still held: their body was neither read to its end nor given up. */
  readonly open: Effect.Effect<number>
  /** How many requests were given up before their answer had ended. */
  readonly cancelled: Effect.Effect<number>
}

/**
 * The tag under which a test finds what `layer` recorded.
 *
 * @since 0.1.0
 * @category tags
 */
export class RecordedHttp extends Context.Tag("@spillway/testing/RecordedHttp")<RecordedHttp, Recorded>() {}

// -----------------------------------------------------------------------------
// constructors
// -----------------------------------------------------------------------------

/**
 * The connection breaks here.
 *
 * @since 0.1.0
 * @category constructors
 */
export const broken: unique symbol = Symbol.for("@spillway/testing/RecordedHttp/broken")

/**
 * Nothing comes from here on, and the connection stays.
 *
 * @since 0.1.0
 * @category constructors
 */
export const hang: unique symbol = Symbol.for("@spillway/testing/RecordedHttp/hang")

/**
 * An answer of JSON.
 *
 * @since 0.1.0
 * @category constructors
 */
export const json = (value: unknown, options: Omit<Recording, "body"> = {}): Whole => ({
  ...options,
  headers: { "content-type": "application/json", ...options.headers },
  body: JSON.stringify(value)
})

/**
 * An answer of another kind: a page, a plain text, an event stream.
 *
 * @since 0.1.0
 * @category constructors
 */
export const text = (contentType: string, body: string, options: Omit<Recording, "body"> = {}): Whole => ({
  ...options,
  headers: { "content-type": contentType, ...options.headers },
  body
})

/**
 * No answer comes, for a reason with this code.
 *
 * @since 0.1.0
 * @category constructors
 */
export const unreachable = (code = "ECONNREFUSED"): Effect.Effect<never, Unreachable> =>
  Effect.fail({ _tag: "Unreachable", code })

/**
 * Plays a step for every request from here on; the last of a script.
 *
 * @since 0.1.0
 * @category constructors
 */
export const repeat = (step: Step): Repeat => ({ _tag: "Repeat", step })

/**
 * A client that plays the script.
 *
 * @since 0.1.0
 * @category constructors
 * @example
 * ```ts
 * import { RecordedHttp } from "@spillway/testing"
 * import * as Effect from "effect/Effect"
 * import * as assert from "node:assert"
 *
 * const program = Effect.gen(function*() {
 *   const http = yield* RecordedHttp.make(RecordedHttp.json({ hello: "world" }))
 *   const answer = yield* Effect.flatMap(http.client.get("http://example.com/greet"), (response) => response.json)
 *   assert.deepStrictEqual(answer, { hello: "world" })
 *   assert.strictEqual((yield* http.requests)[0]?.url.pathname, "/greet")
 * })
 * Effect.runPromise(program)
 * ```
 */
export const make = (...script: ReadonlyArray<Step | Repeat>): Effect.Effect<Recorded> =>
  Effect.sync(() => unsafeMake(script))

/**
 * The client as `HttpClient`, and under its own tag for what it recorded.
 *
 * @since 0.1.0
 * @category layers
 */
export const layer = (
  ...script: ReadonlyArray<Step | Repeat>
): Layer.Layer<HttpClient.HttpClient | RecordedHttp> =>
  Layer.effectContext(
    Effect.map(make(...script), (recorded) =>
      Context.make(HttpClient.HttpClient, recorded.client).pipe(Context.add(RecordedHttp, recorded)))
  )

// -----------------------------------------------------------------------------
// combinators
// -----------------------------------------------------------------------------

/**
 * The bytes of a text, cut before each of the given offsets (of bytes, so that a cut may fall into a character).
 *
 * @since 0.1.0
 * @category combinators
 */
export const cut = (text: string, offsets: ReadonlyArray<number>): ReadonlyArray<Uint8Array> => {
  const bytes = new TextEncoder().encode(text)
  const ends = [...offsets.filter((offset) => offset > 0 && offset < bytes.length), bytes.length]
  return ends.sort((a, b) => a - b).map((end, i) => bytes.slice(i === 0 ? 0 : ends[i - 1], end))
}

/**
 * The bytes of a text, one by one.
 *
 * @since 0.1.0
 * @category combinators
 */
export const byByte = (text: string): ReadonlyArray<Uint8Array> =>
  Array.from(new TextEncoder().encode(text), (byte) => Uint8Array.of(byte))

// -----------------------------------------------------------------------------
// playing
// -----------------------------------------------------------------------------

const unsafeMake = (script: ReadonlyArray<Step | Repeat>): Recorded => {
  const requests: Array<Asked> = []
  let open = 0
  let cancelled = 0

  const respond = (
    request: HttpClientRequest.HttpClientRequest,
    recording: Recording
  ): HttpClientResponse.HttpClientResponse =>
    HttpClientResponse.fromWeb(
      request,
      new Response(recording.body === undefined ? null : play(recording.body), {
        status: recording.status ?? 200,
        headers: recording.headers ?? {}
      })
    )

  const play = (body: string | ReadonlyArray<Piece>): ReadableStream<Uint8Array> => {
    const pieces = typeof body === "string" ? [body] : body
    const encoder = new TextEncoder()
    let next = 0
    open++
    return new ReadableStream<Uint8Array>({
      pull(controller) {
        for (;;) {
          const piece = pieces[next++]
          if (piece === undefined) {
            open--
            return controller.close()
          }
          if (piece === hang) return new Promise<void>(() => {})
          if (piece === broken) {
            open--
            return controller.error(Object.assign(new Error("the connection broke"), { code: "ECONNRESET" }))
          }
          const bytes = typeof piece === "string" ? encoder.encode(piece) : piece
          if (bytes.length > 0) return controller.enqueue(bytes)
        }
      },
      cancel() {
        open--
        cancelled++
      }
    }, { highWaterMark: 0 })
  }

  const client = HttpClient.make((request, url) =>
    Effect.flatMap(Clock.currentTimeMillis, (at) => {
      const bytes = bytesOf(request)
      const asked: Asked = { method: request.method, url, headers: request.headers, body: bodyOf(bytes), bytes, at }
      const last = script.at(-1)
      const step = script[requests.length] ?? (isRepeat(last) ? last : undefined)
      requests.push(asked)
      if (step === undefined) {
        return Effect.dieMessage(
          `the script has ${script.length} steps; request ${requests.length} is ${asked.method} ${url.pathname}`
        )
      }
      return resolve(isRepeat(step) ? step.step : step, asked).pipe(
        Effect.onInterrupt(() => Effect.sync(() => cancelled++)),
        Effect.mapBoth({
          onSuccess: (recording) => respond(request, recording),
          onFailure: ({ code }) =>
            new HttpClientError.RequestError({
              request,
              reason: "Transport",
              cause: Object.assign(new Error(`no answer from ${url.href}`), { code })
            })
        })
      )
    })
  )

  return {
    client,
    requests: Effect.sync(() => [...requests]),
    open: Effect.sync(() => open),
    cancelled: Effect.sync(() => cancelled)
  }
}

const resolve = (step: Step, asked: Asked): Effect.Effect<Recording, Unreachable> =>
  Effect.isEffect(step)
    ? Effect.flatMap(step, (step) => resolve(step, asked))
    : typeof step === "function"
    ? Effect.suspend(() => resolve(step(asked), asked))
    : Effect.succeed(step)

const bytesOf = ({ body }: HttpClientRequest.HttpClientRequest): Uint8Array | undefined =>
  body._tag === "Uint8Array"
    ? body.body
    : body._tag === "Raw" && typeof body.body === "string"
    ? new TextEncoder().encode(body.body)
    : undefined

const bodyOf = (bytes: Uint8Array | undefined): unknown => {
  if (bytes === undefined) return undefined
  const text = new TextDecoder().decode(bytes)
  try {
    return JSON.parse(text)
  } catch {
    return text
  }
}

const isRepeat = (step: Step | Repeat | undefined): step is Repeat =>
  typeof step === "object" && "_tag" in step && step._tag === "Repeat"
