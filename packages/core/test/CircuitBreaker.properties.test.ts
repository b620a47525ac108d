import { assert, describe, it } from "@effect/vitest"
import { FastCheck as fc, Option } from "effect"
import * as Circuit from "../src/internal/circuit.js"

const tagged = <Tag extends string, Fields>(_tag: Tag, fields: { [K in keyof Fields]: fc.Arbitrary<Fields[K]> }) =>
  fc.record(fields).map((fields) => ({ _tag, ...fields }))

const outcome = fc.constantFrom<Circuit.Outcome>("Success", "Failure", "Failure", "Neutral")

const step = fc.oneof(
  { weight: 4, arbitrary: tagged("call", {}) },
  { weight: 4, arbitrary: tagged("end", { which: fc.nat(), outcome }) },
  { weight: 1, arbitrary: tagged("answer", { which: fc.nat() }) },
  { weight: 2, arbitrary: tagged("wait", { millis: fc.nat(15) }) }
)
const steps = fc.array(step, { minLength: 20, maxLength: 200, size: "max" })

const settings = fc.record({
  threshold: fc.integer({ min: 1, max: 4 }),
  probes: fc.integer({ min: 1, max: 3 }),
  successes: fc.integer({ min: 1, max: 4 })
}).map((numbers) => ({ ...numbers, openFor: 10, rule: Circuit.consecutive(numbers.threshold) }))

interface Flight {
  ticket: Circuit.Ticket
  readonly since: number
}

/** Plays random calls against a circuit; `see` hears of each transition. */
const play = (
  settings: Circuit.Settings,
  steps: ReadonlyArray<typeof step extends fc.Arbitrary<infer A> ? A : never>,
  see: (event: {
    readonly before: Circuit.State
    readonly after: Circuit.State
    readonly now: number
    readonly flights: ReadonlyArray<Flight>
    readonly event: "admitted" | "refused" | { readonly outcome: Circuit.Outcome; readonly flight: Flight }
  }) => void
) => {
  let state = Circuit.initial(settings)
  let now = 0
  const flights: Array<Flight> = []
  for (const step of steps) {
    const before = state
    const flight = "which" in step ? flights[step.which % flights.length] : undefined
    switch (step._tag) {
      case "wait":
        now += step.millis
        break
      case "call": {
        const [ticket, after] = Circuit.admit(state, now, settings)
        state = after
        if (Option.isSome(ticket)) flights.push({ ticket: ticket.value, since: now })
        see({ before, after, now, flights, event: Option.isSome(ticket) ? "admitted" : "refused" })
        break
      }
      case "answer": {
        if (flight === undefined || flight.ticket.kind !== "probe") break
        const asked = { ...flight }
        const [ticket, after] = Circuit.answer(state, flight.ticket, now, settings)
        state = after
        flight.ticket = ticket
        // the ticket of an earlier generation is not renewed either
        if (asked.ticket.generation !== before.generation) assert.strictEqual(ticket, asked.ticket)
        see({ before, after, now, flights, event: { outcome: "Success", flight: asked } })
        break
      }
      case "end": {
        if (flight === undefined) break
        flights.splice(flights.indexOf(flight), 1)
        state = Circuit.settle(state, flight.ticket, step.outcome, now, settings)
        see({ before, after: state, now, flights, event: { outcome: step.outcome, flight } })
      }
    }
  }
  return { state, now }
}

const runs = { numRuns: 500 }

describe("a circuit", () => {
  // P30
  it("lets nothing through while it is open, until its time is over", () => {
    let refused = 0
    fc.assert(
      fc.property(settings, steps, (settings, steps) => {
        play(settings, steps, ({ before, event, now }) => {
          if (before._tag !== "Open" || typeof event !== "string") return
          assert.strictEqual(event, now < before.until ? "refused" : "admitted")
          if (event === "refused") refused++
        })
      }),
      runs
    )
    assert.isAbove(refused, runs.numRuns, "it was open, and often")
  })

  // P31
  it("never has more probes under way than it may, but for one more for each open time that they do not answer", () => {
    let full = 0
    fc.assert(
      fc.property(settings, steps, (settings, steps) => {
        let since = 0
        play(settings, steps, ({ after, before, flights, now }) => {
          if (after._tag !== "HalfOpen") return
          if (before._tag !== "HalfOpen") since = now
          const probing = flights.filter(({ ticket }) =>
            ticket.kind === "probe" && ticket.generation === after.generation
          ).length
          assert.strictEqual(after.probing, probing)
          assert.isAtMost(probing, settings.probes + Math.floor((now - since) / settings.openFor))
          assert.isBelow(after.succeeded, settings.successes)
          if (probing === settings.probes) full++
        })
      }),
      runs
    )
    assert.isAbove(full, runs.numRuns)
  })

  // P32
  it("goes only from closed to open, from open to half-open, and from half-open to either", () => {
    const seen = new Set<string>()
    fc.assert(
      fc.property(settings, steps, (settings, steps) => {
        play(settings, steps, ({ after, before, event }) => {
          if (before._tag === after._tag) {
            assert.strictEqual(before.generation, after.generation)
            if (before._tag !== "HalfOpen" || typeof event === "string") return
            const { flight, outcome } = event
            assert.ok(outcome !== "Failure" || flight.ticket.generation !== before.generation, "any failure opens it")
            return
          }
          assert.strictEqual(after.generation, before.generation + 1)
          if (before._tag === "HalfOpen" && typeof event !== "string") {
            assert.strictEqual(after._tag, event.outcome === "Failure" ? "Open" : "Closed")
          }
          seen.add(`${before._tag} ${after._tag}`)
        })
      }),
      runs
    )
    assert.deepStrictEqual([...seen].sort(), ["Closed Open", "HalfOpen Closed", "HalfOpen Open", "Open HalfOpen"])
  })

  // P34
  it("is not changed by what began in an earlier generation", () => {
    let stale = 0
    fc.assert(
      fc.property(settings, steps, (settings, steps) => {
        play(settings, steps, ({ after, before, event }) => {
          if (typeof event === "string" || event.flight.ticket.generation === before.generation) return
          assert.strictEqual(after, before)
          stale++
        })
      }),
      runs
    )
    assert.isAbove(stale, runs.numRuns)
  })

  // P33
  it("opens when the last outcomes of its generation are as many failures as the rule says, and only then", () => {
    fc.assert(
      fc.property(settings, steps, (settings, steps) => {
        let row = 0
        play(settings, steps, ({ after, before, event }) => {
          if (before._tag !== "Closed") {
            row = 0
            return
          }
          if (typeof event === "string" || event.flight.ticket.generation !== before.generation) return
          if (event.outcome === "Failure") row++
          else if (event.outcome === "Success" && event.flight.ticket.kind !== "answered") row = 0
          assert.strictEqual(after._tag, row >= settings.threshold ? "Open" : "Closed")
          if (after._tag === "Closed") assert.strictEqual(after.rule.failures, row)
        })
      }),
      runs
    )
  })

  // P36
  it("never sticks: once the backend is well and calls come, it closes", () => {
    fc.assert(
      fc.property(settings, steps, (settings, steps) => {
        const reached = play(settings, steps, () => undefined)
        let { state } = reached
        // those under way never answer; one call a millisecond, each succeeds at once
        const end = reached.now + settings.openFor * (1 + settings.successes)
        for (let now = reached.now; now <= end && state._tag !== "Closed"; now++) {
          const [ticket, after] = Circuit.admit(state, now, settings)
          state = Option.isNone(ticket) ? after : Circuit.settle(after, ticket.value, "Success", now, settings)
        }
        assert.strictEqual(state._tag, "Closed")
      }),
      runs
    )
  })
})
