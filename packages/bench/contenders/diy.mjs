/** What many build for themselves: OpenAI's client inside cockatiel's retry, breaker and timeout, behind a p-queue. */
import { circuitBreaker, ConsecutiveBreaker, ExponentialBackoff, handleAll, retry, timeout, TimeoutStrategy, wrap } from "cockatiel"
import OpenAI from "openai"
import PQueue from "p-queue"

/** @param {import("../harness.mjs").Setup} setup */
export const setup = async ({ baseURL, concurrency = 64, keys, model = "bench", retries = 5 }) => {
  const client = new OpenAI({ baseURL, apiKey: keys[0], maxRetries: 0 })
  const queue = new PQueue({ concurrency })
  const policy = wrap(
    retry(handleAll, { maxAttempts: retries, backoff: new ExponentialBackoff({ initialDelay: 1000, maxDelay: 16_000 }) }),
    circuitBreaker(handleAll, { halfOpenAfter: 30_000, breaker: new ConsecutiveBreaker(5) }),
    timeout(60_000, TimeoutStrategy.Aggressive)
  )
  const messages = [{ role: /** @type {const} */ ("user"), content: "hello" }]
  const guarded = (/** @type {(signal: AbortSignal) => Promise<any>} */ call) => queue.add(() => policy.execute(({ signal }) => call(signal)))
  return {
    chat: async (/** @type {{ priority?: "high" | "low" } | undefined} */ { priority } = {}) => {
      const levels = { high: 1, low: -1 }
      const call = () => policy.execute(({ signal }) => client.chat.completions.create({ model, messages }, { signal }))
      const answer = await queue.add(call, { priority: priority === undefined ? 0 : levels[priority] })
      return answer?.choices[0]?.message.content ?? ""
    },
    stream: async (/** @type {(delta: string) => void} */ onDelta) => {
      await guarded(async (signal) => {
        for await (const chunk of await client.chat.completions.create({ model, messages, stream: true }, { signal })) {
          const delta = chunk.choices[0]?.delta.content
          if (delta) onDelta(delta)
        }
      })
    },
    embed: async (/** @type {ReadonlyArray<string>} */ input) =>
      guarded(async (signal) =>
        (await client.embeddings.create({ model, input: [...input], encoding_format: "float" }, { signal })).data.map(({ embedding }) => embedding)),
    close: async () => {}
  }
}
