/** A gateway before several backends, all of them the simulator, with what an operator sees of it. */
import * as HttpClient from "@effect/platform/HttpClient"
import * as Budget from "@spillway/core/Budget"
import * as CircuitBreaker from "@spillway/core/CircuitBreaker"
import * as KeyPool from "@spillway/core/KeyPool"
import * as Monitor from "@spillway/core/Monitor"
import * as PriceBook from "@spillway/core/PriceBook"
import * as RequestQueue from "@spillway/core/RequestQueue"
import * as Resilience from "@spillway/core/Resilience"
import * as Router from "@spillway/core/Router"
import type * as Gateway from "@spillway/gateway/Gateway"
import * as Anthropic from "@spillway/providers/Anthropic"
import * as Groq from "@spillway/providers/Groq"
import * as Ollama from "@spillway/providers/Ollama"
import * as OpenAi from "@spillway/providers/OpenAi"
import * as Simulator from "@spillway/testing/Simulator"
import { Effect, Layer, Redacted } from "effect"
import { served } from "./served.js"

/** The keys of the backends, which nobody may see. */
export const secrets = ["sk-secret-one", "sk-secret-two", "sk-secret-three"] as const

const keys = [
  { name: "team-a", key: Redacted.make(secrets[0]) },
  { name: "team-b", key: Redacted.make(secrets[1]) },
  { name: "spare", key: Redacted.make(secrets[2]) }
] as const

const prices: ReadonlyArray<PriceBook.Entry> = [
  { backend: "openai", price: { input: 0.15, output: 0.6 } },
  { backend: "anthropic", price: { input: 3, output: 15 } },
  { backend: "groq", price: { input: 0.59, output: 0.79 } },
  { backend: "ollama", price: PriceBook.free }
]

export const operated = (simulated: Simulator.Options = {}, options: Gateway.Options = {}) =>
  Effect.gen(function*() {
    const simulator = yield* Simulator.make({ keys: secrets, ...simulated })
    const budget = yield* Budget.make({ limits: [{ name: "a day", of: "tenant", dollars: 1, per: "day" }] })
    const policies = Resilience.layer({ retry: { initialDelay: "200 millis" }, queue: { concurrency: 8 }, budget })
    const llm = Router.layer({
      openai: OpenAi.layer({ apiKeys: keys, baseUrl: "http://simulator/openai/v1" }).pipe(policies),
      anthropic: Anthropic.layer({ apiKeys: keys, baseUrl: "http://simulator/anthropic" }).pipe(policies),
      groq: Groq.layer({ apiKeys: keys, baseUrl: "http://simulator/groq" }).pipe(policies),
      ollama: Ollama.layer({ baseUrl: "http://simulator/ollama" }).pipe(policies)
    }).pipe(Layer.provide(Layer.succeed(HttpClient.HttpClient, simulator.client)))
    const { gateway, origin } = yield* served(llm, { version: "0.1.0", ...options })
    return { simulator, gateway, origin }
  }).pipe(
    Effect.provideServiceEffect(PriceBook.CurrentPriceBook, PriceBook.make(prices)),
    Effect.provideService(Monitor.CurrentMonitor, Monitor.unsafeMake()),
    Effect.provideService(RequestQueue.CurrentQueues, new Set()),
    Effect.provideService(CircuitBreaker.CurrentBreakers, new Set()),
    Effect.provideService(KeyPool.CurrentPools, new Set())
  )

export const models = [
  "openai/gpt-4o-mini",
  "anthropic/claude-sonnet-4-5",
  "groq/llama-3.3-70b-versatile",
  "ollama/llama3.2"
] as const

const tenants = ["search", "support", "batch"]

/** One call of a client; what becomes of it is the operator's to see. */
export const call = async (origin: string, nth: number, headers: Record<string, string> = {}): Promise<number> => {
  const response = await fetch(`${origin}/v1/chat/completions`, {
    method: "POST",
    headers: { "content-type": "application/json", "x-spillway-tenant": tenants[nth % 3]!, ...headers },
    body: JSON.stringify({
      model: models[nth % models.length],
      stream: nth % 3 === 0,
      messages: [{ role: "user", content: "a prompt that no operator may see" }]
    })
  })
  await response.text()
  return response.status
}
