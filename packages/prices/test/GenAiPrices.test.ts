import { assert, describe, it } from "@effect/vitest"
import * as GenAi from "@pydantic/genai-prices"
import * as PriceBook from "@spillway/core/PriceBook"
import * as GenAiPrices from "@spillway/prices/GenAiPrices"
import { Effect, Either, FastCheck as fc, Layer, Option } from "effect"
import { readFileSync } from "node:fs"
import { createRequire } from "node:module"
import { dirname, join } from "node:path"

const now = Date.parse("2026-10-01T12:00:00Z")
const book = Effect.runSync(GenAiPrices.make())
const price = (backend: string, model: string, at = now) => Option.getOrUndefined(book.price(backend, model, at))
const cost = (backend: string, model: string, usage: Parameters<typeof PriceBook.cost>[1]) =>
  Either.getOrUndefined(PriceBook.cost(price(backend, model)!, usage))

describe("the prices of @pydantic/genai-prices", () => {
  it("give what is known of some calls (BG-11)", () => {
    assert.strictEqual(cost("openai", "gpt-4o", { inputTokens: 1000, cachedInputTokens: 200, outputTokens: 100 }), 3250)
    assert.strictEqual(cost("anthropic", "claude-sonnet-4-5", { inputTokens: 300_000, outputTokens: 1000 }), 1_822_500)
  })

  it("know the vendors' models by the names that our backends have for vendors", () => {
    for (
      const [backend, model] of [
        ["openai", "gpt-4o-mini"],
        ["openai", "text-embedding-3-small"],
        ["anthropic", "claude-sonnet-4-5-20250929"],
        ["groq", "llama-3.3-70b-versatile"],
        ["gemini", "gemini-2.5-flash"],
        ["mistral", "mistral-large-latest"],
        ["xai", "grok-3"],
        ["deepseek", "deepseek-chat"],
        ["together", "meta-llama/Llama-3.3-70B-Instruct-Turbo"],
        ["openrouter", "openai/gpt-4o"],
        ["cerebras", "gpt-oss-120b"],
        ["azure", "gpt-4o-2024-08-06"]
      ] as const
    ) assert.isDefined(price(backend, model), `${backend} ${model}`)
  })

  it("know none of models that nobody has heard of, nor of servers of one's own (BG-11)", () => {
    for (
      const [backend, model] of [
        ["openai", "gpt-made-up"],
        ["openai", ""],
        ["openai", `gpt-4o${"-".repeat(1_000_000)}`],
        ["ollama", "llama3.3"],
        ["vllm", "gpt-4o"],
        ["tgi", "gpt-4o"],
        ["my-openai", "gpt-4o"],
        ["constructor", "gpt-4o"],
        ["", "gpt-4o"]
      ] as const
    ) assert.isUndefined(price(backend, model), `${backend} ${model.slice(0, 20)}`)
  })

  it("take nothing for free but what is called so", () => {
    // that package has no price of these, and adds them up to nothing
    for (const [provider, model] of [["cerebras", "qwen-3-coder-480b"], ["openai", "omni-moderation-latest"], ["groq", "whisper-large-v3"]] as const) {
      assert.strictEqual(GenAi.calcPrice({ input_tokens: 1000 }, model, { providerId: provider })?.total_price, 0)
      assert.isUndefined(price(provider, model), model)
    }
    assert.deepStrictEqual(price("openrouter", "deepseek/deepseek-r1:free"), PriceBook.free)
  })

  it("hold at their time: by date, and by the hour of the day", async () => {
    const providers = (await GenAi.waitForUpdate())!
    let byHour = 0
    for (const { id, models } of providers) {
      for (const { id: model, prices } of models) {
        if (!Array.isArray(prices)) continue
        const at = (time: number) => Option.getOrUndefined(Effect.runSync(GenAiPrices.make()).price(id, model, time))
        const one = Effect.runSync(GenAiPrices.make())
        for (const { constraint } of prices) {
          if (constraint?.type === "start_date") {
            const start = Date.parse(`${constraint.start_date}T00:00:00Z`)
            // asked in turn, as it is in a program, the same book knows it too
            for (const time of [start - 1, start]) assert.deepStrictEqual(Option.getOrUndefined(one.price(id, model, time)), at(time))
          } else if (constraint !== undefined) {
            byHour++
            for (let hour = 0; hour < 24; hour++) {
              const time = now + hour * 3_600_000
              assert.deepStrictEqual(Option.getOrUndefined(one.price(id, model, time)), at(time), `${id} ${model} ${hour}`)
            }
          }
        }
      }
    }
    assert.isAbove(byHour, 0)
    assert.isUndefined(price("deepseek", "deepseek-v4-flash", Number.NaN))
  })

  it("come to what that package says they come to, model by model", async () => {
    const providers = (await GenAi.waitForUpdate())!
    const tokens = fc.nat(400_000)
    const usages = fc.sample(fc.tuple(tokens, tokens, tokens, tokens, tokens), { numRuns: 4, seed: 7 })
    let compared = 0
    for (const provider of providers) {
      for (const { id: model } of provider.models) {
        const known = Option.getOrUndefined(book.price(provider.id, model, now))
        if (known === undefined || known === PriceBook.free) continue
        for (const [plain, cached, written, said, thought] of usages) {
          const theirs = GenAi.calcPrice(
            {
              input_tokens: plain + cached + written,
              cache_read_tokens: cached,
              cache_write_tokens: written,
              output_tokens: said + thought,
              output_reasoning_tokens: thought
            },
            model,
            { providerId: provider.id, timestamp: new Date(now) }
          )!
          const ours = PriceBook.cost(known, {
            inputTokens: plain + cached + written,
            cachedInputTokens: cached,
            cacheWriteTokens: written,
            outputTokens: known.output === undefined ? 0 : said + thought,
            reasoningTokens: known.output === undefined ? 0 : thought
          })
          compared++
          const difference = Either.getOrThrow(ours) - theirs.total_price * 1_000_000
          // rounded up, and exact where theirs is a binary fraction
          assert.isTrue(difference > -1 && difference < 1.5, `${provider.id} ${model}: ${difference}`)
        }
      }
    }
    assert.isAbove(compared, 2000)
  })

  it("come after one's own, under the names that one gives", () => {
    const own = Effect.runSync(GenAiPrices.make({
      prices: [{ backend: "openai", model: "gpt-4o", price: { input: 1, output: 2 } }, { backend: "vllm", price: PriceBook.free }],
      providers: { "groq-eu": "groq", openrouter: "nobody" }
    }))
    assert.deepInclude(Option.getOrThrow(own.price("openai", "gpt-4o", now)), { input: 1, output: 2 })
    assert.isTrue(Option.isSome(own.price("openai", "gpt-4o-mini", now)))
    assert.deepInclude(Option.getOrThrow(own.price("vllm", "any", now)), PriceBook.free)
    assert.deepStrictEqual(own.price("groq-eu", "llama-3.3-70b-versatile", now), own.price("groq", "llama-3.3-70b-versatile", now))
    assert.isTrue(Option.isNone(own.price("openrouter", "openai/gpt-4o", now)))
    assert.isTrue(Option.isSome(own.price("gemini", "gemini-2.5-flash", now)))
  })

  it("are looked up for as many made-up models as one likes", () => {
    for (let n = 0; n < 3000; n++) assert.isUndefined(price("openai", `made-up-${n}`))
    assert.isDefined(price("openai", "gpt-4o"))
  })

  it.effect("are there for all that is made with their layer, and say what is wrong with one's own", () =>
    Effect.gen(function*() {
      const current = yield* Effect.provide(PriceBook.CurrentPriceBook, GenAiPrices.layer())
      assert.isTrue(Option.isSome(current.price("openai", "gpt-4o", now)))
      const error = yield* Effect.flip(Layer.build(GenAiPrices.layer({ prices: [{ price: { input: -1 } }] })))
      assert.strictEqual(error._tag, "InvalidOptions")
      assert.strictEqual(error.field, "prices.0.price.input")
    }).pipe(Effect.scoped))

  it("are read from the package alone: there is nothing in it that could ask the network", () => {
    const code = readFileSync(join(dirname(createRequire(import.meta.url).resolve("@pydantic/genai-prices")), "index.js"), "utf8")
    assert.notMatch(code, /\bfetch\b|XMLHttpRequest|WebSocket|\brequire\(|^\s*import\b|\bimport\(/m)
  })
})
