import { HttpServer } from "@effect/platform"
import { NodeHttpServer } from "@effect/platform-node"
import { Effect } from "effect"
import { createServer } from "node:http"
import * as Simulator from "@spillway/testing/Simulator"

/** A simulator on a port of loopback that nobody uses, for as long as the scope lasts. */
export const served = (options?: Simulator.Options) =>
  Effect.gen(function*() {
    const simulator = yield* Simulator.make(options)
    const server = yield* NodeHttpServer.make(() => createServer(), { port: 0, host: "127.0.0.1" })
    yield* Effect.provideService(HttpServer.serveEffect(simulator.app), HttpServer.HttpServer, server)
    // A server that closes waits for the requests that it has; those that hang would have it wait for ever.
    yield* Effect.addFinalizer(() => simulator.hangUp)
    const origin = HttpServer.formatAddress(server.address)
    const environment = simulator.environment(origin)
    return { simulator, origin, variable: (name: string) => environment.get(name) ?? "" }
  })

/** What a promise was rejected with. */
export const rejection = (promise: () => PromiseLike<unknown>) =>
  Effect.promise(() =>
    promise().then(
      () => undefined,
      (error: unknown) => error
    )
  )

/** All that an asynchronous iterable yields. */
export const collect = async <A>(items: AsyncIterable<A>): Promise<ReadonlyArray<A>> => {
  const all: Array<A> = []
  for await (const item of items) all.push(item)
  return all
}

/** Waits for what happens on the other side of a socket. */
export const until = <A>(effect: Effect.Effect<A>, holds: (value: A) => boolean): Effect.Effect<A> =>
  Effect.flatMap(effect, (value) =>
    holds(value)
      ? Effect.succeed(value)
      : Effect.zipRight(
          Effect.sleep("5 millis"),
          Effect.suspend(() => until(effect, holds))
        )
  )
