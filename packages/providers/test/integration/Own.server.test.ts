/** An Ollama, a vLLM and an OVMS that somebody runs, at the addresses of the environment: whatever their models. */
import * as FetchHttpClient from "@effect/platform/FetchHttpClient"
import { assert, describe, it } from "@effect/vitest"
import * as Completion from "@spillway/core/Completion"
import * as LlmService from "@spillway/core/LlmService"
import * as Catalogue from "@spillway/providers/Catalogue"
import { Effect, Layer } from "effect"
import { inject } from "vitest"
import type { Found } from "../../../testing/test/servers/found.js"

const { ollama, ovms, vllm } = Catalogue.backends
const servers = inject("servers")
const backends: ReadonlyArray<readonly [variable: string, Found<string>, Catalogue.Entry]> = [
  ["OLLAMA_HOST", servers.ollama, ollama],
  ["VLLM_BASE_URL", servers.vllm, vllm],
  ["OVMS_BASE_URL", servers.ovms, ovms]
]

for (const [variable, server, backend] of backends) {
  describe(`a server at ${variable}`, () => {
    if ("missing" in server) return it("is not here", ({ skip }) => skip(server.missing))

    const Live: Layer.Layer<LlmService.LlmService, unknown> = Layer.provide(backend.layer, FetchHttpClient.layer)

    // which of its models chats, only its owner knows
    const model = Effect.map(LlmService.listModels, (models) => process.env["SPILLWAY_CHAT_MODEL"] ?? models[0]?.id ?? "")

    it.live("is well, and lists its models", () =>
      Effect.gen(function*() {
        yield* LlmService.health
        assert.isAbove((yield* LlmService.listModels).length, 0)
      }).pipe(Effect.provide(Live)))

    it.live("chats, whole and streamed", () =>
      Effect.gen(function*() {
        const request = { model: yield* model, prompt: "Say hello.", maxTokens: 16, temperature: 0 }
        const whole = yield* LlmService.generateText(request)
        const streamed = yield* Completion.collect(LlmService.streamText(request))
        for (const { finishReason, usage } of [whole, streamed]) {
          assert.include(["stop", "length"], finishReason)
          assert.isAtMost(usage.outputTokens ?? 0, 16)
        }
        assert.strictEqual(streamed.usage.inputTokens, whole.usage.inputTokens)
      }).pipe(Effect.provide(Live)))

    it.live("knows a model that it has not", () =>
      Effect.gen(function*() {
        const error = yield* Effect.flip(LlmService.generateText({ model: "no-such-model-here", prompt: "hi" }))
        assert.strictEqual((error as { readonly _tag: string })._tag, "ModelNotFound")
      }).pipe(Effect.provide(Live)))
  })
}
