import { assert, describe, it } from "@effect/vitest"
import { Either, FastCheck as fc, Option } from "effect"
import * as Circuit from "../src/internal/circuit.js"
import * as Rule from "../src/internal/circuitRule.js"
import * as CircuitSnapshot from "../src/internal/circuitSnapshot.js"
import type * as Window from "../src/internal/circuitWindow.js"

// -----------------------------------------------------------------------------
// random circuits, and random calls through them
// -----------------------------------------------------------------------------

const tagged = <Tag extends string, Fields>(_tag: Tag, fields: { [K in keyof Fields]: fc.Arbitrary<Fields[K]> }) =>
  fc.record(fields).map((fields) => ({ _tag, ...fields }))

const outcome = fc.constantFrom<Circuit.Outcome>("Success", "Failure", "Failure", "Refusal", "GivenUp", "Neutral")

const call = tagged("call", {})
const end = tagged("end", { which: fc.nat(), outcome })
const answer = tagged("answer", { which: fc.nat() })
const wait = tagged("wait", { millis: fc.nat(15) })
const hand = tagged("hand", { command: fc.constantFrom("open", "openFor", "close", "isolate", "release", "disable", "enable") })

const sequence = <A>(step: fc.Arbitrary<A>) => fc.array(step, { minLength: 80, maxLength: 200, size: "max" })

const untouched = sequence(fc.oneof(
  { weight: 4, arbitrary: call },
  { weight: 4, arbitrary: end },
  { weight: 1, arbitrary: answer },
  { weight: 2, arbitrary: wait }
))
const touched = sequence(fc.oneof(
  { weight: 8, arbitrary: call },
  { weight: 8, arbitrary: end },
  { weight: 2, arbitrary: answer },
  { weight: 4, arbitrary: wait },
  { weight: 1, arbitrary: hand }
))
type Steps = ReadonlyArray<typeof touched extends fc.Arbitrary<Array<infer A>> ? A : never>

const over = fc.oneof(
  tagged("Calls", { calls: fc.integer({ min: 1, max: 8 }) }),
  tagged("Time", { millis: fc.integer({ min: 10, max: 60 }) })
) satisfies fc.Arbitrary<Window.Span>

const rate = fc.record({
  over,
  minimumCalls: fc.integer({ min: 1, max: 4 }),
  failureRate: fc.constantFrom(0.3, 0.5, 1, 1),
  slowRate: fc.constantFrom(0.5, 1),
  slowAfter: fc.constantFrom(3, 5, 12, Infinity)
})

const inRow = fc.integer({ min: 1, max: 4 })
const rule = fc.oneof<Array<fc.Arbitrary<Rule.Rule>>>(
  fc.record({ failures: inRow }),
  fc.record({ failures: fc.constant(Infinity), rate }),
  fc.record({ failures: inRow, rate })
)

const settings: fc.Arbitrary<Circuit.Settings> = fc.record({
  rule,
  openFor: fc.constant(10),
  growth: fc.constantFrom(1, 2),
  maxOpenFor: fc.constant(35),
  jitter: fc.constantFrom(0, 0.5),
  seed: fc.nat(),
  probes: fc.integer({ min: 1, max: 3 }),
  successes: fc.integer({ min: 1, max: 4 }),
  failedProbes: fc.integer({ min: 0, max: 2 }),
  probeWait: fc.constantFrom(10, 25),
  patience: fc.constantFrom(8, Infinity)
})

interface Flight {
  ticket: Circuit.Ticket
  readonly since: number
  /** When it was answered, a stream that has begun. */
  answered?: number
}

interface Event {
  readonly before: Circuit.State
  readonly after: Circuit.State
  readonly now: number
  readonly flights: ReadonlyArray<Flight>
  readonly event:
    | { readonly _tag: "Admitted" | "Refused" | "Hand" }
    | { readonly _tag: "Ended"; readonly flight: Flight; readonly outcome: Circuit.Outcome; readonly millis: number; readonly waiting: number }
}

/** Plays random calls against a circuit, from any state on; `see` hears of each transition. */
const play = (
  settings: Circuit.Settings,
  steps: Steps,
  see: (event: Event) => void,
  from: { readonly state: Circuit.State; readonly now: number } = { state: Circuit.initial(settings), now: 0 }
) => {
  let { now, state } = from
  const flights: Array<Flight> = []
  const holders: Array<number> = []
  for (const step of steps) {
    const before = state
    const flight = "which" in step ? flights[step.which % flights.length] : undefined
    const seen = (event: Event["event"]) => see({ before, after: state, now, flights, event })
    switch (step._tag) {
      case "wait":
        now += step.millis
        break
      case "call": {
        const [ticket, after] = Circuit.admit(state, now, settings)
        assert.strictEqual(Circuit.admits(state, now, settings), ticket !== undefined)
        state = after
        if (ticket !== undefined) flights.push({ ticket, since: now })
        seen({ _tag: ticket === undefined ? "Refused" : "Admitted" })
        break
      }
      case "answer": {
        if (flight === undefined || flight.ticket.kind !== "probe") break
        const asked = { ...flight }
        const millis = now - flight.since
        const [ticket, after] = Circuit.answer(state, flight.ticket, millis, now, settings)
        state = after
        flight.ticket = ticket
        flight.answered = millis
        // the ticket of an earlier generation is not renewed either
        if (asked.ticket.generation !== before.generation) assert.strictEqual(ticket, asked.ticket)
        seen({ _tag: "Ended", flight: asked, outcome: "Success", millis, waiting: 0 })
        break
      }
      case "end": {
        if (flight === undefined) break
        const waiting = flights.length
        flights.splice(flights.indexOf(flight), 1)
        const outcome = flight.answered !== undefined && step.outcome === "GivenUp" ? "Neutral" : step.outcome
        const millis = flight.answered ?? now - flight.since
        const fault = outcome === "Failure" ? Option.some({ error: "ServerFault", message: "500" }) : Option.none()
        state = Circuit.record(state, flight.ticket, outcome, millis, now, settings, fault, waiting)
        seen({ _tag: "Ended", flight, outcome, millis, waiting })
        break
      }
      case "hand": {
        switch (step.command) {
          case "open":
            state = Circuit.opened(state, Infinity)
            break
          case "openFor":
            state = Circuit.opened(state, now + 20)
            break
          case "close":
            state = Circuit.closed(state, settings)
            break
          case "isolate":
            state = Circuit.isolated(state)
            holders.push(state.generation)
            break
          case "release": {
            const generation = holders.shift()
            if (generation !== undefined) state = Circuit.released(state, generation, settings)
            break
          }
          case "disable":
            state = Circuit.disabled(state)
            break
          case "enable":
            state = Circuit.enabled(state, settings)
        }
        seen({ _tag: "Hand" })
      }
    }
  }
  return { state, now, flights }
}

const check = <Ts extends [unknown, ...Array<unknown>]>(property: fc.IPropertyWithHooks<Ts>) =>
  fc.assert(property, { numRuns: 300 })

/** Whether a call, by what is said of it, went ill; `undefined` when it says nothing. Written down apart from `Circuit`. */
const wentIll = (
  { flight: { ticket }, millis, outcome }: Event["event"] & { _tag: "Ended" },
  before: Circuit.State,
  { patience, rule }: Circuit.Settings
): boolean | undefined => {
  switch (outcome) {
    case "Failure":
      return true
    case "Success":
    case "Refusal":
      return ticket.kind === "answered" ? undefined : false
    case "Neutral":
      return undefined
    case "GivenUp":
      return millis >= patience && (millis >= before.usual * 2 || millis >= (rule.rate?.slowAfter ?? Infinity))
        ? true
        : undefined
  }
}

describe("a circuit", () => {
  it("lets nothing through while it is open, until its time is over (P30)", () => {
    let refused = 0
    check(fc.property(settings, touched, (settings, steps) => {
      play(settings, steps, ({ before, event, now }) => {
        if (event._tag !== "Admitted" && event._tag !== "Refused") return
        if (before._tag === "Closed" || before._tag === "Disabled") assert.strictEqual(event._tag, "Admitted")
        if (before._tag === "Isolated") assert.strictEqual(event._tag, "Refused")
        if (before._tag !== "Open") return
        assert.strictEqual(event._tag, now < before.until ? "Refused" : "Admitted")
        assert.strictEqual(Circuit.readyAt(before, now), Math.max(now, before.until))
        if (event._tag === "Refused") refused++
      })
    }))
    assert.isAbove(refused, 300, "it was open, and often")
  })

  it("is open for no longer than the longest time, and the longer the more often it opens again", () => {
    let grown = 0
    check(fc.property(settings, untouched, (settings, steps) => {
      play(settings, steps, ({ after, before, now }) => {
        if (after._tag !== "Open" || before._tag === "Open") return
        assert.strictEqual(after.reopened, before._tag === "HalfOpen" ? before.reopened + 1 : 0)
        const time = Math.min(10 * settings.growth ** after.reopened, 35)
        assert.isAtLeast(after.until - now, time * (1 - settings.jitter) - 1)
        assert.isAtMost(after.until - now, Math.min(time * (1 + settings.jitter) + 1, 35))
        if (after.reopened > 0) grown++
      })
    }))
    assert.isAbove(grown, 100)
  })

  it("has no more probes under way than it may, but for one more for each time that they are waited for (P31)", () => {
    let full = 0
    check(fc.property(settings, touched, (settings, steps) => {
      let since = 0
      let started = 0
      let givenBack = 0
      play(settings, steps, ({ after, before, event, flights, now }) => {
        if (after._tag !== "HalfOpen") return
        if (before._tag !== "HalfOpen") {
          since = now
          started = 0
          givenBack = 0
        }
        if (event._tag === "Admitted") started++
        const isProbe = (ticket: Circuit.Ticket) => ticket.kind === "probe" && ticket.generation === after.generation
        if (event._tag === "Ended" && isProbe(event.flight.ticket) && wentIll(event, before, settings) === undefined) givenBack++
        const probing = flights.filter(({ ticket }) => isProbe(ticket)).length
        const more = Math.floor((now - since) / settings.probeWait)
        assert.strictEqual(after.probing, probing)
        assert.isAtMost(probing, settings.probes + more)
        assert.isAtMost(started - givenBack, Math.max(settings.probes, settings.successes + settings.failedProbes) + more)
        assert.isBelow(after.succeeded, settings.successes)
        assert.isAtMost(after.failed, settings.failedProbes)
        if (probing === settings.probes) full++
      })
    }))
    assert.isAbove(full, 100)
  })

  it("changes only from closed to open, from open to half-open, and from half-open to either, but by hand (P32)", () => {
    const seen = new Set<string>()
    check(fc.property(settings, touched, (settings, steps) => {
      let last: Circuit.State | undefined
      play(settings, steps, ({ after, before, event }) => {
        assert.strictEqual(before, last ?? before, "nothing happens in between")
        last = after
        if (event._tag === "Hand") return
        if (before._tag === after._tag) {
          assert.strictEqual(before.generation, after.generation)
          return
        }
        assert.strictEqual(after.generation, before.generation + 1)
        seen.add(`${before._tag} ${after._tag}`)
      })
    }))
    assert.deepStrictEqual([...seen].sort(), ["Closed Open", "HalfOpen Closed", "HalfOpen Open", "Open HalfOpen"])
  })

  it("remembers of its generation exactly what its window sees, and opens when that is enough, and only then (P33)", () => {
    const reached = { row: 0, failures: 0, slow: 0 }
    check(fc.property(settings, touched, (settings, steps) => {
      const { failures, rate } = settings.rule
      let list: Array<{ readonly isFailure: boolean; readonly isSlow: boolean; readonly at: number }> = []
      play(settings, steps, ({ after, before, event, now }) => {
        if (before._tag !== "Closed" || event._tag === "Hand" && after.generation !== before.generation) {
          list = []
          return
        }
        if (event._tag === "Ended" && event.flight.ticket.generation === before.generation) {
          const isFailure = wentIll(event, before, settings)
          if (isFailure === undefined) assert.strictEqual(after, before)
          else list.push({ isFailure, isSlow: event.millis >= (rate?.slowAfter ?? Infinity), at: now })
        }
        const row = list.length - 1 - list.findLastIndex(({ isFailure }) => !isFailure)
        const seen = rate === undefined ? [] : rate.over._tag === "Calls" ? list.slice(-rate.over.calls) : inTime(list, rate.over.millis, now)
        const counts = {
          calls: seen.length,
          failures: seen.filter(({ isFailure }) => isFailure).length,
          slow: seen.filter(({ isSlow }) => isSlow).length
        }
        const isEnough = rate !== undefined && counts.calls >= rate.minimumCalls
        if (after !== before) {
          const isRow = row >= failures && event._tag === "Ended" && row >= event.waiting / 2
          const isFailing = isEnough && counts.failures >= rate.failureRate * counts.calls
          const isSlow = isEnough && rate.slowAfter < Infinity && counts.slow >= rate.slowRate * counts.calls
          assert.strictEqual(after._tag, isRow || isFailing || isSlow ? "Open" : "Closed")
          if (isRow) reached.row++
          else if (isFailing) reached.failures++
          else if (isSlow) reached.slow++
        }
        if (after._tag !== "Closed") return
        assert.strictEqual(after.memory.row, row)
        // also when time has passed since the last call ended
        const { failureRate, slowRate, ...rates } = Rule.rates(after.memory, settings.rule, now)
        assert.deepStrictEqual(rates, counts)
        assert.strictEqual(failureRate, isEnough ? counts.failures / counts.calls : undefined)
        assert.strictEqual(slowRate, isEnough && rate.slowAfter < Infinity ? counts.slow / counts.calls : undefined)
      })
    }))
    for (const [rule, n] of Object.entries(reached)) assert.isAbove(n, 5, rule)
  })

  it("is not changed by what began in an earlier generation (P34)", () => {
    let stale = 0
    check(fc.property(settings, touched, (settings, steps) => {
      play(settings, steps, ({ after, before, event }) => {
        if (event._tag !== "Ended" || event.flight.ticket.generation === before.generation) return
        assert.strictEqual(after, before)
        stale++
      })
    }))
    assert.isAbove(stale, 300)
  })

  it("goes on from where it was, when it was JSON in between (P35)", () => {
    const seen = new Set<string>()
    check(fc.property(settings, touched, touched, (settings, steps, more) => {
      const { flights, now, state } = play(settings, steps, () => undefined)
      const json = JSON.parse(JSON.stringify(CircuitSnapshot.toSnapshot(state)))
      const saved = Either.getOrThrow(CircuitSnapshot.fromSnapshot({ snapshot: json })).snapshot
      assert.deepStrictEqual(CircuitSnapshot.toSnapshot(saved), json)
      const resumed = CircuitSnapshot.resumed(saved, Circuit.initial(settings), now, settings)
      seen.add(state._tag)
      // nobody who was there is there any longer
      let left: Circuit.State = state._tag === "Isolated" ? Circuit.closed(state, settings) : state
      for (const { ticket } of flights) left = Circuit.record(left, ticket, "Neutral", 0, now, settings)
      const replay = (state: Circuit.State) => {
        const trace: Array<unknown> = []
        // generations are compared as well: chance goes by them
        play(settings, more, ({ after, event }) => trace.push([event._tag, view(after)]), { state, now })
        return trace
      }
      assert.deepStrictEqual(replay(resumed), replay(state.generation === 0 ? { ...left, generation: 1 } : left))
    }))
    assert.deepStrictEqual([...seen].sort(), ["Closed", "Disabled", "HalfOpen", "Isolated", "Open"])
  })

  it("never sticks: once the backend is well and calls come, it closes, whatever is done to the clock (P36)", () => {
    const putBack = fc.oneof(fc.constant(0), fc.nat(3_600_000))
    check(fc.property(settings, untouched, fc.nat(5), putBack, (settings, steps, takes, putBack) => {
      const reached = play(settings, steps, () => undefined)
      let { state } = reached
      // those under way never answer; one call a millisecond, each succeeds after a while, none of them is slow
      const isSlow = takes >= (settings.rule.rate?.slowAfter ?? Infinity)
      const millis = isSlow ? 0 : takes
      const limit = settings.maxOpenFor + settings.successes * (settings.probeWait + millis)
      const due: Array<{ readonly at: number; readonly ticket: Circuit.Ticket }> = []
      const start = reached.now - putBack
      for (let now = start; now <= start + limit && state._tag !== "Closed"; now++) {
        for (const { at, ticket } of due) {
          if (at === now) state = Circuit.record(state, ticket, "Success", millis, now, settings)
        }
        const [ticket, after] = Circuit.admit(state, now, settings)
        state = after
        if (ticket !== undefined && millis > 0) due.push({ at: now + millis, ticket })
        else if (ticket !== undefined) state = Circuit.record(state, ticket, "Success", 0, now, settings)
      }
      assert.strictEqual(state._tag, "Closed")
    }))
  })
})

/** What a window of time sees, to a tenth of it. */
const inTime = <A extends { readonly at: number }>(list: ReadonlyArray<A>, millis: number, now: number) => {
  const slot = (at: number) => Math.floor(at / (millis / 10))
  return list.filter(({ at }) => slot(now) - slot(at) < 10)
}

/** All that can be seen of a state; a window keeps its calls in its own way. */
const view = (state: Circuit.State) => {
  const { snapshot } = Either.getOrThrow(CircuitSnapshot.fromSnapshot({ snapshot: CircuitSnapshot.toSnapshot(state) }))
  return CircuitSnapshot.toSnapshot(snapshot)
}
