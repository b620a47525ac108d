import { assert, describe, it } from "@effect/vitest"
import * as Held from "@spillway/core/Held"
import * as LlmError from "@spillway/core/LlmError"
import * as Monitor from "@spillway/core/Monitor"
import type * as Policy from "@spillway/core/Policy"
import * as RequestQueue from "@spillway/core/RequestQueue"
import { Cause, Deferred, Effect, Exit, FastCheck as fc, Fiber, Option } from "effect"
import * as WaitingRoom from "../src/internal/waitingRoom.js"
import * as VirtualClock from "./virtualClock.js"

const level = fc.oneof(fc.constantFrom(0, 1, 2), fc.double({ min: 0, max: 2, noNaN: true }))
const tagged = <Tag extends string, Fields>(_tag: Tag, fields: { [K in keyof Fields]: fc.Arbitrary<Fields[K]> }) =>
  fc.record(fields).map((fields) => ({ _tag, ...fields }))

describe("the waiting room", () => {
  it("gives out the one whose turn it is, whoever came and left before", () => {
    const step = fc.oneof(
      { weight: 4, arbitrary: tagged("add", { level, due: fc.nat(50), patience: fc.nat(50) }) },
      { weight: 2, arbitrary: tagged("next", {}) },
      { weight: 1, arbitrary: tagged("remove", { which: fc.nat() }) },
      { weight: 1, arbitrary: tagged("later", { by: fc.nat(10) }) }
    )
    fc.assert(
      fc.property(fc.array(step, { minLength: 20, maxLength: 200, size: "max" }), (steps) => {
        const room = WaitingRoom.make<WaitingRoom.Waiter>()
        const here: Array<WaitingRoom.Waiter> = []
        const everyone: Array<WaitingRoom.Waiter> = []
        let now = 0
        steps.forEach((step, sequence) => {
          switch (step._tag) {
            case "add": {
              const waiter = {
                level: step.level,
                since: now,
                sequence,
                due: now + step.due,
                patience: now + step.patience,
                turnAt: 0,
                patienceAt: 0
              }
              room.add(waiter)
              here.push(waiter)
              everyone.push(waiter)
              break
            }
            case "next": {
              const impatient = here.filter((waiter) => waiter.patience <= now)
              const [expected] = impatient.length > 0
                ? impatient.sort((a, b) => a.patience - b.patience || a.sequence - b.sequence)
                : here.sort((a, b) => a.level - b.level || a.due - b.due || a.sequence - b.sequence)
              assert.strictEqual(room.next(now), expected)
              if (expected !== undefined) here.splice(here.indexOf(expected), 1)
              break
            }
            case "remove": {
              if (everyone.length === 0) break
              const waiter = everyone[step.which % everyone.length]!
              const index = here.indexOf(waiter)
              assert.strictEqual(room.remove(waiter), index >= 0)
              if (index >= 0) here.splice(index, 1)
              break
            }
            case "later":
              now += step.by
          }
          assert.strictEqual(room.size(), here.length)
          assert.strictEqual(room.oldest(), Math.min(Infinity, ...here.map(({ since }) => since)))
        })
      }),
      { numRuns: 300 }
    )
  })
})

// -----------------------------------------------------------------------------
// random callers against the whole queue, and beside it its rules in their plainest form: who starts, who is given up
// and who is refused has to be the same at every moment
// -----------------------------------------------------------------------------

const ageing = 100
const maxWait = 300

const step = fc.oneof(
  { weight: 8, arbitrary: tagged("arrive", { level, deadline: fc.option(fc.nat(400)) }) },
  { weight: 2, arbitrary: tagged("finish", { which: fc.nat() }) },
  { weight: 2, arbitrary: tagged("fail", { which: fc.nat() }) },
  { weight: 2, arbitrary: tagged("interrupt", { which: fc.nat() }) },
  { weight: 2, arbitrary: tagged("advance", { by: fc.nat(120) }) },
  { weight: 1, arbitrary: tagged("stall", { by: fc.nat(120), which: fc.nat() }) },
  { weight: 1, arbitrary: tagged("concurrency", { to: fc.integer({ min: 1, max: 6 }) }) },
  { weight: 1, arbitrary: tagged("capacity", { to: fc.nat(6) }) },
  { weight: 1, arbitrary: tagged("pause", {}) },
  { weight: 1, arbitrary: tagged("resume", {}) }
)
type Step = typeof step extends fc.Arbitrary<infer A> ? A : never

interface Caller {
  readonly id: number
  readonly level: number
  readonly since: number
  readonly deadline: number
  readonly end: Deferred.Deferred<void, LlmError.LlmError>
  readonly fiber: Fiber.RuntimeFiber<void, LlmError.LlmError>
  /** What the rules say of it. */
  state: "waiting" | "running" | "done" | "interrupted" | "WaitedTooLong" | LlmError.Tag
}

const due = (caller: Caller) => Math.min(caller.deadline, caller.since + maxWait)
const patience = (caller: Caller) => caller.since + ageing * (1 + caller.level)

const run = (steps: ReadonlyArray<Step>, clock: VirtualClock.VirtualClock) =>
  Effect.gen(function*() {
    let concurrency = 2
    let capacity = 4
    let isPaused = false
    const monitor = Monitor.unsafeMake()
    const queue = yield* RequestQueue.make({ backend: "test", concurrency, capacity, ageing, maxWait }).pipe(
      Effect.provideService(Monitor.CurrentMonitor, monitor)
    )
    const callers: Array<Caller> = []
    const started: Array<number> = []
    const expected: Array<number> = []
    const now = () => clock.unsafeCurrentTimeMillis()
    const those = (...states: ReadonlyArray<Caller["state"]>) => callers.filter(({ state }) => states.includes(state))
    const one = (which: number, ...states: ReadonlyArray<Caller["state"]>) => {
      const some = those(...states)
      return some[which % some.length]
    }

    const letIn = () => {
      while (!isPaused && those("running").length < concurrency) {
        const impatient = those("waiting").filter((caller) => patience(caller) <= now())
        const [next] = impatient.length > 0
          ? impatient.sort((a, b) => patience(a) - patience(b) || a.id - b.id)
          : those("waiting").sort((a, b) => a.level - b.level || due(a) - due(b) || a.id - b.id)
        if (next === undefined) return
        next.state = "running"
        expected.push(next.id)
      }
    }

    const giveUp = (noticed: (caller: Caller) => number) => {
      for (const caller of those("waiting")) {
        if (due(caller) <= now()) caller.state = caller.deadline <= noticed(caller) ? "DeadlineExceeded" : "WaitedTooLong"
      }
    }

    const arrive = (level: number, after: number | null) =>
      Effect.gen(function*() {
        const id = callers.length
        const deadline = after === null ? Infinity : now() + after
        const end = yield* Deferred.make<void, LlmError.LlmError>()
        const way = queue.policy(() => Effect.zipRight(Effect.sync(() => started.push(id)), Deferred.await(end)))
        const call: Policy.Call = {
          backend: "test",
          operation: "generateText",
          isStreamed: false,
          model: `${id}`,
          priority: level,
          deadline: after === null ? Option.none() : Option.some(deadline),
          tenant: "",
          id: Option.none(),
          attempt: 1,
          arrival: { since: undefined, sequence: 0 },
          held: Held.make()
        }
        const fiber = yield* Effect.fork(Effect.onExit(way(call), call.held.close))
        const isRefused = those("waiting").length >= capacity && (isPaused || those("running").length >= concurrency)
        callers.push({
          id,
          level,
          since: now(),
          deadline,
          end,
          fiber,
          state: deadline <= now() ? "DeadlineExceeded" : isRefused ? "QueueFull" : "waiting"
        })
        letIn()
      })

    const play = (step: Step): Effect.Effect<unknown> => {
      switch (step._tag) {
        case "arrive":
          return arrive(step.level, step.deadline)
        case "finish":
        case "fail": {
          const caller = one(step.which, "running")
          if (caller === undefined) return Effect.void
          caller.state = step._tag === "finish" ? "done" : "ServerFault"
          letIn()
          return step._tag === "finish"
            ? Deferred.succeed(caller.end, undefined)
            : Deferred.fail(caller.end, new LlmError.ServerFault({ backend: "test", message: "500" }))
        }
        case "interrupt": {
          const caller = one(step.which, "waiting", "running")
          if (caller === undefined) return Effect.void
          caller.state = "interrupted"
          letIn()
          return Fiber.interrupt(caller.fiber)
        }
        case "advance":
          return Effect.map(clock.advance(step.by), () => giveUp(due))
        // a call ends before anyone has heard that time has passed
        case "stall":
          return Effect.zipRight(
            clock.stall(step.by),
            Effect.suspend(() => {
              giveUp(now)
              return Effect.zipRight(play({ _tag: "finish", which: step.which }), clock.advance(0))
            })
          )
        case "concurrency":
          concurrency = step.to
          letIn()
          return Effect.orDie(queue.setConcurrency(step.to))
        case "capacity":
          capacity = step.to
          return Effect.orDie(queue.setCapacity(step.to))
        case "pause":
          isPaused = true
          return queue.pause
        case "resume":
          isPaused = false
          letIn()
          return queue.resume
      }
    }

    const check = Effect.gen(function*() {
      yield* clock.settle
      assert.deepStrictEqual(started, expected, "who started, in which order")
      assert.strictEqual(yield* queue.inFlight, those("running").length, "under way")
      assert.strictEqual(yield* queue.size, those("waiting").length, "waiting")
      const counts = (yield* monitor.snapshot).backends[0]!.queue!
      const isAbandoned = ({ id, state }: Caller) =>
        state !== "waiting" && state !== "QueueFull" && !expected.includes(id)
      assert.strictEqual(counts.admitted, expected.length, "admitted")
      assert.strictEqual(counts.rejected, those("QueueFull").length, "rejected")
      assert.strictEqual(counts.abandoned, callers.filter(isAbandoned).length, "abandoned")
      for (const caller of callers) {
        const exit = Option.getOrUndefined(yield* Fiber.poll(caller.fiber))
        assert.strictEqual(
          exit === undefined
            ? started.includes(caller.id) ? "running" : "waiting"
            : Exit.match(exit, {
              onSuccess: () => "done",
              onFailure: (cause) =>
                Option.match(Cause.failureOption(cause), {
                  onNone: () => "interrupted",
                  onSome: ({ _tag, message }) =>
                    _tag === "QueueFull" && message.includes("waited") ? "WaitedTooLong" : _tag
                })
            }),
          caller.state,
          `caller ${caller.id}`
        )
      }
    })

    for (const step of steps) {
      yield* play(step)
      yield* check
    }
    yield* play({ _tag: "resume" })
    while (those("running").length > 0) yield* play({ _tag: "finish", which: 0 })
    yield* check
    assert.strictEqual(yield* queue.inFlight, 0, "no place is lost")
    assert.strictEqual(yield* queue.size, 0, "nobody is forgotten")
    return callers
  }).pipe(Effect.scoped, Effect.withClock(clock))

describe("the queue", () => {
  it(
    "keeps its rules, whatever callers do: no place exceeded, lost or idle, and every turn kept",
    { timeout: 60_000 },
    async () => {
      const ends = new Set<Caller["state"]>()
      await fc.assert(
        fc.asyncProperty(
          fc.array(step, { minLength: 10, maxLength: 80, size: "max" }),
          async (steps) => {
            for (const { state } of await Effect.runPromise(run(steps, VirtualClock.make()))) ends.add(state)
          }
        ),
        { numRuns: 150 }
      )
      assert.deepStrictEqual(
        [...ends].sort(),
        ["DeadlineExceeded", "QueueFull", "ServerFault", "WaitedTooLong", "done", "interrupted"],
        "every way to end was seen"
      )
    }
  )
})
