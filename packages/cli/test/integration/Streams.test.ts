/** Streams through a gateway whose client is slow, on real sockets: what the backend notices of it. */
import { assert, describe, it } from "@effect/vitest"
import * as HttpServer from "@effect/platform/HttpServer"
import * as Monitor from "@spillway/core/Monitor"
import * as Resilience from "@spillway/core/Resilience"
import * as Gateway from "@spillway/gateway/Gateway"
import * as OpenAi from "@spillway/providers/OpenAi"
import { Context, Effect, Layer, Logger, Redacted } from "effect"
import * as Http from "node:http"
import * as Net from "node:net"
import * as NodeHttp from "../../src/NodeHttp.js"

const until = (condition: () => boolean): Effect.Effect<void> =>
  Effect.suspend(() => condition() ? Effect.void : Effect.zipRight(Effect.sleep("10 millis"), until(condition)))

const event = (delta: object, finish: string | null = null) =>
  `data: ${
    JSON.stringify({
      id: "c",
      object: "chat.completion.chunk",
      created: 1,
      model: "m",
      choices: [{ index: 0, delta, finish_reason: finish }]
    })
  }\n\n`

const text = "~".repeat(16 * 1024)

/** A backend that says `events` times a text of 16 KiB, as fast as it is read. */
const backend = (events: number) =>
  Effect.acquireRelease(
    Effect.async<{ readonly url: string; said: number; closed: boolean; readonly stop: () => void }>((resume) => {
      const server = Http.createServer((request, response) => {
        request.resume()
        response.writeHead(200, { "content-type": "text/event-stream" })
        response.on("close", () => self.closed = true)
        response.write(event({ role: "assistant", content: "" }))
        const say = () => {
          while (self.said < events && !response.destroyed) {
            self.said++
            if (!response.write(event({ content: text }))) {
              response.once("drain", say)
              return
            }
          }
          response.end(`${event({}, "stop")}data: [DONE]\n\n`)
        }
        say()
      })
      const self = { url: "", said: 0, closed: false, stop: () => void server.close(), server }
      server.listen(0, "127.0.0.1", () => {
        const { port } = server.address() as Net.AddressInfo
        resume(Effect.succeed(Object.assign(self, { url: `http://127.0.0.1:${port}/v1` })))
      })
    }),
    ({ stop }) => Effect.sync(stop)
  )

const logged = () => {
  const lines: Array<Record<string, unknown>> = []
  const logger = Logger.make(({ annotations, message }) => {
    lines.push({ message: String(message), ...Object.fromEntries(annotations) })
  })
  return { lines, layer: Logger.replace(Logger.defaultLogger, logger) }
}

const gatewayBefore = (baseUrl: string, options: Gateway.Options = {}, limits: NodeHttp.Limits = {}) =>
  Effect.gen(function*() {
    const server = yield* NodeHttp.listen({ host: "127.0.0.1", port: 0 }, limits)
    const { layer, lines } = logged()
    const llm = OpenAi.layer({ apiKeys: [Redacted.make("sk-one")], baseUrl }).pipe(
      Resilience.layer({ retry: false }),
      Layer.provide(NodeHttp.client)
    )
    const context = yield* Layer.build(
      Gateway.serve(options).pipe(
        Layer.provide(Layer.succeed(HttpServer.HttpServer, server)),
        Layer.provide(llm),
        Layer.provide(layer)
      )
    )
    const { port } = server.address as HttpServer.TcpAddress
    return { gateway: Context.get(context, Gateway.Gateway), lines, port }
  }).pipe(Effect.provideService(Monitor.CurrentMonitor, Monitor.unsafeMake()))

/** A client that asks for a stream, and reads no more than it is made to. */
const ask = (port: number) =>
  Effect.acquireRelease(
    Effect.sync(() => {
      const socket = Net.connect(port, "127.0.0.1")
      const body = JSON.stringify({ model: "m", stream: true, messages: [{ role: "user", content: "hi" }] })
      socket.on("error", () => {})
      socket.write(
        `POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: ${body.length}\r\nconnection: close\r\n\r\n${body}`
      )
      socket.pause()
      return socket
    }),
    (socket) => Effect.sync(() => socket.destroy())
  )

describe("a client that is slow to read a stream", () => {
  it.scopedLive("slows its backend down, which waits with what nobody takes; nothing is lost when it reads on", () =>
    Effect.gen(function*() {
      const events = 4096
      const upstream = yield* backend(events)
      const { port } = yield* gatewayBefore(upstream.url)
      const socket = yield* ask(port)
      yield* until(() => upstream.said > 0)
      // it has said what fits into the buffers of four sockets, and then no more
      let before = -1
      for (let still = 0; still < 25; still = upstream.said === before ? still + 1 : 0, yield* Effect.sleep("20 millis")) {
        before = upstream.said
      }
      assert.isBelow(upstream.said, events / 2)
      let received = 0
      let tail = ""
      let done = false
      socket.setEncoding("latin1").on("data", (data: string) => {
        for (let i = data.indexOf("~"); i >= 0; i = data.indexOf("~", i + 1)) received++
        tail = (tail + data).slice(-64)
      }).on("end", () => done = true)
      socket.resume()
      yield* until(() => done)
      assert.strictEqual(received, events * text.length)
      assert.include(tail, "[DONE]")
    }), 60_000)

  it.scopedLive("is cut when it takes nothing, its backend's connection closed and its own as well", () =>
    Effect.gen(function*() {
      const upstream = yield* backend(Infinity)
      const { gateway, lines, port } = yield* gatewayBefore(upstream.url, { stall: "1 seconds" }, { stall: "2 seconds" })
      yield* ask(port)
      yield* until(() => upstream.said > 0)
      yield* until(() => upstream.closed)
      yield* until(() => lines.some(({ message }) => message === "request"))
      assert.deepInclude(lines.find(({ message }) => message === "request"), { error: "ReaderStalled", leftEarly: true })
      assert.strictEqual(yield* gateway.inFlight, 0)
    }))

  it.scopedLive("is disconnected, so that it holds no memory of ours", () =>
    Effect.gen(function*() {
      const upstream = yield* backend(Infinity)
      const { gateway, port } = yield* gatewayBefore(upstream.url, { stall: Infinity }, { stall: "1 seconds" })
      yield* ask(port)
      yield* until(() => upstream.said > 0)
      yield* until(() => upstream.closed)
      while ((yield* gateway.inFlight) > 0) yield* Effect.sleep("10 millis")
    }))
})

describe("a client that waits for its backend", () => {
  it.scopedLive("is not taken for one that takes nothing", () =>
    Effect.gen(function*() {
      const upstream = yield* Effect.acquireRelease(
        Effect.async<Http.Server>((resume) => {
          const server = Http.createServer((_, response) => {
            response.writeHead(200, { "content-type": "text/event-stream" })
            response.write(event({ role: "assistant", content: "" }))
            setTimeout(() => response.end(`${event({}, "stop")}data: [DONE]\n\n`), 1200)
          })
          server.listen(0, "127.0.0.1", () => resume(Effect.succeed(server)))
        }),
        (server) => Effect.sync(() => server.close())
      )
      const { port } = yield* gatewayBefore(
        `http://127.0.0.1:${(upstream.address() as Net.AddressInfo).port}/v1`,
        { heartbeat: Infinity },
        { stall: "200 millis" }
      )
      const response = yield* Effect.promise(() =>
        fetch(`http://127.0.0.1:${port}/v1/chat/completions`, {
          method: "POST",
          body: JSON.stringify({ model: "m", stream: true, messages: [{ role: "user", content: "hi" }] })
        }).then((response) => response.text())
      )
      assert.include(response, "[DONE]")
    }))
})
