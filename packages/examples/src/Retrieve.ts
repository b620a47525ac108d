/**
 * An answer from documents: find those that are near the question, put the best first, and answer from them.
 */
import { NodeHttpClient } from "@effect/platform-node"
import { LlmService, Prompt, Resilience, Router } from "@spillway/core"
import { Anthropic, OpenAi } from "@spillway/providers"
import { Array, Effect, Layer, Order } from "effect"

const model = { embed: "openai/text-embedding-3-small", rerank: "openai/rerank", answer: "claude/claude-sonnet-4-5" }

const cosine = (a: ReadonlyArray<number>, b: ReadonlyArray<number>) => {
  const dot = (x: ReadonlyArray<number>, y: ReadonlyArray<number>) => x.reduce((sum, n, i) => sum + n * (y[i] ?? 0), 0)
  return dot(a, b) / Math.sqrt(dot(a, a) * dot(b, b))
}

export const program = (question: string, documents: ReadonlyArray<string>) =>
  Effect.gen(function*() {
    const { vectors } = yield* LlmService.embed({ model: model.embed, input: [question, ...documents] })
    const [wanted = [], ...found] = vectors
    const byNearness = Order.mapInput(Order.reverse(Order.number), ([, vector]: [string, ReadonlyArray<number>]) =>
      cosine(wanted, vector))
    const near = Array.zip(documents, found).sort(byNearness).slice(0, 10).map(([document]) => document)
    const best = yield* LlmService.rerank({ model: model.rerank, query: question, documents: near, topN: 3 }).pipe(
      Effect.map(({ results }) => results.map(({ document }) => document)),
      // a backend that cannot rank leaves them as near as they are
      Effect.catchTag("Unsupported", () => Effect.succeed(near.slice(0, 3)))
    )
    const prompt = [Prompt.system(`Answer from these notes only:\n${best.join("\n")}`), Prompt.user(question)]
    return (yield* LlmService.generateText({ model: model.answer, prompt })).text
  })

/** OPENAI_API_KEY for the vectors, ANTHROPIC_API_KEY for the answer. */
export const Live = Router.layer({
  openai: OpenAi.layerConfig.pipe(Resilience.layer()),
  claude: Anthropic.layerConfig.pipe(Resilience.layer())
}).pipe(Layer.provide(NodeHttpClient.layerUndici))
