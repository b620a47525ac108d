import { assert, describe, it } from "@effect/vitest"
import { LlmService } from "@spillway/core"
import * as Conformance from "@spillway/testing/Conformance"
import * as RecordedHttp from "@spillway/testing/RecordedHttp"
import { ConfigProvider, Effect, Layer } from "effect"
import * as OpenAi from "../src/OpenAi.js"
import { completion, message, recordings } from "./fixtures/openai.js"

Conformance.suite({ backend: "openai", layer: OpenAi.layer, model: "gpt-test", recordings })

describe("openai", () => {
  const asked = (environment: ReadonlyArray<readonly [string, string]>) =>
    Effect.gen(function*() {
      yield* LlmService.generateText({ model: "m", prompt: "hi" })
      const requests = yield* Effect.flatMap(RecordedHttp.RecordedHttp, (http) => http.requests)
      return requests[0]!
    }).pipe(
      Effect.provide(OpenAi.layerConfig.pipe(
        Layer.provideMerge(RecordedHttp.layer(completion({ message: message({ content: "x" }) }))),
        Layer.provide(Layer.setConfigProvider(ConfigProvider.fromMap(new Map(environment))))
      ))
    )

  it.effect("is found by its variables", () =>
    Effect.gen(function*() {
      const { headers, url } = yield* asked([
        ["OPENAI_API_KEY_1", "sk-1"],
        ["OPENAI_BASE_URL", "http://127.0.0.1:9/v1/"],
        ["OPENAI_ORG_ID", "org-1"],
        ["OPENAI_PROJECT_ID", "proj-1"]
      ])
      assert.strictEqual(url.href, "http://127.0.0.1:9/v1/chat/completions")
      assert.include(headers, {
        authorization: "Bearer sk-1",
        "openai-organization": "org-1",
        "openai-project": "proj-1"
      })
    }))

  it.effect("is at home where nothing else is said", () =>
    Effect.gen(function*() {
      const { headers, url } = yield* asked([["OPENAI_API_KEY", "sk-1"]])
      assert.strictEqual(url.href, "https://api.openai.com/v1/chat/completions")
      assert.notProperty(headers, "openai-organization")
      assert.notProperty(headers, "openai-project")
    }))
})
