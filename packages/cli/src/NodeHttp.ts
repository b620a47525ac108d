/**
 * HTTP on Node, both ways: the client that backends send with, and the server that the gateway and the simulator
 * listen on.
 *
 * @since 0.1.0
 */
import * as NodeHttpClient from "@effect/platform-node/NodeHttpClient"
import * as NodeHttpServer from "@effect/platform-node/NodeHttpServer"
import * as Undici from "@effect/platform-node/Undici"
import type * as HttpClient from "@effect/platform/HttpClient"
import type * as HttpServer from "@effect/platform/HttpServer"
import type * as HttpServerError from "@effect/platform/HttpServerError"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
import * as Http from "node:http"

/**
 * A client with connections of its own. How long an answer may take is for the policies to say, not for the transport;
 * it says only how long a connection may take to stand.
 *
 * @since 0.1.0
 * @category layers
 */
export const client: Layer.Layer<HttpClient.HttpClient> = Layer.provide(
  NodeHttpClient.layerUndiciWithoutDispatcher,
  Layer.scoped(
    NodeHttpClient.Dispatcher,
    Effect.acquireRelease(
      Effect.sync(() => new Undici.Agent({ connect: { timeout: 10_000 }, keepAliveTimeout: 30_000 })),
      (agent) => Effect.promise(() => agent.destroy())
    )
  )
)

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
 * A server that listens until the scope closes. A request must arrive whole within 30 seconds and its head within 10:
 * slow senders do not hold connections.
 *
 * @since 0.1.0
 * @category constructors
 */
export const listen = (
  address: Address
): Effect.Effect<HttpServer.HttpServer, HttpServerError.ServeError, Scope.Scope> =>
  NodeHttpServer.make(() => {
    const server = Http.createServer({ headersTimeout: 10_000, requestTimeout: 30_000, keepAliveTimeout: 5_000 })
    server.maxHeadersCount = 100
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
