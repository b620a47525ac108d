/** A TGI and a TEI that somebody runs, at the addresses of the environment: whatever their models, this holds of them. */
import * as FetchHttpClient from "@effect/platform/FetchHttpClient"
import { assert, describe, it } from "@effect/vitest"
import * as Completion from "@spillway/core/Completion"
import * as Tei from "@spillway/providers/Tei"
import * as Tgi from "@spillway/providers/Tgi"
import { Effect, Stream } from "effect"
import { inject } from "vitest"
import type {} from "../../../testing/test/servers/found.js"

const { tei, tgi } = inject("servers")

const built = <B>(make: Effect.Effect<B, any, any>) =>
  make.pipe(Effect.provide(FetchHttpClient.layer)) as Effect.Effect<B, never, never>

describe("a TGI that somebody runs", () => {
  if ("missing" in tgi) return it("is not here", ({ skip }) => skip(tgi.missing))

  const on = <A, E>(use: (backend: Tgi.Backend) => Effect.Effect<A, E>) =>
    Effect.flatMap(Tgi.config, (options) => Effect.scoped(Effect.flatMap(built(Tgi.make(options)), use)))

  it.live("tells what it is, and is well", () =>
    on(({ llm, tgi }) =>
      Effect.gen(function*() {
        const info = yield* tgi.info
        const [model] = yield* llm.listModels
        assert.strictEqual(model?.id, info.model)
        yield* llm.health
      })
    ))

  it.live("chats, whole and streamed, and counts alike", () =>
    on(({ llm }) =>
      Effect.gen(function*() {
        const request = { model: "tgi", prompt: "Say hello.", maxTokens: 16, temperature: 0 }
        const whole = yield* llm.generateText(request)
        const streamed = yield* Completion.collect(llm.streamText(request))
        assert.strictEqual(streamed.usage.inputTokens, whole.usage.inputTokens)
        for (const { finishReason, usage } of [whole, streamed]) {
          assert.include(["stop", "length"], finishReason)
          assert.isAtMost(usage.outputTokens!, 16)
        }
      })
    ))

  it.live("continues a text, and ends its stream with the whole of it", () =>
    on(({ tgi }) =>
      Effect.gen(function*() {
        const request = { prompt: "The sea is", maxNewTokens: 8 }
        const whole = yield* tgi.generate(request)
        const parts = [...(yield* Stream.runCollect(tgi.generateStream(request)))]
        const last = parts.at(-1)
        assert(last?._tag === "Done")
        assert.strictEqual(last.text, whole.text)
        assert.strictEqual(parts.length - 1, last.usage.outputTokens)
      })
    ))

  it.live("says what is wrong, whole and streamed", () =>
    on(({ llm, tgi }) =>
      Effect.gen(function*() {
        const wrong = { prompt: "x", temperature: -1 }
        for (
          const error of [
            yield* Effect.flip(tgi.generate(wrong)),
            yield* Effect.flip(Stream.runDrain(tgi.generateStream(wrong))),
            yield* Effect.flip(llm.generateText({ model: "tgi", ...wrong })),
            yield* Effect.flip(Completion.collect(llm.streamText({ model: "tgi", ...wrong })))
          ]
        ) assert.strictEqual(error._tag, "InvalidRequest")
      })
    ))
})

describe("a TEI that somebody runs", () => {
  if ("missing" in tei) return it("is not here", ({ skip }) => skip(tei.missing))

  const on = <A, E>(use: (backend: Tei.Backend) => Effect.Effect<A, E>) =>
    Effect.flatMap(Tei.config, (options) => Effect.scoped(Effect.flatMap(built(Tei.make(options)), use)))

  it.live("tells what it is, and is well", () =>
    on(({ llm, tei }) =>
      Effect.gen(function*() {
        const { maxClientBatchSize, model } = yield* tei.info
        assert.isAbove(model.length, 0)
        assert.isAbove(maxClientBatchSize ?? 0, 0)
        assert.strictEqual((yield* llm.listModels).length, 1)
        yield* llm.health
      })
    ))

  it.live("does for more texts than one request holds what its model is for, and says of the rest that it is not", () =>
    on(({ llm, tei }) =>
      Effect.gen(function*() {
        const { kind, maxClientBatchSize = 32 } = yield* tei.info
        const texts = Array.from({ length: maxClientBatchSize + 1 }, (_, index) => `text ${index}`)
        const embedded = yield* Effect.either(llm.embed({ model: "any", input: texts }))
        const ranked = yield* Effect.either(llm.rerank({ model: "any", query: "text 7", documents: texts }))
        if (kind === "embedding") {
          assert(embedded._tag === "Right")
          assert.strictEqual(embedded.right.vectors.length, texts.length)
        } else assert(embedded._tag === "Left" && embedded.left._tag === "Unsupported")
        if (kind === "reranker") {
          assert(ranked._tag === "Right")
          assert.strictEqual(ranked.right.results.length, texts.length)
        } else if (ranked._tag === "Left") assert.strictEqual(ranked.left._tag, "Unsupported")
        const tokens = yield* tei.tokenize({ input: texts })
        assert.strictEqual(tokens.length, texts.length)
      })
    ))
})
