/**
 * Spillway as a benchmark holds it: one backend on OpenAI's wire, its keys, and the policies around it, behind plain
 * promises.
 */
import * as LlmService from "@spillway/core/LlmService"
import * as Policy from "@spillway/core/Policy"
import * as Resilience from "@spillway/core/Resilience"
import * as UndiciClient from "@spillway/node/UndiciClient"
import * as OpenAi from "@spillway/providers/OpenAi"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as ManagedRuntime from "effect/ManagedRuntime"
import * as Redacted from "effect/Redacted"
import * as Stream from "effect/Stream"

/** @typedef {import("./harness.mjs").Contender} Contender */

/** Connections of its own, as many as are asked for. */
const client = UndiciClient.layer({ connections: 512 })

/**
 * `bare` is the backend alone; `resilient` has the standard policies around it, with room for every caller to wait.
 *
 * @param {{ baseURL: string, keys: ReadonlyArray<string>, profile?: "bare" | "resilient", model?: string, concurrency?: number, retries?: number, options?: Resilience.Options, pool?: object }} setup
 * @returns {Promise<Contender>}
 */
export const setup = async ({ baseURL, concurrency = 64, keys, model = "bench", options, pool, profile = "resilient", retries = 5 }) => {
  const [first, ...others] = keys.map((key) => Redacted.make(key))
  if (first === undefined) throw new Error("a contender needs a key")
  const backend = OpenAi.layer({ apiKeys: [first, ...others], baseUrl: baseURL, ...(pool !== undefined && { keys: pool }) })
  const layer = profile === "bare" ? backend : Resilience.layer({
    retry: { maxRetries: retries },
    queue: { concurrency, capacity: 1_000_000 },
    ...options
  })(backend)
  const runtime = ManagedRuntime.make(Layer.provide(layer, client))
  const service = await runtime.runPromise(LlmService.LlmService)
  const request = { model, prompt: "hello" }
  return {
    chat: ({ priority } = {}) => {
      const answer = Effect.map(service.generateText(request), ({ text }) => text)
      return runtime.runPromise(priority === undefined ? answer : Policy.withPriority(answer, priority))
    },
    stream: (onDelta) =>
      runtime.runPromise(Stream.runForEach(service.streamText(request), (part) =>
        Effect.sync(() => {
          if (part._tag === "TextDelta") onDelta(part.text)
        }))),
    embed: (texts) =>
      runtime.runPromise(Effect.map(service.embed({ model, input: texts }), ({ vectors }) => vectors)),
    close: () => runtime.dispose()
  }
}
