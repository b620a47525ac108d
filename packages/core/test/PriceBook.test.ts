import { assert, describe, it } from "@effect/vitest"
import type * as Completion from "@spillway/core/Completion"
import * as PriceBook from "@spillway/core/PriceBook"
import { Effect, Either, FastCheck as fc, Option } from "effect"

const gpt4o: PriceBook.Price = { input: 2.5, cachedInput: 1.25, output: 10 }
const right = (price: PriceBook.Price, usage: Completion.Usage) => Either.getOrThrow(PriceBook.cost(price, usage))
const left = (price: PriceBook.Price, usage: Completion.Usage) => Either.getOrThrow(Either.flip(PriceBook.cost(price, usage)))

describe("the cost of a call", () => {
  it("is what the list says, in whole micro-dollars: 1000 in, 200 of them cached, 100 out (BG-11)", () => {
    assert.strictEqual(right(gpt4o, { inputTokens: 1000, cachedInputTokens: 200, outputTokens: 100 }), 3250)
  })

  it("goes by the length of the prompt where the price does, for every token (BG-11)", () => {
    const tiers = (base: number, rate: number) => ({ base, above: [{ tokens: 200_000, rate }] })
    const sonnet: PriceBook.Price = { input: tiers(3, 6), output: tiers(15, 22.5) }
    assert.strictEqual(right(sonnet, { inputTokens: 300_000, outputTokens: 1000 }), 1_822_500)
    assert.strictEqual(right(sonnet, { inputTokens: 200_000, outputTokens: 1000 }), 615_000)
    assert.strictEqual(left(sonnet, { outputTokens: 1000 }), "UsageUnknown")
  })

  it("takes what is not priced apart as its kind: cached and written as input, reasoning as output", () => {
    const usage = { inputTokens: 100, cachedInputTokens: 20, cacheWriteTokens: 30, outputTokens: 50, reasoningTokens: 40 }
    assert.strictEqual(right({ input: 2, output: 4 }, usage), 400)
    assert.strictEqual(right({ input: 2, output: 4, cachedInput: 1, cacheWrite: 3, reasoning: 5 }, usage), 20 + 90 + 100 + 200 + 40)
    assert.strictEqual(right({ input: 2, output: 4, perRequest: 0.005 }, usage), 5400)
  })

  it("is rounded up once, and exact before", () => {
    assert.strictEqual(right({ input: 0.07 }, { inputTokens: 1 }), 1)
    assert.strictEqual(right({ input: 0.07 }, { inputTokens: 100 }), 7)
    assert.strictEqual(right({ input: 0.1, output: 0.2 }, { inputTokens: 1, outputTokens: 1 }), 1)
    assert.strictEqual(right({ input: 0.1, output: 0.2 }, { inputTokens: 3, outputTokens: 6 }), 2)
    assert.strictEqual(right({ input: 0.000_000_01 }, { inputTokens: 1 }), 1)
  })

  it("refuses what cannot be: less than none, parts of tokens, more cached than there were (BG-11)", () => {
    for (
      const usage of [
        { inputTokens: -1, outputTokens: 1 },
        { inputTokens: 1, outputTokens: -1 },
        { inputTokens: 1.5, outputTokens: 1 },
        { inputTokens: Number.NaN, outputTokens: 1 },
        { inputTokens: 10, cachedInputTokens: 11, outputTokens: 1 },
        { inputTokens: 10, cachedInputTokens: 6, cacheWriteTokens: 5, outputTokens: 1 },
        { inputTokens: 1, outputTokens: 10, reasoningTokens: 11 },
        { inputTokens: 1, outputTokens: 1, cachedInputTokens: -1 }
      ]
    ) {
      assert.strictEqual(left(gpt4o, usage), "UsageInvalid", JSON.stringify(usage))
    }
  })

  it("is unknown, never zero, where tokens have no price or nobody counted them", () => {
    assert.strictEqual(left(gpt4o, {}), "UsageUnknown")
    assert.strictEqual(left(gpt4o, { inputTokens: 1 }), "UsageUnknown")
    assert.strictEqual(left(gpt4o, { outputTokens: 1 }), "UsageUnknown")
    assert.strictEqual(left({ input: 1 }, { inputTokens: 1, outputTokens: 1 }), "PriceUnknown")
    assert.strictEqual(right({ input: 1 }, { inputTokens: 1 }), 1)
    assert.strictEqual(right(PriceBook.free, {}), 0)
  })
})

describe("P54, the cost of a call", () => {
  const rate = fc.oneof(fc.constant(0), fc.double({ min: 0.001, max: 200, noNaN: true }))
  const rising = fc.tuple(rate, rate, fc.integer({ min: 1, max: 5000 })).map(([a, b, tokens]): PriceBook.Rate => ({
    base: Math.min(a, b),
    above: [{ tokens, rate: Math.max(a, b) }]
  }))
  const anyRate = fc.oneof(rate, rising)
  const price: fc.Arbitrary<PriceBook.Price> = fc.record(
    { input: anyRate, output: anyRate, cachedInput: anyRate, cacheWrite: anyRate, reasoning: anyRate, perRequest: fc.double({ min: 0, max: 1, noNaN: true }) },
    { requiredKeys: ["input", "output"] }
  )
  const kinds = ["plain", "cached", "written", "said", "thought"] as const
  const count = fc.nat(10_000)
  const counts = fc.record({ plain: count, cached: count, written: count, said: count, thought: count })
  const toUsage = ({ cached, plain, said, thought, written }: { readonly [K in typeof kinds[number]]: number }): Completion.Usage => ({
    inputTokens: plain + cached + written,
    cachedInputTokens: cached,
    cacheWriteTokens: written,
    outputTokens: said + thought,
    reasoningTokens: thought
  })

  it("is a whole number that grows with tokens of every kind", () => {
    fc.assert(
      fc.property(price, counts, fc.constantFrom(...kinds), count, (price, counts, kind, more) => {
        const less = right(price, toUsage(counts))
        assert.isTrue(Number.isSafeInteger(less) && less >= 0)
        assert.isAtLeast(right(price, toUsage({ ...counts, [kind]: counts[kind] + more })), less)
      }),
      { numRuns: 2000 }
    )
  })

  it("is zero only where every rate that counts is", () => {
    fc.assert(
      fc.property(price, counts, (price, counts) => {
        const isFree = (rate: PriceBook.Rate | undefined) =>
          rate === 0 || typeof rate === "object" && rate.base === 0 && rate.above.every(({ rate }) => rate === 0)
        if (counts.plain > 0 && typeof price.input === "number" && !isFree(price.input)) {
          assert.isAbove(right(price, toUsage(counts)), 0)
        }
        if (counts.said > 0 && typeof price.output === "number" && !isFree(price.output)) {
          assert.isAbove(right(price, toUsage(counts)), 0)
        }
      }),
      { numRuns: 1000 }
    )
  })

  it("is never less than its parts together would be without rounding, and less than one micro-dollar more", () => {
    const exact = (price: PriceBook.Price, usage: Completion.Usage) => right(price, usage)
    const flat = fc.record({ input: fc.integer({ min: 0, max: 100_000 }), output: fc.integer({ min: 0, max: 100_000 }) })
    fc.assert(
      fc.property(flat, count, count, (thousandths, inputTokens, outputTokens) => {
        const cost = exact(
          { input: thousandths.input / 1000, output: thousandths.output / 1000 },
          { inputTokens, outputTokens }
        )
        const thousandfold = thousandths.input * inputTokens + thousandths.output * outputTokens
        assert.isAtLeast(cost * 1000, thousandfold)
        assert.isBelow(cost * 1000, thousandfold + 1000)
      }),
      { numRuns: 1000 }
    )
  })
})

describe("a price book", () => {
  const price = (book: PriceBook.PriceBook, backend: string, model: string) =>
    Option.getOrUndefined(book.price(backend, model, 0))?.input

  it.effect("gives the first price that fits backend and model, and none where none does", () =>
    Effect.gen(function*() {
      const book = yield* PriceBook.make([
        { backend: "openai", model: "gpt-4o", price: { input: 1 } },
        { backend: "openai", model: "gpt-*-mini*", price: { input: 2 } },
        { backend: "openai", model: "*", price: { input: 3 } },
        { model: "llama*", price: { input: 4 } },
        { backend: "ollama*", price: PriceBook.free }
      ])
      assert.strictEqual(price(book, "openai", "gpt-4o"), 1)
      assert.strictEqual(price(book, "openai", "gpt-4o-mini-2024"), 2)
      assert.strictEqual(price(book, "openai", "gpt-4o-2024"), 3)
      assert.strictEqual(price(book, "groq", "llama-3.3"), 4)
      assert.strictEqual(price(book, "groq", "LLAMA"), undefined)
      assert.strictEqual(price(book, "ollama-2", "qwen"), 0)
      assert.strictEqual(price(book, "vllm", "qwen"), undefined)
    }))

  it.effect("asks the other what it does not know itself", () =>
    Effect.gen(function*() {
      const own = yield* PriceBook.make([{ backend: "a", price: { input: 1 } }])
      const other = yield* PriceBook.make([{ price: { input: 2 } }])
      assert.strictEqual(price(PriceBook.orElse(own, other), "a", "m"), 1)
      assert.strictEqual(price(PriceBook.orElse(own, other), "b", "m"), 2)
      assert.strictEqual(price(PriceBook.orElse(own, PriceBook.empty), "b", "m"), undefined)
    }))

  it("knows nothing unless one is provided, servers of one's own included", () => {
    const { book } = Effect.runSync(Effect.map(PriceBook.CurrentPriceBook, (book) => ({ book })))
    for (const backend of ["openai", "ollama", "vllm", "tgi", "llamacpp"]) {
      assert.isTrue(Option.isNone(book.price(backend, "any", 0)))
    }
  })

  it("names what is wrong with a price", () => {
    const message = (entry: unknown): string =>
      // what a program without types may hand over
      Effect.runSync(Effect.flip(PriceBook.make([entry as PriceBook.Entry]))).message
    const between = "must be dollars for a million tokens, from 0 to 1000000, or tiers of them with the shortest prompts first"
    assert.include(message({ price: { input: -1 } }), `PriceBook.prices.0.price.input`)
    assert.include(message({ price: { input: -1 } }), between)
    assert.include(message({ price: { input: 1, output: Number.NaN } }), "PriceBook.prices.0.price.output")
    assert.include(message({ price: { input: 1, outptu: 1 } }), "outptu")
    assert.include(message({ backend: " ", price: { input: 1 } }), "PriceBook.prices.0.backend")
    assert.include(message({ price: {} }), "PriceBook.prices.0.price.input")
    assert.include(message({ price: { input: { base: 1, above: [{ tokens: 9, rate: 2 }, { tokens: 8, rate: 3 }] } } }), between)
  })
})

describe("a name by pattern", () => {
  it("is found in one pass, whatever the name is", () => {
    const book = Effect.runSync(PriceBook.make([{ model: "*a*a*a*a*a*a*b", price: PriceBook.free }]))
    assert.isTrue(Option.isNone(book.price("x", "a".repeat(200_000), 0)))
    assert.isTrue(Option.isSome(book.price("x", `${"a".repeat(6)}b`, 0)))
    assert.isTrue(Option.isNone(book.price("x", "aaaaab", 0)))
  })
})
