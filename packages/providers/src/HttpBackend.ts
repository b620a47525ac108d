/**
 * A backend as data, and the one place that goes over the wire for all of them.
 *
 * A backend's module says in a `Definition` how its wire differs: the address, how a key is shown, and for each
 * operation how a request is written and an answer read. Everything else is done here, once: a key is leased, the
 * request sent, the answer read up to a limit, what went wrong is classified, the key pool hears how it went, and the
 * lease is given back in every case.
 *
 * How a wire is written: translations are pure functions, they read leniently (what they do not know they skip) and
 * write strictly (only what the vendor documents).
 *
 * @since 0.1.0
 */
import * as FetchHttpClient from "@effect/platform/FetchHttpClient"
import * as Headers from "@effect/platform/Headers"
import * as HttpBody from "@effect/platform/HttpBody"
import * as HttpClient from "@effect/platform/HttpClient"
import type * as HttpClientError from "@effect/platform/HttpClientError"
import * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import type * as HttpClientResponse from "@effect/platform/HttpClientResponse"
import type * as HttpMethod from "@effect/platform/HttpMethod"
import type * as Completion from "@spillway/core/Completion"
import type * as Embedding from "@spillway/core/Embedding"
import * as InvalidOptions from "@spillway/core/InvalidOptions"
import type * as KeyPool from "@spillway/core/KeyPool"
import * as LlmError from "@spillway/core/LlmError"
import * as LlmService from "@spillway/core/LlmService"
import type * as Model from "@spillway/core/Model"
import type * as Rerank from "@spillway/core/Rerank"
import * as Chunk from "effect/Chunk"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Exit from "effect/Exit"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import type * as Framing from "./internal/framing.js"
import * as HttpFailure from "./internal/httpFailure.js"
import * as Json from "./internal/json.js"
import * as Ndjson from "./internal/ndjson.js"
import { scrub } from "./internal/scrub.js"
import * as Sse from "./internal/sse.js"

// -----------------------------------------------------------------------------
// models
// -----------------------------------------------------------------------------

/**
 * What a backend is: all that `make` has to know of it.
 *
 * @since 0.1.0
 * @category models
 */
export interface Definition {
  /** The backend's name, as errors and metrics carry it. */
  readonly backend: string
  /** The address that paths are added to, without a slash at the end. Keys are sent there and nowhere else. */
  readonly baseUrl: string
  /** The headers that show a key to the backend. Called once for each key, never for the empty one of a keyless pool. */
  readonly authenticate: (key: Redacted.Redacted) => Readonly<Record<string, string>>
  /** Names of headers, in lower case, that carry a key: hidden from traces. @default ["authorization", "x-api-key"] */
  readonly keyHeaders?: ReadonlyArray<string>
  /** Headers of every request (a version, an organisation). */
  readonly headers?: Readonly<Record<string, string>>
  /** What the headers of an answer, a failed one too, say of the key's limits. `now` is milliseconds since 1970. */
  readonly limits?: (headers: Headers.Headers, now: number) => KeyPool.Limits | undefined
  /** What the backend means by a failure, where that is not what everybody means; `undefined` leaves it to the rule. */
  readonly refineError?: (failure: Failure) => Refinement | undefined
  readonly generateText?: Operation<Completion.Request, Completion.Completion>
  readonly streamText?: Streaming<Completion.Request, Completion.Part>
  readonly embed?: Operation<Embedding.Request, Embedding.Embeddings>
  readonly rerank?: Operation<Rerank.Request, Rerank.Ranking>
  readonly listModels?: Operation<void, ReadonlyArray<Model.Model>>
}

/**
 * How one operation is asked for and its answer read.
 *
 * @since 0.1.0
 * @category models
 */
export interface Operation<I, A> {
  /** What to send, or why it cannot be said on this wire (`Unsupported`, `InvalidRequest`). Pure; no key is leased yet. */
  readonly request: (input: I) => Either.Either<Outgoing, LlmError.LlmError>
  /** Our words from a 2xx body, which is JSON (`unknown` until looked at), or text if `reads` says so. */
  readonly response: (body: unknown, exchange: Exchange<I>) => Either.Either<A, LlmError.LlmError>
  /** What the body is. @default "json" */
  readonly reads?: "json" | "text"
}

/**
 * How one operation is asked for whose answer comes in pieces.
 *
 * @since 0.1.0
 * @category models
 */
export interface Streaming<I, A> {
  /** What to send, or why it cannot be said on this wire. */
  readonly request: (input: I) => Either.Either<Outgoing, LlmError.LlmError>
  /** How the bytes are cut: server-sent events, or lines of JSON. */
  readonly framing: "sse" | "ndjson"
  /** What reads the frames of one answer; called once for each. */
  readonly reader: (exchange: Exchange<I>) => Reader<A>
}

/**
 * Reads the frames of one answer; may have a state.
 *
 * @since 0.1.0
 * @category models
 */
export interface Reader<A> {
  /**
   * Adds the pieces that a frame holds to `out`. Returns nothing to go on, `ended(usage)` when the frame is the wire's
   * own end marker (nothing is read after it), or an error (`exchange.failure` for one that the backend sent,
   * `exchange.malformed` for what is not its wire).
   */
  readonly frame: (frame: Frame, out: Array<A>) => End | LlmError.LlmError | undefined
  /**
   * The bytes ended and no end marker was seen. Only for a wire that has no marker: may still add pieces and return
   * `ended`. What is left out, or returns nothing, is a `StreamInterrupted`.
   */
  readonly end?: (out: Array<A>) => End | LlmError.LlmError | undefined
}

/**
 * One event of an event stream (`event` is its name, if it has one), or one line of JSON.
 *
 * @since 0.1.0
 * @category models
 */
export interface Frame {
  readonly event?: string | undefined
  readonly data: string
}

/**
 * A stream came to its proper end.
 *
 * @since 0.1.0
 * @category models
 */
export interface End {
  readonly _tag: "End"
  readonly usage: Completion.Usage
}

/**
 * What is sent: `path` (with its query, beginning with a slash) is added to the base URL, `body` is sent as JSON.
 *
 * @since 0.1.0
 * @category models
 */
export interface Outgoing {
  readonly method: HttpMethod.HttpMethod
  readonly path: string
  readonly body?: unknown
  readonly headers?: Readonly<Record<string, string>>
}

/**
 * What a wire may know of the exchange whose answer it reads, and how it says what is wrong with that answer.
 *
 * @since 0.1.0
 * @category models
 */
export interface Exchange<I> {
  readonly backend: string
  /** What was asked. */
  readonly input: I
  /** The model asked for; empty where the operation has none. */
  readonly model: string
  /** The headers of the answer, their names in lower case. */
  readonly headers: Headers.Headers
  /** The backend's id of the request, if the headers have one. */
  readonly requestId: string | undefined
  /** The answer is not this wire; `what` says what is missing or wrong, and quotes nothing of it. */
  readonly malformed: (what: string) => LlmError.MalformedResponse
  /** The error that a body within a 200 describes, classified as if it had come with a status of its own. */
  readonly failure: (body: unknown) => LlmError.LlmError
}

/**
 * What a backend answered in place of an answer, as `refineError` sees it.
 *
 * @since 0.1.0
 * @category models
 */
export type Failure = HttpFailure.Failure

/**
 * What a failure is: the name of its error, or that and how long to wait.
 *
 * @since 0.1.0
 * @category models
 */
export type Refinement = HttpFailure.Refinement

/**
 * How the wire is used, for all backends alike.
 *
 * @since 0.1.0
 * @category models
 */
export interface Options {
  /** Most bytes of an answer that is not streamed. @default 33554432 (32 MiB) */
  readonly maxResponseBytes?: number
  /** Most characters of one event or line of a stream. @default 8388608 (8 MiB) */
  readonly maxEventBytes?: number
  /** Whether every HTTP request is a span of its own. @default false */
  readonly spans?: boolean
}

/**
 * A backend at work: its service, and the means by which its own operations (what no other backend has) are served.
 *
 * @since 0.1.0
 * @category models
 */
export interface HttpBackend {
  readonly service: LlmService.Service
  /** One exchange. `model` is the one that the key is leased for; `usage` is what the pool is told on success. */
  readonly run: <I, A>(
    name: string,
    operation: Operation<I, A>,
    input: I,
    model: string,
    usage?: (answer: A) => Completion.Usage
  ) => Effect.Effect<A, LlmError.LlmError>
  /** One exchange whose answer comes in pieces. */
  readonly stream: <I, A>(
    name: string,
    streaming: Streaming<I, A>,
    input: I,
    model: string
  ) => Stream.Stream<A, LlmError.LlmError>
}

// -----------------------------------------------------------------------------
// constructors
// -----------------------------------------------------------------------------

/**
 * A stream came to its proper end, having used this many tokens.
 *
 * @since 0.1.0
 * @category constructors
 */
export const ended = (usage: Completion.Usage): End => ({ _tag: "End", usage })

/**
 * A backend at work, over the `HttpClient` of the environment. A base URL that is none is told here, not at the first
 * call.
 *
 * @since 0.1.0
 * @category constructors
 */
export const make = (
  definition: Definition,
  pool: KeyPool.KeyPool,
  options: Options = {}
): Effect.Effect<HttpBackend, InvalidOptions.InvalidOptions, HttpClient.HttpClient> =>
  Effect.flatMap(
    Effect.all([readOptions(options), readBaseUrl(definition)]),
    ([options, baseUrl]) =>
      Effect.map(
        Effect.zip(HttpClient.HttpClient, Effect.serviceOption(FetchHttpClient.RequestInit)),
        ([client, init]) => {
          const wire: Wire = {
            definition,
            baseUrl,
            pool,
            options,
            execute: guarded(client, definition, options.spans, Option.getOrElse(init, () => ({}))),
            requests: new WeakMap()
          }
          const run: HttpBackend["run"] = (name, operation, input, model, usage) =>
            exchange(wire, name, operation, input, model, usage)
          const stream: HttpBackend["stream"] = (name, streaming, input, model) =>
            streamed(wire, name, streaming, input, model)
          return { run, stream, service: serve(definition, run, stream) }
        }
      )
  )

const serve = (
  { backend, embed, generateText, listModels, rerank, streamText }: Definition,
  run: HttpBackend["run"],
  stream: HttpBackend["stream"]
): LlmService.Service => {
  const usage = (answer: { readonly usage: Completion.Usage }) => answer.usage
  return LlmService.make(backend, {
    ...(generateText && {
      generateText: (request: Completion.Request) => run("generateText", generateText, request, request.model, usage)
    }),
    ...(streamText && {
      streamText: (request: Completion.Request) => stream("streamText", streamText, request, request.model)
    }),
    ...(embed && { embed: (request: Embedding.Request) => run("embed", embed, request, request.model, usage) }),
    ...(rerank && { rerank: (request: Rerank.Request) => run("rerank", rerank, request, request.model, usage) }),
    ...(listModels && { listModels: run("listModels", listModels, undefined, "") })
  })
}

const readOptions = InvalidOptions.validate(
  "HttpBackend",
  Schema.Struct({
    maxResponseBytes: Schema.optionalWith(InvalidOptions.whole({ atLeast: 1 }), { default: () => 32 * 1024 * 1024 }),
    maxEventBytes: Schema.optionalWith(InvalidOptions.whole({ atLeast: 1 }), { default: () => 8 * 1024 * 1024 }),
    spans: Schema.optionalWith(Schema.Boolean, { default: () => false })
  })
)

const readBaseUrl = ({ backend, baseUrl }: Definition): Either.Either<string, InvalidOptions.InvalidOptions> => {
  const url = URL.canParse(baseUrl) ? new URL(baseUrl) : undefined
  const wrong = url === undefined || !/^https?:$/.test(url.protocol)
    ? "must be an address that begins with http:// or https://"
    : url.search !== "" || url.hash !== "" || url.username !== "" || url.password !== ""
    ? "must be an address without a query, a fragment, a user and a password"
    : undefined
  return wrong === undefined
    ? Either.right(baseUrl.replace(/\/+$/, ""))
    : Either.left(
      new InvalidOptions.InvalidOptions({
        module: "HttpBackend",
        field: "baseUrl",
        message: `HttpBackend.baseUrl: the base URL of ${backend} ${wrong}`
      })
    )
}

// -----------------------------------------------------------------------------
// sending
// -----------------------------------------------------------------------------

type Execute = (
  request: HttpClientRequest.HttpClientRequest
) => Effect.Effect<HttpClientResponse.HttpClientResponse, HttpClientError.HttpClientError>

interface Wire {
  readonly definition: Definition
  readonly baseUrl: string
  readonly pool: KeyPool.KeyPool
  readonly options: Required<Options>
  readonly execute: Execute
  /** What every request with a key has in common, built once for each key. */
  readonly requests: WeakMap<Redacted.Redacted, HttpClientRequest.HttpClientRequest | undefined>
}

/**
 * The client, so that a key goes to the backend alone: redirects are not followed (fetch would take `x-api-key` along),
 * no trace is handed to a third party, and what carries a key is hidden from spans.
 */
const guarded = (
  client: HttpClient.HttpClient,
  definition: Definition,
  spans: boolean,
  init: RequestInit
): Execute => {
  const manual: RequestInit = { ...init, redirect: "manual" }
  if (!spans) {
    const silent = HttpClient.withTracerDisabledWhen(client, () => true)
    return (request) => Effect.provideService(silent.execute(request), FetchHttpClient.RequestInit, manual)
  }
  const traced = HttpClient.withTracerPropagation(client, false)
  const names = definition.keyHeaders ?? []
  return (request) =>
    Effect.locallyWith(
      Effect.provideService(traced.execute(request), FetchHttpClient.RequestInit, manual),
      Headers.currentRedactedNames,
      (known) => [...known, ...names]
    )
}

/** The request of an attempt; `undefined` when the key cannot stand in a header. */
const toRequest = (
  wire: Wire,
  key: Redacted.Redacted,
  outgoing: Outgoing,
  body: string | undefined
): HttpClientRequest.HttpClientRequest | undefined => {
  let common = wire.requests.get(key)
  if (common === undefined) {
    if (wire.requests.has(key)) return undefined
    common = commonOf(wire.definition, key)
    wire.requests.set(key, common)
    if (common === undefined) return undefined
  }
  const request = HttpClientRequest.setUrl(
    outgoing.method === "POST" ? common : HttpClientRequest.setMethod(common, outgoing.method),
    wire.baseUrl + outgoing.path
  )
  const whole = body === undefined
    ? request
    : HttpClientRequest.setBody(request, HttpBody.text(body, "application/json"))
  return outgoing.headers === undefined ? whole : HttpClientRequest.setHeaders(whole, outgoing.headers)
}

const commonOf = (definition: Definition, key: Redacted.Redacted): HttpClientRequest.HttpClientRequest | undefined => {
  const credentials = Redacted.value(key) === "" ? {} : definition.authenticate(key)
  // a header with such a value is refused by every client, some of which quote it in their error
  if (Object.values(credentials).some((value) => !/^[\x20-\x7e]*$/.test(value))) return undefined
  return HttpClientRequest.post("", {
    headers: { accept: "application/json", "user-agent": "spillway", ...definition.headers, ...credentials }
  })
}

/** What is said to the backend, in its wire's words. */
interface Prepared {
  readonly outgoing: Outgoing
  readonly body: string | undefined
}

const prepare = <I>(
  wire: Wire,
  operation: { readonly request: (input: I) => Either.Either<Outgoing, LlmError.LlmError> },
  input: I,
  model: string
): Either.Either<Prepared, LlmError.LlmError> =>
  Either.flatMap(operation.request(input), (outgoing): Either.Either<Prepared, LlmError.LlmError> => {
    if (outgoing.body === undefined) return Either.right({ outgoing, body: undefined })
    const body = Json.stringify(outgoing.body)
    return body !== undefined ? Either.right({ outgoing, body }) : Either.left(
      new LlmError.InvalidRequest({
        backend: wire.definition.backend,
        message: `${wire.definition.backend}: the request holds a value that JSON has no word for`,
        ...named(model)
      })
    )
  })

const named = (model: string) => model === "" ? {} : { model }

// -----------------------------------------------------------------------------
// an attempt: a lease, and what is known of the exchange under it
// -----------------------------------------------------------------------------

interface Attempt<I> {
  readonly wire: Wire
  readonly operation: string
  readonly input: I
  readonly model: string
  readonly prepared: Prepared
  readonly lease: KeyPool.Lease
}

const send = <I>(
  attempt: Attempt<I>
): Effect.Effect<HttpClientResponse.HttpClientResponse, LlmError.LlmError> => {
  const { lease, model, prepared, wire } = attempt
  const request = toRequest(wire, lease.key, prepared.outgoing, prepared.body)
  if (request === undefined) {
    return failWith(
      attempt,
      new LlmError.AuthenticationFailed({
        backend: wire.definition.backend,
        message: `${wire.definition.backend}: the key ${lease.id} has characters that no header can carry`,
        ...named(model)
      })
    )
  }
  return Effect.matchEffect(wire.execute(request), {
    onSuccess: (response) => {
      const status = response.status
      return status >= 200 && status < 300 ? Effect.succeed(response) : refused(attempt, response)
    },
    onFailure: (error) =>
      // a client that was given to us with `filterStatusOk` on it
      error._tag === "ResponseError" && error.reason === "StatusCode"
        ? refused(attempt, error.response)
        : failWith(attempt, unreachable(attempt, error, "could not be reached"))
  })
}

const failWith = <I>({ lease }: Attempt<I>, error: LlmError.LlmError): Effect.Effect<never, LlmError.LlmError> =>
  Effect.suspend(() => Effect.fail(lease.failed(error)))

const unreachable = <I>(
  { lease, model, prepared, wire }: Attempt<I>,
  error: HttpClientError.HttpClientError,
  what: string
): LlmError.NetworkFailure => {
  const path = prepared.outgoing.path.replace(/\?.*$/, "")
  return new LlmError.NetworkFailure({
    backend: wire.definition.backend,
    message: scrub(
      `${wire.definition.backend} ${what} at ${wire.baseUrl}${path}: ${reasonOf(error)}`,
      Redacted.value(lease.key)
    ),
    ...named(model)
  })
}

/** Why a transport failed, in its own shortest word: `ECONNREFUSED` lies at the end of a chain of causes. */
const reasonOf = (error: HttpClientError.HttpClientError): string => {
  let cause: unknown = error.cause
  let reason: string = error.description ?? error.reason
  for (let depth = 0; depth < 5 && typeof cause === "object" && cause !== null; depth++) {
    if ("code" in cause && typeof cause.code === "string") return cause.code
    if ("message" in cause && typeof cause.message === "string" && cause.message !== "") reason = cause.message
    cause = "cause" in cause ? cause.cause : undefined
  }
  return reason
}

/** The answer is an error: its body is read (so that the connection can be used again), and says which. */
const refused = <I>(
  attempt: Attempt<I>,
  response: HttpClientResponse.HttpClientResponse
): Effect.Effect<never, LlmError.LlmError> =>
  Effect.suspend(() => {
    const headers = response.headers
    return Effect.flatMap(
      Effect.zip(
        Effect.orElseSucceed(readText(response, headers, maxErrorBytes), () => ""),
        Clock.currentTimeMillis
      ),
      ([text, now]) => {
        observe(attempt, headers, now)
        const { definition } = attempt.wire
        const failure = HttpFailure.read(contextOf(attempt, response.status, headers), text, now)
        return failWith(attempt, classify(attempt, failure, definition))
      }
    )
  })

const maxErrorBytes = 64 * 1024

const observe = <I>({ lease, wire: { definition } }: Attempt<I>, headers: Headers.Headers, now: number): void => {
  const limits = definition.limits?.(headers, now)
  if (limits !== undefined) lease.observed(limits)
}

const contextOf = <I>(
  { model, operation, wire }: Attempt<I>,
  status: number,
  headers: Headers.Headers
): HttpFailure.Context => ({
  backend: wire.definition.backend,
  operation,
  model,
  status,
  headers,
  requestId: requestIdOf(headers)
})

const requestIdOf = (headers: Headers.Headers): string | undefined => headers["x-request-id"] ?? headers["request-id"]

const classify = <I>({ lease }: Attempt<I>, failure: Failure, definition: Definition): LlmError.LlmError => {
  const words = HttpFailure.describe(failure)
  return HttpFailure.toError(
    failure,
    definition.refineError?.(failure) ?? HttpFailure.kindOf(failure),
    scrub(`${definition.backend} ${words}`, Redacted.value(lease.key))
  )
}

const exchangeOf = <I>(attempt: Attempt<I>, status: number, headers: Headers.Headers): Exchange<I> => {
  const { definition } = attempt.wire
  return {
    backend: definition.backend,
    input: attempt.input,
    model: attempt.model,
    headers,
    requestId: requestIdOf(headers),
    malformed: (what) => malformed(attempt, status, headers, what),
    failure: (body) =>
      classify(
        attempt,
        HttpFailure.readBody(contextOf(attempt, status, headers), body, Json.stringify(body) ?? "", 0),
        definition
      )
  }
}

const malformed = <I>(
  { model, wire: { definition } }: Attempt<I>,
  status: number,
  headers: Headers.Headers,
  what: string
): LlmError.MalformedResponse => {
  const requestId = requestIdOf(headers)
  return new LlmError.MalformedResponse({
    backend: definition.backend,
    message: `${definition.backend}: ${what}`,
    status,
    ...named(model),
    ...(requestId !== undefined && { requestId })
  })
}

const tooLarge = "TooLarge" as const

/** The body as text, as long as it has at most `limit` bytes once it is decompressed. */
const readText = (
  response: HttpClientResponse.HttpClientResponse,
  headers: Headers.Headers,
  limit: number
): Effect.Effect<string, HttpClientError.HttpClientError | typeof tooLarge> => {
  const length = headers["content-length"]
  // what a client reads by itself it reads whole, so it may do so only when the size is known beforehand
  if (length !== undefined && headers["content-encoding"] === undefined && Number(length) <= limit) {
    return response.text
  }
  return Effect.suspend(() => {
    const decoder = new TextDecoder()
    let text = ""
    let size = 0
    const read = Stream.runForEachChunk(response.stream, (chunk) => {
      for (const bytes of chunk) {
        size += bytes.length
        if (size > limit) return Effect.fail(tooLarge)
        text += decoder.decode(bytes, { stream: true })
      }
      return Effect.void
    })
    return Effect.matchEffect(read, {
      onSuccess: () => Effect.succeed(text + decoder.decode()),
      onFailure: (error) =>
        error !== tooLarge && error._tag === "ResponseError" && error.reason === "EmptyBody"
          ? Effect.succeed("")
          : Effect.fail(error)
    })
  })
}

// -----------------------------------------------------------------------------
// whole answers
// -----------------------------------------------------------------------------

const exchange = <I, A>(
  wire: Wire,
  name: string,
  operation: Operation<I, A>,
  input: I,
  model: string,
  usage: ((answer: A) => Completion.Usage) | undefined
): Effect.Effect<A, LlmError.LlmError> =>
  Effect.suspend(() => {
    const prepared = prepare(wire, operation, input, model)
    if (Either.isLeft(prepared)) return Effect.fail(prepared.left)
    return Effect.acquireUseRelease(
      wire.pool.acquire(model),
      (lease) => {
        const attempt: Attempt<I> = { wire, operation: name, input, model, prepared: prepared.right, lease }
        return Effect.flatMap(send(attempt), (response) => {
          const headers = response.headers
          return Effect.matchEffect(
            Effect.zip(readText(response, headers, wire.options.maxResponseBytes), Clock.currentTimeMillis),
            {
              onFailure: (error) =>
                failWith(
                  attempt,
                  error === tooLarge
                    ? malformed(
                      attempt,
                      response.status,
                      headers,
                      `the answer has more than ${wire.options.maxResponseBytes} bytes`
                    )
                    : unreachable(attempt, error, "broke off its answer")
                ),
              onSuccess: ([text, now]) => {
                observe(attempt, headers, now)
                const answer = decode(attempt, operation, response.status, headers, text)
                if (Either.isLeft(answer)) return failWith(attempt, answer.left)
                lease.succeeded(usage === undefined ? {} : usage(answer.right))
                return Effect.succeed(answer.right)
              }
            }
          )
        })
      },
      (lease) => Effect.sync(lease.release)
    )
  })

const decode = <I, A>(
  attempt: Attempt<I>,
  operation: Operation<I, A>,
  status: number,
  headers: Headers.Headers,
  text: string
): Either.Either<A, LlmError.LlmError> => {
  if (operation.reads === "text") return operation.response(text, exchangeOf(attempt, status, headers))
  const body = Json.parse(text)
  return body !== undefined
    ? operation.response(body, exchangeOf(attempt, status, headers))
    : Either.left(malformed(
      attempt,
      status,
      headers,
      text === ""
        ? "the answer is empty"
        : `the answer (${text.length} characters of ${headers["content-type"] ?? "no stated type"}) is no JSON`
    ))
}

// -----------------------------------------------------------------------------
// answers in pieces
// -----------------------------------------------------------------------------

const framers: { readonly [F in "sse" | "ndjson"]: (limit: number) => Framing.Framer } = {
  sse: Sse.make,
  ndjson: Ndjson.make
}

type Bytes = Effect.Effect<Chunk.Chunk<Uint8Array>, Option.Option<HttpClientError.HttpClientError>>

const streamed = <I, A>(
  wire: Wire,
  name: string,
  streaming: Streaming<I, A>,
  input: I,
  model: string
): Stream.Stream<A, LlmError.LlmError> =>
  Stream.fromPull(Effect.suspend(() => {
    let lease: KeyPool.Lease | undefined
    let reading: Reading<A> | undefined

    const open = Effect.suspend(() => {
      const prepared = prepare(wire, streaming, input, model)
      if (Either.isLeft(prepared)) return Effect.fail(prepared.left)
      return Effect.flatMap(
        // nothing comes between having a lease and knowing of it
        Effect.uninterruptible(Effect.map(wire.pool.acquire(model), (leased) => lease = leased)),
        (lease) => {
          const attempt: Attempt<I> = { wire, operation: name, input, model, prepared: prepared.right, lease }
          return Effect.flatMap(
            Effect.zip(send(attempt), Clock.currentTimeMillis),
            ([response, now]) => {
              observe(attempt, response.headers, now)
              return Effect.map(read(attempt, streaming, response), (opened) => reading = opened)
            }
          )
        }
      )
    })

    return Effect.as(
      Effect.addFinalizer(() => {
        lease?.release()
        return reading === undefined ? Effect.void : reading.close
      }),
      Effect.suspend(() =>
        reading !== undefined
          ? reading.pull
          : Effect.flatMap(Effect.mapError(open, Option.some), (opened) => opened.pull)
      )
    )
  }))

/** An answer that is being read. */
interface Reading<A> {
  readonly pull: Effect.Effect<Chunk.Chunk<A>, Option.Option<LlmError.LlmError>>
  /** Cuts the connection, unless the answer came to its end. */
  readonly close: Effect.Effect<void>
}

/** From bytes to pieces: cut, read and handed over in one synchronous step for each chunk of bytes. */
const read = <I, A>(
  attempt: Attempt<I>,
  streaming: Streaming<I, A>,
  response: HttpClientResponse.HttpClientResponse
): Effect.Effect<Reading<A>> =>
  Effect.flatMap(Scope.make(), (scope) =>
    Effect.map(
      Scope.extend(Stream.toPull(response.stream), scope),
      (bytes) => readingOf(attempt, streaming, response.status, response.headers, bytes, scope)
    ))

const readingOf = <I, A>(
  attempt: Attempt<I>,
  streaming: Streaming<I, A>,
  status: number,
  headers: Headers.Headers,
  bytes: Bytes,
  scope: Scope.CloseableScope
): Reading<A> => {
  const { lease, wire } = attempt
  const framer = framers[streaming.framing](wire.options.maxEventBytes)
  const exchange = exchangeOf(attempt, status, headers)
  const reader = streaming.reader(exchange)
  // how the stream ended, once it has; told after the last pieces have been handed over
  let over: Option.Option<LlmError.LlmError> | undefined

  const settle = (outcome: End | LlmError.LlmError): void => {
    if (outcome._tag === "End") {
      lease.succeeded(outcome.usage)
      over = Option.none()
    } else {
      over = Option.some(lease.failed(outcome))
    }
    lease.release()
  }

  const interrupted = (what: string) =>
    new LlmError.StreamInterrupted({
      backend: wire.definition.backend,
      message: `${wire.definition.backend} ${what}`,
      status,
      ...named(attempt.model),
      ...(exchange.requestId !== undefined && { requestId: exchange.requestId })
    })

  const take = (frames: ReadonlyArray<Framing.Frame>, out: Array<A>): End | LlmError.LlmError | undefined => {
    for (const frame of frames) {
      const outcome = frame.bare === true ? bareError(frame.data, exchange) : reader.frame(frame, out)
      if (outcome !== undefined) return outcome
    }
    return framer.tooLarge
      ? exchange.malformed(`an event of the stream has more than ${wire.options.maxEventBytes} characters`)
      : undefined
  }

  const atEnd = (out: Array<A>): End | LlmError.LlmError => {
    const last = take(framer.end(), out)
    // what was cut off in its midst is no broken wire
    if (last !== undefined && last._tag !== "MalformedResponse") return last
    return reader.end?.(out) ?? interrupted("ended its stream without the end marker")
  }

  const hand = (out: Array<A>): Effect.Effect<Chunk.Chunk<A>, Option.Option<LlmError.LlmError>> => {
    const chunk = out.length === 0 ? undefined : Effect.succeed(Chunk.unsafeFromArray(out))
    if (over === undefined) return chunk ?? next
    const then = chunk ?? Effect.fail(over)
    return Option.isNone(over) ? Effect.zipRight(Effect.forkDaemon(leave(bytes, scope)), then) : then
  }

  const next: Effect.Effect<Chunk.Chunk<A>, Option.Option<LlmError.LlmError>> = Effect.suspend(() =>
    over !== undefined ? Effect.fail(over) : Effect.matchEffect(bytes, {
      onSuccess: (chunk) => {
        const out: Array<A> = []
        for (const piece of chunk) {
          const outcome = take(framer.feed(piece), out)
          if (outcome !== undefined) {
            settle(outcome)
            break
          }
        }
        return hand(out)
      },
      onFailure: (error) => {
        const out: Array<A> = []
        settle(
          Option.isNone(error) || error.value.reason === "EmptyBody"
            ? atEnd(out)
            : interrupted(
              `broke off its stream: ${scrub(reasonOf(error.value), Redacted.value(lease.key))}`
            )
        )
        return hand(out)
      }
    })
  )
  return {
    pull: next,
    close: Effect.suspend(() => over !== undefined && Option.isNone(over) ? Effect.void : Scope.close(scope, Exit.void))
  }
}

/**
 * Some backends write an error into an event stream as bare JSON, or as text that only looks like it. Other lines that
 * are no field mean nothing, as the standard has it.
 */
const bareError = <I>(text: string, exchange: Exchange<I>): LlmError.LlmError | undefined => {
  const body = Json.parse(text)
  const first = Array.isArray(body) ? body[0] : body
  return Json.get(first, "error") !== undefined
    ? exchange.failure(first)
    : body === undefined && /^\s*\[?\s*\{\s*"error"/.test(text)
    ? exchange.failure({ error: text })
    : undefined
}

/**
 * Leaves a body whose end marker was seen. Its last bytes (they mean nothing any more) are usually there already; with
 * them read, the connection can serve the next request. A body that goes on regardless is cut off.
 */
const leave = (bytes: Bytes, scope: Scope.CloseableScope): Effect.Effect<void> => {
  let left = 64 * 1024
  const discard: Effect.Effect<void> = Effect.matchEffect(bytes, {
    onFailure: () => Effect.void,
    onSuccess: (chunk) => {
      for (const piece of chunk) left -= piece.length
      return left > 0 ? discard : Effect.void
    }
  })
  return Effect.interruptible(Effect.ensuring(
    Effect.asVoid(Effect.timeoutOption(discard, "1 second")),
    Scope.close(scope, Exit.void)
  ))
}
