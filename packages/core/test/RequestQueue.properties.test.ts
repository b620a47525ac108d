/**
 * P1, P2, P3, P6, P7, P10, P11, P12, P13, P15, P16: random callers against the whole queue, and beside it its rules in
 * their plainest form. Who starts, who is given up, who has to go and who is refused must be the same at every moment;
 * with costs and weights of one every tenant has one turn a round, so that the order is exact there too. P4: a queue
 * gives one thing, a place; who waits for it holds nothing of the queue's, and all have ended when the play is over.
 * (Fairness, ageing and lateness over time stand in the files beside this one.)
 */
import { assert, describe, it } from "@effect/vitest"
import * as Held from "@spillway/core/Held"
import * as LlmError from "@spillway/core/LlmError"
import * as Monitor from "@spillway/core/Monitor"
import type * as Policy from "@spillway/core/Policy"
import * as RequestQueue from "@spillway/core/RequestQueue"
import { Cause, Deferred, Effect, Exit, FastCheck as fc, Fiber, Option } from "effect"
import * as VirtualClock from "./virtualClock.js"

const ageing = 100
const maxWait = 300

const tagged = <Tag extends string, Fields>(_tag: Tag, fields: { [K in keyof Fields]: fc.Arbitrary<Fields[K]> }) =>
  fc.record(fields).map((fields) => ({ _tag, ...fields }))
const level = fc.oneof(fc.constantFrom(0, 1, 2), fc.double({ min: 0, max: 2, noNaN: true }))
const name = fc.constantFrom("a", "b", "c")

const step = fc.oneof(
  { weight: 10, arbitrary: tagged("arrive", { level, deadline: fc.option(fc.nat(400)), tenant: name, name: fc.option(name) }) },
  { weight: 2, arbitrary: tagged("finish", { which: fc.nat() }) },
  { weight: 2, arbitrary: tagged("fail", { which: fc.nat() }) },
  { weight: 1, arbitrary: tagged("retry", { which: fc.nat() }) },
  { weight: 2, arbitrary: tagged("interrupt", { which: fc.nat() }) },
  { weight: 2, arbitrary: tagged("advance", { by: fc.nat(120) }) },
  { weight: 1, arbitrary: tagged("stall", { by: fc.nat(120), which: fc.nat() }) },
  { weight: 1, arbitrary: tagged("boost", { name, level }) },
  { weight: 1, arbitrary: tagged("concurrency", { to: fc.integer({ min: 1, max: 6 }) }) },
  { weight: 1, arbitrary: tagged("capacity", { to: fc.nat(8) }) },
  { weight: 1, arbitrary: tagged("pause", {}) },
  { weight: 1, arbitrary: tagged("resume", {}) }
)
type Step = typeof step extends fc.Arbitrary<infer A> ? A : never

const options = fc.record({
  overflow: fc.constantFrom<"refuse" | "displace">("refuse", "displace"),
  tenantCapacity: fc.constantFrom(2, 4, undefined)
})
type Options = typeof options extends fc.Arbitrary<infer A> ? A : never

interface Caller {
  readonly id: number
  readonly call: Policy.Call
  /** When it came for the first time, and how many had come before. */
  readonly since: number
  readonly rank: number
  /** When it came this time. */
  readonly entered: number
  readonly deadline: number
  readonly end: Deferred.Deferred<void, LlmError.LlmError>
  readonly fiber: Fiber.RuntimeFiber<void, LlmError.LlmError>
  level: number
  isImpatient: boolean
  /** What the rules say of it. */
  state: "waiting" | "running" | "done" | "interrupted" | "Displaced" | "WaitedTooLong" | LlmError.Tag
  wasRetried: boolean
}

const until = (caller: Caller) => Math.min(caller.deadline, caller.entered + maxWait)
const due = (caller: Caller) => Math.min(caller.deadline, caller.since + maxWait)
const patience = (caller: Caller) => caller.since + ageing * (1 + caller.level)
const overdue = (caller: Caller, at: number) => caller.deadline <= at ? "DeadlineExceeded" : "WaitedTooLong"
const inOrder = (callers: ReadonlyArray<Caller>, by: (caller: Caller) => number) =>
  [...callers].sort((a, b) => by(a) - by(b) || a.rank - b.rank)

const run = ({ overflow, tenantCapacity }: Options, steps: ReadonlyArray<Step>, clock: VirtualClock.VirtualClock) =>
  Effect.gen(function*() {
    let concurrency = 2
    let capacity = 5
    let isPaused = false
    const monitor = Monitor.unsafeMake()
    const queue = yield* RequestQueue.make({
      backend: "test",
      concurrency,
      capacity,
      ageing,
      maxWait,
      overflow,
      tenantCapacity,
      lateShare: 0
    }).pipe(Effect.provideService(Monitor.CurrentMonitor, monitor))
    const callers: Array<Caller> = []
    const started: Array<number> = []
    const expected: Array<number> = []
    // in the round that is under way, of all and at each level: the tenants, those whose turn is over, and those who have
    // come meanwhile
    const turns = new Map<string, Record<"tenants" | "over" | "fresh", ReadonlyArray<string>>>()
    const now = () => clock.unsafeCurrentTimeMillis()
    const those = (...states: ReadonlyArray<Caller["state"]>) => callers.filter(({ state }) => states.includes(state))
    const one = (which: number, some: ReadonlyArray<Caller>) => some[which % some.length]

    const rings = (caller: Caller) => caller.isImpatient ? ["all"] : ["all", `${caller.level}`]
    const turnsIn = (ring: string) => turns.get(ring) ?? { tenants: [], over: [], fresh: [] }
    /** The turns, in the next round if everybody's is over. */
    const comingTurns = (ring: string) => {
      const { fresh, over, tenants } = turnsIn(ring)
      return tenants.length > over.length ? { tenants, over, fresh } : { tenants: [...fresh, ...tenants], over: [], fresh: [] }
    }
    const turnIn = (ring: string) => {
      const { over, tenants } = comingTurns(ring)
      return tenants.find((tenant) => !over.includes(tenant))
    }
    const sit = (caller: Caller) => {
      const { tenant } = caller.call
      for (const ring of rings(caller)) {
        const { fresh, over, tenants } = turnsIn(ring)
        if (!tenants.includes(tenant) && !fresh.includes(tenant)) turns.set(ring, { tenants, over, fresh: [...fresh, tenant] })
      }
    }
    const stand = (caller: Caller, hadItsTurnIn?: string) => {
      const { tenant } = caller.call
      for (const ring of rings(caller)) {
        const { fresh, over, tenants } = ring === hadItsTurnIn ? comingTurns(ring) : turnsIn(ring)
        const others = (names: ReadonlyArray<string>) => names.filter((name) => name !== tenant)
        const isLast = those("waiting").every((other) =>
          other === caller || other.call.tenant !== tenant || !rings(other).includes(ring))
        turns.set(
          ring,
          isLast
            ? { tenants: others(tenants), over: others(over), fresh: others(fresh) }
            : { tenants, over: ring === hadItsTurnIn ? [...over, tenant] : over, fresh }
        )
      }
    }
    const goes = (caller: Caller, state: Caller["state"], hadItsTurnIn?: string) => {
      if (caller.state === "waiting") stand(caller, hadItsTurnIn)
      caller.state = state
    }
    /** What changes of one who waits; it is in the ring of all meanwhile. */
    const moves = (caller: Caller, change: () => void) => {
      const all = turnsIn("all")
      stand(caller)
      change()
      sit(caller)
      turns.set("all", all)
    }

    const age = (at = now()) => {
      const aged = those("waiting").filter((caller) => !caller.isImpatient && patience(caller) <= at)
      for (const caller of inOrder(aged, patience)) {
        moves(caller, () => {
          caller.isImpatient = true
        })
      }
    }

    const next = () => {
      const waiting = those("waiting")
      const urgent = Math.min(...waiting.map(({ level }) => level))
      const ring = waiting.some(({ isImpatient }) => isImpatient) ? "all" : `${urgent}`
      const own = waiting.filter(({ call }) => call.tenant === turnIn(ring))
      const impatient = own.filter(({ isImpatient }) => isImpatient)
      const ownUrgent = Math.min(...own.map(({ level }) => level))
      const [caller] = impatient.length > 0
        ? inOrder(impatient, patience)
        : inOrder(own.filter(({ level }) => level === ownUrgent), due)
      return caller && { caller, ring }
    }

    const letIn = () => {
      age()
      while (!isPaused && those("running").length < concurrency) {
        const turn = next()
        if (turn === undefined) return
        if (until(turn.caller) <= now()) {
          goes(turn.caller, overdue(turn.caller, now()))
          continue
        }
        goes(turn.caller, "running", turn.ring)
        expected.push(turn.caller.id)
      }
    }

    const giveUp = (noticed: (caller: Caller) => number) => {
      for (const caller of inOrder(those("waiting"), until)) {
        if (until(caller) > now()) break
        age(noticed(caller))
        goes(caller, overdue(caller, noticed(caller)))
      }
    }

    /** What is said to a newcomer, and who has to go for it. */
    const welcome = (call: Policy.Call): { readonly state: Caller["state"]; readonly displaced?: Caller | undefined } => {
      if (Option.getOrElse(call.deadline, () => Infinity) <= now()) return { state: "DeadlineExceeded" }
      const waiting = those("waiting")
      if (!isPaused && those("running").length < concurrency) return { state: "waiting" }
      const least = Math.max(...waiting.filter(({ isImpatient }) => !isImpatient).map(({ level }) => level))
      const displaced = waiting.length >= capacity && overflow === "displace" && least > call.priority
        ? inOrder(waiting.filter(({ isImpatient, level }) => !isImpatient && level === least), () => 0).at(-1)
        : undefined
      if (waiting.length >= capacity && displaced === undefined) return { state: "QueueFull" }
      return waiting.filter(({ call: { tenant } }) => tenant === call.tenant).length >= (tenantCapacity ?? Infinity)
        ? { state: "QueueFull" }
        : { state: "waiting", displaced }
    }

    const arrive = (call: Policy.Call, before?: Caller) =>
      Effect.gen(function*() {
        const id = callers.length
        const end = yield* Deferred.make<void, LlmError.LlmError>()
        const way = queue.policy(() => Effect.zipRight(Effect.sync(() => started.push(id)), Deferred.await(end)))
        const { displaced, state } = welcome(call)
        const caller: Caller = {
          id,
          call,
          since: before?.since ?? now(),
          rank: before?.rank ?? id,
          entered: now(),
          deadline: Option.getOrElse(call.deadline, () => Infinity),
          end,
          fiber: yield* Effect.fork(Effect.onExit(way(call), call.held.close)),
          level: call.priority,
          isImpatient: false,
          state,
          wasRetried: false
        }
        if (displaced !== undefined) goes(displaced, "Displaced")
        callers.push(caller)
        if (state === "waiting") sit(caller)
        letIn()
      })

    const play = (step: Step): Effect.Effect<unknown> => {
      switch (step._tag) {
        case "arrive":
          return arrive({
            backend: "test",
            operation: "generateText",
            isStreamed: false,
            model: "m",
            priority: step.level,
            deadline: step.deadline === null ? Option.none() : Option.some(now() + step.deadline),
            tenant: step.tenant,
            id: Option.fromNullable(step.name),
            attempt: 1,
            arrival: { since: undefined, sequence: 0 },
            held: Held.make()
          })
        case "finish":
        case "fail": {
          const caller = one(step.which, those("running"))
          if (caller === undefined) return Effect.void
          caller.state = step._tag === "finish" ? "done" : "ServerFault"
          letIn()
          return step._tag === "finish"
            ? Deferred.succeed(caller.end, undefined)
            : Deferred.fail(caller.end, new LlmError.ServerFault({ backend: "test", message: "500" }))
        }
        case "retry": {
          const caller = one(step.which, those("ServerFault").filter(({ wasRetried }) => !wasRetried))
          if (caller === undefined) return Effect.void
          caller.wasRetried = true
          return arrive({ ...caller.call, attempt: caller.call.attempt + 1, held: Held.make() }, caller)
        }
        case "interrupt": {
          const caller = one(step.which, those("waiting", "running"))
          if (caller === undefined) return Effect.void
          goes(caller, "interrupted")
          letIn()
          return Fiber.interrupt(caller.fiber)
        }
        case "advance":
          return Effect.map(clock.advance(step.by), () => giveUp(until))
        // a call ends before anyone has heard that time has passed
        case "stall":
          return clock.stall(step.by).pipe(
            Effect.zipRight(Effect.suspend(() => play({ _tag: "finish", which: step.which }))),
            Effect.zipRight(clock.advance(0)),
            Effect.map(() => giveUp(now))
          )
        case "boost": {
          const named = those("waiting").filter(({ call }) => Option.contains(call.id, step.name))
          for (const caller of named) {
            moves(caller, () => {
              caller.level = step.level
              caller.isImpatient = patience(caller) <= now()
            })
          }
          return Effect.map(queue.boost(step.name, step.level), (isHere) =>
            assert.strictEqual(isHere, named.length > 0, "somebody of that name"))
        }
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
      const oldest = Math.min(...those("waiting").map(({ entered }) => entered))
      assert.strictEqual(counts.oldestWaitMillis, oldest === Infinity ? 0 : now() - oldest, "the oldest wait")
      assert.strictEqual(counts.admitted, expected.length, "admitted")
      assert.strictEqual(counts.admitted + counts.rejected + counts.abandoned + counts.waiting, callers.length, "all")
      const { displaced = 0, expired = 0, full = 0, "tenant-full": tenantFull = 0, "waited-too-long": waited = 0 } =
        counts.refusals!
      assert.strictEqual(full + tenantFull, those("QueueFull").length, "full")
      assert.strictEqual(displaced, those("Displaced").length, "displaced")
      assert.strictEqual(expired, those("DeadlineExceeded").length, "expired")
      assert.strictEqual(waited, those("WaitedTooLong").length, "waited too long")
      for (const caller of callers) {
        const exit = Option.getOrUndefined(yield* Fiber.poll(caller.fiber))
        assert.strictEqual(
          exit === undefined
            ? started.includes(caller.id) ? "running" : "waiting"
            : Exit.match(exit, {
              onSuccess: () => "done",
              onFailure: (cause) =>
                Option.match(Cause.failureOption(cause), { onNone: () => "interrupted", onSome: stateOf })
            }),
          caller.state,
          `caller ${caller.id}`
        )
      }
    })

    for (const step of steps) {
      age()
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

const stateOf = ({ _tag, message }: LlmError.LlmError): Caller["state"] =>
  _tag !== "QueueFull" ? _tag : message.includes("waited") ? "WaitedTooLong" : message.includes("displaced") ? "Displaced" : _tag

describe("the queue", () => {
  it(
    "keeps its rules, whatever callers do: no place exceeded, lost or idle, and every turn kept (P1-P4, P6, P7, P10-P13, P15, P16, QU-38)",
    { timeout: 120_000 },
    async () => {
      const ends = new Set<Caller["state"]>()
      await fc.assert(
        fc.asyncProperty(
          options,
          fc.array(step, { minLength: 10, maxLength: 100, size: "max" }),
          async (options, steps) => {
            for (const { state } of await Effect.runPromise(run(options, steps, VirtualClock.make()))) ends.add(state)
          }
        ),
        { numRuns: 200, interruptAfterTimeLimit: 60_000 }
      )
      assert.deepStrictEqual(
        [...ends].sort(),
        ["DeadlineExceeded", "Displaced", "QueueFull", "ServerFault", "WaitedTooLong", "done", "interrupted"],
        "every way to end was seen"
      )
    }
  )
})
