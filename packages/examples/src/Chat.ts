/**
 * A chat at the terminal: every answer is shown as it comes, and remembered.
 */
import { Terminal } from "@effect/platform"
import { NodeHttpClient, NodeTerminal } from "@effect/platform-node"
import { Completion, LlmService, Prompt, Resilience } from "@spillway/core"
import { Groq } from "@spillway/providers"
import { Effect, Layer, Stream } from "effect"

const model = "llama-3.3-70b-versatile"

/** Talks until an empty line; gives the whole conversation. */
export const program = Effect.gen(function*() {
  const terminal = yield* Terminal.Terminal
  let conversation: Prompt.Prompt = [Prompt.system("You are brief and friendly.")]
  while (true) {
    yield* terminal.display("\n> ")
    const line = yield* terminal.readLine
    if (line === "") return conversation
    const prompt = Prompt.append(conversation, line)
    const answer = yield* LlmService.streamText({ model, prompt }).pipe(
      Stream.tap((part) => part._tag === "TextDelta" ? terminal.display(part.text) : Effect.void),
      Completion.collect
    )
    conversation = Prompt.append(prompt, Prompt.assistant(answer.content))
  }
})

/** Groq with all keys of the environment (GROQ_API_KEY, GROQ_API_KEY_1 …): retries, queue and circuit breaker included. */
export const Live = Groq.layerConfig.pipe(
  Resilience.layer(),
  Layer.provide(NodeHttpClient.layerUndici),
  Layer.merge(NodeTerminal.layer)
)
