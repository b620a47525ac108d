import { Terminal } from "@effect/platform"
import { assert, describe, it } from "@effect/vitest"
import { LlmError, LlmService, Prompt } from "@spillway/core"
import { ScriptedLlm } from "@spillway/testing"
import { Effect, Layer, Logger, Mailbox, Option } from "effect"
import * as Chat from "../src/Chat.js"
import * as Extract from "../src/Extract.js"
import * as Failover from "../src/Failover.js"
import * as Retrieve from "../src/Retrieve.js"
import * as Tools from "../src/Tools.js"

const requestsOf = (scripted: ScriptedLlm.Scripted) =>
  Effect.map(scripted.requests, (requests) =>
    requests.flatMap((asked) =>
      asked.operation === "generateText" || asked.operation === "streamText" ? [asked.request] : []
    ))

/** A terminal at which these lines are typed. */
const typing = (lines: ReadonlyArray<string>) => {
  const shown: Array<string> = []
  const rest = [...lines]
  const terminal = Terminal.Terminal.of({
    columns: Effect.succeed(80),
    rows: Effect.succeed(25),
    isTTY: Effect.succeed(false),
    readInput: Mailbox.make(),
    readLine: Effect.sync(() => rest.shift() ?? ""),
    display: (text) => Effect.sync(() => shown.push(text))
  })
  return { shown, terminal }
}

describe("the chat", () => {
  it.effect("shows each answer as it comes and remembers the conversation", () =>
    Effect.gen(function*() {
      const { shown, terminal } = typing(["hi", "who are you?"])
      const scripted = yield* ScriptedLlm.ScriptedLlm
      const conversation = yield* Effect.provideService(Chat.program, Terminal.Terminal, terminal)
      assert.deepStrictEqual(shown, ["\n> ", "hello ", "there", "\n> ", "a ", "parrot", "\n> "])
      assert.deepStrictEqual(conversation.slice(1), [
        Prompt.user("hi"),
        Prompt.assistant("hello there"),
        Prompt.user("who are you?"),
        Prompt.assistant("a parrot")
      ])
      assert.deepStrictEqual((yield* requestsOf(scripted))[1]?.prompt, conversation.slice(0, 4))
    }).pipe(Effect.provide(ScriptedLlm.layer("hello there", "a parrot"))))
})

describe("the failover chain", () => {
  const asked = (...script: [ScriptedLlm.Step, ...Array<ScriptedLlm.Step>]) =>
    Effect.gen(function*() {
      const first = yield* ScriptedLlm.named("groq", ...script)
      const second = yield* ScriptedLlm.named("anthropic", "because of the air")
      const answer = yield* Failover.program.pipe(
        Effect.provide(Failover.chain(
          Layer.succeed(LlmService.LlmService, first),
          Layer.succeed(LlmService.LlmService, second)
        )),
        Effect.either
      )
      return { answer: answer._tag === "Right" ? answer.right : answer.left._tag, asked: (yield* requestsOf(second)).length }
    })

  it.effect("asks the first while it answers", () =>
    Effect.gen(function*() {
      assert.deepStrictEqual(yield* asked("scattering"), { answer: "scattering (llama-3.3-70b-versatile)", asked: 0 })
    }))

  it.effect("asks the second when the first has no key left", () =>
    Effect.gen(function*() {
      const exhausted = new LlmError.KeysExhausted({ backend: "groq", message: "no key can be used" })
      assert.deepStrictEqual(yield* asked(exhausted), {
        answer: "because of the air (claude-sonnet-4-5)",
        asked: 1
      })
    }))

  it.effect("asks nobody else when the request is wrong", () =>
    Effect.gen(function*() {
      const wrong = new LlmError.InvalidRequest({ backend: "groq", message: "too long" })
      assert.deepStrictEqual(yield* asked(wrong), { answer: "InvalidRequest", asked: 0 })
    }))
})

describe("the extraction", () => {
  const json = `{ "number": "A-17", "total": 480, "due": "2027-03-01" }`

  it.effect("gives a typed value", () =>
    Effect.gen(function*() {
      const invoice = yield* Extract.program("Invoice A-17 …")
      assert.instanceOf(invoice, Extract.Invoice)
      assert.strictEqual(invoice.total, 480)
      assert.strictEqual(invoice.due?.getUTCFullYear(), 2027)
    }).pipe(Effect.provide(ScriptedLlm.layer(json))))

  it.effect("asks once more after nonsense, and then gives the error that keeps it", () =>
    Effect.gen(function*() {
      assert.strictEqual((yield* Extract.program("Invoice A-17 …")).number, "A-17")
      const error = yield* Effect.flip(Extract.program("Invoice A-17 …"))
      assert.strictEqual(error._tag === "InvalidOutput" && error.text, "still no idea")
    }).pipe(
      Effect.provide(ScriptedLlm.layer("no idea", json, "no idea", "still no idea")),
      Effect.provide(Logger.remove(Logger.defaultLogger))
    ))
})

describe("the answer from documents", () => {
  const vectors: Record<string, ReadonlyArray<number>> = {
    "When is it open?": [1, 0],
    "It opens at nine.": [0.9, 0.1],
    "It closes at six.": [0.8, 0.3],
    "It is made of brick.": [0, 1],
    "On Sundays at ten.": [0.7, 0.2]
  }
  const [question = "", ...documents] = Object.keys(vectors)
  const play = (rank: (documents: ReadonlyArray<string>) => ScriptedLlm.Step) =>
    ScriptedLlm.layer(ScriptedLlm.repeat((asked) =>
      asked.operation === "embed"
        ? { model: "e", vectors: asked.request.input.map((text) => vectors[text] ?? []), usage: {} }
        : asked.operation === "rerank"
        ? rank(asked.request.documents)
        : "At nine."
    ))
  const notes = Effect.gen(function*() {
    assert.strictEqual(yield* Retrieve.program(question, documents), "At nine.")
    const [asked] = yield* requestsOf(yield* ScriptedLlm.ScriptedLlm)
    const [system] = Prompt.make(asked?.prompt ?? "")
    return system?.role === "system" ? system.content.split("\n").slice(1) : []
  })

  it.effect("is made from the documents that rank best among the near ones", () =>
    Effect.gen(function*() {
      assert.deepStrictEqual(yield* notes, ["On Sundays at ten.", "It opens at nine."])
    }).pipe(Effect.provide(play((near) => {
      assert.deepStrictEqual(near, ["It opens at nine.", "On Sundays at ten.", "It closes at six.", "It is made of brick."])
      return {
        model: "r",
        results: [1, 0].map((index) => ({ index, score: 1 - index, document: near[index] ?? "" })),
        usage: {}
      }
    }))))

  it.effect("is made from the nearest where the backend cannot rank", () =>
    Effect.gen(function*() {
      assert.deepStrictEqual(yield* notes, ["It opens at nine.", "On Sundays at ten.", "It closes at six."])
    }).pipe(Effect.provide(play(() =>
      new LlmError.Unsupported({ backend: "openai", feature: "rerank", message: "openai has no operation rerank" })
    ))))
})

describe("the tools", () => {
  it.effect("are run until the model has its answer", () =>
    Effect.gen(function*() {
      const answer = yield* Tools.program("Has my order come?").pipe(
        Effect.provideService(Tools.Orders, { find: (id) => Effect.succeed({ item: `desk ${id}`, arrives: "1970-01-02" }) })
      )
      assert.strictEqual(answer, "It comes tomorrow.")
      const [, second] = yield* requestsOf(yield* ScriptedLlm.ScriptedLlm)
      const results = Option.fromNullable(Prompt.make(second?.prompt ?? "").at(-1)).pipe(
        Option.map((message) => message.role === "tool" ? message.content.map(({ result }) => result) : [])
      )
      assert.deepStrictEqual(Option.getOrThrow(results), ["1970-01-01", `{"item":"desk 7","arrives":"1970-01-02"}`])
    }).pipe(Effect.provide(ScriptedLlm.layer(
      { content: [ScriptedLlm.toolCall("today", {}, "1"), ScriptedLlm.toolCall("find_order", { id: 7 }, "2")] },
      "It comes tomorrow."
    ))))
})
