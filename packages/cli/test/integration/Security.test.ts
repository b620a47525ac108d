/**
 * What SECURITY.md promises of a gateway on real sockets: answers that never end (S7), senders that never end (S8),
 * requests that are two (S17), and an end that loses nothing (S25).
 */
import * as FetchHttpClient from "@effect/platform/FetchHttpClient"
import type * as HttpClient from "@effect/platform/HttpClient"
import * as HttpServer from "@effect/platform/HttpServer"
import { assert, describe, it } from "@effect/vitest"
import * as Monitor from "@spillway/core/Monitor"
import * as Resilience from "@spillway/core/Resilience"
import * as Gateway from "@spillway/gateway/Gateway"
import * as OpenAi from "@spillway/providers/OpenAi"
import { Effect, Layer, Logger, Redacted } from "effect"
import * as Fs from "node:fs/promises"
import * as Http from "node:http"
import * as Net from "node:net"
import * as Os from "node:os"
import * as Path from "node:path"
import * as Zlib from "node:zlib"
import * as NodeHttp from "../../src/NodeHttp.js"
import * as Spillway from "./spillway.js"

const chat = {
  id: "c",
  model: "m",
  choices: [{ index: 0, message: { role: "assistant", content: "hello" }, finish_reason: "stop" }]
}

interface Backend {
  readonly url: string
  /** How many requests came. */
  asked: number
  /** How many bytes of answers were written, on the wire. */
  written: number
  /** How many of their connections were closed. */
  closed: number
}

/** A backend that answers as it is told. */
const backend = (answer: (response: Http.ServerResponse, self: Backend) => void = (response) => response.end(JSON.stringify(chat))) =>
  Effect.map(
    Effect.acquireRelease(
      Effect.async<readonly [Backend, Http.Server]>((resume) => {
        const server = Http.createServer((request, response) => {
          self.asked++
          request.resume()
          response.on("close", () => self.closed++)
          response.on("error", () => {})
          answer(response, self)
        })
        server.listen(0, "127.0.0.1", () => {
          const { port } = server.address() as Net.AddressInfo
          resume(Effect.succeed([Object.assign(self, { url: `http://127.0.0.1:${port}` }), server]))
        })
        const self = { url: "", asked: 0, written: 0, closed: 0 }
      }),
      ([, server]) =>
        Effect.sync(() => {
          server.closeAllConnections()
          server.close()
        })
    ),
    ([backend]) => backend
  )

/** Writes pieces as fast as they are taken, without end. */
const pour = (piece: Buffer) => (response: Http.ServerResponse, self: Backend) => {
  const go = () => {
    while (!response.destroyed) {
      self.written += piece.length
      if (!response.write(piece)) {
        response.once("drain", go)
        return
      }
    }
  }
  go()
}

const gatewayBefore = (
  url: string,
  client: Layer.Layer<HttpClient.HttpClient> = NodeHttp.client,
  limits: NodeHttp.Limits = {}
) =>
  Effect.gen(function*() {
    const server = yield* NodeHttp.listen({ host: "127.0.0.1", port: 0 }, limits)
    yield* Layer.build(
      Gateway.serve().pipe(
        Layer.provide(Layer.succeed(HttpServer.HttpServer, server)),
        Layer.provide(
          OpenAi.layer({ apiKeys: [Redacted.make("sk-provider-0123456789")], baseUrl: `${url}/v1` }).pipe(
            Resilience.layer({ retry: false }),
            Layer.provide(client)
          )
        ),
        Layer.provide(Logger.remove(Logger.defaultLogger))
      )
    )
    return (server.address as HttpServer.TcpAddress).port
  }).pipe(Effect.provideService(Monitor.CurrentMonitor, Monitor.unsafeMake()))

const ask = (port: number, more = {}) =>
  Effect.promise(() =>
    fetch(`http://127.0.0.1:${port}/v1/chat/completions`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ model: "m", messages: [{ role: "user", content: "hi" }], ...more })
    }).then(async (response) => ({ status: response.status, text: await response.text() }))
  )

const until = (condition: () => boolean): Effect.Effect<void> =>
  Effect.suspend(() => condition() ? Effect.void : Effect.zipRight(Effect.sleep("10 millis"), until(condition)))

const mebibyte = 1024 * 1024

/** Bytes as they are sent, and what comes back until the server closes, or has said something and nothing more comes. */
const raw = (port: number, text: string | Buffer) =>
  Effect.async<{ readonly status: number; readonly closed: boolean }>((resume) => {
    let said = ""
    const socket = Net.connect(port, "127.0.0.1", () => socket.write(text))
    const end = (closed: boolean) => {
      socket.destroy()
      resume(Effect.succeed({ status: Number(said.slice(9, 12)), closed }))
    }
    socket.setEncoding("latin1").on("data", (data: string) => said += data)
    socket.on("close", () => end(true)).on("error", () => {})
    socket.setTimeout(1000, () => end(false))
  })

for (const [name, client] of [["undici", NodeHttp.client], ["fetch", FetchHttpClient.layer]] as const) {
  describe(`a backend's answer, by way of ${name},`, () => {
    it.scopedLive("that sends elsewhere is not followed, and the key stays (S4, S5)", () =>
      Effect.gen(function*() {
        const metadata = yield* backend()
        const upstream = yield* backend((response) =>
          response.writeHead(307, { location: `${metadata.url}/latest/meta-data` }).end())
        const port = yield* gatewayBefore(upstream.url, client)
        assert.strictEqual((yield* ask(port)).status, 502)
        assert.deepStrictEqual([upstream.asked, metadata.asked], [1, 0])
      }))

    const heads: ReadonlyArray<readonly [string, Record<string, string>, Buffer, boolean]> = [
      ["JSON", { "content-type": "application/json" }, Buffer.alloc(mebibyte, " "), false],
      ["an error", { "content-type": "text/plain" }, Buffer.alloc(mebibyte, "x"), false],
      ["an event", { "content-type": "text/event-stream" }, Buffer.from(`data: ${"x".repeat(mebibyte)}`), true],
      ["a line", { "content-type": "text/event-stream" }, Buffer.alloc(mebibyte, "x"), true]
    ]
    for (const [what, headers, piece, stream] of heads) {
      it.scopedLive(`that is ${what} without end is cut off, and its connection closed (S7)`, () =>
        Effect.gen(function*() {
          const upstream = yield* backend((response, self) => {
            response.writeHead(what === "an error" ? 500 : 200, headers)
            pour(piece)(response, self)
          })
          const port = yield* gatewayBefore(upstream.url, client)
          const { status } = yield* ask(port, { stream })
          assert.strictEqual(status, 502)
          yield* until(() => upstream.closed === 1)
          // what is read, and what is on the way
          assert.isBelow(upstream.written, 64 * mebibyte)
        }), 120_000)
    }

    it.scopedLive("that is small and unpacks to a gigabyte is not unpacked further than may be read (S7)", () =>
      Effect.gen(function*() {
        const zeros = Zlib.gzipSync(Buffer.alloc(128 * mebibyte))
        // members of one archive: eight times as much
        const bomb = Buffer.concat(Array.from({ length: 8 }, () => zeros))
        assert.isBelow(bomb.length, 2 * mebibyte)
        const upstream = yield* backend((response) => {
          response.writeHead(200, { "content-type": "application/json", "content-encoding": "gzip" })
          response.end(bomb)
        })
        const port = yield* gatewayBefore(upstream.url, client)
        const before = process.memoryUsage().rss
        assert.strictEqual((yield* ask(port)).status, 502)
        assert.isBelow(process.memoryUsage().rss - before, 200 * mebibyte)
      }), 120_000)

    it.scopedLive("that is packed ten times over is none (S7)", () =>
      Effect.gen(function*() {
        let body = Buffer.from(JSON.stringify(chat))
        for (let n = 0; n < 10; n++) body = Zlib.gzipSync(body)
        const upstream = yield* backend((response) => {
          response.writeHead(200, { "content-type": "application/json", "content-encoding": Array(10).fill("gzip").join(", ") })
          response.end(body)
        })
        const port = yield* gatewayBefore(upstream.url, client)
        assert.strictEqual((yield* ask(port)).status, 502)
      }))
  })
}

describe("a sender that never ends", () => {
  it.scopedLive("is cut off, two hundred at once, and others are served meanwhile (S8)", () =>
    Effect.gen(function*() {
      const upstream = yield* backend()
      const port = yield* gatewayBefore(upstream.url, NodeHttp.client, { head: "1 second", request: "2 seconds" })
      let cut = 0
      const slow = Array.from({ length: 200 }, (_, n) => {
        const socket = Net.connect(port, "127.0.0.1")
        socket.on("error", () => {}).on("close", () => cut++)
        // half of them are slow with the head, half with the body
        socket.write(n % 2 === 0
          ? "POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\n"
          : "POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\ncontent-length: 1000\r\n\r\n{")
        socket.resume()
        return socket
      })
      const drip = setInterval(() => {
        for (const socket of slow) if (!socket.destroyed) socket.write("x")
      }, 100)
      yield* Effect.addFinalizer(() => Effect.sync(() => clearInterval(drip)))
      for (let n = 0; n < 20; n++) assert.strictEqual((yield* ask(port)).status, 200)
      yield* until(() => cut === slow.length)
      assert.strictEqual(upstream.asked, 20)
    }), 120_000)
})

describe("a request that could be taken for two", () => {
  const body = JSON.stringify({ model: "m", messages: [{ role: "user", content: "hi" }] })
  const post = (head: string, rest = body) => `POST /v1/chat/completions HTTP/1.1\r\n${head}\r\n\r\n${rest}`
  const length = `content-length: ${body.length}`
  const chunked = `${body.length.toString(16)}\r\n${body}\r\n0\r\n\r\n`

  const cases: ReadonlyArray<readonly [string, string, number]> = [
    ["a length and chunks", post(`host: x\r\n${length}\r\ntransfer-encoding: chunked`, chunked), 400],
    ["two lengths", post(`host: x\r\n${length}\r\ncontent-length: 1`), 400],
    ["the same length twice", post(`host: x\r\n${length}\r\n${length}`), 400],
    ["an unknown coding", post("host: x\r\ntransfer-encoding: xchunked", chunked), 400],
    ["chunks and another coding", post("host: x\r\ntransfer-encoding: chunked, identity", chunked), 400],
    ["a folded header", post(`host: x\r\n${length}\r\nx-a: b\r\n c`), 400],
    ["bare line feeds", post(`host: x\r\n${length}`).replaceAll("\r\n", "\n"), 400],
    ["a space before the colon", post(`host: x\r\ncontent-length : ${body.length}`), 400],
    ["no host", post(length), 400],
    ["a NUL in a header", post(`host: x\r\nx-a: b\0c\r\n${length}`), 400],
    ["a length that is none", post("host: x\r\ncontent-length: +5"), 400],
    ["a length below zero", post("host: x\r\ncontent-length: -5"), 400],
    ["two hosts", post(`host: 127.0.0.1\r\nhost: evil.example\r\n${length}`), 403],
    ["a chunk with an endless extension", post("host: x\r\ntransfer-encoding: chunked", `1;${"x".repeat(20_000)}\r\n{\r\n`), 413],
    ["a head without end", `GET /v1/models HTTP/1.1\r\nhost: x\r\nx-a: ${"b".repeat(20_000)}\r\n\r\n`, 431]
  ]

  for (const [what, text, status] of cases) {
    it.scopedLive(`because of ${what} is refused, and nobody is asked (S17)`, () =>
      Effect.gen(function*() {
        const upstream = yield* backend()
        const port = yield* gatewayBefore(upstream.url)
        const answer = yield* raw(port, text)
        assert.strictEqual(answer.status, status)
        if (status !== 403) assert.isTrue(answer.closed)
        assert.strictEqual(upstream.asked, 0)
      }))
  }

  it.scopedLive("is sent on as one, made anew, with none of the headers that say where it ends (S17)", () =>
    Effect.gen(function*() {
      const heads: Array<Http.IncomingHttpHeaders> = []
      const upstream = yield* backend()
      const inspector = yield* Effect.acquireRelease(
        Effect.async<Http.Server>((resume) => {
          const server = Http.createServer((request, response) => {
            heads.push(request.headers)
            request.resume()
            response.end(JSON.stringify(chat))
          })
          server.listen(0, "127.0.0.1", () => resume(Effect.succeed(server)))
        }),
        (server) =>
          Effect.sync(() => {
            server.closeAllConnections()
            server.close()
          })
      )
      const port = yield* gatewayBefore(`http://127.0.0.1:${(inspector.address() as Net.AddressInfo).port}`)
      const { status } = yield* raw(
        port,
        post("host: x\r\ntransfer-encoding: chunked\r\nconnection: close, x-hop\r\nx-hop: 1\r\nte: trailers\r\ntrailer: x\r\nexpect-ct: x", chunked)
      )
      assert.strictEqual(status, 200)
      assert.strictEqual(upstream.asked, 0)
      for (const name of ["transfer-encoding", "te", "trailer", "upgrade", "x-hop", "expect-ct"]) assert.isUndefined(heads[0]?.[name])
      assert.isDefined(heads[0]?.["content-length"])
    }))
})

describe.skipIf(Spillway.missing !== undefined)(`the end of a process${Spillway.missing ? ` (skipped: ${Spillway.missing})` : ""}`, () => {
  const event = (delta: object, finish_reason: string | null = null) =>
    `data: ${JSON.stringify({ id: "c", model: "m", choices: [{ index: 0, delta, finish_reason }] })}\n\n`

  /** A backend whose streams have begun, and go on to their ends when they are told to. */
  const hesitating = () => {
    const waiting: Array<Http.ServerResponse> = []
    return {
      waiting,
      goOn: () => {
        for (const response of waiting) response.end(`${event({ content: " the end" })}${event({}, "stop")}data: [DONE]\n\n`)
      },
      backend: backend((response) => {
        response.writeHead(200, { "content-type": "text/event-stream" })
        response.write(event({ role: "assistant", content: "the beginning" }))
        waiting.push(response)
      })
    }
  }

  const served = (url: string, ...args: ReadonlyArray<string>) =>
    Effect.acquireRelease(
      Effect.promise(async () => {
        const folder = await Fs.mkdtemp(Path.join(Os.tmpdir(), "spillway-"))
        const file = Path.join(folder, "spillway.yaml")
        await Fs.writeFile(
          file,
          `backends:
  openai:
    keys: [sk-provider-0123456789]
    address: ${url}/v1
    policies: { queue: { concurrency: 64 } }
`
        )
        return { folder, ...Spillway.start(["serve", "--port", "0", "--config", file, ...args]) }
      }),
      ({ ended, folder, process }) =>
        Effect.promise(async () => {
          process.kill("SIGKILL")
          await ended
          await Fs.rm(folder, { recursive: true })
        })
    )

  const streams = (url: string, n: number) =>
    Effect.promise(() =>
      Promise.all(Array.from({ length: n }, () =>
        fetch(`${url}/v1/chat/completions`, {
          method: "POST",
          body: JSON.stringify({ model: "openai/m", stream: true, messages: [{ role: "user", content: "hi" }] })
        })
      ))
    )

  const draining = ({ output }: Spillway.Running) => until(() => `${output().stdout}${output().stderr}`.includes("draining"))

  it.scopedLive("lets fifty streams come to their ends, takes nothing new, and is 0 (S25)", () =>
    Effect.gen(function*() {
      const { backend, goOn } = hesitating()
      const upstream = yield* backend
      const gateway = yield* served(upstream.url, "--grace", "2 minutes")
      const url = yield* Effect.promise(() => gateway.url)
      const open = yield* streams(url, 50)
      gateway.process.kill("SIGTERM")
      yield* draining(gateway)
      const [ready, fresh] = yield* Effect.promise(() =>
        Promise.all([fetch(`${url}/readyz`), fetch(`${url}/v1/chat/completions`, { method: "POST", body: "{}" })])
      )
      assert.deepStrictEqual([ready.status, fresh.status], [503, 503])
      assert.isNotNull(fresh.headers.get("retry-after"))
      goOn()
      const texts = yield* Effect.promise(() => Promise.all(open.map((response) => response.text())))
      for (const text of texts) {
        assert.include(text, " the end")
        assert.isTrue(text.endsWith("data: [DONE]\n\n"))
      }
      assert.strictEqual((yield* Effect.promise(() => gateway.ended)).code, 0)
    }), 120_000)

  it.scopedLive("tells fifty streams that outlast the grace that they are cut, in an event of their own (S25)", () =>
    Effect.gen(function*() {
      const upstream = yield* hesitating().backend
      const gateway = yield* served(upstream.url, "--grace", "500 millis")
      const url = yield* Effect.promise(() => gateway.url)
      const open = yield* streams(url, 50)
      gateway.process.kill("SIGTERM")
      const texts = yield* Effect.promise(() => Promise.all(open.map((response) => response.text())))
      for (const text of texts) assert.include(text.trimEnd().split("\n\n").at(-1), "draining")
      assert.strictEqual((yield* Effect.promise(() => gateway.ended)).code, 0)
      yield* until(() => upstream.closed === 50)
    }), 120_000)

  it.scopedLive("is at once when it is told so twice (S25)", () =>
    Effect.gen(function*() {
      const upstream = yield* hesitating().backend
      const gateway = yield* served(upstream.url, "--grace", "10 minutes")
      yield* streams(yield* Effect.promise(() => gateway.url), 1)
      gateway.process.kill("SIGTERM")
      yield* draining(gateway)
      gateway.process.kill("SIGTERM")
      yield* Effect.promise(() => gateway.ended)
    }), 120_000)
})
