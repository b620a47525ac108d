/**
 * HTTP on Node, both ways: the client that backends send with, and the server that the gateway and the simulator
 * listen on.
 *
 * @since 0.1.0
 */
import * as NodeHttpServer from "@effect/platform-node/NodeHttpServer"
import type * as HttpClient from "@effect/platform/HttpClient"
import type * as HttpServer from "@effect/platform/HttpServer"
import type * as HttpServerError from "@effect/platform/HttpServerError"
import * as UndiciClient from "@spillway/node/UndiciClient"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
import * as Http from "node:http"
import type { Socket } from "node:net"

/**
 * A client with connections of its own. How long an answer may take is for the policies to say, not for the transport;
 * it says only how long a connection may take to stand.
 *
 * @since 0.1.0
 * @category layers
 */
export const client: Layer.Layer<HttpClient.HttpClient> = Layer.orDie(UndiciClient.layer())

/**
 * Where to listen.
 *
 * @since 0.1.0
 * @category models
 */
export interface Address {
  /** An address of this machine. */
  readonly host: string
  /** 1 to 65535, or 0 for any that is free. */
  readonly port: number
}

/**
 * How a server treats those who connect.
 *
 * @since 0.1.0
 * @category models
 */
export interface Limits {
  /**
   * After how long without taking anything of an answer that is there a client is cut off, from 1 millisecond, or
   * `Duration.infinity`. Longer than the gateway's own time for streams, which knows whom to tell.
   *
   * @default 35 seconds
   */
  readonly stall?: Duration.DurationInput
  /** Most connections at once; more are closed as they come. @default 10,000 */
  readonly connections?: number
  /** How long the head of a request may take to arrive, from 1 millisecond. @default 10 seconds */
  readonly head?: Duration.DurationInput
  /** How long a whole request may take to arrive, from 1 millisecond, no less than its head. @default 30 seconds */
  readonly request?: Duration.DurationInput
}

/**
 * A server that listens until the scope closes. A request must arrive whole within 30 seconds and its head within 10,
 * and what is answered must be taken: neither slow senders nor slow readers hold connections. Of a header that comes
 * twice nothing is dropped, so that what is behind the server and what is before it cannot take it for two different
 * requests.
 *
 * @since 0.1.0
 * @category constructors
 */
export const listen = (
  address: Address,
  { connections = 10_000, head = "10 seconds", request = "30 seconds", stall = "35 seconds" }: Limits = {}
): Effect.Effect<HttpServer.HttpServer, HttpServerError.ServeError, Scope.Scope> =>
  NodeHttpServer.make(() => {
    const headersTimeout = Duration.toMillis(head)
    const server = Http.createServer({
      headersTimeout,
      requestTimeout: Duration.toMillis(request),
      // how often it is looked at who is late: Node's own 30 seconds would be the time that matters
      connectionsCheckingInterval: Math.min(headersTimeout / 2, 2_000),
      // longer than the minute for which balancers before it keep a connection that is still: whoever asks must be the one
      // who closes it, or a request is sent into one that has just gone
      keepAliveTimeout: 65_000,
      joinDuplicateHeaders: true
    })
    server.maxHeadersCount = 100
    server.maxConnections = connections
    // for Node, 0 is never, and there is no longer time than this
    server.timeout = Duration.isFinite(Duration.decode(stall)) ? Math.min(Duration.toMillis(stall), 2 ** 31 - 1) : 0
    // a connection that is still while an answer is under way: its client owes us, or we owe it
    server.on("request", (_, response) =>
      response.on("timeout", (socket: Socket) => {
        if (socket.writableLength > 0) socket.destroy()
        else socket.setTimeout(server.timeout)
      }))
    return server
  }, address)

/**
 * The address that a client would use.
 *
 * @since 0.1.0
 * @category destructors
 */
export const urlOf = (server: HttpServer.HttpServer, host: string): string => {
  const port = server.address._tag === "TcpAddress" ? server.address.port : 0
  return `http://${host.includes(":") ? `[${host}]` : host}:${port}`
}
