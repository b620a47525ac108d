/**
 * The way to the simulator that needs no socket: a client whose requests are answered in the fiber that makes them,
 * so that they wait on its clock and end with it.
 *
 * @since 0.1.0
 */
import * as Cookies from "@effect/platform/Cookies"
import type * as Headers from "@effect/platform/Headers"
import type * as HttpBody from "@effect/platform/HttpBody"
import * as HttpClient from "@effect/platform/HttpClient"
import * as HttpClientError from "@effect/platform/HttpClientError"
import type * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import * as HttpClientResponse from "@effect/platform/HttpClientResponse"
import * as HttpIncomingMessage from "@effect/platform/HttpIncomingMessage"
import type * as HttpServerResponse from "@effect/platform/HttpServerResponse"
import * as UrlParams from "@effect/platform/UrlParams"
import * as Chunk from "effect/Chunk"
import * as Effect from "effect/Effect"
import * as Inspectable from "effect/Inspectable"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import * as Exchange from "./Exchange.js"
import * as World from "./World.js"

/**
 * A client of this simulator, whatever the host that it asks.
 *
 * @since 0.1.0
 * @category constructors
 */
export const client = (world: World.World): HttpClient.HttpClient =>
  HttpClient.make((request, url, signal) =>
    Effect.clockWith((clock) => {
      const exchange = World.open(
        world,
        {
          method: request.method,
          url: url.pathname + url.search,
          headers: { host: url.host, ...request.headers },
          bytes: sentIn(request.body),
          cut: Effect.fail(new World.ConnectionReset())
        },
        clock
      )
      // Also a response that nobody reads is given up one day, and says so here.
      signal.addEventListener("abort", () => World.abandon(exchange), { once: true })
      return Effect.mapBoth(Exchange.answer(exchange), {
        onFailure: (cause) => new HttpClientError.RequestError({ request, reason: "Transport", cause }),
        onSuccess: (response) => new Response(request, response)
      })
    })
  )

const decoder = new TextDecoder()
const encoder = new TextEncoder()

const bytesOf = (body: unknown): Uint8Array =>
  body instanceof Uint8Array ? body : encoder.encode(typeof body === "string" ? body : "")

const join = (chunks: Chunk.Chunk<Uint8Array>): Uint8Array => {
  const joined = new Uint8Array(Chunk.reduce(chunks, 0, (length, chunk) => length + chunk.length))
  Chunk.reduce(chunks, 0, (offset, chunk) => {
    joined.set(chunk, offset)
    return offset + chunk.length
  })
  return joined
}

// A form is nothing that a simulated vendor reads so far.
const sentIn = (body: HttpBody.HttpBody): Effect.Effect<Uint8Array, unknown> =>
  body._tag === "Stream"
    ? Effect.map(Stream.runCollect(body.stream), join)
    : Effect.succeed(body._tag === "Uint8Array" || body._tag === "Raw" ? bytesOf(body.body) : new Uint8Array())

class Response extends Inspectable.Class implements HttpClientResponse.HttpClientResponse {
  readonly [HttpClientResponse.TypeId]: HttpClientResponse.TypeId = HttpClientResponse.TypeId
  readonly [HttpIncomingMessage.TypeId]: HttpIncomingMessage.TypeId = HttpIncomingMessage.TypeId
  readonly request: HttpClientRequest.HttpClientRequest
  readonly status: number
  readonly headers: Headers.Headers
  readonly cookies = Cookies.empty
  readonly remoteAddress = Option.none<string>()
  private readonly body: HttpBody.HttpBody

  constructor(request: HttpClientRequest.HttpClientRequest, response: HttpServerResponse.HttpServerResponse) {
    super()
    this.request = request
    this.status = response.status
    this.headers = response.headers
    this.body = response.body
  }

  private readonly failed = (cause: unknown) =>
    new HttpClientError.ResponseError({ request: this.request, response: this, reason: "Decode", cause })

  private get bytes(): Effect.Effect<Uint8Array, HttpClientError.ResponseError> {
    return this.body._tag === "Stream"
      ? Effect.map(Stream.runCollect(this.stream), join)
      : Effect.succeed(
          this.body._tag === "Uint8Array" || this.body._tag === "Raw" ? bytesOf(this.body.body) : new Uint8Array()
        )
  }

  get stream(): Stream.Stream<Uint8Array, HttpClientError.ResponseError> {
    return this.body._tag === "Stream"
      ? Stream.mapError(this.body.stream, this.failed)
      : Stream.unwrap(Effect.map(this.bytes, Stream.make))
  }

  get text(): Effect.Effect<string, HttpClientError.ResponseError> {
    return Effect.map(this.bytes, (bytes) => decoder.decode(bytes))
  }

  get json(): Effect.Effect<unknown, HttpClientError.ResponseError> {
    return Effect.flatMap(this.text, (text) =>
      Effect.try({ try: (): unknown => (text === "" ? null : JSON.parse(text)), catch: this.failed })
    )
  }

  get arrayBuffer(): Effect.Effect<ArrayBuffer, HttpClientError.ResponseError> {
    return Effect.map(this.bytes, (bytes) => new Uint8Array(bytes).buffer)
  }

  get urlParamsBody(): Effect.Effect<UrlParams.UrlParams, HttpClientError.ResponseError> {
    return Effect.map(this.text, (text) => UrlParams.fromInput(new URLSearchParams(text)))
  }

  get formData(): Effect.Effect<FormData, HttpClientError.ResponseError> {
    return Effect.fail(this.failed("the simulator sends no forms"))
  }

  toJSON(): unknown {
    return HttpIncomingMessage.inspect(this, {
      _id: "@effect/platform/HttpClientResponse",
      request: this.request.toJSON(),
      status: this.status
    })
  }
}
