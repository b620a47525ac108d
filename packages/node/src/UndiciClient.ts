/**
 * An `HttpClient` over undici's dispatcher, for those who make many calls: used in the place of
 * `NodeHttpClient.layerUndici`, it costs a fraction.
 *
 * It opens no span of its own, follows no redirect and knows no time that an answer may take: these are for the policies
 * around it to say. Interrupting a call, or leaving a stream before its end, closes the connection. A slow reader slows
 * its sender down.
 *
 * @since 0.1.0
 */
import * as Cookies from "@effect/platform/Cookies"
import * as Headers from "@effect/platform/Headers"
import * as HttpClient from "@effect/platform/HttpClient"
import * as HttpClientError from "@effect/platform/HttpClientError"
import type * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import * as HttpClientResponse from "@effect/platform/HttpClientResponse"
import * as HttpIncomingMessage from "@effect/platform/HttpIncomingMessage"
import * as UrlParams from "@effect/platform/UrlParams"
import * as InvalidOptions from "@spillway/core/InvalidOptions"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Inspectable from "effect/Inspectable"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import { Agent, type Dispatcher } from "undici"
import { Answer, type Head } from "./internal/answer.js"

// -----------------------------------------------------------------------------
// models
// -----------------------------------------------------------------------------

/**
 * How a client connects.
 *
 * @since 0.1.0
 * @category models
 */
export interface Options {
  /** Most connections to one origin, from 1. A request that finds all of them taken waits for one. @default no limit */
  readonly connections?: number
  /** How long a connection may take to stand, from 1 millisecond. @default 10 seconds */
  readonly connectTimeout?: Duration.DurationInput
  /** How long a connection is kept that nobody uses, from 1 millisecond, if the server does not say. @default 30 seconds */
  readonly keepAlive?: Duration.DurationInput
}

const validate = InvalidOptions.validate(
  "UndiciClient",
  Schema.Struct({
    connections: Schema.optionalWith(InvalidOptions.whole({ atLeast: 1 }), { exact: true }),
    connectTimeout: Schema.optionalWith(InvalidOptions.duration({ atLeast: "1 millis" }), { default: () => Duration.seconds(10) }),
    keepAlive: Schema.optionalWith(InvalidOptions.duration({ atLeast: "1 millis" }), { default: () => Duration.seconds(30) })
  })
)

// -----------------------------------------------------------------------------
// constructors
// -----------------------------------------------------------------------------

/**
 * A client over a dispatcher that somebody else looks after: a `ProxyAgent`, say, or a `MockAgent`.
 *
 * @since 0.1.0
 * @category constructors
 */
export const make = (dispatcher: Dispatcher): HttpClient.HttpClient => {
  const locate = locator()
  const client = HttpClient.makeWith(
    Effect.flatMap((request) => send(dispatcher, locate, request)),
    Effect.succeed as HttpClient.HttpClient.Preprocess<never, never>
  )
  return Object.assign(client, { [keepsToItself]: true })
}

/** By which a backend knows that it need not keep this client from redirects and spans, call by call. */
const keepsToItself = Symbol.for("@spillway/node/UndiciClient/keepsToItself")

/**
 * A client with connections of its own, which are closed when the layer ends.
 *
 * @since 0.1.0
 * @category layers
 */
export const layer = (options: Options = {}): Layer.Layer<HttpClient.HttpClient, InvalidOptions.InvalidOptions> =>
  Layer.scoped(
    HttpClient.HttpClient,
    Effect.flatMap(validate(options), ({ connectTimeout, connections, keepAlive }) =>
      Effect.map(
        Effect.acquireRelease(
          Effect.sync(() =>
            new Agent({
              connect: { timeout: Duration.toMillis(connectTimeout) },
              keepAliveTimeout: Duration.toMillis(keepAlive),
              ...(connections !== undefined && { connections })
            })
          ),
          (agent) => Effect.promise(() => agent.destroy())
        ),
        make
      ))
  )

// -----------------------------------------------------------------------------
// sending
// -----------------------------------------------------------------------------

const send = (
  dispatcher: Dispatcher,
  locate: Locate,
  request: HttpClientRequest.HttpClientRequest
): Effect.Effect<HttpClientResponse.HttpClientResponse, HttpClientError.HttpClientError> => {
  const place = locate(request)
  return Either.isLeft(place) ? Effect.fail(place.left) : Effect.async((resume) => {
    const failed = (cause: unknown) =>
      resume(Effect.fail(new HttpClientError.RequestError({ request, reason: "Transport", cause })))
    let incoming: Incoming | undefined
    const answer: Answer = new Answer({
      begun: (head) => {
        incoming = new Incoming(request, head, answer)
        resume(Effect.succeed(incoming))
      },
      failed,
      held: () => {
        // from here on only who reads it holds it
        if (incoming !== undefined) forgotten.register(incoming, answer)
        incoming = undefined
      }
    })
    try {
      dispatcher.dispatch({
        ...place.right,
        ...toBody(request),
        method: request.method,
        // an answer may take as long as whoever waits for it lets it
        headersTimeout: 0,
        bodyTimeout: 0
      }, answer)
    } catch (cause) {
      // a dispatcher throws at what is no request to it
      failed(cause)
    }
    return Effect.sync(() => answer.abort())
  })
}

type Body = Pick<Dispatcher.DispatchOptions, "body" | "headers">

const toBody = ({ body, headers }: HttpClientRequest.HttpClientRequest): Body => {
  switch (body._tag) {
    case "Empty":
      return { body: null, headers }
    case "Uint8Array":
      return { body: body.body, headers }
    case "Raw":
      return { body: body.body as NonNullable<Dispatcher.DispatchOptions["body"]>, headers }
    case "FormData": {
      // undici knows no form but its own, and Node's is that of another undici
      const form = new Response(body.formData)
      return { ...iterated(form.body!), headers: { ...headers, "content-type": form.headers.get("content-type")! } }
    }
    case "Stream":
      return { ...iterated(Stream.toAsyncIterable(body.stream)), headers }
  }
}

// undici sends whatever can be iterated, which its types do not say
const iterated = (body: AsyncIterable<Uint8Array>): Body => ({
  body: body as unknown as NonNullable<Dispatcher.DispatchOptions["body"]>
})

interface Place {
  readonly origin: string
  readonly path: string
}

type Locate = (request: HttpClientRequest.HttpClientRequest) => Either.Either<Place, HttpClientError.RequestError>

/** Reading an address costs more than remembering it, and a program asks few. */
const locator = (): Locate => {
  const known = new Map<string, Place>()
  return (request) => {
    const { hash, url, urlParams } = request
    const isPlain = urlParams.length === 0 && Option.isNone(hash)
    const place = isPlain ? known.get(url) : undefined
    if (place !== undefined) return Either.right(place)
    return Either.mapBoth(UrlParams.makeUrl(url, urlParams, hash), {
      onLeft: (cause) => new HttpClientError.RequestError({ request, reason: "InvalidUrl", cause }),
      onRight: ({ origin, pathname, search }) => {
        const found = { origin, path: pathname + search }
        if (isPlain) {
          if (known.size >= mostKnown) known.clear()
          known.set(url, found)
        }
        return found
      }
    })
  }
}

const mostKnown = 256

// -----------------------------------------------------------------------------
// answers
// -----------------------------------------------------------------------------

/** An answer that is too large to be kept, and that nobody holds any more, must not hold a connection. */
const forgotten = new FinalizationRegistry<Answer>((answer) => answer.abort())

class Incoming extends Inspectable.Class implements HttpClientResponse.HttpClientResponse {
  readonly [HttpIncomingMessage.TypeId]: HttpIncomingMessage.TypeId = HttpIncomingMessage.TypeId
  readonly [HttpClientResponse.TypeId]: HttpClientResponse.TypeId = HttpClientResponse.TypeId
  readonly request: HttpClientRequest.HttpClientRequest
  readonly status: number
  readonly headers: Headers.Headers
  private readonly answer: Answer
  private readonly setCookies: string | Array<string> | undefined
  private bytesRead: Effect.Effect<Uint8Array, HttpClientError.ResponseError> | undefined
  private cookiesRead: Cookies.Cookies | undefined

  constructor(request: HttpClientRequest.HttpClientRequest, head: Head, answer: Answer) {
    super()
    this.request = request
    this.status = head.status
    this.headers = toHeaders(head.headers)
    this.setCookies = head.headers["set-cookie"]
    this.answer = answer
  }

  get remoteAddress(): Option.Option<string> {
    return Option.none()
  }

  get cookies(): Cookies.Cookies {
    return this.cookiesRead ??= this.setCookies === undefined ? Cookies.empty : Cookies.fromSetCookie(this.setCookies)
  }

  get stream(): Stream.Stream<Uint8Array, HttpClientError.ResponseError> {
    const { answer } = this
    const pull = Effect.mapError(answer.pull, Option.map((cause) => this.broken(cause)))
    return Stream.fromPull(Effect.as(Effect.addFinalizer(() => Effect.sync(() => answer.abort())), pull))
  }

  get text(): Effect.Effect<string, HttpClientError.ResponseError> {
    return Effect.suspend(() => {
      // what is small has come with its head
      const pieces = this.answer.atHand
      return pieces === undefined ? Effect.map(this.bytes, toText) : Effect.succeed(toText(join(pieces)))
    })
  }

  get json(): Effect.Effect<unknown, HttpClientError.ResponseError> {
    return Effect.flatMap(this.text, (text) =>
      Effect.try({
        try: () => text === "" ? null : JSON.parse(text) as unknown,
        catch: (cause) => this.broken(cause)
      }))
  }

  get urlParamsBody(): Effect.Effect<UrlParams.UrlParams, HttpClientError.ResponseError> {
    return Effect.map(this.text, (text) => UrlParams.fromInput(new URLSearchParams(text)))
  }

  get arrayBuffer(): Effect.Effect<ArrayBuffer, HttpClientError.ResponseError> {
    return Effect.map(this.bytes, (bytes) => new Uint8Array(bytes).buffer)
  }

  get formData(): Effect.Effect<FormData, HttpClientError.ResponseError> {
    return Effect.flatMap(this.bytes, (bytes) =>
      Effect.tryPromise({
        try: () =>
          new Response(new Uint8Array(bytes), { headers: { "content-type": this.headers["content-type"] ?? "" } }).formData(),
        catch: (cause) => this.broken(cause)
      }))
  }

  override toJSON(): unknown {
    return HttpIncomingMessage.inspect(this, {
      _id: "@effect/platform/HttpClientResponse",
      request: this.request.toJSON(),
      status: this.status
    })
  }

  private get bytes(): Effect.Effect<Uint8Array, HttpClientError.ResponseError> {
    if (this.bytesRead !== undefined) return this.bytesRead
    return Effect.map(Effect.mapError(this.answer.whole, (cause) => this.broken(cause)), (pieces) => {
      const bytes = join(pieces)
      this.bytesRead = Effect.succeed(bytes)
      return bytes
    })
  }

  private broken(cause: unknown): HttpClientError.ResponseError {
    return new HttpClientError.ResponseError({ request: this.request, response: this, reason: "Decode", cause })
  }
}

const join = (pieces: ReadonlyArray<Uint8Array>): Uint8Array => pieces.length === 1 ? pieces[0]! : Buffer.concat(pieces)

const decoder = new TextDecoder()

const toText = (bytes: Uint8Array): string => decoder.decode(bytes)

const toHeaders = (headers: Head["headers"]): Headers.Headers => {
  const read: Record<string, string> = {}
  for (const name in headers) {
    const value = headers[name]
    if (value !== undefined) read[name] = typeof value === "string" ? value : value.join(", ")
  }
  return Headers.unsafeFromRecord(read)
}
