/**
 * The simulator in a process of its own, which counts how often each prompt was asked for. Its parent is told the
 * address first, and the counts whenever it sends anything.
 */
import * as NodeHttpServer from "@effect/platform-node/NodeHttpServer"
import * as HttpServer from "@effect/platform/HttpServer"
import * as Simulator from "@spillway/testing/Simulator"
import * as Effect from "effect/Effect"
import * as Http from "node:http"

const options = JSON.parse(process.argv[2])

const program = Effect.gen(function*() {
  const simulator = yield* Simulator.make({ ...options, log: 1_000_000 })
  const server = yield* NodeHttpServer.make(() => Http.createServer(), { host: "127.0.0.1", port: 0 })
  yield* Effect.provideService(HttpServer.serveEffect(simulator.app), HttpServer.HttpServer, server)
  const counts = Effect.map(simulator.requests, (requests) => {
    const counts = {}
    for (const { body } of requests) {
      const prompt = body?.messages?.at(-1)?.content
      if (prompt !== undefined) counts[prompt] = (counts[prompt] ?? 0) + 1
    }
    return counts
  })
  process.on("message", () => process.send(Effect.runSync(counts)))
  process.on("disconnect", () => process.exit(0))
  process.send(Object.fromEntries(simulator.environment(`http://127.0.0.1:${server.address.port}`)))
  yield* Effect.never
})

Effect.runPromise(Effect.scoped(program))
