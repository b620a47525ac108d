/**
 * Two backends as one: Groq answers, and Claude when Groq cannot.
 */
import { NodeHttpClient } from "@effect/platform-node"
import { LlmService, Policy, Resilience, Router } from "@spillway/core"
import { Anthropic, Groq } from "@spillway/providers"
import { Context, Effect, Layer } from "effect"

/** An answer within ten seconds, whoever gives it. */
export const program = LlmService.generateText({ model: "", prompt: "Why is the sky blue? One sentence." }).pipe(
  Policy.withDeadline("10 seconds"),
  Effect.map((answer) => `${answer.text} (${answer.model})`)
)

/** A backend, behind its own retries, queue and circuit breaker, and always asked for the same model. */
const link = <E, R>(backend: Layer.Layer<LlmService.LlmService, E, R>, model: string) =>
  backend.pipe(
    Resilience.layer({ retry: { maxRetries: 1 } }),
    Layer.build,
    Effect.map((context) => Router.withModel(Context.get(context, LlmService.LlmService), model))
  )

/** The first backend, and the second for whatever the first cannot answer. */
export const chain = <E1, R1, E2, R2>(
  first: Layer.Layer<LlmService.LlmService, E1, R1>,
  second: Layer.Layer<LlmService.LlmService, E2, R2>
) =>
  Layer.scoped(
    LlmService.LlmService,
    Effect.zipWith(link(first, "llama-3.3-70b-versatile"), link(second, "claude-sonnet-4-5"), Router.failover)
  )

/** GROQ_API_KEY and ANTHROPIC_API_KEY, one or several of each. */
export const Live = chain(Groq.layerConfig, Anthropic.layerConfig).pipe(Layer.provide(NodeHttpClient.layerUndici))
