/**
 * What is said of a circuit: to those who watch it, and to the caller whom it refuses.
 */
import * as Duration from "effect/Duration"
import * as Option from "effect/Option"
import * as LlmError from "../LlmError.js"
import type * as Monitor from "../Monitor.js"
import * as Rule from "./circuitRule.js"
import type { Fault, Open, Settings, State } from "./circuitState.js"

const words = {
  Closed: "closed",
  Open: "open",
  HalfOpen: "half-open",
  Isolated: "isolated",
  Disabled: "disabled"
} as const satisfies { readonly [S in State["_tag"]]: Monitor.Circuit["state"] }

/** Why a circuit became what it is, where nobody said so by hand. */
const reasonOf = (state: State): Monitor.CircuitTransition["reason"] =>
  state._tag === "Open" ? state.why : state._tag === "HalfOpen" ? "time" : "probes"

/** How it became something else. */
export const transition = (
  before: State,
  after: State,
  at: number,
  reason: Monitor.CircuitTransition["reason"] = reasonOf(after)
): Monitor.CircuitTransition => ({
  at,
  from: words[before._tag],
  to: words[after._tag],
  reason,
  ...(reason === "failures" && Option.isSome(after.fault) && { fault: after.fault.value.error })
})

/** What the monitor shows of a state. */
export const toMonitor = (state: State, settings: Settings, now: number): Pick<
  Monitor.Circuit,
  "state" | "failures" | "openUntil" | "window" | "probes" | "lastFault"
> => ({
  state: words[state._tag],
  failures: state._tag === "Closed" ? state.memory.row : 0,
  ...(state._tag === "Open" && Number.isFinite(state.until) && { openUntil: state.until }),
  ...(state._tag === "Closed" && state.memory.window !== undefined && {
    window: Rule.rates(state.memory, settings.rule, now)
  }),
  ...(state._tag === "HalfOpen" && {
    probes: { underWay: state.probing, succeeded: state.succeeded, failed: state.failed }
  }),
  ...(Option.isSome(state.fault) && { lastFault: state.fault.value.error })
})

/** The error of a call that is not let through. */
export const refusal = (backend: string, model: string, state: State, now: number): LlmError.CircuitOpen => {
  const until = state._tag === "Open" || state._tag === "HalfOpen" ? state.until : Infinity
  const retryAfter = Duration.millis(Math.max(until - now, 0))
  const isOurs = (state._tag === "Open" || state._tag === "HalfOpen") && state.why !== "hand"
  return new LlmError.CircuitOpen({
    backend,
    model,
    ...(Number.isFinite(until) && { retryAfter }),
    ...(isOurs && Option.isSome(state.fault) && { fault: state.fault.value }),
    message: says(backend, state, Number.isFinite(until) ? `for ${Duration.format(retryAfter)}` : "until it is closed")
  })
}

const says = (backend: string, state: State, left: string): string => {
  switch (state._tag) {
    case "Open":
      return state.why === "hand"
        ? `${backend}'s circuit was opened by hand, ${left}`
        : `${backend} ${happened[state.why](state.fault)}, and is left alone ${left}`
    case "HalfOpen":
      return `${backend} ${happened[state.why](state.fault)}, and is being probed`
    case "Isolated":
      return `${backend} is isolated by hand`
    case "Closed":
    case "Disabled":
      return `${backend} takes calls`
  }
}

const happened: { readonly [W in Open["why"]]: (fault: Option.Option<Fault>) => string } = {
  failures: Option.match({
    onNone: () => "has been failing",
    onSome: ({ error, message }) => `has been failing (${error}: ${message})`
  }),
  slowness: () => "has been slow to answer",
  hand: () => "has been left alone"
}
