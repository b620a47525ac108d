import * as HttpServer from "@effect/platform/HttpServer"
import * as NodeHttpServer from "@effect/platform-node/NodeHttpServer"
import type * as LlmService from "@spillway/core/LlmService"
import * as Gateway from "@spillway/gateway/Gateway"
import { Context, Effect, Layer, Logger, type Scope } from "effect"
import { createServer } from "node:http"
import OpenAI from "openai"

/** A gateway before the service, on a port of loopback that nobody uses, and OpenAI's own client that calls it. */
export const served = <E>(
  llm: Layer.Layer<LlmService.LlmService, E>,
  options?: Gateway.Options
): Effect.Effect<
  { readonly gateway: Gateway.Service; readonly origin: string; readonly client: OpenAI },
  unknown,
  Scope.Scope
> =>
  Effect.gen(function*() {
    const server = yield* NodeHttpServer.make(() => createServer(), { port: 0, host: "127.0.0.1" })
    const context = yield* Layer.build(
      Gateway.serve(options).pipe(
        Layer.provide(Layer.succeed(HttpServer.HttpServer, server)),
        Layer.provide(llm),
        Layer.provide(Logger.remove(Logger.defaultLogger))
      )
    )
    const origin = HttpServer.formatAddress(server.address)
    const client = new OpenAI({ baseURL: `${origin}/v1`, apiKey: "anything", maxRetries: 0 })
    return { gateway: Context.get(context, Gateway.Gateway), origin, client }
  })

/** What a promise gave. */
export const given = <A>(promise: () => PromiseLike<A>): Effect.Effect<A> => Effect.promise(() => Promise.resolve(promise()))

/** What a promise was rejected with. */
export const rejection = (promise: () => PromiseLike<unknown>): Effect.Effect<unknown> =>
  Effect.promise(() => Promise.resolve(promise().then(() => undefined, (error: unknown) => error)))

/** All that an asynchronous iterable yields. */
export const collect = async <A>(items: AsyncIterable<A>): Promise<ReadonlyArray<A>> => {
  const all: Array<A> = []
  for await (const item of items) all.push(item)
  return all
}

/** Waits for what happens on the other side of a socket. */
export const until = (condition: Effect.Effect<boolean>): Effect.Effect<void> =>
  Effect.flatMap(condition, (met) => met ? Effect.void : Effect.zipRight(Effect.sleep("5 millis"), until(condition)))
