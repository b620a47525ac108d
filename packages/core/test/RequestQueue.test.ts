/**
 * The cases of CASES.md about queues (QU) and bulkheads (CC) that are ours, here and in the files beside this one. Not
 * ours, and why:
 *
 * - QU-02, QU-04: nobody who waits goes for one who is no more urgent (QU-05); with `overflow: "displace"` one goes for
 *   a more urgent one, the least urgent and youngest, which is what is left of these cases and tested.
 * - QU-16: a call is one call wide; what it weighs, its tokens, is QU-23's matter.
 * - QU-19, QU-20, QU-22, P18: a virtual token counter; ours is deficit round robin (QU-23), where idle time is no credit either
 *   since who comes back starts with none.
 * - QU-26, QU-28, QU-29, CC-13 to CC-24: shedding by delay, admission levels, last in first out and limits found by
 *   latency. Our calls take as long as their answers are long, so that a delay says nothing of load; what cannot be
 *   served in time says so by its deadline. What is learned is learned from refusals: CC-24 and P5 are `AdaptiveRate`'s.
 * - Of QU-35, the grace after which calls under way are given up: how long that is says who shuts down (the gateway's
 *   `Drain`).
 * - CC-12: guaranteed shares of the places; tenants take turns instead, and no place is kept free for anybody.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Completion from "@spillway/core/Completion"
import * as Held from "@spillway/core/Held"
import * as LlmError from "@spillway/core/LlmError"
import * as LlmService from "@spillway/core/LlmService"
import * as Monitor from "@spillway/core/Monitor"
import * as Policy from "@spillway/core/Policy"
import * as RequestQueue from "@spillway/core/RequestQueue"
import * as Resilience from "@spillway/core/Resilience"
import { Duration, Effect, Either, Exit, Fiber, Option, Queue, Scope, Stream, TestClock } from "effect"
import { failed, forked, make, settle } from "./queueing.js"
import * as VirtualClock from "./virtualClock.js"

describe("RequestQueue", () => {
  describe("places", () => {
    it.scoped("a call that finds a free place takes it without waiting for anything", () =>
      Effect.gen(function*() {
        const queue = yield* RequestQueue.make({ backend: "test" })
        const service = Resilience.protect(LlmService.make("test", { listModels: Effect.succeed([]) }), queue.policy)
        // runSync fails at the first asynchronous step
        assert.deepStrictEqual(Effect.runSync(service.listModels), [])
        assert.strictEqual(yield* queue.inFlight, 0)
      }))

    it.scoped("two places and no waiting room refuse the third; with two seats the fifth, and they start in order (CC-01)", () =>
      Effect.gen(function*() {
        const none = yield* make({ concurrency: 2, capacity: 0 })
        yield* forked(none.ask("a"))
        yield* forked(none.ask("b"))
        const refused = failed(yield* Effect.exit(none.ask("c")))
        assert.strictEqual(refused._tag, "QueueFull")

        const two = yield* make({ concurrency: 2, capacity: 2 })
        yield* forked(two.ask("0", { takes: "1 second" }))
        yield* forked(two.ask("1", { takes: "3 seconds" }))
        yield* forked(two.ask("2"))
        yield* forked(two.ask("3"))
        const full = failed(yield* Effect.exit(two.ask("4")))
        assert.ok(full._tag === "QueueFull")
        assert.strictEqual(full.capacity, 2)
        assert.strictEqual(full.waiting, 2)
        assert.strictEqual(full.backend, "test")
        assert.strictEqual(full.retryAfter, undefined, "nothing is known of the pace yet")
        assert.deepStrictEqual(two.started, ["0", "1"])
        yield* TestClock.adjust("1 second")
        assert.deepStrictEqual(two.started, ["0", "1", "2"])
        yield* TestClock.adjust("1 second")
        assert.deepStrictEqual(two.started, ["0", "1", "2", "3"])
      }))

    it.scoped("who waits is let in exactly when one ends (CC-04)", () =>
      Effect.gen(function*() {
        const { ask, queue, started } = yield* make({ concurrency: 2 })
        for (const name of ["a", "b", "c"]) yield* forked(ask(name))
        assert.strictEqual(yield* queue.size, 1)
        yield* TestClock.adjust(999)
        assert.deepStrictEqual(started, ["a", "b"])
        yield* TestClock.adjust(1)
        assert.deepStrictEqual(started, ["a", "b", "c"])
        assert.strictEqual(yield* queue.size, 0)
        assert.strictEqual(yield* queue.inFlight, 1)
      }))

    it.scoped("a call that is timed out gives its place back, and the others hear nothing of it (CC-06, QU-32)", () =>
      Effect.gen(function*() {
        const { ask, ended, queue, started } = yield* make({ capacity: 1 })
        const slow = yield* forked(Effect.timeout(ask("slow", { takes: "1 hour" }), "50 millis"))
        const next = yield* forked(ask("next", { takes: "75 millis" }))
        yield* TestClock.adjust("50 millis")
        assert.isTrue(Exit.isFailure(yield* Fiber.await(slow)))
        assert.deepStrictEqual(started, ["slow", "next"])
        yield* TestClock.adjust("75 millis")
        assert.isTrue(Exit.isSuccess(yield* Fiber.await(next)))
        assert.deepStrictEqual(ended, ["slow", "next"])
        assert.strictEqual(yield* queue.inFlight, 0)
      }))

    it.effect("a hundred callers never take more than ten places, and each is let in or refused (CC-07)", () => {
      const clock = VirtualClock.make()
      return Effect.gen(function*() {
        const { ask, inFlight, most, queue, started } = yield* make({ concurrency: 10, capacity: 20 })
        const counts = { granted: 0, refused: 0 }
        const callers = yield* Effect.forEach(
          Array.from({ length: 100 }, (_, i) => i),
          (i) =>
            Effect.fork(Effect.repeatN(
              Effect.zipRight(
                Effect.match(ask(`${i}`, { takes: 10 }), {
                  onFailure: () => counts.refused++,
                  onSuccess: () => counts.granted++
                }),
                Effect.sleep(i % 7)
              ),
              19
            ))
        )
        while (Option.isNone(yield* Fiber.poll(Fiber.all(callers)))) yield* clock.advance(100)
        assert.strictEqual(most(), 10)
        assert.strictEqual(inFlight(), 0)
        assert.strictEqual(counts.granted + counts.refused, 2_000)
        assert.isAbove(counts.granted, 200)
        assert.strictEqual(started.length, counts.granted)
        assert.strictEqual(yield* queue.inFlight, 0)
        assert.strictEqual(yield* queue.size, 0)
      }).pipe(Effect.scoped, Effect.withClock(clock))
    })

    it.scoped("a failing and a dying call give their places back", () =>
      Effect.gen(function*() {
        const queue = yield* RequestQueue.make({ backend: "test", concurrency: 1 })
        const service = Resilience.protect(
          LlmService.make("test", {
            generateText: () => new LlmError.ServerFault({ backend: "test", message: "500" }),
            listModels: Effect.die("a bug")
          }),
          queue.policy
        )
        assert.strictEqual((yield* Effect.flip(service.generateText({ model: "m", prompt: "" })))._tag, "ServerFault")
        assert.isTrue(Exit.isFailure(yield* Effect.exit(service.listModels)))
        assert.strictEqual(yield* queue.inFlight, 0)
      }))

    it.scoped("an attempt that fails gives its place back before the next one asks for it", () =>
      Effect.gen(function*() {
        const queue = yield* RequestQueue.make({ backend: "test", concurrency: 1, capacity: 0 })
        const twice: Policy.Policy = (next) => (call) =>
          Effect.orElse(Policy.attempt(next, call), () => Policy.attempt(next, { ...call, attempt: 2 }))
        let tries = 0
        const service = Resilience.protect(
          LlmService.make("test", {
            listModels: Effect.suspend(() =>
              ++tries === 1
                ? Effect.fail(new LlmError.ServerFault({ backend: "test", message: "500" }))
                : Effect.succeed([])
            )
          }),
          Policy.compose(twice, queue.policy)
        )
        assert.deepStrictEqual(yield* service.listModels, [])
        assert.strictEqual(tries, 2)
        assert.strictEqual(yield* queue.inFlight, 0)
      }))
  })

  describe("order", () => {
    it.scoped("the more urgent go first, in the order they came within a level (QU-01)", () =>
      Effect.gen(function*() {
        const { ask, started } = yield* make()
        yield* forked(ask("1"))
        yield* forked(ask("2"))
        yield* forked(ask("3", { priority: "low" }))
        yield* forked(ask("4", { priority: "high" }))
        yield* forked(ask("5", { priority: "high" }))
        yield* forked(ask("6"))
        yield* forked(ask("7", { priority: 0.5 }))
        yield* TestClock.adjust("7 seconds")
        assert.deepStrictEqual(started, ["1", "4", "5", "7", "2", "6", "3"])
      }))

    it.scoped("a thousand of the same moment start in the order they were accepted (QU-07)", () =>
      Effect.gen(function*() {
        const { ask, started } = yield* make({ capacity: 1000 })
        const names = Array.from({ length: 1000 }, (_, i) => `${i}`)
        for (const name of names) yield* forked(ask(name, { takes: 0 }))
        yield* TestClock.adjust(0)
        yield* TestClock.adjust(1)
        assert.deepStrictEqual(started, names)
      }))

    it.scoped("a low call among ever more urgent ones starts within three times the ageing (QU-08)", () =>
      Effect.gen(function*() {
        const { ask, started } = yield* make({ ageing: "1 second" })
        yield* forked(ask("first", { priority: "high" }))
        yield* forked(ask("low", { priority: "low" }))
        for (let i = 1; i <= 6; i++) {
          yield* forked(ask(`high ${i}`, { priority: "high" }))
          yield* TestClock.adjust("1 second")
        }
        assert.strictEqual(started.indexOf("low"), 3, "at 3 seconds")
      }))

    it.scoped("without ageing it never does", () =>
      Effect.gen(function*() {
        const { ask, started } = yield* make({ ageing: Duration.infinity })
        yield* forked(ask("first", { priority: "high" }))
        yield* forked(ask("low", { priority: "low" }))
        for (let i = 1; i <= 20; i++) {
          yield* forked(ask(`high ${i}`, { priority: "high" }))
          yield* TestClock.adjust("1 second")
        }
        assert.notInclude(started, "low")
      }))

    it.scoped("the earliest deadline goes first within a level, and those without one last (QU-10)", () =>
      Effect.gen(function*() {
        const { ask, started } = yield* make()
        yield* forked(ask("running"))
        yield* forked(ask("none"))
        yield* forked(ask("30", { deadline: "30 seconds" }))
        yield* forked(ask("10", { deadline: "10 seconds" }))
        yield* forked(ask("20", { deadline: "20 seconds" }))
        yield* forked(ask("low 5", { deadline: "9 seconds", priority: "low" }))
        yield* TestClock.adjust("6 seconds")
        assert.deepStrictEqual(started, ["running", "10", "20", "30", "none", "low 5"])
      }))

    it.scoped("a newcomer does not overtake those who wait while the queue is paused", () =>
      Effect.gen(function*() {
        const { ask, queue, started } = yield* make()
        yield* queue.pause
        yield* forked(ask("a"))
        yield* forked(ask("b"))
        yield* queue.resume
        yield* forked(ask("c"))
        yield* TestClock.adjust("3 seconds")
        assert.deepStrictEqual(started, ["a", "b", "c"])
      }))
  })

  describe("waiting", () => {
    it.scoped("a call whose deadline passes while it waits fails in that moment and is never sent", () =>
      Effect.gen(function*() {
        const { ask, queue, started } = yield* make()
        yield* forked(ask("running", { takes: "1 hour" }))
        const late = yield* forked(Effect.exit(ask("late", { deadline: "2 seconds" })))
        const later = yield* forked(Effect.exit(ask("later", { deadline: "3 seconds" })))
        yield* TestClock.adjust(1999)
        assert.isTrue(Option.isNone(yield* Fiber.poll(late)))
        yield* TestClock.adjust(1)
        const error = failed(yield* Fiber.join(late))
        assert.ok(error._tag === "DeadlineExceeded")
        assert.strictEqual(error.phase, "queued")
        assert.isTrue(Option.isNone(yield* Fiber.poll(later)))
        assert.strictEqual(yield* queue.size, 1)
        yield* TestClock.adjust("1 second")
        assert.strictEqual(failed(yield* Fiber.join(later))._tag, "DeadlineExceeded")
        assert.deepStrictEqual(started, ["running"])
      }))

    it.scoped("an earlier deadline that comes later is not missed", () =>
      Effect.gen(function*() {
        const { ask } = yield* make()
        yield* forked(ask("running", { takes: "1 hour" }))
        yield* forked(Effect.exit(ask("one", { deadline: "30 seconds" })))
        const soon = yield* forked(Effect.exit(ask("two", { deadline: "1 second" })))
        yield* TestClock.adjust("1 second")
        assert.strictEqual(failed(yield* Fiber.join(soon))._tag, "DeadlineExceeded")
      }))

    it.scoped("a call that comes after its deadline is refused though there is a place", () =>
      Effect.gen(function*() {
        const { ask, started } = yield* make()
        const error = failed(yield* Effect.exit(ask("late", { deadline: 0 })))
        assert.ok(error._tag === "DeadlineExceeded")
        assert.strictEqual(error.phase, "queued")
        assert.deepStrictEqual(started, [])
      }))

    it.effect("a place that comes free after a deadline, before anyone has noticed, goes to the next (QU-11)", () => {
      const clock = VirtualClock.make()
      return Effect.gen(function*() {
        const { ask, started } = yield* make()
        const running = yield* forked(ask("running", { takes: "1 hour" }))
        const late = yield* forked(Effect.exit(ask("late", { deadline: "2 seconds" })))
        yield* forked(ask("next"))
        yield* clock.stall(2000)
        yield* Fiber.interrupt(running)
        assert.strictEqual(failed(yield* Fiber.join(late))._tag, "DeadlineExceeded")
        yield* clock.settle
        assert.deepStrictEqual(started, ["running", "next"])
      }).pipe(Effect.scoped, Effect.withClock(clock))
    })

    it.scoped("the longest wait ends in QueueFull, a place that comes in time does not, and the room's end is at once (CC-09)", () =>
      Effect.gen(function*() {
        const { ask, queue, started } = yield* make({ concurrency: 4, capacity: 10, maxWait: "1 second" })
        yield* forked(ask("0", { takes: "250 millis" }))
        for (let i = 1; i < 4; i++) yield* forked(ask(`${i}`, { takes: "1 hour" }))
        const inTime = yield* forked(ask("4", { takes: 0 }))
        yield* TestClock.adjust("250 millis")
        assert.isTrue(Exit.isSuccess(yield* Fiber.await(inTime)))
        yield* forked(ask("5", { takes: "1 hour" }))
        const waiting = []
        for (let i = 0; i < 10; i++) waiting.push(yield* forked(Effect.exit(ask(`w${i}`))))
        assert.strictEqual(failed(yield* Effect.exit(ask("refused")))._tag, "QueueFull")
        yield* TestClock.adjust("1 second")
        for (const fiber of waiting) {
          const error = failed(yield* Fiber.join(fiber))
          assert.ok(error._tag === "QueueFull")
          assert.match(error.message, /waited 1s/)
        }
        assert.strictEqual(yield* queue.size, 0)
        assert.deepStrictEqual(started, ["0", "1", "2", "3", "4", "5"])
      }))

    it.scoped("a caller who goes away while waiting is out at once and is never sent (CC-03, QU-34)", () =>
      Effect.gen(function*() {
        const { ask, queue, started } = yield* make()
        yield* forked(ask("a"))
        const gone = yield* forked(ask("b"))
        yield* forked(ask("c"))
        assert.strictEqual(yield* queue.size, 2)
        yield* Fiber.interrupt(gone)
        assert.strictEqual(yield* queue.size, 1)
        yield* TestClock.adjust("3 seconds")
        assert.deepStrictEqual(started, ["a", "c"])
        assert.strictEqual(yield* queue.inFlight, 0)
      }))

    it.scoped("a caller who goes away while under way hands the place on in the same instant (QU-34)", () =>
      Effect.gen(function*() {
        const { ask, ended, queue, started } = yield* make()
        const gone = yield* forked(ask("a", { takes: "1 hour" }))
        yield* forked(ask("b"))
        yield* Fiber.interrupt(gone)
        yield* settle
        assert.deepStrictEqual(started, ["a", "b"])
        assert.deepStrictEqual(ended, ["a"])
        assert.strictEqual(yield* queue.inFlight, 1)
      }))

    it.scoped("no place is lost when a caller goes away in the moment it was let in", () =>
      Effect.gen(function*() {
        for (const letInFirst of [true, false]) {
          const { ask, queue, started } = yield* make()
          const first = yield* forked(ask("first", { takes: "1 hour" }))
          const raced = yield* forked(ask("raced", { takes: "1 hour" }))
          const last = yield* forked(ask("last", { takes: 0 }))
          // neither fiber runs in between: what the second does, it does to one that does not know of the first
          const both = [first, raced].map((fiber) => Fiber.interruptFork(fiber))
          yield* Effect.all(letInFirst ? both : both.reverse())
          yield* settle
          yield* Fiber.join(last)
          assert.include(started, "last")
          assert.strictEqual(yield* queue.inFlight, 0)
          assert.strictEqual(yield* queue.size, 0)
        }
      }))

    it.scoped("a place handed to a call that has already ended comes back", () =>
      Effect.gen(function*() {
        const { ask, queue } = yield* make()
        const held = Held.make()
        const running = yield* forked(ask("running"))
        const waits = queue.policy(() => Effect.never)({
          backend: "test",
          operation: "listModels",
          isStreamed: false,
          model: "",
          priority: 0,
          deadline: Option.none(),
          tenant: "",
          id: Option.none(),
          attempt: 1,
          arrival: { since: undefined, sequence: 0 },
          held
        })
        yield* forked(waits)
        yield* held.close(Exit.void)
        yield* TestClock.adjust("1 second")
        yield* Fiber.join(running)
        assert.strictEqual(yield* queue.inFlight, 0)
      }))
  })

  describe("overflow", () => {
    it.scoped("refuses the newcomer, however urgent, and leaves those who wait alone (QU-05, QU-17)", () =>
      Effect.gen(function*() {
        const { ask, queue, started } = yield* make({ capacity: 2 })
        for (const name of ["a", "b", "c"]) yield* forked(ask(name, { priority: "low" }))
        assert.strictEqual(failed(yield* Effect.exit(ask("d", { priority: "high" })))._tag, "QueueFull")
        assert.strictEqual(yield* queue.size, 2)
        yield* TestClock.adjust("3 seconds")
        assert.deepStrictEqual(started, ["a", "b", "c"])
      }))

    it.scoped("says when to come back, by the pace at which calls have been ending", () =>
      Effect.gen(function*() {
        const { ask } = yield* make({ concurrency: 2, capacity: 3 })
        yield* forked(Effect.forEach(Array.from({ length: 5 }), (_, i) => ask(`${i}`), { concurrency: "unbounded" }))
        for (let second = 1; second < 20; second++) {
          yield* TestClock.adjust("1 second")
          yield* forked(ask(`${second} one`))
          yield* forked(ask(`${second} two`))
        }
        const full = failed(yield* Effect.exit(ask("refused")))
        assert.ok(full._tag === "QueueFull")
        // two end every second: three who wait and the newcomer are done with waiting in two
        assert.approximately(Duration.toMillis(full.retryAfter!), 2000, 300)
      }))

    it.scoped("displaces, if it may, the youngest of the least urgent for one more urgent, who is told so (QU-02)", () =>
      Effect.gen(function*() {
        const { ask, queue, read, started } = yield* make({ capacity: 4, overflow: "displace" })
        yield* forked(ask("running"))
        const low = yield* forked(Effect.exit(ask("low 1", { priority: "low" })))
        const young = yield* forked(Effect.exit(ask("low 2", { priority: "low" })))
        yield* forked(ask("normal 1"))
        yield* forked(ask("normal 2"))
        yield* forked(ask("normal 3"))
        const error = failed(yield* Fiber.join(young))
        assert.ok(error._tag === "QueueFull")
        assert.strictEqual(error.message, "test's queue is full, and the call was displaced by a more urgent one")
        assert.deepStrictEqual([error.capacity, error.waiting], [4, 4])
        yield* forked(ask("high", { priority: "high" }))
        assert.strictEqual(failed(yield* Fiber.join(low))._tag, "QueueFull")
        assert.strictEqual(yield* queue.size, 4)
        assert.deepStrictEqual((yield* read)?.refusals, { displaced: 2 })
        assert.deepInclude(yield* read, { rejected: 0, abandoned: 2 })
        yield* TestClock.adjust("6 seconds")
        assert.deepStrictEqual(started, ["running", "high", "normal 1", "normal 2", "normal 3"])
      }))

    it.scoped("displaces nobody who is as urgent, or has lost patience, nor where nobody may wait (QU-04, QU-05)", () =>
      Effect.gen(function*() {
        const { ask, read, started } = yield* make({ capacity: 1, overflow: "displace", ageing: "10 seconds" })
        yield* forked(ask("running", { takes: "1 minute" }))
        yield* forked(ask("low", { priority: "low" }))
        assert.strictEqual(failed(yield* Effect.exit(ask("another", { priority: "low" })))._tag, "QueueFull")
        yield* TestClock.adjust("30 seconds")
        assert.strictEqual(failed(yield* Effect.exit(ask("high", { priority: "high" })))._tag, "QueueFull")
        assert.deepStrictEqual((yield* read)?.refusals, { full: 2 })
        yield* TestClock.adjust("30 seconds")
        assert.deepStrictEqual(started, ["running", "low"])

        const none = yield* make({ capacity: 0, overflow: "displace" })
        yield* forked(none.ask("running"))
        assert.strictEqual(failed(yield* Effect.exit(none.ask("high", { priority: "high" })))._tag, "QueueFull")
      }))

    it.scoped("of one tenant's calls leaves the room to the others", () =>
      Effect.gen(function*() {
        const { ask, queue, read } = yield* make({ capacity: 10, tenantCapacity: 2 })
        for (const name of ["1", "2", "3"]) yield* forked(ask(name, { tenant: "greedy" }))
        const error = failed(yield* Effect.exit(ask("4", { tenant: "greedy" })))
        assert.ok(error._tag === "QueueFull")
        assert.strictEqual(error.message, "test's queue is full: no more than 2 calls of a tenant may wait")
        assert.deepStrictEqual([error.capacity, error.waiting], [2, 2])
        yield* forked(ask("5", { tenant: "modest" }))
        assert.strictEqual(yield* queue.size, 3)
        assert.deepStrictEqual((yield* read)?.refusals, { "tenant-full": 1 })
        yield* TestClock.adjust("1 second")
        yield* forked(ask("6", { tenant: "greedy" }))
        assert.strictEqual(yield* queue.size, 3)
      }))

    it.scoped("has no place for anyone while all of them are taken and there is no waiting room", () =>
      Effect.gen(function*() {
        const { ask, queue, started } = yield* make({ capacity: 0 })
        yield* forked(ask("a"))
        assert.strictEqual(failed(yield* Effect.exit(ask("b")))._tag, "QueueFull")
        yield* TestClock.adjust("1 second")
        yield* forked(ask("c"))
        assert.deepStrictEqual(started, ["a", "c"])
        yield* queue.pause
        assert.strictEqual(failed(yield* Effect.exit(ask("d")))._tag, "QueueFull")
      }))
  })

  describe("controls", () => {
    it.scoped("more places let the next in at once (CC-10)", () =>
      Effect.gen(function*() {
        const { ask, queue, started } = yield* make({ concurrency: 4 })
        for (let i = 0; i < 7; i++) yield* forked(ask(`${i}`))
        assert.strictEqual(started.length, 4)
        yield* queue.setConcurrency(6)
        yield* settle
        assert.deepStrictEqual(started, ["0", "1", "2", "3", "4", "5"])
      }))

    it.scoped("fewer places stop nobody, and let nobody in until the number has come down (CC-25)", () =>
      Effect.gen(function*() {
        const { ask, queue, started } = yield* make({ concurrency: 3 })
        for (let i = 1; i <= 3; i++) yield* forked(ask(`${i}`, { takes: Duration.seconds(i) }))
        for (let i = 4; i <= 5; i++) yield* forked(ask(`${i}`))
        yield* queue.setConcurrency(1)
        assert.strictEqual(yield* queue.inFlight, 3)
        yield* TestClock.adjust("2 seconds")
        assert.strictEqual(yield* queue.inFlight, 1)
        assert.strictEqual(started.length, 3)
        yield* TestClock.adjust("1 second")
        assert.strictEqual(started.length, 4)
        assert.strictEqual(yield* queue.inFlight, 1)
      }))

    it.scoped("a smaller waiting room sends nobody away who waits already", () =>
      Effect.gen(function*() {
        const { ask, queue } = yield* make({ capacity: 3 })
        for (let i = 0; i < 4; i++) yield* forked(ask(`${i}`))
        yield* queue.setCapacity(1)
        assert.strictEqual(yield* queue.size, 3)
        assert.strictEqual(failed(yield* Effect.exit(ask("refused")))._tag, "QueueFull")
        yield* queue.setCapacity(4)
        yield* forked(ask("taken"))
        assert.strictEqual(yield* queue.size, 4)
      }))

    it.scoped("a boost lets all who wait by a name go as others of that priority do, at their own age", () =>
      Effect.gen(function*() {
        const { ask, queue, started } = yield* make()
        yield* forked(ask("running"))
        yield* forked(ask("low 1", { priority: "low", id: "job" }))
        yield* forked(ask("normal 1"))
        yield* forked(ask("high 1", { priority: "high" }))
        yield* forked(ask("low 2", { priority: "low", id: "job" }))
        yield* forked(ask("high 2", { priority: "high" }))
        yield* forked(ask("low 3", { priority: "low", id: "other" }))
        assert.isTrue(yield* queue.boost("job", "high"))
        yield* TestClock.adjust("7 seconds")
        assert.deepStrictEqual(started, ["running", "low 1", "high 1", "low 2", "high 2", "normal 1", "low 3"])
      }))

    it.scoped("a boost knows nobody who is under way, has gone, or bears another name, and may be a setback", () =>
      Effect.gen(function*() {
        const { ask, queue, started } = yield* make()
        yield* forked(ask("running", { id: "running" }))
        const gone = yield* forked(ask("gone", { id: "gone" }))
        yield* forked(ask("first", { id: "first" }))
        yield* forked(ask("second"))
        yield* Fiber.interrupt(gone)
        assert.deepStrictEqual(
          yield* Effect.forEach(["running", "gone", "nobody", "first"], (id) => queue.boost(id, "low")),
          [false, false, false, true]
        )
        yield* TestClock.adjust("3 seconds")
        assert.deepStrictEqual(started, ["running", "second", "first"])
        assert.isFalse(yield* queue.boost("first", "high"))
      }))

    it.scoped("a boosted call has been waiting all the same, and may have waited its patience", () =>
      Effect.gen(function*() {
        const { ask, queue, started } = yield* make({ ageing: "10 seconds" })
        yield* forked(ask("running", { takes: "15 seconds" }))
        yield* forked(ask("old", { priority: "low", id: "old" }))
        yield* TestClock.adjust("12 seconds")
        yield* forked(ask("high", { priority: "high", deadline: "20 seconds" }))
        yield* queue.boost("old", "high")
        yield* TestClock.adjust("4 seconds")
        assert.deepStrictEqual(started, ["running", "old", "high"])
      }))

    it.scoped("numbers that cannot be meant are refused, and change nothing", () =>
      Effect.gen(function*() {
        const { ask, queue } = yield* make({ concurrency: 1, capacity: 1 })
        const error = yield* Effect.flip(queue.setConcurrency(0))
        assert.strictEqual(error.message, "RequestQueue.concurrency: must be a whole number of at least 1, not 0")
        assert.strictEqual((yield* Effect.flip(queue.setCapacity(-1))).field, "capacity")
        yield* forked(ask("a"))
        yield* forked(ask("b"))
        assert.strictEqual(yield* queue.size, 1)
      }))

    it.scoped("a pause lets nobody in and stops nobody; deadlines go on", () =>
      Effect.gen(function*() {
        const { ask, ended, queue, started } = yield* make({ concurrency: 2 })
        yield* forked(ask("a"))
        yield* queue.pause
        yield* forked(ask("b"))
        const late = yield* forked(Effect.exit(ask("late", { deadline: "5 seconds" })))
        yield* TestClock.adjust("10 seconds")
        assert.deepStrictEqual(started, ["a"])
        assert.deepStrictEqual(ended, ["a"])
        assert.strictEqual(failed(yield* Fiber.join(late))._tag, "DeadlineExceeded")
        yield* queue.resume
        yield* settle
        assert.deepStrictEqual(started, ["a", "b"])
      }))

    it.scoped("a drain refuses newcomers, serves all who wait, and returns when they have ended (QU-31, QU-35)", () =>
      Effect.gen(function*() {
        const { ask, ended, queue } = yield* make()
        for (const name of ["a", "b", "c"]) yield* forked(ask(name))
        const drain = yield* forked(queue.drain)
        const error = failed(yield* Effect.exit(ask("d")))
        assert.ok(error._tag === "QueueFull")
        assert.strictEqual(error.message, "test's queue is draining and takes no more calls")
        assert.strictEqual(error.retryAfter, undefined)
        yield* TestClock.adjust(2999)
        assert.isTrue(Option.isNone(yield* Fiber.poll(drain)))
        yield* TestClock.adjust(1)
        yield* Fiber.join(drain)
        assert.deepStrictEqual(ended, ["a", "b", "c"])
        yield* queue.drain
        yield* queue.resume
        yield* forked(ask("e"))
        assert.strictEqual(yield* queue.inFlight, 1)
      }))

    it.scoped("a drain goes on for what was paused, and cannot be paused", () =>
      Effect.gen(function*() {
        const { ask, ended, queue } = yield* make()
        yield* queue.pause
        yield* forked(ask("a"))
        const drain = yield* forked(queue.drain)
        yield* queue.pause
        yield* TestClock.adjust("1 second")
        yield* Fiber.join(drain)
        assert.deepStrictEqual(ended, ["a"])
      }))

    it.scoped("a drain lets in a call that comes back for another attempt", () =>
      Effect.gen(function*() {
        const queue = yield* RequestQueue.make({ backend: "test", concurrency: 1 })
        const twice: Policy.Policy = (next) => (call) =>
          Effect.orElse(Policy.attempt(next, call), () =>
            Effect.delay(Policy.attempt(next, { ...call, attempt: 2 }), "1 second"))
        let tries = 0
        const service = Resilience.protect(
          LlmService.make("test", {
            listModels: Effect.suspend(() =>
              ++tries === 1
                ? Effect.fail(new LlmError.ServerFault({ backend: "test", message: "500" }))
                : Effect.succeed([])
            )
          }),
          Policy.compose(twice, queue.policy)
        )
        const answer = yield* forked(service.listModels)
        yield* forked(queue.drain)
        yield* TestClock.adjust("1 second")
        assert.deepStrictEqual(yield* Fiber.join(answer), [])
      }))

    it.scoped("whoever waits for a drain may go away", () =>
      Effect.gen(function*() {
        const { ask, queue } = yield* make()
        const answer = yield* forked(ask("a"))
        yield* Fiber.interrupt(yield* forked(queue.drain))
        yield* TestClock.adjust("1 second")
        yield* Fiber.join(answer)
        assert.strictEqual(yield* queue.inFlight, 0)
      }))

    it.scoped("a shutdown sends away those who wait, lets the others end, and is for good (QU-31)", () =>
      Effect.gen(function*() {
        const { ask, ended, queue, started } = yield* make()
        yield* forked(ask("a"))
        const waiting = yield* forked(Effect.exit(ask("b")))
        const shutdown = yield* forked(queue.shutdown)
        const error = failed(yield* Fiber.join(waiting))
        assert.ok(error._tag === "QueueFull")
        assert.strictEqual(error.message, "test's queue is shut down")
        assert.isTrue(Option.isNone(yield* Fiber.poll(shutdown)))
        yield* TestClock.adjust("1 second")
        yield* Fiber.join(shutdown)
        assert.deepStrictEqual(ended, ["a"])
        yield* queue.resume
        yield* queue.shutdown
        assert.strictEqual(failed(yield* Effect.exit(ask("c")))._tag, "QueueFull")
        assert.deepStrictEqual(started, ["a"])
      }))

    it.effect("the end of its scope sends away those who wait, and waits for nobody", () =>
      Effect.gen(function*() {
        const scope = yield* Scope.make()
        const { ask, queue } = yield* Scope.extend(make(), scope)
        const running = yield* forked(ask("a"))
        const waiting = yield* forked(Effect.exit(ask("b")))
        yield* Scope.close(scope, Exit.void)
        assert.strictEqual(failed(yield* Fiber.join(waiting))._tag, "QueueFull")
        assert.strictEqual(yield* queue.inFlight, 1)
        yield* TestClock.adjust("1 second")
        yield* Fiber.join(running)
        assert.strictEqual(yield* queue.inFlight, 0)
      }))

    it.effect("what it tells the monitor is no nonsense while the clock is put back", () => {
      const clock = VirtualClock.make(1_000_000_000)
      return Effect.gen(function*() {
        const { ask, read } = yield* make()
        const first = yield* forked(ask("first", { takes: "1 hour" }))
        yield* forked(ask("second", { takes: "1 hour" }))
        yield* clock.stall(-3_600_000)
        assert.deepInclude(yield* read, { waiting: 1, oldestWaitMillis: 0 })
        yield* Fiber.interrupt(first)
        assert.deepInclude(yield* read, { waiting: 0, waitMillis: { p50: 0, p95: 0, p99: 0 }, perSecond: 1 })
        yield* clock.stall(-120_000)
        assert.strictEqual((yield* read)?.perSecond, 0)
      }).pipe(Effect.scoped, Effect.withClock(clock))
    })

    it.effect("the monitor is told of it exactly, until its scope closes (QU-37)", () =>
      Effect.gen(function*() {
        const scope = yield* Scope.make()
        const { ask, read } = yield* Scope.extend(make({ concurrency: 2, capacity: 2 }), scope)
        yield* forked(ask("a"))
        yield* forked(ask("b"))
        yield* forked(Effect.exit(ask("c", { deadline: "500 millis" })))
        yield* TestClock.adjust("250 millis")
        yield* forked(ask("d"))
        yield* Effect.exit(ask("e"))
        assert.deepStrictEqual(yield* read, {
          mode: "open",
          capacity: 2,
          concurrency: 2,
          waiting: 2,
          inFlight: 2,
          oldestWaitMillis: 250,
          admitted: 2,
          rejected: 1,
          abandoned: 0,
          refusals: { full: 1 },
          waitMillis: { p50: 0, p95: 0, p99: 0 },
          perSecond: 0
        })
        yield* TestClock.adjust("750 millis")
        assert.deepStrictEqual(yield* read, {
          mode: "open",
          capacity: 2,
          concurrency: 2,
          waiting: 0,
          inFlight: 1,
          oldestWaitMillis: 0,
          admitted: 3,
          rejected: 1,
          abandoned: 1,
          refusals: { full: 1, expired: 1 },
          waitMillis: { p50: 0, p95: 750, p99: 750 },
          perSecond: 2
        })
        yield* Scope.close(scope, Exit.void)
        assert.strictEqual(yield* read, undefined)
      }))

    it.effect("says whether it lets anybody through, and is found in the list of queues for as long as it is there", () =>
      Effect.gen(function*() {
        const scope = yield* Scope.make()
        const queue = yield* Scope.extend(RequestQueue.make({ backend: "test" }), scope)
        const mode = Effect.map(Monitor.snapshot, ({ backends }) => backends[0]?.queue?.mode)
        assert.deepStrictEqual(yield* RequestQueue.queues, [queue])
        assert.strictEqual(queue.backend, "test")
        for (
          const [change, expected] of [
            [queue.pause, "paused"],
            [queue.resume, "open"],
            [queue.drain, "draining"],
            [queue.shutdown, "shut"]
          ] as const
        ) {
          yield* change
          assert.strictEqual(yield* mode, expected)
        }
        yield* Scope.close(scope, Exit.void)
        assert.deepStrictEqual(yield* RequestQueue.queues, [])
      }).pipe(
        Effect.provideService(RequestQueue.CurrentQueues, new Set()),
        Effect.provideService(Monitor.CurrentMonitor, Monitor.unsafeMake())
      ))
  })

  describe("options", () => {
    it.effect("name the field that cannot be meant, when the queue is built", () =>
      Effect.gen(function*() {
        for (
          const [options, field] of [
            [{ capacity: -1 }, "capacity"],
            [{ capacity: 1.5 }, "capacity"],
            [{ concurrency: 0 }, "concurrency"],
            [{ concurrency: Number.NaN }, "concurrency"],
            [{ maxWait: 0 }, "maxWait"],
            [{ ageing: "0 seconds" }, "ageing"],
            [{ overflow: "drop" as "refuse" }, "overflow"],
            [{ tenantCapacity: 0 }, "tenantCapacity"],
            [{ lateShare: 1.5 }, "lateShare"],
            [{ lateShare: -0.1 }, "lateShare"],
            [{ fairness: { cost: "money" as "calls" } }, "fairness.cost"],
            [{ fairness: { quantum: 0 } }, "fairness.quantum"],
            [{ fairness: { defaultWeight: 0 } }, "fairness.defaultWeight"],
            [{ fairness: { weights: { acme: Infinity } } }, "fairness.weights.acme"],
            [{ backend: "" }, "backend"]
          ] as const
        ) {
          const built = Effect.scoped(RequestQueue.make({ backend: "test", ...options }))
          assert.strictEqual((yield* Effect.flip(built)).field, field)
        }
      }))

    it.effect("default to 100 waiting and 5 under way", () =>
      Effect.scoped(Effect.gen(function*() {
        yield* RequestQueue.make({ backend: "test" })
        const { backends } = yield* Monitor.snapshot
        assert.strictEqual(backends[0]?.queue?.capacity, 100)
        assert.strictEqual(backends[0]?.queue?.concurrency, 5)
      })).pipe(Effect.provideService(Monitor.CurrentMonitor, Monitor.unsafeMake())))
  })

  // ---------------------------------------------------------------------------

  describe("streams", () => {
    const text = (text: string): Completion.Part => ({ _tag: "TextDelta", text })
    const finish: Completion.Part = { _tag: "Finish", finishReason: "stop", usage: {} }
    const running = <A, E, R>(effect: Effect.Effect<A, E, R>) => Effect.tap(Effect.fork(effect), () => settle)
    type Item = Either.Either<Completion.Part, Option.Option<LlmError.LlmError>>

    /** A stream that is fed by hand. */
    const fed = Effect.gen(function*() {
      const queue = yield* RequestQueue.make({ backend: "test", concurrency: 1 })
      const feed = yield* Queue.unbounded<Item>()
      let closed = 0
      const service = Resilience.protect(
        LlmService.make("test", {
          streamText: () =>
            Stream.ensuring(
              Stream.repeatEffectOption(Effect.flatten(Queue.take(feed))),
              Effect.sync(() => closed++)
            )
        }),
        queue.policy
      )
      return {
        queue,
        feed: (...items: ReadonlyArray<Item>) => Effect.zipRight(Queue.offerAll(feed, items), settle),
        closed: () => closed,
        stream: service.streamText({ model: "m", prompt: "" })
      }
    })
    const part = (text_: string): Item => Either.right(text(text_))
    const last: ReadonlyArray<Item> = [Either.right(finish), Either.left(Option.none())]

    it.scoped("hold their place until their last part", () =>
      Effect.gen(function*() {
        const { closed, feed, queue, stream } = yield* fed
        const answer = yield* running(Stream.runCollect(stream))
        const second = yield* running(Stream.runCollect(stream))
        assert.strictEqual(yield* queue.size, 1)
        yield* feed(part("a"))
        yield* feed(part("b"))
        assert.strictEqual(yield* queue.inFlight, 1)
        assert.strictEqual(yield* queue.size, 1)
        yield* feed(...last)
        assert.strictEqual((yield* Fiber.join(answer)).length, 3)
        assert.strictEqual(closed(), 1)
        assert.strictEqual(yield* queue.size, 0)
        assert.strictEqual(yield* queue.inFlight, 1)
        yield* feed(part("c"), ...last)
        assert.strictEqual((yield* Fiber.join(second)).length, 2)
        assert.strictEqual(yield* queue.inFlight, 0)
      }))

    it.scoped("give it back when their consumer has had enough", () =>
      Effect.gen(function*() {
        const { closed, feed, queue, stream } = yield* fed
        const answer = yield* running(Stream.runCollect(Stream.take(stream, 2)))
        yield* feed(part("a"))
        yield* feed(part("b"))
        assert.strictEqual((yield* Fiber.join(answer)).length, 2)
        assert.strictEqual(closed(), 1)
        assert.strictEqual(yield* queue.inFlight, 0)
      }))

    it.scoped("give it back when their consumer is interrupted, before the first part and after it", () =>
      Effect.gen(function*() {
        const { closed, feed, queue, stream } = yield* fed
        const before = yield* running(Stream.runDrain(stream))
        assert.strictEqual(yield* queue.inFlight, 1)
        yield* Fiber.interrupt(before)
        assert.strictEqual(yield* queue.inFlight, 0)
        assert.strictEqual(closed(), 1)
        const after = yield* running(Stream.runDrain(stream))
        yield* feed(part("a"))
        assert.strictEqual(yield* queue.inFlight, 1)
        yield* Fiber.interrupt(after)
        assert.strictEqual(yield* queue.inFlight, 0)
        assert.strictEqual(closed(), 2)
      }))

    it.scoped("give it back when they break, before the first part and after it", () =>
      Effect.gen(function*() {
        const { feed, queue, stream } = yield* fed
        const broken: Item = Either.left(
          Option.some(new LlmError.StreamInterrupted({ backend: "test", message: "cut" }))
        )
        const before = yield* running(Effect.exit(Stream.runDrain(stream)))
        yield* feed(broken)
        assert.strictEqual(failed(yield* Fiber.join(before))._tag, "StreamInterrupted")
        assert.strictEqual(yield* queue.inFlight, 0)
        const after = yield* running(Effect.exit(Stream.runDrain(stream)))
        yield* feed(part("a"), broken)
        assert.strictEqual(failed(yield* Fiber.join(after))._tag, "StreamInterrupted")
        assert.strictEqual(yield* queue.inFlight, 0)
      }))

    it.scoped("leave the waiting room when their consumer is interrupted there", () =>
      Effect.gen(function*() {
        const { queue, stream } = yield* fed
        yield* running(Stream.runDrain(stream))
        const waiting = yield* running(Stream.runDrain(stream))
        assert.strictEqual(yield* queue.size, 1)
        yield* Fiber.interrupt(waiting)
        assert.strictEqual(yield* queue.size, 0)
      }))
  })
})
