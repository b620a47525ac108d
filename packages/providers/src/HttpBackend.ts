/**
 * A backend as data, and the one place that goes over the wire for all of them.
 *
 * A backend's module says in a `Definition` how its wire differs: the address, how a key is shown, and for each
 * operation how a request is written and an answer read. Everything else is done here, once: a key is leased, the
 * request sent, the answer read up to a limit, what went wrong is classified, the key pool hears how it went, and the
 * lease is given back in every case.
 *
 * What only one backend does is asked for by the same means (`within`), so that it shares the backend's keys and limits,
 * and whatever protects the rest.
 *
 * How a wire is written: translations are pure functions, they read leniently (what they do not know they skip) and
 * write strictly (only what the vendor documents).
 *
 * @since 0.1.0
 */
import type * as Headers from "@effect/platform/Headers"
import type * as HttpClient from "@effect/platform/HttpClient"
import type * as HttpClientResponse from "@effect/platform/HttpClientResponse"
import type * as HttpMethod from "@effect/platform/HttpMethod"
import type * as Completion from "@spillway/core/Completion"
import type * as Embedding from "@spillway/core/Embedding"
import type * as Inference from "@spillway/core/Inference"
import * as InvalidOptions from "@spillway/core/InvalidOptions"
import type * as KeyPool from "@spillway/core/KeyPool"
import * as LlmError from "@spillway/core/LlmError"
import * as LlmService from "@spillway/core/LlmService"
import type * as Model from "@spillway/core/Model"
import type * as Protection from "@spillway/core/Protection"
import type * as Rerank from "@spillway/core/Rerank"
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Option from "effect/Option"
import type * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import * as Attempt from "./internal/attempt.js"
import { readBytes, readText, tooLarge, type Unread } from "./internal/body.js"
import * as Defect from "./internal/defect.js"
import type * as Framing from "./internal/framing.js"
import type * as HttpFailure from "./internal/httpFailure.js"
import * as Json from "./internal/json.js"
import * as Ndjson from "./internal/ndjson.js"
import * as Reading from "./internal/reading.js"
import * as Sending from "./internal/sending.js"
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
  /** The headers that show a key. Called once for each key, never for the empty one of a keyless pool. */
  readonly authenticate: (key: Redacted.Redacted) => Readonly<Record<string, string>>
  /** Names of headers, in lower case, that carry a key: hidden from logs. @default ["authorization", "x-api-key"] */
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
  readonly infer?: Operation<Inference.Request, Inference.Inference>
  readonly health?: Operation<void, void>
  readonly listModels?: Operation<void, ReadonlyArray<Model.Model>>
  /** The cheapest request that a key must be accepted for. @default the list of models, or else the sign of life */
  readonly validate?: Operation<void, unknown>
}

/**
 * How one operation is asked for and its answer read.
 *
 * @since 0.1.0
 * @category models
 */
export interface Operation<I, A> {
  /** What to send, or why it cannot be said on this wire (`Unsupported`, `InvalidRequest`); no key is leased yet. */
  readonly request: (input: I) => Either.Either<Outgoing, LlmError.LlmError>
  /** Our words from a 2xx body: JSON (`unknown` until looked at), or text or a `Uint8Array` if `reads` says so. */
  readonly response: (body: unknown, exchange: Exchange<I>) => Either.Either<A, LlmError.LlmError>
  /** What the body is. @default "json" */
  readonly reads?: "json" | "text" | "bytes"
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
 * Reads the frames of one answer, adding what they hold to `out`; may have a state. `frame` returns nothing to go on,
 * `ended(usage)` at the wire's own end marker, or an error; a stream that ends without marker is `StreamInterrupted`,
 * unless the wire has none and says so in `end`.
 *
 * @since 0.1.0
 * @category models
 */
export type Reader<A> = Reading.Reader<A>

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
export type End = Reading.End

/**
 * What is sent: `path` (with its query, beginning with a slash) is added to the base URL, `body` is sent as JSON, or as
 * it is if it is bytes (`application/octet-stream`, unless `headers` name another type).
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
  /** The status of the answer, a success. */
  readonly status: number
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
 * How what is only a backend's own is asked for. `name` is the operation's, as errors and metrics have it.
 *
 * @since 0.1.0
 * @category models
 */
export interface Exchanges {
  /** One exchange. `model` is the one that the key is leased for; `usage` is what the pool is told on success. */
  readonly run: <I, A>(
    name: string,
    operation: Operation<I, A>,
    input: I,
    model: string,
    usage?: (answer: A) => Completion.Usage
  ) => Effect.Effect<A, LlmError.LlmError>
  /** One exchange whose answer comes in pieces; `usage` is what its last piece tells. */
  readonly stream: <I, A>(
    name: string,
    streaming: Streaming<I, A>,
    input: I,
    model: string,
    usage?: (last: A) => Completion.Usage | undefined
  ) => Stream.Stream<A, LlmError.LlmError>
}

/**
 * The same within a protection, each exchange as a call.
 *
 * @since 0.1.0
 * @category models
 */
export interface Protected extends Exchanges {
  /** Whatever it takes, as one call. It is made of exchanges without protection: a call does not wait for another. */
  readonly whole: <A>(
    name: string,
    model: string,
    answer: Effect.Effect<A, LlmError.LlmError>
  ) => Effect.Effect<A, LlmError.LlmError>
}

/**
 * What a backend needs of its pool: keys, and to tell how they are validated.
 *
 * @since 0.1.0
 * @category models
 */
export interface Pool extends Pick<KeyPool.KeyPool, "acquire" | "validateBy"> {}

/**
 * A backend at work: its service, and the exchanges of which another can be made (`Protection.own`) with what no other
 * backend has.
 *
 * @since 0.1.0
 * @category models
 */
export interface HttpBackend extends Exchanges {
  readonly service: LlmService.Service
  readonly within: (protection: Protection.Protection) => Protected
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
  pool: Pool,
  options: Options = {}
): Effect.Effect<HttpBackend, InvalidOptions.InvalidOptions, HttpClient.HttpClient> =>
  Effect.flatMap(
    Effect.all([readOptions(options), readBaseUrl(definition)]),
    ([options, baseUrl]) =>
      Effect.flatMap(
        Sending.executor({ spans: options.spans, keyHeaders: definition.keyHeaders ?? [] }),
        (execute) => {
          const wire: Wire = {
            definition,
            baseUrl,
            pool,
            options,
            execute,
            requests: Sending.requests(definition.headers, definition.authenticate)
          }
          const exchanges: Exchanges = {
            run: (name, operation, input, model, usage) => exchange(wire, name, operation, input, model, usage),
            stream: (name, streaming, input, model) => streamed(wire, name, streaming, input, model)
          }
          return Effect.as(validating(wire), {
            ...exchanges,
            service: serve(wire),
            within: (protection: Protection.Protection) => within(definition, exchanges, protection)
          })
        }
      )
  )

const serve = (wire: Wire): LlmService.Service => {
  const { backend, embed, generateText, health, infer, listModels, rerank, streamText } = wire.definition
  const ask = <I extends LlmService.Request, A extends { readonly usage: Completion.Usage }>(
    name: string,
    operation: Operation<I, A>
  ) =>
  (request: I) => exchange(wire, name, operation, request, request.model, ({ usage }) => usage, { request })
  const look = <A>(name: string, operation: Operation<void, A>) => exchange(wire, name, operation, undefined, "")
  return LlmService.make(backend, {
    ...(generateText && { generateText: ask("generateText", generateText) }),
    ...(streamText && {
      streamText: (request: Completion.Request) =>
        streamed(wire, "streamText", streamText, request, request.model, { request })
    }),
    ...(embed && { embed: ask("embed", embed) }),
    ...(rerank && { rerank: ask("rerank", rerank) }),
    ...(infer && { infer: ask("infer", infer) }),
    ...(health && { health: look("health", health) }),
    ...(listModels && { listModels: look("listModels", listModels) })
  })
}

/** Tells the pool how keys are validated. */
const validating = (wire: Wire): Effect.Effect<void> => {
  const { health, listModels, validate } = wire.definition
  const operation: Operation<void, unknown> | undefined = validate ?? listModels ?? health
  return operation === undefined
    ? Effect.void
    : wire.pool.validateBy((id) =>
      exchange(wire, "validate", operation, undefined, "", undefined, { id, probe: true })
    )
}

const within = ({ backend }: Definition, { run, stream }: Exchanges, protection: Protection.Protection): Protected => {
  const asked = <A>(
    name: string,
    model: string,
    usage?: (answer: A) => Completion.Usage | undefined
  ): Protection.Asked<A> => ({
    operation: `${backend}.${name}`,
    model,
    ...(usage && {
      told: (answer: A) => {
        const used = usage(answer)
        return used && { usage: used }
      }
    })
  })
  return {
    run: (name, operation, input, model, usage) =>
      protection.whole(asked(name, model, usage), run(name, operation, input, model, usage)),
    stream: (name, streaming, input, model, usage) =>
      protection.streamed(asked(name, model, usage), stream(name, streaming, input, model)),
    whole: (name, model, answer) => protection.whole(asked(name, model), answer)
  }
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

interface Wire {
  readonly definition: Definition
  readonly baseUrl: string
  readonly pool: Pool
  readonly options: Required<Options>
  readonly execute: Sending.Execute
  readonly requests: Sending.Requests
}

/** What is sent, and by whom it is asked for; the key is not known yet. */
interface Prepared {
  readonly outgoing: Outgoing
  readonly body: string | Uint8Array | undefined
  readonly begin: (lease: KeyPool.Lease) => Attempt.Attempt
}

const prepare = <I>(
  { baseUrl, definition }: Wire,
  name: string,
  operation: { readonly request: (input: I) => Either.Either<Outgoing, LlmError.LlmError> },
  input: I,
  model: string
): Either.Either<Prepared, LlmError.LlmError> =>
  Either.flatMap(operation.request(input), (outgoing): Either.Either<Prepared, LlmError.LlmError> => {
    const body = outgoing.body === undefined || outgoing.body instanceof Uint8Array
      ? outgoing.body
      : Json.stringify(outgoing.body)
    if (body === undefined && outgoing.body !== undefined) {
      return Either.left(
        new LlmError.InvalidRequest({
          backend: definition.backend,
          message: `${definition.backend}: the request holds a value that JSON has no word for`,
          ...Attempt.named(model)
        })
      )
    }
    return Either.right({
      outgoing,
      body,
      begin: (lease) => ({
        judge: definition,
        operation: name,
        model,
        address: `${baseUrl}${outgoing.path.replace(/\?.*$/, "")}`,
        lease
      })
    })
  })

const send = (
  wire: Wire,
  { body, outgoing }: Prepared,
  attempt: Attempt.Attempt
): Effect.Effect<HttpClientResponse.HttpClientResponse, LlmError.LlmError> => {
  const request = wire.requests.make(
    attempt.lease.key,
    outgoing.method,
    wire.baseUrl + outgoing.path,
    body,
    outgoing.headers
  )
  if (request === undefined) return Attempt.failWith(attempt, Attempt.unspeakableKey(attempt))
  return Effect.matchEffect(wire.execute(request), {
    onSuccess: (response) => {
      const status = response.status
      if (status < 200 || status >= 300) return Attempt.refused(attempt, response)
      attempt.lease.answered()
      return Effect.succeed(response)
    },
    onFailure: (error) =>
      // a client that was given to us with `filterStatusOk` on it
      error._tag === "ResponseError" && error.reason === "StatusCode"
        ? Attempt.refused(attempt, error.response)
        : Attempt.failWith(attempt, Attempt.networkFailure(attempt, "could not be reached", error))
  })
}

const exchangeOf = <I>(
  attempt: Attempt.Attempt,
  input: I,
  status: number,
  headers: Headers.Headers
): Exchange<I> => ({
  backend: attempt.judge.backend,
  input,
  model: attempt.model,
  status,
  headers,
  requestId: Attempt.requestIdOf(headers),
  malformed: (what) => Attempt.malformed(attempt, status, headers, what),
  failure: (body) => Attempt.failureWithin(attempt, status, headers, body)
})

// -----------------------------------------------------------------------------
// whole answers
// -----------------------------------------------------------------------------

const exchange = <I, A>(
  wire: Wire,
  name: string,
  operation: Operation<I, A>,
  input: I,
  model: string,
  usage?: (answer: A) => Completion.Usage,
  wanted?: KeyPool.Wanted
): Effect.Effect<A, LlmError.LlmError> =>
  Effect.withFiberRuntime((fiber) => {
    const prepared = prepare(wire, name, operation, input, model)
    if (Either.isLeft(prepared)) return Effect.fail(prepared.left)
    const clock = Context.get(fiber.currentDefaultServices, Clock.Clock)
    // what `acquireUseRelease` does, with what a bug is told by in the same step
    return Effect.uninterruptibleMask((restore) =>
      Effect.flatMap(wire.pool.acquire(model, wanted), (lease) => {
        const attempt = prepared.right.begin(lease)
        const asked = Effect.flatMap(send(wire, prepared.right, attempt), (response) =>
          receive(wire, operation, input, attempt, response, clock, (answer) =>
            lease.succeeded(usage === undefined ? {} : usage(answer))))
        return Effect.matchCauseEffect(restore(asked), {
          onSuccess: (answer) => {
            lease.release()
            return Effect.succeed(answer)
          },
          onFailure: (cause) => {
            lease.release()
            return Effect.failCause(Defect.withoutKey(lease, cause))
          }
        })
      })
    )
  })

const receive = <I, A>(
  { options }: Wire,
  operation: Operation<I, A>,
  input: I,
  attempt: Attempt.Attempt,
  response: HttpClientResponse.HttpClientResponse,
  clock: Clock.Clock,
  succeeded: (answer: A) => void
): Effect.Effect<A, LlmError.LlmError> => {
  const { headers, status } = response
  const content: Effect.Effect<string | Uint8Array, Unread> = operation.reads === "bytes"
    ? readBytes(response, headers, options.maxResponseBytes)
    : readText(response, headers, options.maxResponseBytes)
  return Effect.matchEffect(content, {
    onFailure: (error) =>
      Attempt.failWith(
        attempt,
        error === tooLarge
          ? Attempt.malformed(attempt, status, headers, `the answer has more than ${options.maxResponseBytes} bytes`)
          : Attempt.networkFailure(attempt, "broke off its answer", error)
      ),
    onSuccess: (content) => {
      Attempt.observe(attempt, headers, clock.unsafeCurrentTimeMillis())
      const body = typeof content === "string" && operation.reads !== "text" ? Json.parse(content) : content
      const answer = body === undefined
        ? Either.left(Attempt.malformed(attempt, status, headers, noJson(content, headers)))
        : operation.response(body, exchangeOf(attempt, input, status, headers))
      if (Either.isLeft(answer)) return Attempt.failWith(attempt, answer.left)
      succeeded(answer.right)
      return Effect.succeed(answer.right)
    }
  })
}

const noJson = ({ length }: string | Uint8Array, headers: Headers.Headers): string =>
  length === 0
    ? "the answer is empty"
    : `the answer (${length} characters of ${headers["content-type"] ?? "no stated type"}) is no JSON`

// -----------------------------------------------------------------------------
// answers in pieces
// -----------------------------------------------------------------------------

const framers: { readonly [F in "sse" | "ndjson"]: (limit: number) => Framing.Framer } = {
  sse: Sse.make,
  ndjson: Ndjson.make
}

const streamed = <I, A>(
  wire: Wire,
  name: string,
  streaming: Streaming<I, A>,
  input: I,
  model: string,
  wanted?: KeyPool.Wanted
): Stream.Stream<A, LlmError.LlmError> =>
  Stream.fromPull(Effect.suspend(() => {
    let lease: KeyPool.Lease | undefined
    let reading: Reading.Reading<A> | undefined

    const open = Effect.suspend(() => {
      const prepared = prepare(wire, name, streaming, input, model)
      return Either.isLeft(prepared) ? Effect.fail(prepared.left) : Effect.flatMap(
        // nothing comes between having a lease and knowing of it
        Effect.uninterruptible(Effect.map(wire.pool.acquire(model, wanted), (leased) => lease = leased)),
        (lease) => {
          const attempt = prepared.right.begin(lease)
          const opened = Effect.flatMap(
            Effect.zip(send(wire, prepared.right, attempt), Clock.currentTimeMillis),
            ([response, now]) => {
              Attempt.observe(attempt, response.headers, now)
              return Effect.map(read(wire, streaming, input, attempt, response), ({ close, pull }) =>
                reading = { close, pull: Defect.guard(lease, pull) })
            }
          )
          return Defect.guard(lease, opened)
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

const read = <I, A>(
  { options }: Wire,
  streaming: Streaming<I, A>,
  input: I,
  attempt: Attempt.Attempt,
  response: HttpClientResponse.HttpClientResponse
): Effect.Effect<Reading.Reading<A>> => {
  const { headers, status } = response
  const exchange = exchangeOf(attempt, input, status, headers)
  return Reading.open({
    response,
    lease: attempt.lease,
    framer: framers[streaming.framing](options.maxEventBytes),
    reader: streaming.reader(exchange),
    malformed: exchange.malformed,
    failure: exchange.failure,
    interrupted: (what) => Attempt.interrupted(attempt, status, headers, what)
  })
}
