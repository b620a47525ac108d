import { assert, describe, it } from "@effect/vitest"
import * as Allowance from "@spillway/gateway/Allowance"
import { FastCheck as fc } from "effect"

const minute = 60_000

const step = fc.oneof(
  fc.record({ _tag: fc.constant("enter" as const), who: fc.nat(1) }),
  fc.record({ _tag: fc.constant("leave" as const), which: fc.nat() }),
  fc.record({ _tag: fc.constant("reserve" as const), who: fc.nat(1), amount: fc.nat(120) }),
  fc.record({ _tag: fc.constant("settle" as const), which: fc.nat(), used: fc.nat(240) }),
  fc.record({ _tag: fc.constant("advance" as const), by: fc.oneof(fc.nat(500), fc.nat(90_000)) }),
  fc.record({ _tag: fc.constant("setBack" as const), by: fc.nat(5_000) })
)

const limit = fc.record({
  requestsPerMinute: fc.integer({ min: 1, max: 20 }),
  tokensPerMinute: fc.integer({ min: 1, max: 200 }),
  maxConcurrent: fc.integer({ min: 1, max: 5 })
})

describe("allowances (S15)", () => {
  it("give no more than they hold in any time, take all or nothing, and let in who has waited as long as told", () => {
    fc.assert(
      fc.property(limit, limit, limit, fc.array(step, { minLength: 20, maxLength: 150, size: "max" }), (one, two, both, steps) => {
        const limits = [one, two, both] as const
        const kept = limits.map(Allowance.make)
        // two keys of one tenant
        const of = (who: number) => [kept[who]!, kept[2]!]
        const concerns = (who: number, place: number) => place === 2 || place === who
        const entered: Array<{ readonly who: number; readonly at: number }> = []
        const reserved: Array<{ readonly who: number; readonly at: number; readonly amount: number }> = []
        const open: Array<number> = []
        const unsettled: Array<{ readonly who: number; readonly amount: number }> = []
        let now = 1_000_000
        // what has passed, by a clock that is set back now and then
        let passed = 0
        const state = () => kept.map(({ active, requests, tokens }) => [active, requests?.level, tokens?.level])

        const refusedWithoutTrace = (wait: number, attempt: () => number | undefined) => {
          assert.isAbove(wait, 0)
          const before = state()
          assert.isDefined(attempt())
          assert.deepStrictEqual(state(), before)
        }

        for (const step of steps) {
          switch (step._tag) {
            case "enter": {
              const free = limits.every(({ maxConcurrent }, place) => !concerns(step.who, place) || kept[place]!.active < maxConcurrent)
              const wait = Allowance.enter(of(step.who), now)
              if (wait === undefined) {
                assert.isTrue(free)
                entered.push({ who: step.who, at: passed })
                open.push(step.who)
              } else {
                refusedWithoutTrace(wait, () => Allowance.enter(of(step.who), now))
                if (!free) break
                now += wait
                passed += wait
                assert.isUndefined(Allowance.enter(of(step.who), now))
                entered.push({ who: step.who, at: passed })
                open.push(step.who)
              }
              break
            }
            case "leave": {
              if (open.length > 0) Allowance.leave(of(open.splice(step.which % open.length, 1)[0]!))
              break
            }
            case "reserve": {
              const wait = Allowance.reserve(of(step.who), step.amount, now)
              if (wait !== undefined) {
                refusedWithoutTrace(wait, () => Allowance.reserve(of(step.who), step.amount, now))
                now += wait
                passed += wait
                assert.isUndefined(Allowance.reserve(of(step.who), step.amount, now))
              }
              reserved.push({ who: step.who, at: passed, amount: step.amount })
              unsettled.push({ who: step.who, amount: step.amount })
              break
            }
            case "settle": {
              if (unsettled.length === 0) break
              const { amount, who } = unsettled.splice(step.which % unsettled.length, 1)[0]!
              // what was used beyond the estimate is owed; what was not is not counted on here
              Allowance.charge(of(who), Math.max(0, step.used - amount), now)
              break
            }
            case "advance": {
              now += step.by
              passed += step.by
              break
            }
            case "setBack": {
              now -= step.by
              const before = kept.map(({ tokens }) => tokens!.level)
              Allowance.charge(kept, 0, now)
              for (const [place, level] of before.entries()) assert.isAtLeast(kept[place]!.tokens!.level, level)
              break
            }
          }
          for (const [place, { maxConcurrent }] of limits.entries()) {
            assert.strictEqual(kept[place]!.active, open.filter((who) => concerns(who, place)).length)
            assert.isAtMost(kept[place]!.active, maxConcurrent)
          }
        }

        for (const [place, { requestsPerMinute, tokensPerMinute }] of limits.entries()) {
          const requests = entered.filter(({ who }) => concerns(who, place)).map(({ at }) => ({ at, amount: 1 }))
          const tokens = reserved.filter(({ who }) => concerns(who, place))
          for (const [taken, perMinute] of [[requests, requestsPerMinute], [tokens, tokensPerMinute]] as const) {
            for (let from = 0; from < taken.length; from++) {
              let sum = 0
              for (let to = from; to < taken.length; to++) {
                // one that is larger than a minute's goes when all of them are there
                const beyond = to === from ? 0 : Math.max(0, taken[to]!.amount - perMinute)
                sum += taken[to]!.amount
                const most = perMinute + (taken[to]!.at - taken[from]!.at) * perMinute / minute
                assert.isAtMost(sum - beyond - Math.max(0, taken[from]!.amount - perMinute), most + 1e-3)
              }
            }
          }
        }
      }),
      { numRuns: 150 }
    )
  })
})
