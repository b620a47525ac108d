/**
 * Turns between tenants, and properties P17, P19, P20 and P21. Where tenants and costs are such that each visit is in
 * doubt, the turns are held against deficit round robin as it is written down in books.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Held from "@spillway/core/Held"
import type * as Policy from "@spillway/core/Policy"
import * as RequestQueue from "@spillway/core/RequestQueue"
import { Effect, Exit, FastCheck as fc, Fiber, Option, TestClock } from "effect"
import { setFlagsFromString } from "node:v8"
import { runInNewContext } from "node:vm"
import * as Turns from "../src/internal/turns.js"
import { forked, make } from "./queueing.js"
import * as VirtualClock from "./virtualClock.js"

// -----------------------------------------------------------------------------
// turns
// -----------------------------------------------------------------------------

interface Item extends Turns.Waiter {
  readonly cost: number
}

const names = ["a", "b", "c", "d"]

/** Turns of those who wait at one level, in the order in which they came, and never lose their patience. */
const turning = (quantum: number, weights: { readonly [tenant: string]: number } = {}) => {
  const turns = Turns.make<Item>({
    quantumOf: (tenant) => quantum * (weights[tenant] ?? 1),
    costOf: ({ cost }) => cost
  })
  const spots = new Map<Item, Turns.Spot<Item>>()
  let sequence = 0
  const remove = (item: Item) => {
    turns.leave(spots.get(item)!)
    spots.delete(item)
  }
  return {
    spots,
    add: (tenant: string, cost: number) => {
      const item = { tenant, cost, sequence: sequence++, due: 0, level: 1, patience: Infinity }
      spots.set(item, turns.enter(item, true))
      return item
    },
    remove,
    take: () => {
      const item = turns.first()
      if (item === undefined) return undefined
      turns.pay()
      remove(item)
      return item
    }
  }
}

/** Deficit round robin as it is written down: a list of those who have something, and a loop. */
const byTheBook = (quantumOf: (tenant: string) => number) => {
  interface Flow {
    readonly tenant: string
    readonly items: Array<Item>
    credit: number
    isVisited: boolean
  }
  const active: Array<Flow> = []
  return {
    add(item: Item) {
      const flow = active.find(({ tenant }) => tenant === item.tenant)
      if (flow === undefined) active.push({ tenant: item.tenant, items: [item], credit: 0, isVisited: false })
      else flow.items.push(item)
    },
    take(): Item | undefined {
      while (active[0] !== undefined) {
        const flow = active[0]
        if (!flow.isVisited) {
          flow.isVisited = true
          flow.credit += quantumOf(flow.tenant)
        }
        const item = flow.items[0]!
        const goes = item.cost <= flow.credit
        if (goes) {
          flow.items.shift()
          flow.credit -= item.cost
        }
        if (flow.items.length === 0) active.shift()
        else if (flow.items[0]!.cost > flow.credit) {
          flow.isVisited = false
          active.push(active.shift()!)
        }
        if (goes) return item
      }
      return undefined
    }
  }
}

setFlagsFromString("--expose-gc")
const collect: () => void = runInNewContext("gc")

const heapUsed = async () => {
  for (let i = 0; i < 3; i++) {
    await new Promise(setImmediate)
    collect()
  }
  return process.memoryUsage().heapUsed
}

const tagged = <Tag extends string, Fields>(_tag: Tag, fields: { [K in keyof Fields]: fc.Arbitrary<Fields[K]> }) =>
  fc.record(fields).map((fields) => ({ _tag, ...fields }))
const quantum = fc.integer({ min: 1, max: 50 })
// halves and quarters, so that sums of them are exact
const weight = fc.constantFrom(0.25, 0.5, 1, 1.5, 3)
const weights = fc.tuple(weight, weight, weight, weight).map(([a, b, c, d]) => ({ a, b, c, d }))
const cost = fc.integer({ min: 1, max: 100 })

describe("turns", () => {
  it("cost what is asked for: a quantum of 100, items of 60 and of 150 (QU-23)", () => {
    const { add, take } = turning(100)
    for (let i = 0; i < 10; i++) {
      add("a", 60)
      add("b", 150)
    }
    const order = Array.from({ length: 7 }, () => take()!.tenant)
    assert.deepStrictEqual(order, ["a", "a", "a", "b", "a", "a", "b"])
  })

  it("leave no credit to a tenant who has nothing more (QU-23)", () => {
    const { add, take } = turning(100)
    for (let i = 0; i < 10; i++) add("b", 100)
    add("a", 1)
    assert.deepStrictEqual([take()!.tenant, take()!.tenant], ["b", "a"])
    // 99 would be left, which with another 100 paid for both
    for (let i = 0; i < 2; i++) add("a", 99)
    assert.deepStrictEqual(Array.from({ length: 4 }, () => take()!.tenant), ["a", "b", "a", "b"])
  })

  it("go by weight, whatever it is", () => {
    const { add, take } = turning(1, { a: 3, b: 0.5 })
    for (let i = 0; i < 20; i++) for (const tenant of ["a", "b", "c"]) add(tenant, 1)
    const order = Array.from({ length: 9 }, () => take()!.tenant).join("")
    assert.strictEqual(order, "aaacaaabc")
  })

  it("do not go round for long where an item costs a billion quanta", () => {
    const { add, take } = turning(1)
    add("a", 1e9)
    add("b", 2e9)
    assert.deepStrictEqual([take()!.tenant, take()!.tenant], ["a", "b"])
  })

  it("remember nobody of many tenants once each has had his one (QU-25, P21)", async () => {
    const { add, spots, take } = turning(1)
    // somebody always waits there, so that the level itself is not what is forgotten
    add("dear", 1e12)
    const wave = async (wave: number) => {
      for (let i = 0; i < 20_000; i++) add(`tenant ${wave} ${i}`, 1)
      for (let i = 0; i < 20_000; i++) assert.strictEqual(take()?.tenant, `tenant ${wave} ${i}`)
      assert.strictEqual(spots.size, 1)
      return await heapUsed()
    }
    await wave(0)
    const before = await wave(1)
    const after = await wave(2)
    assert.isBelow(after - before, 20_000 * 20, "bytes")
  })

  it("are those of the book", () => {
    const script = fc.array(fc.option(cost, { freq: 3 }), { minLength: 20, maxLength: 150, size: "max" })
    fc.assert(
      fc.property(quantum, weights, fc.array(fc.tuple(fc.constantFrom(...names), cost), { minLength: 8, maxLength: 60, size: "max" }), script,
        (quantum, weights, first, script) => {
          const { add, take } = turning(quantum, weights)
          const book = byTheBook((tenant) => quantum * weights[tenant as keyof typeof weights])
          const both = (tenant: string, cost: number) => book.add(add(tenant, cost))
          for (const tenant of names) {
            both(tenant, 10)
            both(tenant, 20)
          }
          for (const [tenant, cost] of first) both(tenant, cost)
          const counts = new Map(names.map((tenant) => [tenant, 2 + first.filter(([name]) => name === tenant).length]))
          script.forEach((cost, at) => {
            if (cost !== null) {
              const tenant = names[at % names.length]!
              counts.set(tenant, counts.get(tenant)! + 1)
              return both(tenant, cost)
            }
            // who is alone is not counted, and who has come anew is another matter: as long as all have something
            if ([...counts.values()].some((count) => count <= 1)) return
            const item = take()!
            counts.set(item.tenant, counts.get(item.tenant)! - 1)
            assert.deepStrictEqual(item, book.take())
          })
        }),
      { numRuns: 500 }
    )
  })

  // whoever comes, goes away before his turn or changes what is next
  const step = fc.oneof(
    { weight: 4, arbitrary: tagged("add", { tenant: fc.constantFrom(...names), cost }) },
    { weight: 4, arbitrary: tagged("take", {}) },
    { weight: 1, arbitrary: tagged("remove", { which: fc.nat() }) }
  )

  it("give two tenants who both wait the same by weight, within a quantum and an item of each (P17)", () => {
    fc.assert(
      fc.property(quantum, weights, fc.array(step, { minLength: 50, maxLength: 300, size: "max" }), (quantum, weights, steps) => {
        const { add, remove, spots, take } = turning(quantum, weights)
        const waiting = (tenant: string) => [...spots.keys()].filter((item) => item.tenant === tenant)
        const served = new Map(names.map((tenant) => [tenant, 0]))
        // how far the difference of two has gone to either side while both waited without a break
        const spans = new Map<string, { readonly least: number; readonly most: number }>()
        const pairs = names.flatMap((f, i) => names.slice(i + 1).map((g) => [f, g] as const))
        const normal = (tenant: string) => served.get(tenant)! / weights[tenant as keyof typeof weights]
        const look = () => {
          for (const [f, g] of pairs) {
            const pair = f + g
            if (waiting(f).length === 0 || waiting(g).length === 0) {
              spans.delete(pair)
              continue
            }
            const difference = normal(f) - normal(g)
            const { least, most } = spans.get(pair) ?? { least: difference, most: difference }
            const span = { least: Math.min(least, difference), most: Math.max(most, difference) }
            spans.set(pair, span)
            const bound = quantum + 100 / weights[f as keyof typeof weights] + 100 / weights[g as keyof typeof weights]
            assert.isAtMost(span.most - span.least, bound, `${f} and ${g}`)
          }
        }
        for (const step of steps) {
          switch (step._tag) {
            case "add":
              add(step.tenant, step.cost)
              break
            case "take": {
              const item = take()
              if (item !== undefined) served.set(item.tenant, served.get(item.tenant)! + item.cost)
              break
            }
            case "remove": {
              const item = [...spots.keys()][step.which % spots.size]
              if (item !== undefined) remove(item)
            }
          }
          look()
        }
      }),
      { numRuns: 500 }
    )
  })
})

// -----------------------------------------------------------------------------
// the queue
// -----------------------------------------------------------------------------

interface Load {
  readonly tenant: string
  /** How many ask at once, each again when it has its answer and has thought for so many milliseconds. */
  readonly clients: number
  readonly thinks?: number
  /** What a call of it costs in tokens. */
  readonly tokens?: number
}

/** How many calls of each tenant have ended after so many seconds, of a second each. */
const ended = (seconds: number, options: Partial<RequestQueue.Options>, loads: ReadonlyArray<Load>) => {
  const clock = VirtualClock.make()
  return Effect.gen(function*() {
    const queue = yield* RequestQueue.make({ backend: "test", capacity: 1000, maxWait: "1 hour", ...options })
    const counts = new Map(loads.map(({ tenant }) => [tenant, 0]))
    const way = queue.policy(() => Effect.sleep(1000))
    const client = ({ tenant, thinks = 0, tokens }: Load) => {
      const once = Effect.suspend(() => {
        const call: Policy.Call = {
          backend: "test",
          operation: "generateText",
          isStreamed: false,
          model: "m",
          // each message costs four tokens whatever is in it
          ...(tokens !== undefined && { request: { model: "m", prompt: "", maxTokens: tokens - 4 } }),
          priority: 1,
          deadline: Option.none(),
          tenant,
          id: Option.none(),
          attempt: 1,
          arrival: { since: undefined, sequence: 0 },
          held: Held.make()
        }
        return Effect.onExit(way(call), call.held.close)
      })
      const ended = Effect.sync(() => counts.set(tenant, counts.get(tenant)! + 1))
      return Effect.forever(Effect.zipRight(Effect.zipRight(once, ended), Effect.sleep(thinks)))
    }
    const fibers = yield* Effect.forEach(
      // one of each, and again, so that nobody has all the places when it begins
      loads.flatMap((load) => Array.from({ length: load.clients }, (_, i) => ({ ...load, i }))).sort((a, b) => a.i - b.i),
      (load) => Effect.fork(client(load))
    )
    yield* clock.advance(seconds * 1000)
    yield* Fiber.interruptAll(fibers)
    return loads.map(({ tenant }) => counts.get(tenant)!)
  }).pipe(Effect.scoped, Effect.withClock(clock))
}

describe("tenants", () => {
  it.effect("get the same, whoever has more callers or comes back sooner (QU-13)", () =>
    Effect.gen(function*() {
      const one = yield* ended(50, { concurrency: 4 }, [
        { tenant: "a", clients: 8, thinks: 1000 },
        { tenant: "b", clients: 8, thinks: 1000 }
      ])
      const [a, b] = one as [number, number]
      assert.isAtLeast(a + b, 196)
      assert.isAtMost(Math.abs(a - b), 2)
      const [c, d] = (yield* ended(50, { concurrency: 4 }, [
        { tenant: "a", clients: 8, thinks: 1000 },
        { tenant: "b", clients: 7, thinks: 500 }
      ])) as [number, number]
      assert.isAtLeast(c + d, 196)
      assert.isAtMost(Math.abs(c - d), 2)
    }))

  it.effect("get no more than they ask for, and what one leaves goes to the other (QU-14)", () =>
    Effect.gen(function*() {
      assert.deepStrictEqual(
        yield* ended(20, { concurrency: 3 }, [{ tenant: "a", clients: 2 }, { tenant: "b", clients: 1 }]),
        [40, 20]
      )
    }))

  it.effect("of more weight get more", () =>
    Effect.gen(function*() {
      const fairness = { weights: { gold: 4, silver: 2 }, defaultWeight: 1 }
      const loads = ["gold", "silver", "wood"].map((tenant) => ({ tenant, clients: 20 }))
      const counts = yield* ended(700, { concurrency: 1, fairness }, loads)
      // a round more or less: for the beginning, and for when it goes round between all since some have waited too long
      counts.forEach((count, i) => assert.approximately(count, 100 * [4, 2, 1][i]!, 10))
    }))

  it.effect("with names that objects have anyway are tenants like others", () =>
    Effect.gen(function*() {
      const loads = ["constructor", "__proto__", "toString"].map((tenant) => ({ tenant, clients: 5 }))
      for (const count of yield* ended(30, { concurrency: 1 }, loads)) assert.approximately(count, 10, 1)
    }))

  it.effect("are alone with all the places, and share them evenly with others like them (P19)", () =>
    Effect.promise(() =>
      fc.assert(
        fc.asyncProperty(
          fc.integer({ min: 1, max: 4 }),
          fc.integer({ min: 0, max: 4 }),
          fc.integer({ min: 5, max: 12 }),
          async (concurrency, others, clients) => {
            const tenants = Array.from({ length: others + 1 }, (_, i) => ({ tenant: `${i}`, clients }))
            const counts = await Effect.runPromise(ended(40, { concurrency }, tenants))
            const all = 40 * concurrency
            assert.strictEqual(counts.reduce((sum, count) => sum + count, 0), all)
            // a round and the calls that were let in before anybody waited
            for (const count of counts) assert.approximately(count, all / (others + 1), 1 + concurrency)
          }
        ),
        { numRuns: 25 }
      )
    ), 60_000)

  it.effect("get no more tokens for asking in smaller pieces, where it is tokens that are shared (P20)", () =>
    Effect.promise(() =>
      fc.assert(
        fc.asyncProperty(
          fc.integer({ min: 1, max: 3 }),
          fc.integer({ min: 1, max: 10 }),
          fc.integer({ min: 10, max: 3000 }),
          async (concurrency, pieces, quantum) => {
            const whole = 1000
            const piece = Math.ceil(whole / pieces)
            const [coarse, fine] = (await Effect.runPromise(
              ended(100, { concurrency, fairness: { cost: "tokens", quantum } }, [
                { tenant: "coarse", clients: 40, tokens: whole },
                { tenant: "fine", clients: 40, tokens: piece }
              ])
            )) as [number, number]
            assert.isAbove(coarse, 0)
            // what is under way when the time is over has been let in but not counted, nor was the beginning
            const bound = quantum + whole + piece + 2 * concurrency * whole
            assert.isAtMost(Math.abs(coarse * whole - fine * piece), bound)
          }
        ),
        { numRuns: 25 }
      )
    ), 60_000)

  it.scoped("take turns at a level as long as all have patience, and whatever the level once somebody has none", () =>
    Effect.gen(function*() {
      const { ask, started } = yield* make({ ageing: "10 seconds" })
      yield* forked(ask("running", { takes: "21 seconds" }))
      for (const n of [1, 2, 3]) yield* forked(ask(`a${n}`, { tenant: "a" }))
      yield* forked(ask("b1", { tenant: "b", priority: "low" }))
      yield* forked(ask("b2", { tenant: "b" }))
      yield* TestClock.adjust("20 seconds")
      // all but the low one are out of patience now
      yield* forked(ask("a4", { tenant: "a", priority: "high" }))
      yield* forked(ask("b3", { tenant: "b", priority: "high" }))
      yield* forked(ask("a5", { tenant: "a", priority: "high" }))
      yield* TestClock.adjust("9 seconds")
      assert.deepStrictEqual(started, ["running", "a1", "b2", "a2", "b3", "a3", "a4", "a5", "b1"])
    }))

  it.scoped("who have so many calls waiting that these lose their patience do not go before the others for that", () =>
    Effect.gen(function*() {
      const { ask, started } = yield* make({ ageing: "10 seconds", capacity: 1000 })
      for (let i = 0; i < 200; i++) yield* forked(ask(`flood ${i}`, { tenant: "flood" }))
      yield* TestClock.adjust("100 seconds")
      for (const name of ["1", "2"]) yield* forked(ask(name, { tenant: "modest" }))
      yield* TestClock.adjust("4 seconds")
      assert.deepStrictEqual(started.slice(-4).map((name) => name.split(" ")[0]), ["1", "flood", "2", "flood"])
    }))

  it.effect("do not lose their turn to a call of theirs that came too late for it", () => {
    const clock = VirtualClock.make()
    return Effect.gen(function*() {
      const { ask, started } = yield* make()
      const running = yield* forked(ask("running", { takes: "1 hour" }))
      yield* forked(Effect.exit(ask("a late", { tenant: "a", deadline: 1000 })))
      yield* forked(ask("a", { tenant: "a" }))
      yield* forked(ask("b", { tenant: "b" }))
      // the place comes free before anyone has heard that the deadline has passed
      yield* clock.stall(2000)
      yield* Fiber.interrupt(running)
      yield* clock.settle
      assert.deepStrictEqual(started, ["running", "a"])
    }).pipe(Effect.scoped, Effect.withClock(clock))
  })

  it.scoped("are asked what their calls cost only where tokens are shared and more than one waits", () =>
    Effect.gen(function*() {
      for (const [cost, expected] of [["calls", []], ["tokens", ["a1", "b1"]]] as Array<["calls" | "tokens", Array<string>]>) {
        const queue = yield* RequestQueue.make({ backend: "test", concurrency: 1, fairness: { cost } })
        const way = queue.policy(() => Effect.never)
        const asked: Array<string> = []
        const come = (name: string, tenant: string) => {
          const held = Held.make()
          const request = {
            model: "m",
            get prompt() {
              asked.push(name)
              return ""
            }
          }
          const call: Policy.Call = {
            backend: "test",
            operation: "generateText",
            isStreamed: false,
            model: "m",
            request,
            priority: 1,
            deadline: Option.none(),
            tenant,
            id: Option.none(),
            attempt: 1,
            arrival: { since: undefined, sequence: 0 },
            held
          }
          return Effect.as(forked(way(call)), held)
        }
        const running = yield* come("running", "a")
        for (const name of ["a1", "a2"]) yield* come(name, "a")
        assert.deepStrictEqual(asked, [])
        yield* come("b1", "b")
        assert.deepStrictEqual([...new Set(asked)].sort(), expected)
        yield* running.close(Exit.void)
        assert.deepStrictEqual([...new Set(asked)].sort(), cost === "calls" ? [] : ["a1", "a2", "b1"])
      }
    }))
})
