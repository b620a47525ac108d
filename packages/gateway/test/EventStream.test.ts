/** What becomes of a streamed answer when its backend, or its reader, takes its time. */
import { assert, describe, it } from "@effect/vitest"
import type * as Completion from "@spillway/core/Completion"
import * as LlmError from "@spillway/core/LlmError"
import * as LlmService from "@spillway/core/LlmService"
import * as Resilience from "@spillway/core/Resilience"
import * as ScriptedLlm from "@spillway/testing/ScriptedLlm"
import { Effect, Fiber, Layer, Logger, Stream, TestClock } from "effect"
import { events, hi, json, serve, text, type Web } from "./web.js"

const start: Completion.Part = { _tag: "Start", model: "parrot" }
const finish: Completion.Part = { _tag: "Finish", finishReason: "stop", usage: {} }
const says = (text: string): Completion.Part => ({ _tag: "TextDelta", text })

const ask = (web: Web) => web.post("/v1/chat/completions", { ...hi, stream: true })

/** What is on the way to the other side gets there, however many turns it takes. */
const settle = Effect.promise(() => new Promise<void>((resolve) => setImmediate(resolve)))

const pass = (seconds: number) =>
  Effect.repeatN(Effect.zipRight(TestClock.adjust("1 seconds"), settle), seconds - 1)

const keepAlive = ": keep-alive\n\n"

/** How often the text has the other in it. */
const count = (text: string, part: string) => text.split(part).length - 1

const logged = () => {
  const lines: Array<Record<string, unknown>> = []
  const logger = Logger.make(({ annotations, message }) => {
    lines.push({ message: String(message), ...Object.fromEntries(annotations) })
  })
  return { lines, layer: Logger.replace(Logger.defaultLogger, logger) }
}

describe("EventStream", () => {
  describe("a heartbeat", () => {
    it.effect("is sent every 15 seconds in which the backend says nothing, and breaks off nothing", () =>
      Effect.gen(function*() {
        const llm = yield* ScriptedLlm.make([
          start,
          Effect.delay(Effect.succeed(says("first")), "40 seconds"),
          Effect.delay(Effect.succeed(says("second")), "14 seconds"),
          Effect.delay(Effect.succeed(finish), "14 seconds")
        ])
        const body = yield* Effect.fork(Effect.flatMap(ask(yield* serve(llm)), text))
        yield* settle
        yield* pass(80)
        const said = yield* Fiber.join(body)
        const [silence = "", speech = ""] = said.split("first")
        assert.deepStrictEqual([count(silence, keepAlive), count(speech, keepAlive)], [2, 0])
        assert.include(speech, "second")
        assert.isTrue(speech.endsWith("data: [DONE]\n\n"))
        assert.strictEqual(yield* llm.interrupted, 0)
      }))

    it.effect("comes as often as is wanted, or never", () =>
      Effect.gen(function*() {
        for (const [heartbeat, beats] of [["2 seconds", 4], [Infinity, 0]] as const) {
          const llm = yield* ScriptedLlm.make([start, Effect.delay(Effect.succeed(finish), "9 seconds")])
          const body = yield* Effect.fork(Effect.flatMap(ask(yield* serve(llm, { heartbeat })), text))
          yield* settle
          yield* pass(10)
          assert.strictEqual(count(yield* Fiber.join(body), keepAlive), beats)
        }
      }))

    it.effect("waits for the first part: until then a failure has a status of its own", () =>
      Effect.gen(function*() {
        const llm = yield* ScriptedLlm.make(
          Effect.delay(Effect.fail(new LlmError.ServerFault({ backend: "scripted", message: "gone" })), "40 seconds")
        )
        const response = yield* Effect.fork(ask(yield* serve(llm)))
        yield* settle
        yield* pass(40)
        assert.strictEqual((yield* Fiber.join(response)).status, 502)
      }))

    it.effect("that waits for its reader holds back what comes meanwhile, and loses nothing of it", () =>
      Effect.gen(function*() {
        const llm = yield* ScriptedLlm.make([start, Effect.delay(Effect.succeed(says("word")), "16 seconds"), finish])
        const response = yield* ask(yield* serve(llm))
        yield* settle
        yield* pass(20)
        const said = yield* text(response)
        assert.deepStrictEqual([count(said, keepAlive), count(said, "word")], [1, 1])
        assert.isBelow(said.indexOf(keepAlive), said.indexOf("word"))
      }))

    it.effect("is no part of what OpenAI's clients read", () =>
      Effect.gen(function*() {
        const llm = yield* ScriptedLlm.make([start, Effect.delay(Effect.succeed(finish), "16 seconds")])
        const body = yield* Effect.fork(Effect.flatMap(ask(yield* serve(llm)), text))
        yield* settle
        yield* pass(16)
        const lines = (yield* Fiber.join(body)).split("\n").filter((line) => line !== "" && !line.startsWith("data: "))
        assert.deepStrictEqual(lines, [": keep-alive"])
      }))
  })

  describe("a reader who takes nothing more", () => {
    const endless = (asked: { parts: number; ended: boolean }) =>
      LlmService.make("endless", {
        streamText: () =>
          Stream.ensuring(
            Stream.repeatEffect(Effect.sync(() => asked.parts++ === 0 ? start : says("x"))),
            Effect.sync(() => asked.ended = true)
          )
      })

    it.effect("holds the backend back, is cut after 30 seconds, and the call with it; the log says why", () =>
      Effect.gen(function*() {
        const asked = { parts: 0, ended: false }
        const { layer, lines } = logged()
        yield* Effect.gen(function*() {
          const web = yield* serve(endless(asked))
          const response = yield* ask(web)
          yield* settle
          yield* pass(29)
          const atMost = 4
          assert.isAtMost(asked.parts, atMost)
          assert.deepStrictEqual([asked.ended, yield* web.gateway.inFlight], [false, 1])
          yield* pass(2)
          assert.deepStrictEqual([asked.ended, yield* web.gateway.inFlight], [true, 0])
          assert.isAtMost(asked.parts, atMost)
          const cut = yield* Effect.promise(() => response.text().then(() => "whole", () => "broken off"))
          assert.strictEqual(cut, "broken off")
        }).pipe(Effect.provide(layer))
        const line = lines.find(({ message }) => message === "request")
        assert.deepInclude(line, { error: "ReaderStalled", leftEarly: true, status: 200 })
      }))

    it.effect("is not cut as long as he takes something now and then, however slowly", () =>
      Effect.gen(function*() {
        const asked = { parts: 0, ended: false }
        const web = yield* serve(endless(asked), { stall: "5 seconds" })
        const reader = (yield* ask(web)).body!.getReader()
        for (let i = 0; i < 10; i++) {
          yield* pass(4)
          assert.isFalse((yield* Effect.promise(() => reader.read())).done)
        }
        assert.isFalse(asked.ended)
        yield* Effect.promise(() => reader.cancel())
        assert.isTrue(asked.ended)
      }))

    it.effect("is not one whose backend is silent, with heartbeats or without", () =>
      Effect.gen(function*() {
        for (const heartbeat of [15_000, Infinity]) {
          const llm = yield* ScriptedLlm.make([start, Effect.delay(Effect.succeed(finish), "5 minutes")])
          const body = yield* Effect.fork(Effect.flatMap(ask(yield* serve(llm, { heartbeat, stall: "2 seconds" })), text))
          yield* settle
          yield* pass(300)
          assert.include(yield* Fiber.join(body), "[DONE]")
        }
      }))

    it.effect("is let be for ever where that is wanted", () =>
      Effect.gen(function*() {
        const asked = { parts: 0, ended: false }
        const web = yield* serve(endless(asked), { stall: Infinity })
        const response = yield* ask(web)
        yield* TestClock.adjust("1 hours")
        yield* settle
        assert.isFalse(asked.ended)
        yield* Effect.promise(() => response.body!.cancel())
      }))
  })

  describe("the times of the policies", () => {
    const behind = (llm: LlmService.Service, timeout: Resilience.Options["timeout"]) =>
      Effect.map(
        Layer.build(Layer.succeed(LlmService.LlmService, llm).pipe(Resilience.layer({ retry: false, timeout }))),
        (context) => context.unsafeMap.get(LlmService.LlmService.key) as LlmService.Service
      )

    it.scoped("end a stream that does not begin, with a status", () =>
      Effect.gen(function*() {
        const llm = yield* ScriptedLlm.make([Effect.never])
        const web = yield* serve(yield* behind(llm, { attempt: "10 seconds" }))
        const response = yield* Effect.fork(ask(web))
        yield* settle
        yield* pass(10)
        const answer = yield* Fiber.join(response)
        assert.deepStrictEqual([answer.status, (yield* json(answer)).error.code], [504, "timed_out"])
        assert.deepStrictEqual([yield* llm.inFlight, yield* web.gateway.inFlight], [0, 0])
      }))

    it.scoped("end one that falls silent, with an event that says so", () =>
      Effect.gen(function*() {
        const llm = yield* ScriptedLlm.make([start, says("hel"), Effect.never])
        const web = yield* serve(yield* behind(llm, { idle: "10 seconds" }), { heartbeat: Infinity })
        const body = yield* Effect.fork(Effect.flatMap(ask(web), events))
        yield* settle
        yield* pass(10)
        const said = yield* Fiber.join(body)
        assert.strictEqual(said.at(-1)?.error.code, "timed_out")
        assert.deepStrictEqual([yield* llm.inFlight, yield* web.gateway.inFlight], [0, 0])
      }))
  })

  it.effect("an answer that breaks ends with an event of its error, and no end", () =>
    Effect.gen(function*() {
      const llm = yield* ScriptedLlm.make([
        start,
        says("hel"),
        new LlmError.ServerFault({ backend: "scripted", message: "gone" })
      ])
      const said = yield* Effect.flatMap(ask(yield* serve(llm)), events)
      assert.deepStrictEqual([said.length, said.at(-1)?.error.code], [3, "server_fault"])
    }))
})
