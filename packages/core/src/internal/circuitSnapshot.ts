/**
 * A circuit as JSON, to outlive its program: written as it is, and read with suspicion.
 */
import * as Schema from "effect/Schema"
import * as InvalidOptions from "../InvalidOptions.js"
import * as Circuit from "./circuit.js"
import * as Rule from "./circuitRule.js"
import * as Window from "./circuitWindow.js"

const count = InvalidOptions.whole({ atLeast: 0 })
const millis = InvalidOptions.number({ atLeast: 0 })

const counts = { calls: count, failures: count, slow: count }

const says = (message: string) => ({ message: () => message })

// -----------------------------------------------------------------------------
// windows
// -----------------------------------------------------------------------------

/** Most calls that a window may count. */
export const mostCalls = 10_000

const CountWindow = Schema.transform(
  Schema.Struct({
    _tag: Schema.Literal("Count"),
    size: InvalidOptions.whole({ atLeast: 1, atMost: mostCalls }),
    /** The calls, the oldest first. */
    marks: Schema.String.pipe(
      Schema.pattern(/^[0-3]*$/),
      Schema.maxLength(mostCalls),
      Schema.annotations(says(`must be at most ${mostCalls} digits from 0 to 3`))
    )
  }),
  Schema.declare((u): u is Window.CountWindow => u instanceof Object && "_tag" in u && u._tag === "Count"),
  {
    strict: true,
    decode: ({ marks, size }) => fromMarks(size, marks.slice(-size)),
    encode: (window) => ({ _tag: "Count" as const, size: window.marks.length, marks: toMarks(window) })
  }
)

const fromMarks = (size: number, marks: string): Window.CountWindow => {
  const oldestFirst = Array.from(marks, Number)
  const ring = new Uint8Array(size)
  ring.set(oldestFirst)
  return {
    _tag: "Count",
    marks: ring,
    next: oldestFirst.length % size,
    calls: oldestFirst.length,
    failures: oldestFirst.filter((mark) => (mark & 1) > 0).length,
    slow: oldestFirst.filter((mark) => mark > 1).length
  }
}

const toMarks = ({ calls, marks, next }: Window.CountWindow) =>
  calls < marks.length ? marks.subarray(0, calls).join("") : `${marks.subarray(next).join("")}${marks.subarray(0, next).join("")}`

const TimeWindow = Schema.Struct({
  _tag: Schema.Literal("Time"),
  width: InvalidOptions.number({ atLeast: Number.MIN_VALUE }),
  buckets: Schema.Array(
    Schema.Struct({ slot: count, ...counts }).pipe(
      Schema.filter(({ calls, failures, slow }) => failures <= calls && slow <= calls, says("must count no more than all"))
    )
  ).pipe(
    Schema.maxItems(Window.bucketCount, says(`must be at most ${Window.bucketCount}`)),
    Schema.filter(
      (buckets) => buckets.every(({ slot }, i) => i === 0 || slot > buckets[i - 1]!.slot),
      says("must be in the order of time")
    )
  )
})

// -----------------------------------------------------------------------------
// states
// -----------------------------------------------------------------------------

const known = {
  generation: InvalidOptions.whole({ atLeast: 0, atMost: 1e12 }),
  usual: InvalidOptions.number({ atLeast: 0, atMost: 3_600_000 }),
  fault: Schema.OptionFromNullOr(
    Schema.Struct({ error: Schema.String.pipe(Schema.maxLength(100)), message: Schema.String.pipe(Schema.maxLength(300)) })
  )
}

/** `null` for ever: JSON has no `Infinity`. */
const Moment = Schema.transform(Schema.NullOr(millis), Schema.Number, {
  strict: true,
  decode: (moment) => moment ?? Infinity,
  encode: (moment) => Number.isFinite(moment) ? moment : null
})

const why = InvalidOptions.oneOf("failures", "slowness", "hand")

/** Every state, as JSON and back. */
export const State = Schema.Union(
  Schema.TaggedStruct("Closed", {
    ...known,
    memory: Schema.Struct({
      row: count,
      window: Schema.optionalWith(Schema.Union(CountWindow, TimeWindow), { exact: true })
    })
  }),
  Schema.TaggedStruct("Open", {
    ...known,
    until: Moment,
    why,
    reopened: count
  }),
  Schema.TaggedStruct("HalfOpen", {
    ...known,
    probing: count,
    succeeded: count,
    failed: count,
    until: Moment,
    why,
    reopened: count
  }),
  Schema.TaggedStruct("Isolated", { ...known, holders: count }),
  Schema.TaggedStruct("Disabled", known)
)

/**
 * A circuit as JSON.
 *
 * @since 0.1.0
 * @category models
 */
export type Snapshot = typeof State.Encoded

/** The circuit as JSON. */
export const toSnapshot: (state: Circuit.State) => Snapshot = Schema.encodeSync(State)

/** What was once written; the first thing wrong with it is named. */
export const fromSnapshot = InvalidOptions.validate("CircuitBreaker", Schema.Struct({ snapshot: State }))

/**
 * What a circuit is that goes on as `saved`. Calls that were under way then are none of its calls, and whoever isolated
 * it holds it no longer. What was remembered by another rule is forgotten, and no time is longer than the settings
 * allow.
 */
export const resumed = (saved: Circuit.State, current: Circuit.State, now: number, settings: Circuit.Settings): Circuit.State => {
  const state = { ...saved, generation: Math.max(saved.generation, current.generation + 1) }
  switch (state._tag) {
    case "Closed":
      return { ...state, memory: Rule.resumed(state.memory, settings.rule, now) }
    case "Open":
      return state.why === "hand" ? state : { ...state, until: Math.min(state.until, now + settings.maxOpenFor) }
    case "HalfOpen":
      return {
        ...state,
        probing: 0,
        ...(state.succeeded < settings.successes && state.failed <= settings.failedProbes
          ? {}
          : { succeeded: 0, failed: 0 }),
        until: Math.min(state.until, now + settings.probeWait)
      }
    case "Isolated":
      return Circuit.closed(state, settings)
    case "Disabled":
      return state
  }
}
