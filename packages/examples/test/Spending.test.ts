import { assert, describe, it } from "@effect/vitest"
import { LlmService, Prompt, Resilience, Router } from "@spillway/core"
import { ScriptedLlm } from "@spillway/testing"
import { Effect, Layer } from "effect"
import * as Spending from "../src/Spending.js"

describe("the budget", () => {
  it.effect("has the free backend answer a tenant who has spent what was his, and him alone", () =>
    Effect.gen(function*() {
      const dear = { content: [Prompt.text("dear")], usage: { inputTokens: 10, outputTokens: 499_999 } }
      const backend = (name: string, step: ScriptedLlm.Step) =>
        Resilience.layer()(Layer.effect(LlmService.LlmService, ScriptedLlm.named(name, ScriptedLlm.repeat(step))))
      const answers = yield* Effect.forEach(["ann", "ann", "bob"], (tenant) => Spending.program(tenant, "Why?")).pipe(
        Effect.provide(
          Router.layer({ openai: backend("openai", dear), ollama: backend("ollama", "free") }).pipe(
            Layer.provide(Spending.Limits)
          )
        )
      )
      assert.deepStrictEqual(answers, ["dear", "free", "dear"])
    }))
})
