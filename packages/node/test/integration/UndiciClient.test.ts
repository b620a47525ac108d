/**
 * The client before a server of its own, on real sockets: what a server sees of it, and what it makes of answers.
 */
import { HttpBody, HttpClient, HttpClientError, HttpClientRequest } from "@effect/platform"
import { assert, describe, it } from "@effect/vitest"
import { UndiciClient } from "@spillway/node"
import { Chunk, Deferred, Effect, Exit, Fiber, Layer, Stream } from "effect"
import * as Http from "node:http"
import type { AddressInfo } from "node:net"

/** A server that does what it is told, and how often connections of it were cut. */
const serve = (handle: (request: Http.IncomingMessage, response: Http.ServerResponse) => void) =>
  Effect.acquireRelease(
    Effect.async<{ readonly url: string; readonly cuts: () => number; readonly server: Http.Server }>((resume) => {
      let cuts = 0
      const server = Http.createServer((request, response) => {
        response.on("close", () => {
          if (!response.writableFinished) cuts++
        })
        handle(request, response)
      })
      server.listen(0, "127.0.0.1", () =>
        resume(Effect.succeed({ url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, cuts: () => cuts, server })))
    }),
    ({ server }) =>
      Effect.async<void>((resume) => {
        server.closeAllConnections()
        server.close(() => resume(Effect.void))
      })
  )

/** Tells what it was sent. */
const echo = serve((request, response) => {
  const pieces: Array<Buffer> = []
  request.on("data", (piece: Buffer) => pieces.push(piece))
  request.on("end", () => {
    response.writeHead(201, { "content-type": "application/json", "set-cookie": ["a=1; Expires=Wed, 21 Oct 2099 07:28:00 GMT", "b=2"], "x-many": ["1", "2"] })
    response.end(JSON.stringify({ method: request.method, url: request.url, headers: request.headers, body: Buffer.concat(pieces).toString() }))
  })
})

const until = (holds: () => boolean): Effect.Effect<void> =>
  Effect.suspend(() => holds() ? Effect.void : Effect.zipRight(Effect.sleep("5 millis"), until(holds)))

const under = <A, E>(effect: Effect.Effect<A, E, HttpClient.HttpClient | import("effect").Scope.Scope>, options: UndiciClient.Options = {}) =>
  Effect.scoped(Effect.provide(effect, UndiciClient.layer(options)))

describe("UndiciClient", () => {
  it.live("a request arrives as it was made, and its answer comes back whole", () =>
    under(Effect.gen(function*() {
      const { url } = yield* echo
      const request = HttpClientRequest.post(`${url}/a?b=c`, {
        headers: { "x-own": "1" },
        urlParams: { d: "e f" },
        body: HttpBody.unsafeJson({ text: "grüß dich" })
      })
      const response = yield* HttpClient.execute(request)
      assert.strictEqual(response.status, 201)
      assert.strictEqual(response.headers["x-many"], "1, 2")
      assert.deepStrictEqual(Object.keys(response.cookies.cookies), ["a", "b"])
      const seen = (yield* response.json) as { method: string; url: string; headers: Record<string, string>; body: string }
      assert.deepInclude(seen, { method: "POST", url: "/a?b=c&d=e+f", body: "{\"text\":\"grüß dich\"}" })
      assert.deepInclude(seen.headers, { "x-own": "1", "content-type": "application/json", "content-length": "22" })
      // it can be read again
      assert.strictEqual(JSON.stringify(seen), yield* response.text)
      assert.strictEqual((yield* response.arrayBuffer).byteLength, new TextEncoder().encode(yield* response.text).length)
    })))

  it.live("a body is sent that is a stream, a form, or none at all", () =>
    under(Effect.gen(function*() {
      const { url } = yield* echo
      const send = (request: HttpClientRequest.HttpClientRequest) =>
        Effect.flatMap(HttpClient.execute(request), ({ json }) => json) as Effect.Effect<{ body: string; headers: Record<string, string> }, HttpClientError.HttpClientError, HttpClient.HttpClient>
      const streamed = yield* send(HttpClientRequest.bodyStream(HttpClientRequest.post(url), Stream.make("one ", "two").pipe(Stream.encodeText)))
      assert.strictEqual(streamed.body, "one two")
      const form = new FormData()
      form.set("name", "value")
      const posted = yield* send(HttpClientRequest.bodyFormData(HttpClientRequest.post(url), form))
      assert.match(posted.headers["content-type"]!, /^multipart\/form-data; boundary=/)
      assert.include(posted.body, "name=\"name\"\r\n\r\nvalue")
      assert.strictEqual((yield* send(HttpClientRequest.get(url))).body, "")
    })))

  it.live("an answer of many megabytes comes whole, as text and as a stream", () =>
    under(Effect.gen(function*() {
      const { url } = yield* serve((_, response) => response.end("x".repeat(8_000_000)))
      assert.strictEqual((yield* Effect.flatMap(HttpClient.get(url), ({ text }) => text)).length, 8_000_000)
      const size = yield* HttpClient.get(url).pipe(
        Effect.map(({ stream }) => stream),
        Stream.unwrap,
        Stream.runFold(0, (size, piece) => size + piece.length)
      )
      assert.strictEqual(size, 8_000_000)
    })))

  it.live("a reader who takes nothing more holds the sender back", () =>
    under(Effect.gen(function*() {
      let sent = 0
      const { url } = yield* serve((_, response) => {
        const more = () => {
          while (!response.destroyed && sent < 200_000_000) {
            sent += 65_536
            if (!response.write(Buffer.alloc(65_536))) return void response.once("drain", more)
          }
        }
        more()
      })
      const taken = yield* Deferred.make<void>()
      const reader = yield* HttpClient.get(url).pipe(
        Effect.map(({ stream }) => stream),
        Stream.unwrap,
        Stream.runForEach(() => Effect.zipRight(Deferred.succeed(taken, undefined), Effect.never)),
        Effect.fork
      )
      yield* Deferred.await(taken)
      // the buffers of both sockets fill up, and then it stands still
      let before = -1
      yield* until(() => {
        const stands = before === sent
        before = sent
        return stands
      })
      assert.isBelow(sent, 100_000_000)
      yield* Fiber.interrupt(reader)
    })))

  it.live("interrupting a call that has no answer yet closes its connection", () =>
    under(Effect.gen(function*() {
      let arrived = 0
      const { cuts, url } = yield* serve(() => void arrived++)
      const fiber = yield* Effect.fork(HttpClient.get(url))
      yield* until(() => arrived === 1)
      assert.isTrue(Exit.isInterrupted(yield* Fiber.interrupt(fiber)))
      yield* until(() => cuts() === 1)
    })))

  it.live("so does interrupting one whose answer is being read, and leaving a stream before its end", () =>
    under(Effect.gen(function*() {
      const { cuts, url } = yield* serve((_, response) => void response.write("begun"))
      const fiber = yield* Effect.fork(Effect.flatMap(HttpClient.get(url), ({ text }) => text))
      yield* Effect.sleep("50 millis")
      yield* Fiber.interrupt(fiber)
      yield* until(() => cuts() === 1)
      const first = yield* HttpClient.get(url).pipe(Effect.map(({ stream }) => stream), Stream.unwrap, Stream.take(1), Stream.runCollect)
      assert.strictEqual(new TextDecoder().decode(Chunk.unsafeHead(first)), "begun")
      yield* until(() => cuts() === 2)
    })))

  it.live("an answer that was read to its end leaves its connection to the next", () =>
    under(Effect.gen(function*() {
      const ports = new Set<number | undefined>()
      const { url } = yield* serve((request, response) => {
        ports.add(request.socket.remotePort)
        response.end("done")
      })
      for (let n = 0; n < 5; n++) {
        yield* Effect.flatMap(HttpClient.get(url), ({ text }) => text)
        yield* HttpClient.get(url).pipe(Effect.map(({ stream }) => stream), Stream.unwrap, Stream.runDrain)
      }
      // undici hands a connection back a moment after its answer has ended
      assert.isAtMost(ports.size, 2)
    })))

  it.live("an answer that breaks off is a ResponseError, one that never came a RequestError", () =>
    under(Effect.gen(function*() {
      const { server, url } = yield* serve((_, response) => {
        response.writeHead(200, { "content-length": "100" })
        response.write("half")
        setTimeout(() => response.destroy(), 20)
      })
      const broken = yield* Effect.flip(Effect.flatMap(HttpClient.get(url), ({ text }) => text))
      assert.deepInclude(broken, { _tag: "ResponseError", reason: "Decode" })
      const cut = yield* HttpClient.get(url).pipe(Effect.map(({ stream }) => stream), Stream.unwrap, Stream.runDrain, Effect.flip)
      assert.deepInclude(cut, { _tag: "ResponseError", reason: "Decode" })
      yield* Effect.async<void>((resume) => {
        server.closeAllConnections()
        server.close(() => resume(Effect.void))
      })
      const refused = yield* Effect.flip(HttpClient.get(url))
      assert.deepInclude(refused, { _tag: "RequestError", reason: "Transport" })
      assert.propertyVal(refused.cause, "code", "ECONNREFUSED")
    })))

  it.live("what is no request is an error, too", () =>
    under(Effect.gen(function*() {
      assert.deepInclude(yield* Effect.flip(HttpClient.get("nowhere")), { _tag: "RequestError", reason: "InvalidUrl" })
      const { url } = yield* echo
      const broken = yield* Effect.flip(HttpClient.get(url, { headers: { "x-own": "a\nb" } }))
      assert.deepInclude(broken, { _tag: "RequestError", reason: "Transport" })
    })))

  it.live("no redirect is followed, and no span is opened", () =>
    under(Effect.gen(function*() {
      const { url } = yield* serve((_, response) => response.writeHead(307, { location: "http://127.0.0.1:1/" }).end())
      let spans = 0
      const response = yield* Effect.withTracer(HttpClient.get(url), {
        ...(yield* Effect.tracer),
        span: () => {
          spans++
          throw new Error("a span")
        }
      })
      assert.strictEqual(response.status, 307)
      assert.strictEqual(spans, 0)
    })))

  it.live("who asks for no connection, or none that may stand, is told so when the layer is built", () =>
    Effect.gen(function*() {
      const failed = yield* Effect.flip(Effect.scoped(Layer.build(UndiciClient.layer({ connections: 0 }))))
      assert.deepInclude(failed, { _tag: "InvalidOptions", module: "UndiciClient", field: "connections" })
    }))
})
