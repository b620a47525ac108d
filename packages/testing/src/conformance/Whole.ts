/**
 * What holds of an operation that answers at once, whatever it is and whoever answers: a stage to ask it on, and the
 * tests of what can go wrong.
 *
 * @since 0.1.0
 */
import * as HttpClient from "@effect/platform/HttpClient"
import { assert, expect, it } from "@effect/vitest"
import * as LlmError from "@spillway/core/LlmError"
import * as LlmService from "@spillway/core/LlmService"
import type * as Arr from "effect/Array"
import * as Cause from "effect/Cause"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as RecordedHttp from "../RecordedHttp.js"

// -----------------------------------------------------------------------------
// models
// -----------------------------------------------------------------------------

/**
 * A backend with keys of the test's, over its `HttpClient`.
 *
 * @since 0.1.0
 * @category models
 */
export type Backend = (options: {
  readonly apiKeys: Arr.NonEmptyReadonlyArray<Redacted.Redacted>
  readonly http?: { readonly maxResponseBytes?: number; readonly maxEventBytes?: number }
}) => Layer.Layer<LlmService.LlmService, unknown, HttpClient.HttpClient>

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
 * An operation, and answers to it.
 *
 * @since 0.1.0
 * @category models
 */
export interface Whole {
  readonly backend: string
  readonly layer: Backend
  /** Asks for it. */
  readonly ask: (llm: LlmService.Service) => Effect.Effect<unknown, LlmError.LlmError>
  /** A good answer. */
  readonly answer: RecordedHttp.Recording
  /** A refusal that is a rate limit and names no wait. */
  readonly rateLimited: RecordedHttp.Recording
}

/**
 * A service, and what it was answered with.
 *
 * @since 0.1.0
 * @category models
 */
export interface Stage {
  readonly llm: LlmService.Service
  readonly http: RecordedHttp.Recorded
}

// -----------------------------------------------------------------------------
// constructors
// -----------------------------------------------------------------------------

/**
 * The key of every test.
 *
 * @since 0.1.0
 * @category constants
 */
export const key = "sk-conformance-4f9a1c7e2b8d6035"

const secondKey = "sk-conformance-77aa88bb99cc00dd"

/**
 * Runs something with a backend whose requests are answered by the script.
 *
 * @since 0.1.0
 * @category constructors
 */
export const stage = (layer: Backend) =>
<A, E>(
  script: ReadonlyArray<RecordedHttp.Step | RecordedHttp.Repeat>,
  use: (stage: Stage) => Effect.Effect<A, E>,
  options: Partial<Parameters<Backend>[0]> = {}
): Effect.Effect<A, E> =>
  Effect.scoped(Effect.flatMap(RecordedHttp.make(...script), (http) =>
    Effect.flatMap(
      Layer.build(Layer.provide(
        layer({ apiKeys: [Redacted.make(key)], ...options }),
        Layer.succeed(HttpClient.HttpClient, http.client)
      )).pipe(Effect.orDie),
      (context) => use({ llm: Context.get(context, LlmService.LlmService), http })
    )))

/**
 * The error that an answer is, once nothing is left open and nothing is revealed by it.
 *
 * @since 0.1.0
 * @category constructors
 */
export const refusing = ({ ask, backend, layer }: Pick<Whole, "ask" | "backend" | "layer">) =>
(
  answer: RecordedHttp.Step,
  options?: Partial<Parameters<Backend>[0]>
): Effect.Effect<LlmError.LlmError, unknown> =>
  stage(layer)([answer], ({ http, llm }) =>
    Effect.flatMap(Effect.flip(ask(llm)), (error) =>
      Effect.map(http.open, (open) => {
        assert.strictEqual(open, 0, "the body of the refusal was left open")
        return checked(backend, error)
      })), options)

/**
 * An error that names its backend, is short, and reveals no key.
 *
 * @since 0.1.0
 * @category assertions
 */
export const checked = (backend: string, error: LlmError.LlmError | undefined): LlmError.LlmError => {
  assert(error !== undefined, "it did not fail")
  assert.strictEqual(error.backend, backend)
  assert.isAtMost(error.message.length, 1200)
  assert.notMatch(error.message, control)
  assert.isFalse(reveals(error, key), `${error._tag} reveals the key`)
  return error
}

/**
 * Registers what every such operation must do when its answer is bad, late or none.
 *
 * @since 0.1.0
 * @category suite
 */
export const failing = (whole: Whole): void => {
  const { answer, ask, layer, rateLimited } = whole
  const on = stage(layer)
  const refused = refusing(whole)

  for (const [title, headers, wait] of waits) {
    it.effect(`waits as long as the backend says: ${title}`, () =>
      Effect.map(refused(withHeaders(rateLimited, headers)), (error) => {
        assert.strictEqual(error._tag, "RateLimited")
        assert.strictEqual(waitOf(error), wait)
      }))
  }

  it.effect("rests a key that was refused, and asks with another", () =>
    on(
      [rateLimited, answer],
      ({ http, llm }) =>
        Effect.gen(function*() {
          const error = yield* Effect.flip(ask(llm))
          assert.strictEqual(waitOf(error), 0)
          yield* ask(llm)
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
    Effect.map(refused({ ...answer, body: ["{", RecordedHttp.broken] }), (error) => {
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
    const [title, bad] of [
      ["a page", RecordedHttp.text("text/html", "<html>Welcome</html>")],
      ["nothing", { status: 200 }],
      ["broken JSON", RecordedHttp.text("application/json", "{\"choices\":[{")],
      ["JSON of another kind", RecordedHttp.json({ hello: "world" })],
      ["a redirect", { status: 302, headers: { location: "http://evil.test/?x=1" } }]
    ] as const
  ) {
    it.effect(`is MalformedResponse when the answer is ${title}`, () =>
      Effect.map(refused(bad), (error) => {
        assert.strictEqual(error._tag, "MalformedResponse")
      }))
  }

  it.effect("is MalformedResponse when the answer is larger than allowed, and closes the connection", () =>
    Effect.map(
      refused(
        {
          ...answer,
          body: [...Array.from({ length: 64 }, () => "x".repeat(100)), RecordedHttp.hang]
        },
        { http: { maxResponseBytes: 1000 } }
      ),
      (error) => {
        assert.strictEqual(error._tag, "MalformedResponse")
      }
    ))
}

/**
 * Registers that whoever leaves such an operation leaves the connection as well.
 *
 * @since 0.1.0
 * @category suite
 */
export const interrupting = ({ answer, ask, layer }: Whole): void => {
  const on = stage(layer)

  it.effect("reaches the connection before an answer has come", () =>
    on([Effect.never], ({ http, llm }) =>
      Effect.gen(function*() {
        const fiber = yield* Effect.fork(ask(llm))
        yield* until(Effect.map(http.requests, (requests) => requests.length === 1))
        yield* Fiber.interrupt(fiber)
        assert.strictEqual(yield* http.cancelled, 1)
      })))

  it.effect("reaches the connection in the midst of an answer", () =>
    on([{ ...answer, body: ["{", RecordedHttp.hang] }], ({ http, llm }) =>
      Effect.gen(function*() {
        const fiber = yield* Effect.fork(ask(llm))
        yield* until(Effect.map(http.open, (open) => open === 1))
        yield* Fiber.interrupt(fiber)
        assert.strictEqual(yield* http.open, 0)
      })))
}

// -----------------------------------------------------------------------------
// how it is checked
// -----------------------------------------------------------------------------

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

/** In milliseconds. */
const waitOf = (error: LlmError.LlmError): number | undefined =>
  Option.getOrUndefined(Option.map(LlmError.retryAfter(error), Duration.toMillis))

// eslint-disable-next-line no-control-regex
const control = /[\u0000-\u001f\u007f-\u009f]/

/**
 * Whether a request was what it must have been.
 *
 * @since 0.1.0
 * @category assertions
 */
export const check = (asked: RecordedHttp.Asked, sent: Sent): void => {
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

/**
 * The recording with further headers.
 *
 * @since 0.1.0
 * @category combinators
 */
export const withHeaders = (
  recording: RecordedHttp.Recording,
  headers: Readonly<Record<string, string>>
): RecordedHttp.Recording => ({ ...recording, headers: { ...recording.headers, ...headers } })

/**
 * The recording with a field in every object that no client knows.
 *
 * @since 0.1.0
 * @category combinators
 */
export const padded = (recording: RecordedHttp.Recording): RecordedHttp.Recording => {
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

/**
 * Lets the others go on until it is so.
 *
 * @since 0.1.0
 * @category combinators
 */
export const until = (condition: Effect.Effect<boolean>): Effect.Effect<void> =>
  Effect.gen(function*() {
    for (let tries = 0; tries < 1000; tries++) {
      if (yield* condition) return
      yield* Effect.promise(() => Promise.resolve())
    }
    assert.fail("it never came to be so")
  })
