/**
 * A budget over all backends: when a tenant has spent what is his, the machine in the cellar answers.
 */
import { NodeHttpClient } from "@effect/platform-node"
import { Budget, LlmService, Policy, PriceBook, Resilience, Router } from "@spillway/core"
import { GenAiPrices } from "@spillway/prices"
import { Ollama, OpenAi } from "@spillway/providers"
import { Effect, Layer } from "effect"

/** Fifty dollars a day for all, five a month for each tenant, at the vendors' prices. Ollama is free, as its owner says. */
export const Limits = Budget.layer({
  limits: [
    { dollars: 50, per: "day", zone: "Europe/Berlin" },
    { of: "tenant", dollars: 5, per: "month" }
  ]
}).pipe(Layer.provideMerge(GenAiPrices.layer({ prices: [{ backend: "ollama", price: PriceBook.free }] })))

/** Reserves what 500 tokens cost before anything is sent, and pays what they have cost. */
export const program = (tenant: string, question: string) => {
  const ask = (model: string) => LlmService.generateText({ model, prompt: question, maxTokens: 500 })
  return ask("openai/gpt-4o").pipe(
    Effect.catchTag("BudgetExceeded", () => ask("ollama/llama3.2")),
    Policy.withTenant(tenant),
    Effect.map(({ text }) => text)
  )
}

/** OPENAI_API_KEY, OPENAI_API_KEY_1 … and an Ollama at OLLAMA_HOST. */
export const Live = Router.layer({
  openai: OpenAi.layerConfig.pipe(Resilience.layer()),
  ollama: Ollama.layerConfig.pipe(Resilience.layer())
}).pipe(Layer.provide(Limits), Layer.provide(NodeHttpClient.layerUndici))
