import { assert, describe, it } from "@effect/vitest"
import * as Budget from "@spillway/core/Budget"
import * as Completion from "@spillway/core/Completion"
import * as LlmError from "@spillway/core/LlmError"
import * as LlmService from "@spillway/core/LlmService"
import * as Monitor from "@spillway/core/Monitor"
import * as Policy from "@spillway/core/Policy"
import * as PriceBook from "@spillway/core/PriceBook"
import * as Prompt from "@spillway/core/Prompt"
import * as Resilience from "@spillway/core/Resilience"
import * as Tokens from "@spillway/core/Tokens"
import { DateTime, Effect, FastCheck as fc, Fiber, Option, Stream } from "effect"
import * as Ledger from "../src/internal/ledger.js"
import * as Period from "../src/internal/period.js"
import * as Spent from "../src/internal/spent.js"
import * as VirtualClock from "./virtualClock.js"

const tagged = <Tag extends string, Fields>(_tag: Tag, fields: { [K in keyof Fields]: fc.Arbitrary<Fields[K]> }) =>
  fc.record(fields).map((fields) => ({ _tag, ...fields }))

const minute = 60_000

// -----------------------------------------------------------------------------
// the ledger, and beside it every reservation that was ever made, from which everything can be reckoned anew
// -----------------------------------------------------------------------------

const step = fc.oneof(
  {
    weight: 6,
    arbitrary: tagged("reserve", { owner: fc.nat(2), amount: fc.nat(40), lasts: fc.integer({ min: 1, max: 90_000 }) })
  },
  // what a call costs is often what it reserved, or less
  { weight: 5, arbitrary: tagged("settle", { which: fc.nat(), share: fc.constantFrom(0, 0.5, 1, 1, 3) }) },
  { weight: 3, arbitrary: tagged("advance", { by: fc.oneof(fc.nat(1000), fc.nat(90_000)) }) }
)

interface Row {
  readonly reservation: Ledger.Reservation
  readonly owner: string
  readonly at: number
  readonly amount: number
  readonly expires: number
  settled: number | undefined
  /** What was reserved when it was settled. */
  stood: number
}

const limits: ReadonlyArray<Ledger.Limit> = [
  { amount: 400, span: { _tag: "Always" }, isFirm: true },
  { amount: 100, span: { _tag: "Calendar", periodOf: Period.calendar("minute", DateTime.zoneMakeOffset(0)) }, isFirm: true },
  { amount: 50, span: { _tag: "Always" }, isFirm: false }
]

describe("the ledger", () => {
  it("P51, P52, P53: keeps its limits, settles once and forgets no amount, whatever comes in which order", () => {
    let most = 0
    fc.assert(
      fc.property(fc.array(step, { minLength: 20, maxLength: 120, size: "max" }), (steps) => {
        const ledger = Ledger.make(limits)
        const rows: Array<Row> = []
        let now = 0

        const counts = (row: Row, limit: number) => limit !== 1 || Math.floor(row.at / minute) === Math.floor(now / minute)
        const isOpen = (row: Row) => row.settled === undefined && row.expires > now
        const sums = (owner: string, limit: number) => {
          const own = rows.filter((row) => counts(row, limit) && (limit === 0 || row.owner === owner))
          return {
            spent: own.reduce((sum, row) => sum + (row.settled ?? 0), 0),
            reserved: own.reduce((sum, row) => sum + (isOpen(row) ? row.amount : 0), 0),
            // what was spent without having been reserved: more than that, or after it was given back
            beyond: own.reduce((sum, row) => sum + Math.max(0, (row.settled ?? 0) - row.stood), 0)
          }
        }
        const check = () => {
          for (const [limit, { amount, isFirm }] of limits.entries()) {
            const lines = ledger.read(now, limit)
            const owners = limit === 0 ? ["all"] : [...new Set(rows.map(({ owner }) => owner))]
            for (const owner of owners) {
              const { beyond, reserved, spent } = sums(owner, limit)
              const line = lines.find(({ account }) => account === owner) ?? { spent: 0, reserved: 0 }
              assert.strictEqual(line.spent, spent, `spent by ${owner} under ${limit}`)
              assert.strictEqual(line.reserved, reserved, `reserved by ${owner} under ${limit}`)
              if (isFirm) assert.isAtMost(spent + reserved, amount + beyond, `no more than ${owner} may under ${limit}`)
            }
          }
        }
        const settle = (row: Row, amount: number) => {
          ledger.settle(now, row.reservation, amount)
          if (row.settled !== undefined) return
          row.stood = isOpen(row) ? row.amount : 0
          row.settled = amount
        }

        for (const step of steps) {
          switch (step._tag) {
            case "reserve": {
              const owner = `owner-${step.owner}`
              const hasRoom = [0, 1].every((limit) => {
                const { reserved, spent } = sums(owner, limit)
                return spent + reserved + step.amount <= limits[limit]!.amount
              })
              const expires = now + step.lasts
              const answer = ledger.reserve(now, ["all", owner, owner], step.amount, expires)
              assert.strictEqual(answer._tag, hasRoom || step.amount === 0 ? "Admission" : "Refusal")
              if (answer._tag === "Admission") {
                const { reservation } = answer
                rows.push({ reservation, owner, at: now, amount: step.amount, expires, settled: undefined, stood: 0 })
              }
              break
            }
            case "settle": {
              const row = rows[step.which % rows.length]
              if (row === undefined) break
              settle(row, Math.floor(row.amount * step.share))
              break
            }
            case "advance":
              now += step.by
          }
          check()
          most = Math.max(most, rows.length)
        }
        for (const row of rows) settle(row, 1)
        check()
        assert.strictEqual(sums("all", 0).reserved, 0)
      }),
      { numRuns: 200 }
    )
    assert.isAbove(most, 20, "the property was tried on something")
  })
})

describe("what passes", () => {
  it("P51: is counted for its whole time, also while the clock is put back, and no longer than a sixtieth of it more", () => {
    const putBack = fc.oneof({ weight: 9, arbitrary: fc.constant(0) }, { weight: 1, arbitrary: fc.nat(3000).map((n) => n / 1000) })
    // where most cost nothing, it shows when one is not counted
    const amount = fc.oneof({ weight: 3, arbitrary: fc.constant(0) }, { weight: 1, arbitrary: fc.nat(1000) })
    fc.assert(
      fc.property(
        fc.integer({ min: 1000, max: 100_000_000 }),
        fc.array(fc.tuple(amount, fc.double({ min: 0, max: 0.5, noNaN: true }), putBack), { minLength: 10, maxLength: 80, size: "max" }),
        fc.integer({ min: 1_600_000_000_000, max: 2_000_000_000_000 }),
        (millis, steps, start) => {
          const spent = Spent.passing(millis)
          const added: Array<{ readonly amount: number; readonly at: number }> = []
          let now = start
          let passed = 0
          let isPutBack = false
          for (const [amount, by, putBack] of steps) {
            now += Math.floor(by * millis)
            passed += Math.floor(by * millis)
            now -= Math.floor(putBack * millis)
            isPutBack ||= putBack > 0
            spent.sum(now)
            spent.add(amount, now)
            added.push({ amount, at: passed })
            const within = (time: number) => added.reduce((sum, { amount, at }) => passed - at < time ? sum + amount : sum, 0)
            assert.isAtLeast(spent.sum(now), within(millis))
            if (!isPutBack) assert.isAtMost(spent.sum(now), within(61 * Math.ceil(millis / 60)))
            const goneAt = spent.goneAt(amount, now)
            if (goneAt !== undefined && amount > 0) {
              assert.isAbove(goneAt, now)
              assert.isAtMost(spent.sum(goneAt), spent.sum(now) - amount)
            }
          }
        }
      ),
      { numRuns: 300 }
    )
  })
})

describe("a calendar", () => {
  const zones = ["UTC", "America/New_York", "Europe/Berlin", "Asia/Kolkata", "Africa/Cairo", "America/Havana", "Australia/Lord_Howe", "Pacific/Apia"]

  // any, or one about when clocks are changed somewhere
  const changes = ["2026-03-08T08:00Z", "2026-03-29T01:00Z", "2026-04-04T15:00Z", "2026-04-24T00:00Z", "2026-10-29T21:00Z", "2026-11-01T06:00Z"]
  const moment = fc.oneof(
    fc.integer({ min: 0, max: 4_000_000_000_000 }),
    fc.tuple(fc.constantFrom(...changes), fc.integer({ min: -129_600_000, max: 129_600_000 })).map(([at, by]) => Date.parse(at) + by)
  )

  it("has each moment in one period, and one period after the other, whatever is done to the clocks (BG-10)", () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...zones),
        fc.constantFrom("minute" as const, "day" as const, "month" as const),
        moment,
        (zone, unit, now) => {
          const periodOf = Period.calendar(unit, Option.getOrThrow(DateTime.zoneFromString(zone)))
          const { end, start } = periodOf(now)
          assert.isTrue(start <= now && now < end)
          assert.deepStrictEqual(periodOf(start), { start, end })
          assert.deepStrictEqual(periodOf(end - 1), { start, end })
          assert.strictEqual(periodOf(end).start, end)
        }
      ),
      { numRuns: 500 }
    )
  })
})

// -----------------------------------------------------------------------------
// random callers against a budget before a backend that remembers what it has given
// -----------------------------------------------------------------------------

const request: Completion.Request = { model: "token", prompt: "how much is it?", maxTokens: 60 }
const asked = Tokens.estimate(request).input
const word = (n: number): Completion.Part => ({ _tag: "TextDelta", text: `w${n} ` })
const textOf = (parts: number) => Array.from({ length: parts }, (_, n) => `w${n} `).join("")

const fate = fc.oneof(
  tagged("answers", { input: fc.nat(asked), output: fc.nat(60) }),
  tagged("fails", {}),
  tagged("hangs", {}),
  tagged("streams", { parts: fc.integer({ min: 1, max: 12 }), end: fc.constantFrom("tells", "tells not", "breaks", "hangs") })
)
type Fate = typeof fate extends fc.Arbitrary<infer A> ? A : never

const call = fc.record({
  fate,
  tenant: fc.constantFrom("ann", "bob"),
  at: fc.nat(3000),
  takes: fc.nat(500),
  /** When it is interrupted, if it is under way still. */
  patience: fc.integer({ min: 0, max: 2000 })
})

const cost = (fate: Fate, come: number): number =>
  fate._tag === "answers"
    ? fate.input + fate.output
    : fate._tag === "streams" && come > 0
    ? come > fate.parts && fate.end === "tells" ? asked + 1 : asked + Tokens.ofText(textOf(Math.min(come, fate.parts)))
    : 0

describe("a budget", () => {
  it("P51, P53: is kept at every moment, and has counted in the end what the backend has given", { timeout: 60_000 }, async () => {
    let admitted = 0
    let refused = 0
    await fc.assert(
      fc.asyncProperty(fc.array(call, { minLength: 10, maxLength: 60, size: "max" }), async (calls) => {
        const clock = VirtualClock.make()
        await Effect.runPromise(
          Effect.gen(function*() {
            const budget = yield* Budget.make({
              limits: [{ name: "all", dollars: 0.0008 }, { name: "each", of: "tenant", dollars: 0.0003, per: "minute" }]
            })
            const spent = { ann: 0, bob: 0 } as Record<string, number>
            const fibers = yield* Effect.forEach(calls, ({ at, fate, patience, takes, tenant }) => {
              let come = 0
              let ended = false
              const broken = new LlmError.ServerFault({ backend: "test", message: "broken" })
              const end: Stream.Stream<Completion.Part, LlmError.LlmError> = fate._tag !== "streams"
                ? Stream.empty
                : fate.end === "breaks"
                ? Stream.fail(broken)
                : fate.end === "hangs"
                ? Stream.never
                : Stream.sync(() => {
                  come++
                  const usage = fate.end === "tells" ? { inputTokens: asked, outputTokens: 1 } : {}
                  return { _tag: "Finish", finishReason: "stop", usage }
                })
              const backend = LlmService.make("test", {
                generateText: () =>
                  Effect.zipRight(
                    Effect.sleep(takes),
                    fate._tag === "answers"
                      ? Effect.sync(() => {
                        ended = true
                        return Completion.make({
                          model: "token",
                          content: [Prompt.text("well")],
                          finishReason: "stop",
                          usage: { inputTokens: fate.input, outputTokens: fate.output }
                        })
                      })
                      : fate._tag === "fails"
                      ? broken
                      : Effect.never
                  ),
                streamText: () =>
                  Stream.concat(
                    Stream.mapEffect(Stream.range(0, fate._tag === "streams" ? fate.parts - 1 : 0), (n) =>
                      Effect.as(
                        Effect.zipRight(Effect.sleep(takes), Effect.sync(() => come++)),
                        word(n)
                      )),
                    end
                  )
              })
              const service = Resilience.protect(backend, budget.policy)
              const whole = fate._tag === "streams" ? Stream.runDrain(service.streamText(request)) : service.generateText(request)
              const within = Effect.asVoid(Policy.withTenant(whole, tenant)).pipe(
                Effect.timeoutOption(patience),
                Effect.tapError((error) => Effect.sync(() => error._tag === "BudgetExceeded" ? refused++ : 0)),
                Effect.either,
                Effect.tap(() =>
                  Effect.sync(() => {
                    admitted += come > 0 || ended ? 1 : 0
                    spent[tenant]! += fate._tag === "streams" || ended ? cost(fate, come) : 0
                  })
                )
              )
              return Effect.fork(Effect.delay(within, at))
            })
            const check = Effect.map(budget.accounts, (accounts) => {
              for (const { limitMicroDollars, reservedMicroDollars, spentMicroDollars } of accounts) {
                assert.isTrue(Number.isSafeInteger(spentMicroDollars) && Number.isSafeInteger(reservedMicroDollars))
                assert.isAtLeast(reservedMicroDollars, 0)
                assert.isAtMost(spentMicroDollars + reservedMicroDollars, limitMicroDollars)
              }
            })
            for (let i = 0; i < 30; i++) {
              yield* clock.advance(197)
              yield* check
            }
            yield* clock.advance(20_000)
            yield* Effect.forEach(fibers, Fiber.join)
            const accounts = yield* budget.accounts
            const of = (name: string) => accounts.find(({ account }) => account === name)
            assert.strictEqual(of("all")?.spentMicroDollars ?? 0, spent["ann"]! + spent["bob"]!)
            for (const name of ["ann", "bob"]) assert.strictEqual(of(name)?.spentMicroDollars ?? 0, spent[name])
            for (const { reservedMicroDollars } of accounts) assert.strictEqual(reservedMicroDollars, 0)
          }).pipe(
            Effect.scoped,
            Effect.provideServiceEffect(
              PriceBook.CurrentPriceBook,
              PriceBook.make([{ price: { input: 1, output: 1 } }])
            ),
            Effect.provideService(Monitor.CurrentMonitor, Monitor.unsafeMake()),
            Effect.withClock(clock)
          )
        )
      }),
      { numRuns: 30 }
    )
    assert.isAbove(admitted, 100, "calls were let in")
    assert.isAbove(refused, 100, "calls were refused")
  })
})
