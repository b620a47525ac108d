import { assert, describe, it } from "@effect/vitest"
import * as Budget from "@spillway/core/Budget"
import * as LlmError from "@spillway/core/LlmError"
import * as Monitor from "@spillway/core/Monitor"
import * as Policy from "@spillway/core/Policy"
import * as PriceBook from "@spillway/core/PriceBook"
import * as Prompt from "@spillway/core/Prompt"
import * as Resilience from "@spillway/core/Resilience"
import * as Telemetry from "@spillway/core/Telemetry"
import * as Tokens from "@spillway/core/Tokens"
import * as ScriptedLlm from "@spillway/testing/ScriptedLlm"
import { Effect, Fiber, Metric, Stream, TestClock, Tracer } from "effect"

const request = { model: "gold", prompt: "how much is it?" }
const answer = (inputTokens: number, outputTokens: number): ScriptedLlm.Answer => ({
  content: [Prompt.text("well")],
  usage: { inputTokens, outputTokens }
})
const broken = new LlmError.ServerFault({ backend: "scripted", message: "broken" })

const prices = PriceBook.make([{ model: "gold*", price: { input: 1000, output: 2000 } }])

let backends = 0

/** A scripted service with telemetry around it, under a name of its own: metrics are one for the program. */
const make = (...script: ReadonlyArray<ScriptedLlm.Step | ScriptedLlm.Repeat>) =>
  Effect.gen(function*() {
    const name = `cost-${++backends}`
    const llm = yield* ScriptedLlm.named(name, ...script)
    const telemetry = yield* Telemetry.make(name)
    return {
      llm: Resilience.protect(llm, Policy.compose(telemetry.policy, telemetry.attempts)),
      spend: Effect.map(Monitor.snapshot, ({ backends }) => backends.find(({ backend }) => backend === name)!.spend),
      usd: series("llm_cost_usd_total", "backend", name)
    }
  })

const priced = <A, E, R>(effect: Effect.Effect<A, E, R>) =>
  Effect.provideServiceEffect(effect, PriceBook.CurrentPriceBook, prices)

/** The value of every series of a metric that has the label, by its other labels. */
const series = (metric: string, label: string, value: string) =>
  Effect.map(Metric.snapshot, (pairs) => {
    const found: Record<string, unknown> = {}
    for (const { metricKey, metricState } of pairs) {
      const labels = Object.fromEntries(metricKey.tags.map(({ key, value }) => [key, value]))
      if (metricKey.name !== metric || labels[label] !== value) continue
      const { [label]: _, ...others } = labels
      found[Object.values(others).join(" ")] = (metricState as { readonly count?: number; readonly value?: number }).count
        ?? (metricState as { readonly value?: number }).value
    }
    return found
  })

describe("the cost of calls", () => {
  it.scoped("is counted by model and tenant, where there are prices", () =>
    Effect.gen(function*() {
      const { llm, spend, usd } = yield* priced(make(answer(1, 1), answer(2, 0), answer(5, 5), broken, answer(1, 1)))
      yield* llm.generateText(request)
      yield* Policy.withTenant(llm.generateText({ ...request, model: "gold-2" }), "acme")
      yield* llm.generateText({ ...request, model: "lead" })
      yield* Effect.flip(Policy.withTenant(llm.generateText({ ...request, model: "gold-made-up" }), "made up"))
      yield* Policy.withTenant(llm.generateText(request), "acme")
      assert.deepStrictEqual(yield* spend, {
        microDollars: 8000,
        byModel: { gold: 6000, "gold-2": 2000 },
        byTenant: { "": 3000, acme: 5000 },
        unknown: 1
      })
      assert.deepStrictEqual(yield* usd, { gold: 0.006, "gold-2": 0.002 })
    }))

  it.scoped("is what has come of a stream that was left, and unknown of an answer that tells no count", () =>
    Effect.gen(function*() {
      const { llm, spend } = yield* priced(make([{ _tag: "TextDelta", text: "well well" }, Effect.never], "well"))
      const fiber = yield* Effect.fork(Stream.runDrain(llm.streamText(request)))
      yield* TestClock.adjust(0)
      yield* Fiber.interrupt(fiber)
      const microDollars = 1000 * Tokens.estimate(request).input + 2000 * Tokens.ofText("well well")
      assert.deepInclude(yield* spend, { microDollars, unknown: 0 })
      yield* llm.generateText({ ...request, maxTokens: 5 })
      assert.deepInclude(yield* spend, { microDollars, unknown: 1 })
    }))

  it.scoped("is not there where nobody knows a price", () =>
    Effect.gen(function*() {
      const { llm, spend, usd } = yield* make(answer(1, 1))
      yield* llm.generateText(request)
      assert.isUndefined(yield* spend)
      assert.deepStrictEqual(yield* usd, {})
    }))

  it.scoped("has a count for a hundred models and tenants, and one for all others", () =>
    Effect.gen(function*() {
      const { llm, spend } = yield* priced(make(ScriptedLlm.repeat(answer(1, 0))))
      const call = (name: string) => Policy.withTenant(llm.generateText({ ...request, model: `gold-${name}` }), name)
      yield* call("__proto__")
      for (let n = 0; n < 120; n++) yield* call(String(n))
      const { byModel, byTenant } = (yield* spend)!
      assert.lengthOf(Object.keys(byModel), 101)
      assert.lengthOf(Object.keys(byTenant), 101)
      assert.deepInclude(byTenant, { other: 21_000 })
      assert.strictEqual(Object.getOwnPropertyDescriptor(byTenant, "__proto__")?.value, 1000)
    }))

  it.scoped("stands on the span of its call, in dollars", () =>
    Effect.gen(function*() {
      const { llm } = yield* priced(make(answer(1, 1), { content: [], usage: {} }))
      const spans: Array<ReadonlyMap<string, unknown>> = []
      const tracer = Tracer.make({
        span: (name, parent, context, links, startTime, kind) => {
          const attributes = new Map<string, unknown>()
          spans.push(attributes)
          return {
            _tag: "Span",
            spanId: String(spans.length),
            traceId: "1",
            name,
            parent,
            context,
            links,
            status: { _tag: "Started", startTime },
            attributes,
            sampled: true,
            kind,
            attribute: (key, value) => void attributes.set(key, value),
            event: () => {},
            addLinks: () => {},
            end: () => {}
          }
        },
        context: (execution) => execution()
      })
      yield* Effect.withTracer(llm.generateText(request), tracer)
      yield* Effect.withTracer(llm.generateText(request), tracer)
      assert.deepStrictEqual(
        spans.map((attributes) => [attributes.has("spillway.attempt"), attributes.get("spillway.cost_usd")]),
        [[false, 0.003], [true, undefined], [false, undefined], [true, undefined]]
      )
    }))

  it.scoped("and budgets are published as metrics", () =>
    Effect.gen(function*() {
      const { budget, llm } = yield* priced(Effect.gen(function*() {
        const budget = yield* Budget.make({ limits: [{ name: "published", of: "tenant", dollars: 0.05 }] })
        const { llm } = yield* make(ScriptedLlm.repeat(answer(1, 1)))
        return { budget, llm: Resilience.protect(llm, budget.policy) }
      }))
      const backend = llm.backend
      const ann = { ...request, maxTokens: 1 }
      yield* Policy.withTenant(llm.generateText(ann), "ann")
      yield* Policy.withTenant(llm.generateText(ann), "bob")
      yield* Policy.withTenant(llm.generateText(ann), "bob")
      yield* Effect.flip(Policy.withTenant(llm.generateText({ ...ann, maxTokens: 100 }), "ann"))
      assert.lengthOf(yield* budget.accounts, 2)
      yield* Telemetry.publish
      assert.deepStrictEqual(yield* series("llm_tenant_cost_usd_total", "backend", backend), { ann: 0.003, bob: 0.006 })
      assert.deepStrictEqual(yield* series("llm_budget_limit_usd", "limit", "published"), { "": 0.05 })
      assert.deepStrictEqual(yield* series("llm_budget_spent_usd", "limit", "published"), { "": 0.006 })
      assert.deepStrictEqual(yield* series("llm_budget_reserved_usd", "limit", "published"), { "": 0 })
      assert.deepStrictEqual(yield* series("llm_budget_refused_total", "limit", "published"), { "": 1 })
    }))
})
