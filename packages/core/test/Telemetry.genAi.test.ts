/** What is measured under the names of OpenTelemetry's conventions for generative AI, in each of their versions. */
import { assert, describe, it } from "@effect/vitest"
import type * as Completion from "@spillway/core/Completion"
import * as GenAiNames from "@spillway/core/GenAiNames"
import * as LlmError from "@spillway/core/LlmError"
import * as Policy from "@spillway/core/Policy"
import * as Resilience from "@spillway/core/Resilience"
import * as Retry from "@spillway/core/Retry"
import * as Telemetry from "@spillway/core/Telemetry"
import * as ScriptedLlm from "@spillway/testing/ScriptedLlm"
import { Effect, Fiber, Metric, MetricState, Stream, TestClock } from "effect"

const request = { model: "m", prompt: "a prompt that nobody may read" }
const backend = "scripted"
const fault = new LlmError.ServerFault({ backend, message: "broken" })
const invalid = new LlmError.InvalidRequest({ backend, message: "no" })
const slowly = <A>(step: A, millis: number) => Effect.delay(Effect.succeed(step), millis)
const answer = (inputTokens: number, outputTokens: number) => ({ content: [], usage: { inputTokens, outputTokens } })

let backends = 0

/** Every series of these conventions: its name and labels, how many values it has, and their sum. */
const measured = (provider: string) =>
  Effect.map(Metric.snapshot, (pairs) =>
    pairs.flatMap(({ metricKey, metricState }) => {
      const labels = Object.fromEntries(metricKey.tags.map(({ key, value }) => [key, value]))
      if (labels["gen_ai.provider.name"] !== provider || !MetricState.isHistogramState(metricState)) return []
      const { "gen_ai.provider.name": _, ...others } = labels
      return [[metricKey.name, others, metricState.count, Math.round(metricState.sum * 1000) / 1000] as const]
    }).sort(([a, x], [b, y]) => `${a}${JSON.stringify(x)}` < `${b}${JSON.stringify(y)}` ? -1 : 1))

const make = (options: Telemetry.Options, ...script: ReadonlyArray<ScriptedLlm.Step | ScriptedLlm.Repeat>) =>
  Effect.gen(function*() {
    const name = `gen-ai-${++backends}`
    const llm = yield* ScriptedLlm.named(name, ...script)
    const telemetry = yield* Telemetry.make(name, options)
    const retry = yield* Retry.make({ jitter: "none" })
    return {
      name,
      llm: Resilience.protect(llm, Policy.compose(telemetry.policy, retry.policy, telemetry.attempts)),
      measured: measured(name)
    }
  })

const play = <A, E, R>(effect: Effect.Effect<A, E, R>) =>
  Effect.gen(function*() {
    const fiber = yield* Effect.fork(Effect.exit(effect))
    yield* TestClock.adjust("10 minutes")
    return yield* Fiber.join(fiber)
  })

const streamed = [
  slowly<Completion.Part>({ _tag: "TextDelta", text: "a" }, 250),
  slowly<Completion.Part>({ _tag: "Finish", finishReason: "stop", usage: { inputTokens: 7, outputTokens: 2 } }, 750)
]

describe("GenAiNames", () => {
  it.scoped("v1.41: durations with what went wrong, tokens by their kind, and the time to a stream's first part", () =>
    Effect.gen(function*() {
      const { llm, measured } = yield* make({}, fault, slowly(answer(10, 5), 500), Effect.delay(invalid, 2000), streamed, {
        model: "e",
        vectors: [[1]],
        usage: { inputTokens: 100 }
      })
      // one call with its retry and its wait is one operation
      yield* play(llm.generateText(request))
      yield* play(llm.generateText(request))
      yield* play(Stream.runDrain(llm.streamText(request)))
      yield* play(llm.embed({ model: "e", input: ["a text"] }))
      const chat = { "gen_ai.operation.name": "chat", "gen_ai.request.model": "m" }
      const embeddings = { "gen_ai.operation.name": "embeddings", "gen_ai.request.model": "e" }
      const seconds = { unit: "s" }
      const tokens = { unit: "{token}" }
      const duration = "gen_ai.client.operation.duration"
      const usage = "gen_ai.client.token.usage"
      assert.sameDeepMembers([...yield* measured] as Array<unknown>, [
        [duration, { ...chat, ...seconds }, 2, 2.5],
        [duration, { ...chat, "error.type": "InvalidRequest", ...seconds }, 1, 2],
        [duration, { ...embeddings, ...seconds }, 1, 0],
        ["gen_ai.client.operation.time_to_first_chunk", { ...chat, ...seconds }, 1, 0.25],
        [usage, { ...chat, "gen_ai.token.type": "input", ...tokens }, 2, 17],
        [usage, { ...chat, "gen_ai.token.type": "output", ...tokens }, 2, 7],
        [usage, { ...embeddings, "gen_ai.token.type": "input", ...tokens }, 1, 100]
      ])
    }))

  it.scoped("dev: the names in the making", () =>
    Effect.gen(function*() {
      const { llm, measured } = yield* make({ names: "dev" }, streamed, { model: "e", vectors: [[1]], usage: { inputTokens: 100 } })
      yield* play(Stream.runDrain(llm.streamText(request)))
      yield* play(llm.embed({ model: "e", input: ["a text"] }))
      assert.deepStrictEqual((yield* measured).map(([name, , count]) => [name, count]), [
        ["gen_ai.client.inference.duration", 1],
        ["gen_ai.client.inference.operation.input_tokens", 1],
        ["gen_ai.client.inference.operation.input_tokens", 1],
        ["gen_ai.client.inference.operation.output_tokens", 1],
        ["gen_ai.client.inference.time_to_first_chunk", 1],
        ["gen_ai.client.operation.duration", 1]
      ])
    }))

  it.scoped("name a model no earlier than it has answered, whole or in part, and no more of them than allowed", () =>
    Effect.gen(function*() {
      const missing = new LlmError.ModelNotFound({ backend, message: "no such model" })
      const { llm, measured } = yield* make({ models: 1 }, missing, streamed, answer(1, 1))
      yield* play(llm.generateText({ ...request, model: "made up" }))
      yield* play(Stream.runDrain(llm.streamText(request)))
      yield* play(llm.generateText({ ...request, model: "one too many" }))
      const models = (yield* measured).map(([, labels]) => labels["gen_ai.request.model"])
      assert.deepStrictEqual([...new Set(models)].sort(), ["m", "other"])
    }))

  it.scoped("have their buckets: a hundredth of a second to 82 seconds, and 1 to 67 million tokens", () =>
    Effect.gen(function*() {
      const { llm, name } = yield* make({}, slowly(answer(5, 300), 20))
      yield* play(llm.generateText(request))
      const buckets = new Map((yield* Metric.snapshot).flatMap(({ metricKey, metricState }) =>
        metricKey.tags.some(({ value }) => value === name) && MetricState.isHistogramState(metricState)
          ? [[metricKey.name, metricState.buckets.map(([boundary]) => boundary)] as const]
          : []
      ))
      const of = (name: string) => buckets.get(name)!.filter(Number.isFinite)
      assert.deepStrictEqual([of("gen_ai.client.operation.duration").at(0), of("gen_ai.client.operation.duration").at(-1)], [0.01, 81.92])
      assert.deepStrictEqual([of("gen_ai.client.token.usage").at(0), of("gen_ai.client.token.usage").at(-1)], [1, 67_108_864])
    }))

  it("know their operations from those of stores and of one backend alone", () => {
    assert.isTrue(GenAiNames.isOfModels(GenAiNames.v1_41, "embed"))
    for (const other of ["put", "constructor", "Ollama.pull"]) assert.isFalse(GenAiNames.isOfModels(GenAiNames.v1_41, other))
  })
})
