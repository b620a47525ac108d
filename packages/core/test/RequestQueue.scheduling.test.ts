/**
 * Priorities and ageing over time: P13, P14, P15, what a saturated queue makes of a few urgent calls, and the seniority
 * of those who come back.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Held from "@spillway/core/Held"
import * as LlmError from "@spillway/core/LlmError"
import type * as Policy from "@spillway/core/Policy"
import * as RequestQueue from "@spillway/core/RequestQueue"
import { Effect, FastCheck as fc, Fiber, Option, Random, TestClock } from "effect"
import { forked } from "./queueing.js"
import * as VirtualClock from "./virtualClock.js"

interface Arrival {
  /** Milliseconds after the one before. */
  readonly after: number
  readonly level: number
  readonly takes: number
  /** Milliseconds after it came. */
  readonly deadline?: number | null
}

interface Ride extends Arrival {
  readonly number: number
  readonly since: number
  startedAt?: number
  /** How many had started before. */
  place?: number
}

const makeCall = (priority: number, deadline?: number): Policy.Call => ({
  backend: "test",
  operation: "generateText",
  isStreamed: false,
  model: "m",
  priority,
  deadline: Option.fromNullable(deadline),
  tenant: "",
  id: Option.none(),
  attempt: 1,
  arrival: { since: undefined, sequence: 0 },
  held: Held.make()
})

/** What becomes of calls that come one after the other. */
const play = (options: Partial<RequestQueue.Options>, arrivals: ReadonlyArray<Arrival>) => {
  const clock = VirtualClock.make()
  return Effect.gen(function*() {
    const queue = yield* RequestQueue.make({ backend: "test", lateShare: 0, ...options })
    const rides: Array<Ride> = []
    const fibers = []
    let started = 0
    for (const arrival of arrivals) {
      yield* clock.advance(arrival.after)
      const since = clock.unsafeCurrentTimeMillis()
      const ride: Ride = { ...arrival, number: rides.length, since }
      rides.push(ride)
      const way = queue.policy(() =>
        Effect.suspend(() => {
          ride.startedAt = clock.unsafeCurrentTimeMillis()
          ride.place = started++
          return Effect.sleep(ride.takes)
        })
      )
      const call = makeCall(arrival.level, arrival.deadline == null ? undefined : since + arrival.deadline)
      fibers.push(yield* Effect.fork(Effect.exit(Effect.onExit(way(call), call.held.close))))
    }
    while (fibers.some((fiber) => fiber.unsafePoll() === null)) yield* clock.advance(1000)
    return rides
  }).pipe(Effect.scoped, Effect.withClock(clock))
}

const percentile = (share: number, values: ReadonlyArray<number>) =>
  [...values].sort((a, b) => a - b)[Math.ceil(share * values.length) - 1]!

const waits = (rides: ReadonlyArray<Ride>, level: number) =>
  rides.flatMap(({ level: own, since, startedAt }) => own === level && startedAt !== undefined ? [startedAt - since] : [])

describe("a saturated queue", () => {
  it.effect("lets the few urgent in within two service times, and the least urgent when their patience ends", () =>
    Effect.gen(function*() {
      const service = 1000
      // 6.5 a second, of which 5 can be served
      const arrivals = yield* Effect.forEach(Array.from({ length: 10_000 }), () =>
        Effect.map(Effect.all([Random.next, Random.next, Random.next]), ([gap, kind, length]): Arrival => ({
          after: Math.round(-Math.log(1 - gap) * service / 6.5),
          level: kind < 0.05 ? 0 : kind < 0.72 ? 1 : 2,
          takes: Math.round(service * (0.5 + length))
        })))
      const rides = yield* play({ ageing: "10 seconds" }, arrivals)
      const high = waits(rides, 0)
      const low = waits(rides, 2)
      assert.isAbove(high.length, 400)
      assert.isBelow(percentile(0.99, high), 2 * service)
      assert.isAbove(low.length, 300)
      assert.isAbove(percentile(0.9, low), 29_000, "they were kept waiting")
      assert.isAtMost(Math.max(...low), 3 * 10_000 + 2 * service, "but not for longer than their patience")
    }).pipe(Effect.withRandom(Random.make("saturated"))), 60_000)
})

describe("of one tenant's calls", () => {
  const arrival = fc.record({
    after: fc.nat(60),
    level: fc.oneof(fc.constantFrom(0, 1, 2), fc.double({ min: 0, max: 2, noNaN: true })),
    takes: fc.nat(150),
    deadline: fc.option(fc.integer({ min: 1, max: 2000 }), { freq: 3 })
  })
  const arrivals = fc.array(arrival, { minLength: 20, maxLength: 80, size: "max" })

  it("one is overtaken only by those that came less than its patience after it (P14)", async () => {
    let overtakings = 0
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: 3 }), fc.integer({ min: 10, max: 300 }), arrivals, async (concurrency, ageing, arrivals) => {
        const rides = await Effect.runPromise(play({ concurrency, ageing, capacity: 100, maxWait: "1 hour" }, arrivals))
        for (const late of rides) {
          for (const early of rides.slice(0, late.number)) {
            if (late.place === undefined || early.place === undefined || early.place < late.place) continue
            overtakings++
            assert.isBelow(late.since - early.since, ageing * (1 + early.level), `${late.number} overtook ${early.number}`)
          }
        }
      }),
      { numRuns: 60, interruptAfterTimeLimit: 60_000 }
    )
    assert.isAbove(overtakings, 100)
  }, 90_000)

  it("without ageing none starts while a more urgent one waits, nor one that is due later at its level (P13, P15)", async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: 3 }), arrivals, async (concurrency, arrivals) => {
        const options = { concurrency, ageing: Infinity, capacity: 100, maxWait: 10_000 }
        const rides = await Effect.runPromise(play(options, arrivals))
        const due = ({ deadline, since }: Ride) => since + Math.min(deadline ?? Infinity, 10_000)
        for (const ride of rides) {
          const { place, startedAt } = ride
          if (place === undefined || startedAt === undefined) continue
          // who came in the very moment may have come after the place was taken
          const waiting = rides.filter((other) =>
            other.since < startedAt && (other.place ?? Infinity) > place && due(other) > startedAt)
          for (const other of waiting) {
            assert.isTrue(
              ride.level < other.level || (ride.level === other.level && due(ride) <= due(other)),
              `${ride.number} started before ${other.number}`
            )
          }
        }
      }),
      { numRuns: 60, interruptAfterTimeLimit: 60_000 }
    )
  }, 90_000)
})

describe("a further attempt", () => {
  it.scoped("stands where the first one stood, by when that came", () =>
    Effect.gen(function*() {
      const queue = yield* RequestQueue.make({ backend: "test", concurrency: 1, ageing: "1 hour" })
      const order: Array<string> = []
      const come = (name: string, priority = 1) => {
        const call = makeCall(priority)
        const attempt = (attempt: number) => {
          const held = Held.make()
          const answer = attempt === 1 && name.startsWith("fails")
            ? new LlmError.ServerFault({ backend: "test", message: "500" })
            : Effect.void
          const way = queue.policy(() =>
            Effect.zipRight(Effect.sync(() => order.push(`${name} ${attempt}`)), Effect.delay(answer, "1 second"))
          )
          return Effect.onExit(way({ ...call, attempt, held }), held.close)
        }
        return forked(Effect.orElse(attempt(1), () => Effect.delay(attempt(2), 1500)))
      }
      const all = [yield* come("fails first"), yield* come("fails second"), yield* come("a"), yield* come("b")]
      yield* TestClock.adjust(500)
      all.push(yield* come("c"), yield* come("urgent", 0))
      // they come back at 2.5 s and at 4.5 s, when others wait who came later
      yield* TestClock.adjust("10 seconds")
      yield* Fiber.joinAll(all)
      assert.deepStrictEqual(order, [
        "fails first 1",
        "urgent 1",
        "fails second 1",
        "fails first 2",
        "a 1",
        "fails second 2",
        "b 1",
        "c 1"
      ])
    }))
})
