import { assert, describe, it } from "@effect/vitest"
import * as Batching from "@spillway/core/Batching"
import type * as Completion from "@spillway/core/Completion"
import type * as Embedding from "@spillway/core/Embedding"
import * as LlmError from "@spillway/core/LlmError"
import * as LlmService from "@spillway/core/LlmService"
import * as Monitor from "@spillway/core/Monitor"
import * as Policy from "@spillway/core/Policy"
import { Cause, Effect, Exit, FastCheck as fc, Fiber, Option } from "effect"
import * as Shares from "../src/internal/shares.js"
import * as VirtualClock from "./virtualClock.js"

const sum = (numbers: ReadonlyArray<number>) => numbers.reduce((sum, number) => sum + number, 0)

describe("shares", () => {
  const weights = fc.array(fc.oneof(fc.nat(20), fc.nat(1_000_000)), { minLength: 1, maxLength: 50, size: "max" })
  const whole = fc.oneof(fc.nat(100), fc.nat(), fc.maxSafeNat())

  it("are whole, add up, and are no more than one token off (P50)", () => {
    fc.assert(
      fc.property(whole, weights, (whole, weights) => {
        const parts = Shares.apportion(whole, weights)
        assert.strictEqual(parts.length, weights.length)
        assert.isTrue(parts.every((part) => Number.isSafeInteger(part) && part >= 0))
        assert.strictEqual(parts.reduce((sum, part) => sum + BigInt(part), 0n), BigInt(whole))
        const all = BigInt(sum(weights))
        if (all === 0n) return
        parts.forEach((part, nth) => {
          const off = BigInt(part) * all - BigInt(whole) * BigInt(weights[nth]!)
          assert.isTrue(off < all && off > -all)
        })
      }),
      { numRuns: 2000 }
    )
  })

  it("of what is among other tokens are among those of the same share (P50)", () => {
    // with few of one kind, a share of the whole and a share of the part are rounded apart
    const tokens = fc.oneof(fc.nat(3), fc.nat(100_000))
    const usage = fc.tuple(tokens, tokens, tokens, tokens, tokens).map((
      [uncached, cached, written, said, thought]
    ): Required<Completion.Usage> => ({
      inputTokens: uncached + cached + written,
      cachedInputTokens: cached,
      cacheWriteTokens: written,
      outputTokens: said + thought,
      reasoningTokens: thought
    }))
    fc.assert(
      fc.property(usage, weights, (usage, weights) => {
        const shares = Shares.shareOut(usage, weights) as ReadonlyArray<Required<Completion.Usage>>
        for (const field of Object.keys(usage) as ReadonlyArray<keyof Completion.Usage>) {
          assert.strictEqual(sum(shares.map((share) => share[field])), usage[field])
        }
        for (const { cacheWriteTokens, cachedInputTokens, inputTokens, outputTokens, reasoningTokens } of shares) {
          assert.isAtMost(cachedInputTokens + cacheWriteTokens, inputTokens)
          assert.isAtMost(reasoningTokens, outputTokens)
        }
      }),
      { numRuns: 1000 }
    )
  })
})

// -----------------------------------------------------------------------------
// random callers, before a backend that writes down what it is sent
// -----------------------------------------------------------------------------

const maxItems = 6
const maxTokens = 40
const maxDelay = 20

const step = fc.oneof(
  {
    weight: 10,
    arbitrary: fc.record({
      _tag: fc.constant("ask" as const),
      texts: fc.oneof({ weight: 4, arbitrary: fc.integer({ min: 1, max: 3 }) }, { weight: 1, arbitrary: fc.integer({ min: 4, max: 8 }) }),
      words: fc.integer({ min: 1, max: 6 }),
      kind: fc.nat(1),
      tenant: fc.nat(1),
      poisonous: fc.oneof({ weight: 9, arbitrary: fc.constant(false) }, { weight: 1, arbitrary: fc.constant(true) }),
      deadline: fc.option(fc.nat(100), { freq: 3 })
    })
  },
  { weight: 2, arbitrary: fc.record({ _tag: fc.constant("interrupt" as const), which: fc.nat() }) },
  { weight: 3, arbitrary: fc.record({ _tag: fc.constant("advance" as const), by: fc.nat(15) }) }
)
type Step = typeof step extends fc.Arbitrary<infer A> ? A : never

interface Caller {
  readonly id: string
  readonly ask: Extract<Step, { _tag: "ask" }>
  readonly at: number
  readonly fiber: Fiber.RuntimeFiber<Embedding.Embeddings, LlmError.LlmError>
  interruptedAt?: number
  endedAt?: number
}

/** One call to the backend; `ids` are those whose texts are in it. */
interface Sent {
  readonly at: number
  readonly request: Embedding.Request
  readonly tenant: string
  readonly ids: ReadonlyArray<string>
  outcome: "answered" | "refused" | "broken" | "given up"
  readonly used: number
}

const idOf = (text: string) => text.split(" ")[0]!
const vector = (text: string) => Array.from(text, (character) => character.charCodeAt(0))

const run = (steps: ReadonlyArray<Step>, latencies: ReadonlyArray<number>, clock: VirtualClock.VirtualClock) =>
  Effect.gen(function*() {
    const now = () => clock.unsafeCurrentTimeMillis()
    const sent: Array<Sent> = []
    const callers: Array<Caller> = []
    const monitor = Monitor.unsafeMake()
    const service = LlmService.make("test", {
      embed: (request) =>
        Effect.flatMap(Policy.CurrentTenant, (tenant) => {
          const used = 7 * request.input.length + sent.length % 5
          const call: Sent = { at: now(), request, tenant, ids: [...new Set(request.input.map(idOf))], outcome: "given up", used }
          const nth = sent.push(call) - 1
          return Effect.flatMap(Effect.sleep(latencies[nth % latencies.length]!), (): Effect.Effect<Embedding.Embeddings, LlmError.LlmError> => {
            if (request.input.some((text) => text.endsWith("poison"))) {
              call.outcome = "refused"
              return Effect.fail(new LlmError.InvalidRequest({ backend: "test", message: "no" }))
            }
            if (nth % 7 === 6) {
              call.outcome = "broken"
              return Effect.fail(new LlmError.ServerFault({ backend: "test", message: "broken" }))
            }
            call.outcome = "answered"
            return Effect.succeed({ model: request.model, vectors: request.input.map(vector), usage: { inputTokens: used } })
          })
        })
    })
    const batched = yield* Batching.make(service, { maxItems, maxTokens, maxDelay }).pipe(
      Effect.provideService(Monitor.CurrentMonitor, monitor)
    )
    const textsOf = (id: string, { poisonous, texts, words }: Caller["ask"]) =>
      Array.from({ length: texts }, (_, nth) => `${id} ${"word ".repeat(words)}${poisonous && nth === 0 ? "poison" : nth}`)

    for (const step of steps) {
      switch (step._tag) {
        case "ask": {
          const id = `#${callers.length}`
          const ask = batched.embed({ model: `model ${step.kind}`, input: textsOf(id, step) }).pipe(
            Policy.withTenant(`tenant ${step.tenant}`),
            (effect) => step.deadline === null ? effect : Policy.withDeadline(effect, step.deadline)
          )
          const caller: Caller = { id, ask: step, at: now(), fiber: yield* Effect.fork(ask) }
          caller.fiber.addObserver(() => {
            caller.endedAt = now()
          })
          callers.push(caller)
          break
        }
        case "interrupt": {
          const caller = callers[step.which % Math.max(callers.length, 1)]
          if (caller === undefined || caller.endedAt !== undefined) break
          caller.interruptedAt = now()
          yield* Fiber.interrupt(caller.fiber)
          break
        }
        case "advance":
          yield* clock.advance(step.by)
      }
      yield* clock.settle
    }
    yield* clock.advance(10_000)

    const sendings = (id: string) => sent.filter(({ ids }) => ids.includes(id))
    const roots = new Map<string, Array<Sent>>()
    for (const call of sent) {
      const first = call.ids.map((id) => sendings(id)[0]!)
      // all who travel together have begun together
      assert.strictEqual(new Set(first).size, 1)
      const root = first[0]!.ids.join()
      roots.set(root, [...roots.get(root) ?? [], call])
    }

    for (const call of sent) {
      const among = callers.filter(({ id }) => call.ids.includes(id))
      // P47: one kind, no more than a batch holds
      assert.strictEqual(new Set(among.map(({ ask }) => `model ${ask.kind} tenant ${ask.tenant}`)).size, 1)
      assert.strictEqual(call.request.model, `model ${among[0]!.ask.kind}`)
      assert.strictEqual(call.tenant, `tenant ${among[0]!.ask.tenant}`)
      if (among.length > 1) {
        assert.isAtMost(call.request.input.length, maxItems)
        // with the name and the number in it, a text is some tokens more than its words
        assert.isAtMost(sum(call.request.input.map((text) => text.split(" ").length)), maxTokens)
      }
      // whole requests, each once
      assert.deepStrictEqual(call.request.input, among.flatMap(({ ask, id }) => textsOf(id, ask)))
      // P50: the shares of an answer are the whole of it, where nobody has left
      if (call.outcome === "answered") {
        const shares = among.flatMap(({ fiber }) => answerOf(fiber)).map(({ usage }) => usage.inputTokens!)
        assert.isTrue(shares.every((share) => Number.isInteger(share) && share >= 0))
        if (shares.length === among.length) assert.strictEqual(sum(shares), call.used)
        else assert.isAtMost(sum(shares), call.used)
      }
    }
    // P49: how often a batch was sent with one, or with more, of its requests at fault
    for (const calls of roots.values()) {
      const root = callers.filter(({ id }) => calls[0]!.ids.includes(id))
      const poisonous = root.filter(({ ask }) => ask.poisonous).length
      const n = root.length
      const most = poisonous === 0 ? 1 : poisonous === 1 ? 2 * Math.ceil(Math.log2(n)) + 1 : 2 * n - 1
      assert.isAtMost(calls.length, most)
    }
    for (const caller of callers) {
      const { ask, at, endedAt, fiber, id, interruptedAt } = caller
      const deadline = ask.deadline === null ? Infinity : at + ask.deadline
      const calls = sendings(id)
      const exit = fiber.unsafePoll()
      assert.isNotNull(exit)
      assert.isAtMost(endedAt!, deadline)
      // P48; P11: nobody is sent who has left
      if (calls[0] !== undefined) {
        assert.isAtMost(calls[0].at, at + maxDelay)
        assert.isAtMost(calls[0].at, Math.min(deadline, interruptedAt ?? Infinity))
      } else assert.isAtMost(Math.min(deadline, interruptedAt ?? Infinity), at + maxDelay)
      // BT-22: again only after it was refused in company
      calls.forEach((call, nth) => nth < calls.length - 1 && assert.strictEqual(call.outcome, "refused"))
      const last = calls.at(-1)
      if (Exit.isSuccess(exit!)) {
        // P9
        assert.deepStrictEqual(exit.value.vectors, textsOf(id, ask).map(vector))
        assert.strictEqual(last?.outcome, "answered")
        continue
      }
      const error = Option.getOrUndefined(Cause.failureOption(exit!.cause))
      if (error === undefined) assert.isDefined(interruptedAt)
      else if (error._tag === "DeadlineExceeded") assert.isTrue(endedAt === deadline || ask.deadline === 0)
      else {
        // P49: an error is one's own, or everybody's
        assert.isTrue(error._tag === "InvalidRequest" ? ask.poisonous && last?.ids.length === 1 : last?.outcome === "broken")
      }
    }
    const { batches } = (yield* monitor.snapshot).backends[0]!
    assert.deepInclude(batches, { waiting: 0, sent: sent.length, items: sum(sent.map(({ request }) => request.input.length)) })
    return { callers: callers.length, joined: sent.filter(({ ids }) => ids.length > 1).length, parted: batches!.parted }
  })

const answerOf = (fiber: Caller["fiber"]) => {
  const exit = fiber.unsafePoll()
  return exit !== null && Exit.isSuccess(exit) ? [exit.value] : []
}

describe("Batching", () => {
  it("sends everybody once, in batches that are no larger and no later than they may be, and tells each his own (P9, P47, P48, P49, P50)", async () => {
    const seen = { callers: 0, joined: 0, parted: 0 }
    await fc.assert(
      fc.asyncProperty(
        fc.array(step, { minLength: 10, maxLength: 60, size: "max" }),
        fc.array(fc.nat(40), { minLength: 1, maxLength: 8 }),
        (steps, latencies) => {
          const clock = VirtualClock.make()
          return run(steps, latencies, clock).pipe(Effect.withClock(clock), Effect.scoped, Effect.runPromise).then((found) => {
            seen.callers += found.callers
            seen.joined += found.joined
            seen.parted += found.parted
          })
        }
      ),
      { numRuns: 80 }
    )
    // enough of everything has happened
    assert.isAbove(seen.joined, 150)
    assert.isAbove(seen.parted, 25)
  }, 60_000)

  it("finds one at fault among any number in 2⌈log₂ n⌉ + 1 calls (P49)", async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 2, max: 70 }), fc.nat(), (n, which) => {
        let calls = 0
        const service = LlmService.make("test", {
          embed: ({ input, model }) => {
            calls++
            return input.includes("poison")
              ? Effect.fail(new LlmError.InvalidRequest({ backend: "test", message: "no" }))
              : Effect.succeed({ model, vectors: input.map(vector), usage: {} })
          }
        })
        return Effect.gen(function*() {
          const { embed } = yield* Batching.make(service, { maxItems: n })
          const texts = Array.from({ length: n }, (_, nth) => nth === which % n ? "poison" : `text ${nth}`)
          const exits = yield* Effect.forEach(texts, (text) => Effect.exit(embed({ model: "m", input: [text] })), { concurrency: "unbounded" })
          assert.deepStrictEqual(exits.map(Exit.isFailure), texts.map((text) => text === "poison"))
          assert.isAtMost(calls, 2 * Math.ceil(Math.log2(n)) + 1)
        }).pipe(Effect.withClock(VirtualClock.make()), Effect.scoped, Effect.runPromise)
      }),
      { numRuns: 60 }
    )
  })
})
