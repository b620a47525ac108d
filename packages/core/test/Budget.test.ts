// BG-14 (tenant, team, key): what a key may spend its pool keeps; a call that finds no key fails, and its reservations go
// back with it.
// BG-05 (two processes share one limit): a budget knows what its own process spends. Within it, everybody reads the one
// ledger at the moment of admission: "is shared by all backends that were given it".
import { assert, describe, it } from "@effect/vitest"
import * as Budget from "@spillway/core/Budget"
import type * as Completion from "@spillway/core/Completion"
import * as LlmError from "@spillway/core/LlmError"
import * as LlmService from "@spillway/core/LlmService"
import * as Monitor from "@spillway/core/Monitor"
import * as Policy from "@spillway/core/Policy"
import * as PriceBook from "@spillway/core/PriceBook"
import * as Prompt from "@spillway/core/Prompt"
import * as Resilience from "@spillway/core/Resilience"
import * as Router from "@spillway/core/Router"
import * as Tokens from "@spillway/core/Tokens"
import * as ScriptedLlm from "@spillway/testing/ScriptedLlm"
import { Context, Duration, Effect, Either, Fiber, Layer, Logger, Option, Stream, TestClock } from "effect"
import * as Ledger from "../src/internal/ledger.js"

const prices: ReadonlyArray<PriceBook.Entry> = [
  // a dollar for each request, whatever is said
  { model: "dollar", price: { input: 0, output: 0, perRequest: 1 } },
  { model: "cent", price: { input: 0, output: 0, perRequest: 0.01 } },
  // a micro-dollar for each token
  { model: "token", price: { input: 1, output: 1 } },
  { model: "token-2026", price: { input: 2, output: 2 } },
  { model: "free", price: PriceBook.free }
]

const priced = <A, E, R>(effect: Effect.Effect<A, E, R>) =>
  Effect.provideServiceEffect(effect, PriceBook.CurrentPriceBook, PriceBook.make(prices))

const said = (usage: Completion.Usage): ScriptedLlm.Answer => ({ content: [Prompt.text("well")], usage })
const some = said({ inputTokens: 1, outputTokens: 1 })
const text = (text: string): Completion.Part => ({ _tag: "TextDelta", text })
const ask = (model: string, maxTokens?: number): Completion.Request => ({
  model,
  prompt: "how much is it?",
  ...(maxTokens !== undefined && { maxTokens })
})
const asked = Tokens.estimate(ask("any")).input

/** A budget, and a service that plays a script within it. */
const make = (options: Budget.Options, ...script: ReadonlyArray<ScriptedLlm.Step | ScriptedLlm.Repeat>) =>
  Effect.gen(function*() {
    const budget = yield* priced(Budget.make(options))
    const llm = yield* ScriptedLlm.make(...script.length === 0 ? [ScriptedLlm.repeat(some)] : script)
    return { budget, scripted: llm, llm: Resilience.protect(llm, budget.policy) }
  })

const spent = (budget: Budget.Budget, account = "all") =>
  Effect.map(budget.accounts, (accounts) => {
    const found = accounts.filter((one) => one.account === account)
    return [found[0]?.spentMicroDollars ?? 0, found[0]?.reservedMicroDollars ?? 0] as const
  })

const refusal = <A, R>(effect: Effect.Effect<A, LlmError.LlmError, R>) =>
  Effect.map(Effect.either(effect), (result) =>
    Either.isLeft(result) && result.left._tag === "BudgetExceeded" ? result.left : undefined)

const isAdmitted = <A, R>(effect: Effect.Effect<A, LlmError.LlmError, R>) =>
  Effect.map(refusal(effect), (error) => error === undefined)

describe("Budget", () => {
  describe("room", () => {
    it.scoped("is not spent twice by calls of the same moment (BG-01)", () =>
      Effect.gen(function*() {
        const { budget, llm, scripted } = yield* make({ limits: [{ dollars: 10 }] }, ScriptedLlm.repeat(Effect.delay(Effect.succeed(some), 100)))
        const nine = yield* Effect.fork(Effect.repeatN(llm.generateText(ask("dollar")), 8))
        yield* TestClock.adjust("1 second")
        yield* Fiber.join(nine)
        assert.deepStrictEqual(yield* spent(budget), [9_000_000, 0])

        const two = yield* Effect.fork(Effect.all([1, 2].map(() => isAdmitted(llm.generateText(ask("dollar")))), { concurrency: 2 }))
        yield* TestClock.adjust(0)
        assert.deepStrictEqual(yield* spent(budget), [9_000_000, 1_000_000])
        yield* TestClock.adjust("1 second")
        assert.sameMembers(yield* Fiber.join(two), [true, false])
        assert.deepStrictEqual(yield* spent(budget), [10_000_000, 0])
        assert.lengthOf(yield* scripted.requests, 10)
      }))

    it.scoped("is counted to the cent by a thousand calls that end together (BG-02)", () =>
      Effect.gen(function*() {
        const { budget, llm } = yield* make({ limits: [{ dollars: 10 }] }, ScriptedLlm.repeat(Effect.delay(Effect.succeed(some), 100)))
        const thousand = yield* Effect.fork(
          Effect.all(Array.from({ length: 1000 }, () => llm.generateText(ask("cent"))), { concurrency: "unbounded", discard: true })
        )
        yield* TestClock.adjust("1 second")
        yield* Fiber.join(thousand)
        assert.deepStrictEqual(yield* spent(budget), [10_000_000, 0])
        assert.isFalse(yield* isAdmitted(llm.generateText(ask("cent"))))
      }))

    it.scoped("is there again when a call has failed, or is interrupted before anything came (BG-04, BG-08)", () =>
      Effect.gen(function*() {
        const broken = new LlmError.ServerFault({ backend: "scripted", message: "broken" })
        const { budget, llm } = yield* make({ limits: [{ dollars: 1 }] }, broken, Effect.never, [Effect.never], some)
        yield* Effect.flip(llm.generateText(ask("dollar")))
        assert.deepStrictEqual(yield* spent(budget), [0, 0])

        for (const call of [llm.generateText(ask("dollar")), Stream.runDrain(llm.streamText(ask("dollar")))]) {
          const fiber = yield* Effect.fork(call)
          yield* TestClock.adjust("1 minute")
          assert.deepStrictEqual(yield* spent(budget), [0, 1_000_000])
          yield* Fiber.interrupt(fiber)
          assert.deepStrictEqual(yield* spent(budget), [0, 0])
        }

        yield* llm.generateText(ask("dollar"))
        assert.deepStrictEqual(yield* spent(budget), [1_000_000, 0])
      }))

    it.scoped("is there again after its time when nobody has settled, and what it then costs is counted still (BG-04)", () =>
      Effect.gen(function*() {
        const { budget, llm } = yield* make(
          { limits: [{ dollars: 1.5 }], reservedFor: "10 seconds" },
          Effect.delay(Effect.succeed(some), "1 minute"),
          some
        )
        const slow = yield* Effect.fork(llm.generateText(ask("dollar")))
        yield* TestClock.adjust("9999 millis")
        assert.isFalse(yield* isAdmitted(llm.generateText(ask("dollar"))))
        yield* TestClock.adjust("1 millis")
        assert.deepStrictEqual(yield* spent(budget), [0, 0])
        yield* llm.generateText(ask("dollar"))
        yield* TestClock.adjust("1 minute")
        yield* Fiber.join(slow)
        assert.deepStrictEqual(yield* spent(budget), [2_000_000, 0])
      }))

    it.scoped("is kept until the deadline of its call, should that be later", () =>
      Effect.gen(function*() {
        const { budget, llm } = yield* make({ limits: [{ dollars: 1 }], reservedFor: "10 seconds" }, Effect.never)
        yield* Effect.fork(Policy.withDeadline(llm.generateText(ask("dollar")), "1 minute"))
        yield* TestClock.adjust("59 seconds")
        assert.deepStrictEqual(yield* spent(budget), [0, 1_000_000])
        yield* TestClock.adjust("1 seconds")
        assert.deepStrictEqual(yield* spent(budget), [0, 0])
      }))

    it.scoped("may be passed by what calls cost beyond their estimate, and the next call sees it (BG-07)", () =>
      Effect.gen(function*() {
        const { budget, llm } = yield* make(
          { limits: [{ dollars: 0.001 }], assumedOutput: 100 },
          ScriptedLlm.repeat(said({ inputTokens: 10, outputTokens: 2000 }))
        )
        yield* llm.generateText(ask("token"))
        assert.deepStrictEqual(yield* spent(budget), [2010, 0])
        assert.isFalse(yield* isAdmitted(llm.generateText(ask("token"))))
      }))

    it.scoped("is reserved for what was asked and the most that may be generated", () =>
      Effect.gen(function*() {
        const { budget, llm } = yield* make({ limits: [{ dollars: 1 }], assumedOutput: 100 }, ScriptedLlm.repeat(Effect.never))
        yield* Effect.fork(llm.generateText(ask("token")))
        yield* TestClock.adjust(0)
        assert.deepStrictEqual(yield* spent(budget), [0, asked + 100])
        yield* Effect.fork(llm.generateText(ask("token", 7)))
        yield* TestClock.adjust(0)
        assert.deepStrictEqual(yield* spent(budget), [0, asked + 100 + asked + 7])
        yield* Effect.fork(llm.embed({ model: "token", input: ["how much is it?"] }))
        yield* TestClock.adjust(0)
        assert.deepStrictEqual(yield* spent(budget), [0, asked + 100 + asked + 7 + Tokens.ofText("how much is it?")])
      }))

    it.scoped("is needed by nothing that is free", () =>
      Effect.gen(function*() {
        const { llm } = yield* make({ limits: [{ dollars: 0 }] })
        assert.isFalse(yield* isAdmitted(llm.generateText(ask("cent"))))
        assert.isTrue(yield* isAdmitted(llm.generateText(ask("free"))))
        assert.isTrue(yield* isAdmitted(llm.health))
      }))
  })

  describe("what an answer costs", () => {
    it.scoped("goes by its usage, at the price of the model that answered", () =>
      Effect.gen(function*() {
        const usage = { inputTokens: 10, outputTokens: 20 }
        const { budget, llm } = yield* make(
          { limits: [{ dollars: 1 }] },
          said(usage),
          { ...said(usage), model: "token-2026" },
          { ...said(usage), model: "token-of-another-name" },
          [{ _tag: "Start", model: "token-2026" }, text("well"), { _tag: "Finish", finishReason: "stop", usage }]
        )
        yield* llm.generateText(ask("token"))
        assert.deepStrictEqual(yield* spent(budget), [30, 0])
        yield* llm.generateText(ask("token"))
        assert.deepStrictEqual(yield* spent(budget), [30 + 60, 0])
        yield* llm.generateText(ask("token"))
        assert.deepStrictEqual(yield* spent(budget), [30 + 60 + 30, 0])
        yield* Stream.runDrain(llm.streamText(ask("token")))
        assert.deepStrictEqual(yield* spent(budget), [30 + 60 + 30 + 60, 0])
      }))

    it.scoped("goes by our own count where the backend gives none, or one that cannot be", () =>
      Effect.gen(function*() {
        const { budget, llm } = yield* make(
          { limits: [{ dollars: 1 }] },
          said({}),
          said({ inputTokens: 10, cachedInputTokens: 11, outputTokens: 1 }),
          said({ inputTokens: 10 }),
          [text("well "), text("well"), { _tag: "Finish", finishReason: "stop", usage: {} }],
          { model: "token", vectors: [[1]], usage: {} }
        )
        let sum = 0
        const costs = (micros: number) => Effect.map(spent(budget), (now) => assert.deepStrictEqual(now, [sum += micros, 0]))
        yield* llm.generateText(ask("token", 50))
        yield* costs(asked + 50)
        yield* llm.generateText(ask("token", 50))
        yield* costs(asked + 50)
        yield* llm.generateText(ask("token", 50))
        yield* costs(10 + 50)
        yield* Stream.runDrain(llm.streamText(ask("token", 50)))
        yield* costs(asked + Tokens.ofText("well well"))
        yield* llm.embed({ model: "token", input: ["how much?"] })
        yield* costs(Tokens.ofText("how much?"))
      }))

    const words = Array.from({ length: 50 }, (_, n) => text(`word${n} `))
    const generated = Tokens.ofText(words.map((part) => part._tag === "TextDelta" ? part.text : "").join(""))

    it.scoped("is what was asked and has come, when a stream is interrupted after 50 parts (BG-08)", () =>
      Effect.gen(function*() {
        const { budget, llm } = yield* make({ limits: [{ dollars: 1 }] }, [...words, Effect.never])
        const fiber = yield* Effect.fork(Stream.runDrain(llm.streamText(ask("token", 1000))))
        yield* TestClock.adjust(0)
        assert.deepStrictEqual(yield* spent(budget), [0, asked + 1000])
        yield* Fiber.interrupt(fiber)
        assert.deepStrictEqual(yield* spent(budget), [asked + generated, 0])
      }))

    it.scoped("is what was asked and has come, when a stream breaks off, or is left early (BG-08)", () =>
      Effect.gen(function*() {
        const broken = new LlmError.StreamInterrupted({ backend: "scripted", message: "cut" })
        const one: ReadonlyArray<Completion.Part> = [
          { _tag: "Start", model: "token" },
          { _tag: "ReasoningDelta", index: 0, text: "let me think" },
          { _tag: "ToolCallStart", index: 0, id: "1", name: "look" },
          { _tag: "ToolCallDelta", index: 0, arguments: "{\"at\":\"it\"}" }
        ]
        const { budget, llm } = yield* make({ limits: [{ dollars: 1 }] }, [...words, broken], [...one, Effect.never])
        yield* Effect.flip(Stream.runDrain(llm.streamText(ask("token"))))
        assert.deepStrictEqual(yield* spent(budget), [asked + generated, 0])
        yield* Stream.runDrain(Stream.take(llm.streamText(ask("token")), 4))
        assert.deepStrictEqual(yield* spent(budget), [
          asked + generated + asked + Tokens.ofText("let me thinklook{\"at\":\"it\"}"),
          0
        ])
      }))
  })

  describe("an unknown price", () => {
    it.scoped("is refused, not taken for nothing (BG-13)", () =>
      Effect.gen(function*() {
        const { budget, llm, scripted } = yield* make({ limits: [{ name: "daily", dollars: 100, per: "day" }] })
        const error = yield* refusal(llm.generateText(ask("unheard-of")))
        assert.strictEqual(error?.reason, "PriceUnknown")
        assert.strictEqual(error?.limit, "daily")
        assert.isUndefined(error?.retryAfter)
        assert.lengthOf(yield* scripted.requests, 0)
        assert.deepStrictEqual(yield* spent(budget), [0, 0])
      }))

    it.scoped("is what the budget says it is, if it says so (BG-13)", () =>
      Effect.gen(function*() {
        const { budget, llm } = yield* make({ limits: [{ dollars: 100 }], unknownPrice: { input: 5, output: 5 } })
        yield* llm.generateText(ask("unheard-of"))
        assert.deepStrictEqual(yield* spent(budget), [10, 0])
      }))

    it.scoped("is let through where no limit is firm", () =>
      Effect.gen(function*() {
        const { llm } = yield* make({ limits: [{ dollars: 0, atLimit: "warn" }, { of: "tenant", only: ["acme"], dollars: 0 }] })
        assert.isTrue(yield* isAdmitted(llm.generateText(ask("unheard-of"))))
        assert.isFalse(yield* isAdmitted(Policy.withTenant(llm.generateText(ask("unheard-of")), "acme")))
      }))
  })

  describe("several limits", () => {
    it.scoped("have room all together, or nothing is reserved in any of them (BG-14)", () =>
      Effect.gen(function*() {
        const { budget, llm } = yield* make({
          limits: [
            { name: "tenant", of: "tenant", dollars: 3 },
            { name: "team", of: ({ tenant }) => tenant === "ann" || tenant === "bob" ? "blue" : undefined, dollars: 2 },
            { name: "backend", of: "backend", dollars: 4 }
          ]
        }, ScriptedLlm.repeat(Effect.never))
        const call = (tenant: string) =>
          Effect.fork(refusal(Policy.withTenant(llm.generateText(ask("dollar")), tenant))).pipe(
            Effect.tap(() => TestClock.adjust(0)),
            Effect.flatMap((fiber) => Effect.map(Fiber.poll(fiber), Option.isNone))
          )
        const reserved = Effect.map(budget.accounts, (accounts) =>
          Object.fromEntries(accounts.map(({ account, limit, reservedMicroDollars }) => [`${limit} ${account}`, reservedMicroDollars / 1e6])))

        assert.deepStrictEqual([yield* call("ann"), yield* call("ann")], [true, true])
        assert.isFalse(yield* call("bob"), "the team has no room")
        assert.deepStrictEqual(yield* reserved, { "tenant ann": 2, "tenant bob": 0, "team blue": 2, "backend scripted": 2 })
        assert.deepStrictEqual([yield* call("eve"), yield* call("eve")], [true, true], "is in no team")
        assert.isFalse(yield* call("eve"), "the backend has no room, though she has")
        assert.deepStrictEqual(yield* reserved, {
          "tenant ann": 2,
          "tenant bob": 0,
          "tenant eve": 2,
          "team blue": 2,
          "backend scripted": 4
        })
      }))

    it.scoped("concern those alone whom they name", () =>
      Effect.gen(function*() {
        const { llm } = yield* make({
          limits: [
            { name: "acme", of: "tenant", only: ["acme", "emca"], dollars: 1 },
            { name: "dear", of: "model", only: ["scripted/dollar"], dollars: 2 }
          ]
        })
        const call = (tenant: string, model: string) => isAdmitted(Policy.withTenant(llm.generateText(ask(model)), tenant))
        assert.isTrue(yield* call("acme", "dollar"))
        assert.isFalse(yield* call("acme", "cent"))
        assert.isTrue(yield* call("emca", "cent"))
        assert.isTrue(yield* call("ecma", "dollar"))
        assert.isFalse(yield* call("ecma", "dollar"))
        assert.isTrue(yield* call("ecma", "cent"))
      }))
  })

  describe("accounts", () => {
    const all = (span: Ledger.Span) => Ledger.make([{ amount: 5, span, isFirm: true }])

    it("are no more than 100,000 under a limit: whoever comes later shares one, and what it has", () => {
      const ledger = all({ _tag: "Always" })
      for (let n = 0; n < 100_000; n++) assert.strictEqual(ledger.reserve(0, [`made-up-${n}`], 5, 1)._tag, "Admission")
      assert.strictEqual(ledger.reserve(0, ["another"], 3, 1)._tag, "Admission")
      assert.strictEqual(ledger.reserve(0, ["yet another"], 3, 1)._tag, "Refusal")
      assert.strictEqual(ledger.reserve(0, ["made-up-7"], 1, 1)._tag, "Refusal")
      assert.lengthOf(ledger.read(0, 0), 100_001)
    })

    it("are forgotten when nothing of them counts any more, and not before their calls have ended", () => {
      const ledger = all({ _tag: "Rolling", millis: 60_000 })
      const enter = (name: string, now: number) => {
        const answer = ledger.reserve(now, [name], 1, now + 1000)
        return answer._tag === "Admission" ? answer.reservation : assert.fail("refused")
      }
      const slow = enter("slow", 0)
      for (let n = 0; n < 50_000; n++) ledger.settle(n * 100, enter(`tenant-${n}`, n * 100), 1)
      const now = 5_000_000
      assert.isBelow(ledger.read(now, 0).length, 3000)
      ledger.settle(now, slow, 4)
      assert.deepInclude(ledger.read(now, 0), { account: "slow", spent: 0, reserved: 0 })
    })
  })

  describe("time", () => {
    const at = (iso: string) => TestClock.setTime(Date.parse(iso))
    const day = { of: "all", dollars: 1, per: "day" } as const

    it.scoped("begins anew with the day, as the clocks of its zone have it, also when they are changed (BG-10)", () =>
      Effect.gen(function*() {
        yield* at("2026-03-08T04:59:00Z") // 23:59 in New York; the clocks go forward in the night
        const { budget, llm } = yield* make({
          limits: [{ ...day, name: "utc" }, { ...day, name: "new york", zone: "America/New_York", dollars: 2 }]
        })
        const error = Effect.map(refusal(llm.generateText(ask("dollar"))), (error) =>
          error && [error.limit, Duration.toMillis(error.retryAfter!) / 3_600_000])
        assert.isUndefined(yield* error)
        assert.deepStrictEqual(yield* error, ["utc", 19 + 1 / 60])
        yield* at("2026-03-08T05:00:00Z") // midnight there
        assert.deepStrictEqual(yield* error, ["utc", 19])
        yield* at("2026-03-09T00:00:00Z")
        assert.isUndefined(yield* error)
        yield* at("2026-03-09T03:59:59.999Z")
        assert.deepInclude((yield* budget.accounts)[1], { limit: "new york", spentMicroDollars: 1_000_000 })
        yield* at("2026-03-09T04:00:00Z") // after 23 hours, midnight again
        assert.deepInclude(yield* budget.accounts, {
          limit: "utc",
          account: "all",
          limitMicroDollars: 1_000_000,
          spentMicroDollars: 1_000_000,
          reservedMicroDollars: 0,
          from: Date.parse("2026-03-09T00:00:00Z")
        })
        assert.lengthOf(yield* budget.accounts, 1)
      }))

    it.scoped("that a clock was ahead of is not waited for when it is put back, and what was spent in it is spent (P39)", () =>
      Effect.gen(function*() {
        yield* at("2031-01-01T12:00:00Z")
        const { budget, llm } = yield* make({ limits: [day] }, some, some)
        assert.isTrue(yield* isAdmitted(llm.generateText(ask("dollar"))))
        yield* at("2026-03-08T12:00:00Z")
        const error = yield* refusal(llm.generateText(ask("dollar")))
        assert.strictEqual(Duration.toHours(error!.retryAfter!), 12)
        yield* at("2026-03-09T00:00:00Z")
        assert.isTrue(yield* isAdmitted(llm.generateText(ask("dollar"))))
        assert.deepStrictEqual(yield* spent(budget), [1_000_000, 0])
      }))

    it.scoped("begins anew with the minute and the month", () =>
      Effect.gen(function*() {
        yield* at("2026-02-28T23:58:30Z")
        const { llm } = yield* make({ limits: [{ dollars: 1, per: "minute" }, { dollars: 2, per: "month" }] })
        const error = Effect.map(refusal(llm.generateText(ask("dollar"))), (error) => error?.limit)
        assert.isUndefined(yield* error)
        assert.strictEqual(yield* error, "all per minute")
        yield* at("2026-02-28T23:59:00Z")
        assert.isUndefined(yield* error)
        yield* at("2026-02-28T23:59:59.999Z")
        assert.strictEqual(yield* error, "all per minute")
        yield* at("2026-03-01T00:00:00Z")
        assert.isUndefined(yield* error)
        yield* at("2026-03-01T00:01:00Z")
        assert.isUndefined(yield* error)
        yield* at("2026-03-31T23:59:00Z")
        assert.strictEqual(yield* error, "all per month")
      }))

    it.scoped("does not forget what was spent within the last 24 hours (BG-10)", () =>
      Effect.gen(function*() {
        yield* at("2026-05-01T00:00:00Z")
        const { llm } = yield* make({ limits: [{ dollars: 2, within: "24 hours" }] })
        const call = refusal(llm.generateText(ask("dollar")))
        assert.isUndefined(yield* call)
        yield* TestClock.adjust("12 hours")
        assert.isUndefined(yield* call)
        yield* TestClock.adjust("12 hours")
        const error = yield* call
        assert.strictEqual(error?.limit, "all within 1d")
        // a sixtieth of the time later than need be, and no more
        assert.isAtMost(Duration.toMinutes(error!.retryAfter!), 24)
        yield* TestClock.adjust(error!.retryAfter!)
        assert.isUndefined(yield* call)
        assert.isDefined(yield* call)
      }))

    it.scoped("of a call over midnight is the day on which it began (BG-10)", () =>
      Effect.gen(function*() {
        yield* at("2026-05-01T23:59:00Z")
        const { budget, llm } = yield* make({ limits: [day] }, Effect.delay(Effect.succeed(some), "2 minutes"), some)
        const late = yield* Effect.fork(llm.generateText(ask("dollar")))
        yield* TestClock.adjust("1 minute")
        assert.isTrue(yield* isAdmitted(llm.generateText(ask("dollar"))))
        yield* TestClock.adjust("1 minute")
        yield* Fiber.join(late)
        assert.deepStrictEqual(yield* spent(budget), [1_000_000, 0])
      }))

    it.scoped("brings no room to what is dearer than the limit, nor where nothing is forgotten", () =>
      Effect.gen(function*() {
        const { llm } = yield* make({ limits: [{ dollars: 0.5, per: "day" }] })
        assert.isUndefined((yield* refusal(llm.generateText(ask("dollar"))))?.retryAfter)
        const other = yield* make({ limits: [{ dollars: 1 }] })
        yield* other.llm.generateText(ask("dollar"))
        assert.isUndefined((yield* refusal(other.llm.generateText(ask("dollar"))))?.retryAfter)
      }))

    it.scoped("between runs of the program is kept by what was spent in it", () =>
      Effect.gen(function*() {
        yield* at("2026-05-01T12:00:00Z")
        const limits = [{ name: "day", of: "tenant", dollars: 2, per: "day" }, { name: "ever", dollars: 9 }] as const
        const first = yield* make({ limits })
        yield* Policy.withTenant(first.llm.generateText(ask("dollar")), "ann")
        const saved = yield* first.budget.accounts

        const second = yield* make({ limits })
        yield* second.budget.restore(JSON.parse(JSON.stringify([...saved, { ...saved[0], limit: "no more" }])))
        assert.deepStrictEqual(yield* second.budget.accounts, saved)
        yield* Policy.withTenant(second.llm.generateText(ask("dollar")), "ann")
        assert.isFalse(yield* isAdmitted(Policy.withTenant(second.llm.generateText(ask("dollar")), "ann")))

        yield* at("2026-05-02T12:00:00Z")
        const third = yield* make({ limits })
        yield* third.budget.restore(saved)
        assert.deepStrictEqual((yield* third.budget.accounts).map(({ limit }) => limit), ["ever"])

        for (const spentMicroDollars of [-1, 0.5, Number.NaN]) {
          const error = yield* Effect.flip(third.budget.restore([{ ...saved[1]!, spentMicroDollars }]))
          assert.strictEqual(error.field, "accounts.0.spentMicroDollars")
        }
        assert.deepStrictEqual((yield* third.budget.accounts).map((account) => account.spentMicroDollars), [1_000_000])
      }))
  })

  describe("at the limit", () => {
    it.scoped("a warning is given once for each who has it, and nothing is kept back", () =>
      Effect.gen(function*() {
        const warnings: Array<string> = []
        const logger = Logger.make<unknown, void>(({ message }) => void warnings.push(String(message)))
        const { budget, llm } = yield* make({ limits: [{ name: "soft", of: "tenant", dollars: 1, per: "day", atLimit: "warn" }] })
        const call = (tenant: string) =>
          Effect.provide(Policy.withTenant(llm.generateText(ask("dollar")), tenant), Logger.replace(Logger.defaultLogger, logger))
        for (const tenant of ["ann", "ann", "ann", "bob", "bob"]) yield* call(tenant)
        assert.deepStrictEqual(warnings, [`the budget "soft" is used up for "ann"`, `the budget "soft" is used up for "bob"`])
        assert.deepStrictEqual(yield* spent(budget, "ann"), [3_000_000, 0])
        yield* TestClock.adjust("1 day")
        yield* call("ann")
        yield* call("ann")
        assert.lengthOf(warnings, 3)
      }))

    const chain = (atLimit: Budget.AtLimit) =>
      Effect.gen(function*() {
        const budget = yield* priced(Budget.make({ limits: [{ dollars: 1, atLimit }] }))
        const dear = yield* ScriptedLlm.named("dear", ScriptedLlm.repeat(some))
        const cheap = yield* ScriptedLlm.named("cheap", ScriptedLlm.repeat(some))
        const link = (llm: LlmService.Service, model: string) =>
          Effect.map(Resilience.standard(llm.backend, { budget }), (policy) =>
            Router.withModel(Resilience.protect(llm, policy), model))
        return {
          dear,
          cheap,
          llm: Router.failover(yield* link(dear, "dollar"), yield* link(cheap, "cent")),
          budget
        }
      })

    it.scoped("a failover goes to a cheaper backend, as long as that has room", () =>
      Effect.gen(function*() {
        const { budget, cheap, dear, llm } = yield* chain("failover")
        yield* budget.restore([{ limit: "all in all", account: "all", limitMicroDollars: 0, spentMicroDollars: 980_000, reservedMicroDollars: 0 }])
        yield* llm.generateText(ask(""))
        yield* Stream.runDrain(llm.streamText(ask("")))
        assert.strictEqual((yield* refusal(llm.generateText(ask(""))))?.atLimit, "failover")
        assert.deepStrictEqual([(yield* dear.requests).length, (yield* cheap.requests).length], [0, 2])
      }))

    it.scoped("a refusal is final: nobody else is asked, and nobody tries again", () =>
      Effect.gen(function*() {
        const { cheap, dear, llm } = yield* chain("refuse")
        yield* llm.generateText(ask(""))
        const error = yield* refusal(llm.generateText(ask("")))
        assert.strictEqual(error?.reason, "LimitReached")
        assert.strictEqual(error?.backend, "dear")
        assert.deepStrictEqual([(yield* dear.requests).length, (yield* cheap.requests).length], [1, 0])
      }))

    it.scoped("the stricter of two limits has the word", () =>
      Effect.gen(function*() {
        const { llm } = yield* make({
          limits: [
            { name: "elsewhere", dollars: 0, atLimit: "failover" },
            { name: "nowhere", of: "tenant", only: ["ann"], dollars: 0 },
            { name: "anywhere", of: "backend", dollars: 0, atLimit: "warn" }
          ]
        })
        const error = (tenant: string, model: string) =>
          Effect.map(refusal(Policy.withTenant(llm.generateText(ask(model)), tenant)), (error) => [error?.limit, error?.atLimit])
        for (const model of ["dollar", "unheard-of"]) {
          assert.deepStrictEqual(yield* error("ann", model), ["nowhere", "refuse"])
          assert.deepStrictEqual(yield* error("bob", model), ["elsewhere", "failover"])
        }
      }))
  })

  describe("in Resilience", () => {
    it.scoped("is shared by all backends that are made with its layer (BG-05)", () =>
      Effect.gen(function*() {
        const Backend = (name: string) =>
          Resilience.layer()(Layer.effect(LlmService.LlmService, ScriptedLlm.named(name, ScriptedLlm.repeat(some))))
        const Prices = Layer.effect(PriceBook.CurrentPriceBook, PriceBook.make(prices))
        const Both = Router.layer({ one: Backend("one"), two: Backend("two") }).pipe(
          Layer.provide(Layer.provideMerge(Budget.layer({ limits: [{ dollars: 2 }] }), Prices))
        )
        const llm = Context.get(yield* Layer.build(Both), LlmService.LlmService)
        yield* llm.generateText(ask("one/dollar"))
        yield* llm.generateText(ask("two/dollar"))
        assert.isFalse(yield* isAdmitted(llm.generateText(ask("one/cent"))))
        assert.isFalse(yield* isAdmitted(llm.generateText(ask("two/cent"))))
        const spends = (yield* Monitor.snapshot).backends.map(({ backend, spend }) => [backend, spend?.microDollars])
        assert.includeDeepMembers(spends, [["one", 1_000_000], ["two", 1_000_000]])
      }))

    it.scoped("reserves for attempts, not for calls that sleep or wait", () =>
      Effect.gen(function*() {
        const budget = yield* priced(Budget.make({ limits: [{ dollars: 10 }] }))
        const broken = new LlmError.ServerFault({ backend: "scripted", message: "broken" })
        const llm = yield* ScriptedLlm.make(broken, Effect.delay(Effect.succeed(some), "1 second"), some, some)
        const policy = yield* Resilience.standard("scripted", {
          budget,
          queue: { concurrency: 1 },
          retry: { initialDelay: "10 seconds", jitter: "none" }
        })
        const service = Resilience.protect(llm, policy)
        const sleeps = yield* Effect.fork(service.generateText(ask("dollar")))
        yield* TestClock.adjust("5 seconds")
        assert.deepStrictEqual(yield* spent(budget), [0, 0])
        const asks = yield* Effect.fork(service.generateText(ask("dollar")))
        yield* TestClock.adjust(0)
        const waits = yield* Effect.fork(service.generateText(ask("dollar")))
        yield* TestClock.adjust(0)
        assert.deepStrictEqual(yield* spent(budget), [0, 1_000_000])
        yield* TestClock.adjust("10 seconds")
        yield* Fiber.joinAll([sleeps, asks, waits])
        assert.deepStrictEqual(yield* spent(budget), [3_000_000, 0])
      }))

    it.scoped("is left out with `false`", () =>
      Effect.gen(function*() {
        const budget = yield* priced(Budget.make({ limits: [{ dollars: 0 }] }))
        const llm = yield* ScriptedLlm.make(ScriptedLlm.repeat(some))
        const within = (options: Resilience.Options) =>
          Effect.map(
            Effect.provideService(Resilience.standard("scripted", options), Budget.CurrentBudget, Option.some(budget)),
            (policy) => Resilience.protect(llm, policy)
          )
        assert.isFalse(yield* isAdmitted((yield* within({})).generateText(ask("cent"))))
        assert.isTrue(yield* isAdmitted((yield* within({ budget: false })).generateText(ask("cent"))))
      }))

    it.scoped("is no list of options: it has to be made once, for all", () =>
      Effect.gen(function*() {
        // what a program without types may hand over
        const budget = { limits: [{ dollars: 1 }] } as unknown as Budget.Budget
        const error = yield* Effect.flip(Resilience.standard("scripted", { budget }))
        assert.strictEqual(error.message, "Resilience.budget: must be made by Budget.make, or false")
      }))
  })

  describe("the monitor", () => {
    it.scoped("shows limits and those who have spent the most", () =>
      Effect.gen(function*() {
        const { llm } = yield* make({
          limits: [{ of: "tenant", dollars: 0.02, per: "day" }, { name: "ever", dollars: 1 }]
        })
        for (let n = 0; n < 150; n++) {
          const tenant = `tenant-${n}`
          yield* Policy.withTenant(llm.generateText(ask("free")), tenant)
          if (n >= 120) yield* Policy.withTenant(llm.generateText(ask("cent")), tenant)
        }
        yield* refusal(Policy.withTenant(llm.generateText(ask("dollar")), "tenant-1"))
        const [tenants, ever] = (yield* Monitor.snapshot).budgets ?? []
        assert.deepInclude(tenants, { limit: "tenant per day", limitMicroDollars: 20_000, until: 86_400_000, refused: 1, accounts: 150 })
        assert.lengthOf(tenants!.largest, 100)
        assert.deepStrictEqual(
          tenants!.largest.slice(0, 31).map(({ spentMicroDollars }) => spentMicroDollars),
          [...Array.from({ length: 30 }, () => 10_000), 0]
        )
        assert.deepStrictEqual(ever, {
          limit: "ever",
          limitMicroDollars: 1_000_000,
          refused: 1,
          accounts: 1,
          largest: [{ account: "all", spentMicroDollars: 300_000, reservedMicroDollars: 0 }]
        })
      }).pipe(Effect.provideService(Monitor.CurrentMonitor, Monitor.unsafeMake())))
  })

  describe("options", () => {
    it.scoped("name what is wrong", () =>
      Effect.gen(function*() {
        const message = (options: unknown) =>
          // what a program without types may hand over
          Effect.map(Effect.flip(Budget.make(options as Budget.Options)), ({ message }) => message)
        const limit = (limit: object) => message({ limits: [{ dollars: 1 }, { dollars: 1, ...limit }] })
        assert.strictEqual(yield* limit({ dollars: -1 }), "Budget.limits.1.dollars: must be a number from 0 to 1000000000, not -1")
        assert.strictEqual(
          yield* limit({ of: "everybody" }),
          `Budget.limits.1.of: must be "all", "backend", "model", "tenant" or a function`
        )
        assert.strictEqual(yield* limit({ per: "week" }), `Budget.limits.1.per: must be "minute" or "day" or "month", not "week"`)
        assert.strictEqual(
          yield* limit({ zone: "Mars/Olympus" }),
          `Budget.limits.1.zone: must be the name of a time zone, not "Mars/Olympus"`
        )
        assert.include(yield* limit({ within: 0 }), "Budget.limits.1.within: must be a duration")
        assert.strictEqual(
          yield* limit({ per: "day", within: "1 day" }),
          "Budget.limits.1: must be `per` a period or `within` a time, not both"
        )
        assert.include(yield* limit({ atLimit: "shout" }), "Budget.limits.1.atLimit")
        assert.strictEqual(yield* limit({}), `Budget.limits.1.name: there is another limit named "all in all"`)
        assert.include(yield* message({ limits: [], unknownPrice: { input: -1 } }), "Budget.unknownPrice.input")
        assert.include(yield* message({ limits: [], assumedOutput: -1 }), "Budget.assumedOutput")
        assert.include(yield* message({ limits: [], reservedFor: 10 }), "Budget.reservedFor")
        assert.include(yield* message({}), "Budget.limits")
      }))
  })
})
