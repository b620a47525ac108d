import { assert, describe, it } from "@effect/vitest"
import { type Completion, LlmError, LlmService, Prompt, Tool, ToolLoop } from "@spillway/core"
import { ScriptedLlm } from "@spillway/testing"
import { Chunk, Context, Data, Effect, Fiber, Option, Schema, Stream, TestClock } from "effect"

class NoSuchCity extends Data.TaggedError("NoSuchCity")<{ readonly city: string }> {}

const weather = Tool.make("weather", { parameters: Schema.Struct({ city: Schema.String }) })
const clock = Tool.make("clock", { parameters: Schema.Struct({}) })
const request: ToolLoop.Request = { model: "parrot", prompt: [Prompt.system("be brief"), Prompt.user("what now?")] }
const call = (city: string, id: string) => ScriptedLlm.toolCall("weather", { city }, id)
const sunny = Tool.handle(weather, ({ city }) => Effect.succeed(`sunny in ${city}`))

const play = (...script: ReadonlyArray<ScriptedLlm.Step | ScriptedLlm.Repeat>) =>
  Effect.map(ScriptedLlm.make(...script), (llm) => ({
    llm,
    given: Effect.provideService(LlmService.LlmService, llm),
    asked: Effect.map(llm.requests, (requests) =>
      requests.flatMap((asked) =>
        asked.operation === "generateText" || asked.operation === "streamText" ? [asked.request] : []
      ))
  }))

describe("ToolLoop.run", () => {
  it.effect("asks once when the model calls no tool", () =>
    Effect.gen(function*() {
      const { asked, given } = yield* play({ content: [Prompt.text("nothing")], usage: { inputTokens: 5 } })
      const progress = yield* given(ToolLoop.run(request, { tools: [sunny] }))
      assert.strictEqual(progress.completion.text, "nothing")
      assert.strictEqual(progress.steps, 1)
      assert.deepStrictEqual(progress.usage, { inputTokens: 5 })
      assert.deepStrictEqual(progress.messages, [
        Prompt.system("be brief"),
        Prompt.user("what now?"),
        Prompt.assistant("nothing")
      ])
      const [first] = yield* asked
      assert.deepStrictEqual(first?.tools, [{ name: "weather", parameters: weather.parameters }])
      assert.deepStrictEqual(first?.prompt, request.prompt)
    }))

  it.effect("runs the calls of an answer, tells their results in the order of the calls, and asks again", () =>
    Effect.gen(function*() {
      const thought: Prompt.ReasoningPart = { _tag: "Reasoning", text: "hm", signature: "signed" }
      const first = { ...call("Oslo", "1"), signature: "proof" }
      const content = [thought, Prompt.text("I look"), first, call("Rome", "2")]
      const { asked, given } = yield* play(
        { content, usage: { inputTokens: 10, outputTokens: 2 } },
        { content: [Prompt.text("sunny")], usage: { inputTokens: 20, outputTokens: 3, reasoningTokens: 1 } }
      )
      const slowOslo = Tool.handle(weather, ({ city }) =>
        Effect.delay(Effect.succeed({ city }), city === "Oslo" ? "5 seconds" : "1 second"))
      const running = yield* Effect.fork(given(ToolLoop.run(request, { tools: [slowOslo] })))
      // both at the same time: five seconds, not six
      yield* TestClock.adjust("5 seconds")
      assert.isTrue(Option.isSome(yield* Fiber.poll(running)))
      const { messages, steps, usage } = yield* Fiber.join(running)
      assert.strictEqual(steps, 2)
      assert.deepStrictEqual(usage, { inputTokens: 30, outputTokens: 5, reasoningTokens: 1 })
      const results = Prompt.tool([
        { _tag: "ToolResult", id: "1", name: "weather", result: `{"city":"Oslo"}` },
        { _tag: "ToolResult", id: "2", name: "weather", result: `{"city":"Rome"}` }
      ])
      const transcript = [...Prompt.make(request.prompt), Prompt.assistant(content), results]
      assert.deepStrictEqual((yield* asked)[1]?.prompt, transcript)
      assert.deepStrictEqual(messages, [...transcript, Prompt.assistant("sunny")])
    }))

  it.effect("tells the model of arguments that do not decode and of tools that are not there", () =>
    Effect.gen(function*() {
      const { asked, given } = yield* play(
        { content: [ScriptedLlm.toolCall("weather", `{ "city": `, "1"), ScriptedLlm.toolCall("whether", {}, "2"), call("Oslo", "3")] },
        "sorry"
      )
      const time = Tool.handle(clock, () => Effect.succeed("12:00"))
      const { completion } = yield* given(ToolLoop.run(request, { tools: [sunny, time] }))
      assert.strictEqual(completion.text, "sorry")
      assert.deepStrictEqual(Prompt.make((yield* asked)[1]!.prompt).at(-1), Prompt.tool([
        { _tag: "ToolResult", id: "1", name: "weather", result: "the arguments of weather do not decode: is not JSON", isError: true },
        { _tag: "ToolResult", id: "2", name: "whether", result: "there is no tool whether; there is weather, clock", isError: true },
        { _tag: "ToolResult", id: "3", name: "weather", result: "sunny in Oslo" }
      ]))
    }))

  it.effect("stops at the limit with nothing lost, and goes on from there", () =>
    Effect.gen(function*() {
      const { given, llm } = yield* play(
        { content: [call("Oslo", "1")], usage: { outputTokens: 1 } },
        { content: [call("Rome", "2")], usage: { outputTokens: 1 } },
        "done"
      )
      const error = yield* Effect.flip(given(ToolLoop.run(request, { tools: [sunny], maxSteps: 2 })))
      assert.instanceOf(error, ToolLoop.StepLimitReached)
      assert.strictEqual(error.message, "the model still calls tools after 2 requests")
      assert.strictEqual((yield* llm.requests).length, 2)
      if (error._tag !== "StepLimitReached") return
      assert.strictEqual(error.steps, 2)
      assert.deepStrictEqual(error.usage, { outputTokens: 2 })
      assert.deepStrictEqual(error.messages.map((message) => message.role), [
        "system",
        "user",
        "assistant",
        "tool",
        "assistant",
        "tool"
      ])
      const { completion } = yield* given(ToolLoop.run({ ...request, prompt: error.messages }, { tools: [sunny] }))
      assert.strictEqual(completion.text, "done")
    }))

  it.effect("makes ten requests at most, and one at least", () =>
    Effect.gen(function*() {
      const endless = ScriptedLlm.repeat(call("Oslo", "1"))
      const { given, llm } = yield* play(endless)
      yield* Effect.flip(given(ToolLoop.run(request, { tools: [sunny] })))
      assert.strictEqual((yield* llm.requests).length, 10)
      for (const maxSteps of [1, 0, Number.NaN]) {
        const { given, llm } = yield* play(endless)
        const error = yield* Effect.flip(given(ToolLoop.run(request, { tools: [sunny], maxSteps })))
        assert.strictEqual(error.message, "the model still calls tools after 1 request")
        assert.strictEqual((yield* llm.requests).length, 1)
      }
    }))

  it.effect("forces a call once only", () =>
    Effect.gen(function*() {
      for (
        const [toolChoice, then] of [
          ["required", undefined],
          [{ tool: "weather" }, undefined],
          ["auto", "auto"],
          ["none", "none"]
        ] as const
      ) {
        const { asked, given } = yield* play(call("Oslo", "1"), "done")
        yield* given(ToolLoop.run({ ...request, toolChoice }, { tools: [sunny] }))
        assert.deepStrictEqual((yield* asked).map((request) => request.toolChoice), [toolChoice, then])
      }
    }))

  it.effect("ends when a handler fails, and interrupts the others", () =>
    Effect.gen(function*() {
      let interrupted = 0
      const { given, llm } = yield* play({ content: [call("Oslo", "1"), call("Atlantis", "2")] })
      const handled = Tool.handle(weather, ({ city }) =>
        city === "Atlantis"
          ? Effect.fail(new NoSuchCity({ city }))
          : Effect.onInterrupt(Effect.never, () => Effect.sync(() => interrupted++)))
      const error = yield* Effect.flip(given(ToolLoop.run(request, { tools: [handled] })))
      assert.deepStrictEqual(error, new NoSuchCity({ city: "Atlantis" }))
      assert.strictEqual(interrupted, 1)
      assert.strictEqual((yield* llm.requests).length, 1)
    }))

  it.effect("ends when the service fails", () =>
    Effect.gen(function*() {
      const slow = new LlmError.RateLimited({ backend: "scripted", message: "slow down" })
      const { given } = yield* play(call("Oslo", "1"), slow)
      assert.strictEqual(yield* Effect.flip(given(ToolLoop.run(request, { tools: [sunny] }))), slow)
    }))

  it.effect("gives the handlers what they need", () =>
    Effect.gen(function*() {
      class Forecast extends Context.Tag("Forecast")<Forecast, string>() {}
      const { asked, given } = yield* play(call("Oslo", "1"), "done")
      yield* given(ToolLoop.run({ tools: [Tool.handle(weather, () => Forecast)] })(request)).pipe(
        Effect.provideService(Forecast, "rain")
      )
      const last = Prompt.make((yield* asked)[1]!.prompt).at(-1)
      assert.strictEqual(last?.role === "tool" && last.content[0]?.result, "rain")
    }))
})

describe("ToolLoop.stream", () => {
  const events = (
    script: ReadonlyArray<ScriptedLlm.Step>,
    options?: { readonly maxSteps?: number }
  ) =>
    Effect.gen(function*() {
      const { given, ...rest } = yield* play(...script)
      const seen: Array<ToolLoop.Event> = []
      const ended = yield* Effect.either(given(
        Stream.runForEach(ToolLoop.stream(request, { tools: [sunny], ...options }), (event) =>
          Effect.sync(() => seen.push(event)))
      ))
      return { ...rest, seen, ended }
    })

  it.effect("hands over the parts of every answer and the results between them, and ends as the loop does", () =>
    Effect.gen(function*() {
      const script: ReadonlyArray<ScriptedLlm.Step> = [
        { content: [Prompt.text("I look"), call("Oslo", "1"), call("Rome", "2")], usage: { outputTokens: 4 } },
        { content: [Prompt.text("sunny")], usage: { outputTokens: 1 } }
      ]
      const { asked, seen } = yield* events(script)
      assert.deepStrictEqual(
        seen.map((event) => event._tag === "TextDelta" ? event.text : event._tag === "ToolResult" ? event.result : event._tag),
        [
          "Start",
          "I ",
          "look",
          "ToolCallStart",
          "ToolCallDelta",
          "ToolCallStart",
          "ToolCallDelta",
          "Finish",
          "sunny in Oslo",
          "sunny in Rome",
          "Start",
          "sunny",
          "Finish",
          "Done"
        ]
      )
      const { given, asked: askedWhole } = yield* play(...script)
      const whole = yield* given(ToolLoop.run(request, { tools: [sunny] }))
      assert.deepStrictEqual(seen.at(-1), { _tag: "Done", ...whole })
      assert.deepStrictEqual(yield* asked, yield* askedWhole)
    }))

  it.effect("hands over each part as it comes", () =>
    Effect.gen(function*() {
      const parts: ReadonlyArray<Completion.Part> = [{ _tag: "Start", model: "m" }, { _tag: "TextDelta", text: "a" }]
      const { given } = yield* play([...parts, Effect.never])
      const first = yield* given(Stream.runCollect(Stream.take(ToolLoop.stream(request, { tools: [sunny] }), 2)))
      assert.deepStrictEqual(Chunk.toReadonlyArray(first), parts)
    }))

  it.effect("fails at the limit, after the last results", () =>
    Effect.gen(function*() {
      const { ended, seen } = yield* events([call("Oslo", "1"), call("Rome", "2")], { maxSteps: 2 })
      assert.strictEqual(seen.at(-1)?._tag, "ToolResult")
      assert.strictEqual(ended._tag === "Left" && ended.left._tag, "StepLimitReached")
    }))

  it.effect("fails where an answer breaks off, and runs none of its calls", () =>
    Effect.gen(function*() {
      const cut = new LlmError.StreamInterrupted({ backend: "scripted", message: "cut" })
      const { ended, seen } = yield* events([[
        { _tag: "Start", model: "m" },
        { _tag: "ToolCallStart", index: 0, id: "1", name: "weather" },
        { _tag: "ToolCallDelta", index: 0, arguments: `{"city":"Oslo"}` },
        cut
      ]])
      assert.strictEqual(ended._tag === "Left" && ended.left, cut)
      assert.deepStrictEqual(seen.map((event) => event._tag), ["Start", "ToolCallStart", "ToolCallDelta"])
    }))
})
