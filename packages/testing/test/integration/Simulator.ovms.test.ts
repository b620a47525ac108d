import { FetchHttpClient } from "@effect/platform"
import { assert, describe, it } from "@effect/vitest"
import * as Inference from "@spillway/core/Inference"
import * as Tensor from "@spillway/core/Tensor"
import * as Ovms from "@spillway/providers/Ovms"
import { Effect, Option, Redacted } from "effect"
import OpenAI from "openai"
import { collect, rejection, served } from "./served.js"

const client = Effect.map(served(), ({ simulator, variable }) => {
  const baseURL = `${variable("OVMS_BASE_URL")}/v3`
  return { simulator, openai: new OpenAI({ baseURL, apiKey: variable("OVMS_API_KEY_1"), maxRetries: 0 }) }
})

describe("the simulator in the place of OpenVINO Model Server", () => {
  it.scopedLive("takes tensors as bytes over a socket, and gives them back", () =>
    Effect.gen(function*() {
      const { variable } = yield* served()
      const { llm } = yield* Ovms.make({
        baseUrl: variable("OVMS_BASE_URL"),
        apiKeys: [Redacted.make(variable("OVMS_API_KEY_1"))]
      }).pipe(Effect.provide(FetchHttpClient.layer))
      const floats = Tensor.make("floats", "FP32", [256, 1024], Array.from({ length: 256 * 1024 }, (_, i) => i / 7))
      const tensors = [floats, Tensor.make("images", "BYTES", [2], [Uint8Array.of(255, 0, 10, 13), "é"])]
      const { output } = yield* llm.infer({
        model: "sim-identity",
        input: Inference.tensors(...tensors),
        outputs: ["floats", "images"],
        providerOptions: { ovms: { form: "binary" } }
      })
      for (const tensor of tensors) {
        const got = Option.getOrThrow(Inference.tensor(output, tensor.name))
        assert.isTrue(Buffer.from(got.data as Uint8Array).equals(Tensor.toBytes<Tensor.Datatype>(tensor)))
      }
    })
  )

  it.scopedLive("is what the official openai client takes it for", () =>
    Effect.gen(function*() {
      const { openai } = yield* client
      const chat = { model: "sim-chat", messages: [{ role: "user" as const, content: "Hello there" }] }
      const whole = yield* Effect.promise(() => openai.chat.completions.create(chat))
      assert.match(whole.choices[0]?.message.content ?? "", /^You said: “Hello there”\./)
      assert.isUndefined(whole.id)
      const chunks = yield* Effect.promise(async () =>
        collect(
          await openai.chat.completions.create({ ...chat, stream: true, stream_options: { include_usage: true } })
        )
      )
      assert.isNull(chunks[0]?.choices[0]?.delta.content)
      assert.strictEqual(
        chunks.map(({ choices }) => choices[0]?.delta.content ?? "").join(""),
        whole.choices[0]?.message.content
      )
      assert.deepStrictEqual(chunks.at(-1)?.usage, whole.usage)
      const went = yield* Effect.promise(() => openai.completions.create({ model: "sim-chat", prompt: "Once" }))
      assert.notStrictEqual(went.choices[0]?.text, "")
      const { data } = yield* Effect.promise(() => openai.embeddings.create({ model: "sim-embed", input: ["a", "b"] }))
      assert.deepStrictEqual(
        data.map(({ embedding }) => embedding.length),
        [256, 256]
      )
      const models = yield* Effect.promise(() => openai.models.list())
      assert.isTrue(models.data.some(({ id }) => id === "sim-infer"))
    })
  )

  it.scopedLive("answers a wrong key with a 500, and a broken stream with JSON that is none", () =>
    Effect.gen(function*() {
      const { openai, simulator } = yield* client
      const chat = { model: "sim-chat", messages: [{ role: "user" as const, content: "Hello there" }] }
      const stranger = openai.withOptions({ apiKey: "of-another-server" })
      const refused = yield* rejection(() => stranger.chat.completions.create(chat))
      assert.instanceOf(refused, OpenAI.InternalServerError)
      yield* simulator.inject("streamError")
      const response = yield* Effect.promise(() =>
        openai.chat.completions.create({ ...chat, stream: true }).asResponse()
      )
      const text = yield* Effect.promise(() => response.text())
      const [, error] = /\n\n(\{"error": [^]*)$/.exec(text) ?? []
      assert.throws(() => JSON.parse(error ?? ""), SyntaxError)
    })
  )
})
