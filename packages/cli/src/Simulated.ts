/**
 * The simulator of providers, served on a port of this machine.
 *
 * @since 0.1.0
 */
import * as HttpServer from "@effect/platform/HttpServer"
import type * as HttpServerError from "@effect/platform/HttpServerError"
import type * as InvalidOptions from "@spillway/core/InvalidOptions"
import * as Simulator from "@spillway/testing/Simulator"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import * as NodeHttp from "./NodeHttp.js"

/**
 * A simulator that is being served.
 *
 * @since 0.1.0
 * @category models
 */
export interface Simulated {
  readonly url: string
  /** The variables that lead a program to it, keys included. */
  readonly environment: ReadonlyMap<string, string>
}

/**
 * Serves a simulator until the scope closes.
 *
 * @since 0.1.0
 * @category constructors
 */
export const start = (
  address: NodeHttp.Address,
  options: Simulator.Options
): Effect.Effect<Simulated, InvalidOptions.InvalidOptions | HttpServerError.ServeError, Scope.Scope> =>
  Effect.gen(function*() {
    const simulator = yield* Simulator.make(options)
    const server = yield* NodeHttp.listen(address)
    yield* Effect.provideService(HttpServer.serveEffect(simulator.app), HttpServer.HttpServer, server)
    // a request that hangs would keep the server from closing
    yield* Effect.addFinalizer(() => simulator.hangUp)
    const url = NodeHttp.urlOf(server, address.host)
    return { url, environment: simulator.environment(url) }
  })
