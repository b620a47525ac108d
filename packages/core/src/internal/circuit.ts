/**
 * The transitions of a circuit, which are functions without effects: one circuit is one immutable `State`. A backend
 * has one (`CircuitBreaker`), and so may each of its keys.
 */
import * as Option from "effect/Option"
import { PCGRandom } from "effect/Utils"
import * as Rule from "./circuitRule.js"
import type { Closed, Fault, HalfOpen, Isolated, Known, Open, Outcome, Settings, State, Ticket } from "./circuitState.js"

export { defaults } from "./circuitState.js"
export type { Closed, Disabled, Fault, HalfOpen, Isolated, Open, Outcome, Settings, State, Ticket } from "./circuitState.js"

/** A closed circuit that has seen nothing. */
export const initial = (settings: Settings): State => ({
  _tag: "Closed",
  generation: 0,
  usual: 0,
  fault: Option.none(),
  memory: Rule.empty(settings.rule)
})

// -----------------------------------------------------------------------------
// letting through
// -----------------------------------------------------------------------------

/** Whether a call may go now, and what the circuit is then. No ticket: it may not. */
export const admit = (state: State, now: number, settings: Settings): readonly [Ticket | undefined, State] => {
  switch (state._tag) {
    case "Closed":
    case "Disabled":
      return [{ generation: state.generation, kind: "call" }, state]
    case "Isolated":
      return [undefined, state]
    case "Open":
      return now < state.until ? [undefined, state.why === "hand" ? state : inTime(state, now + settings.maxOpenFor)] : probe({
        _tag: "HalfOpen",
        ...next(state),
        probing: 0,
        succeeded: 0,
        failed: 0,
        until: now + settings.probeWait,
        why: state.why,
        reopened: state.reopened
      })
    case "HalfOpen":
      return state.probing < settings.probes && state.probing + state.succeeded + state.failed < mostProbes(settings)
        ? probe(state)
        : now < state.until
        ? [undefined, inTime(state, now + settings.probeWait)]
        : probe({ ...state, until: now + settings.probeWait })
  }
}

// no time is longer than it may be, though the clock be put back
const inTime = <S extends Open | HalfOpen>(state: S, latest: number): S =>
  state.until > latest ? { ...state, until: latest } : state

const probe = (state: HalfOpen): readonly [Ticket, State] => [
  { generation: state.generation, kind: "probe" },
  { ...state, probing: state.probing + 1 }
]

/** How many probes are worth sending, as long as they answer. */
const mostProbes = ({ failedProbes, probes, successes }: Settings) => Math.max(probes, successes + failedProbes)

/** Whether a call could go now; takes nothing. */
export const admits = (state: State, now: number, settings: Settings): boolean =>
  admit(state, now, settings)[0] !== undefined

/** When a call may go that may not go now, as far as it is known; `Infinity` when somebody has to close it. */
export const readyAt = (state: State, now: number): number => {
  switch (state._tag) {
    case "Closed":
    case "Disabled":
      return now
    case "Open":
    case "HalfOpen":
      return Math.max(state.until, now)
    case "Isolated":
      return Infinity
  }
}

// -----------------------------------------------------------------------------
// judging
// -----------------------------------------------------------------------------

/**
 * What the circuit is after a call's outcome, `millis` after it was let through (until it was answered, where it was),
 * which was one of so many that were `waiting` for an answer. The outcome of a call that began in an earlier generation
 * changes nothing.
 */
export const record = (
  state: State,
  ticket: Ticket,
  outcome: Outcome,
  millis: number,
  now: number,
  settings: Settings,
  fault: Option.Option<Fault> = Option.none(),
  waiting = 0
): State => {
  if (ticket.generation !== state.generation) return state
  const said = says(outcome, millis, state, settings)
  if (said !== "ill" && ticket.kind === "answered") return state
  switch (state._tag) {
    case "Open":
    case "Isolated":
    case "Disabled":
      return state
    case "Closed":
      return said === undefined
        ? state
        : recordCall(learned(state, outcome, said, millis, settings, fault), said, millis, now, settings, waiting)
    case "HalfOpen":
      return ticket.kind === "call"
        ? state
        : recordProbe(learned(state, outcome, said, millis, settings, fault), ticket, said, millis, now, settings)
  }
}

/** How a call went; `undefined` when it says nothing. */
type Said = "well" | "ill" | undefined

const says = (outcome: Outcome, millis: number, state: State, settings: Settings): Said => {
  switch (outcome) {
    case "Success":
    case "Refusal":
      return "well"
    case "Failure":
      return "ill"
    case "GivenUp":
      return millis >= settings.patience && (millis >= 2 * state.usual || Rule.isSlow(settings.rule, millis))
        ? "ill"
        : undefined
    case "Neutral":
      return undefined
  }
}

const hour = 3_600_000

/** The state with what it now knows of answers and failures; the same one when it knows that already. */
const learned = <S extends Closed | HalfOpen>(
  state: S,
  outcome: Outcome,
  said: Said,
  millis: number,
  { patience }: Settings,
  fault: Option.Option<Fault>
): S => {
  if (said === "ill" && Option.isSome(fault)) return { ...state, fault }
  const floor = patience / 2
  if (outcome !== "Success" || millis <= floor && state.usual <= floor) return state
  const usual = Math.max(state.usual, floor)
  return { ...state, usual: Math.min(usual + (Math.max(millis, 0) - usual) / 8, hour) }
}

const recordCall = (
  state: Closed,
  said: NonNullable<Said>,
  millis: number,
  now: number,
  settings: Settings,
  waiting: number
): State => {
  const ended = { isFailure: said === "ill", isSlow: Rule.isSlow(settings.rule, millis) }
  const memory = Rule.after(state.memory, ended, now)
  const why = Rule.reached(memory, settings.rule, now, waiting)
  return why !== undefined
    ? open(state, why, 0, now, settings)
    : memory === state.memory
    ? state
    : { ...state, memory }
}

const recordProbe = (
  state: HalfOpen,
  { kind }: Ticket,
  said: Said,
  millis: number,
  now: number,
  settings: Settings
): State => {
  const isSlow = said === "well" && Rule.isSlow(settings.rule, millis)
  // a stream that breaks after all takes its success back
  const ended = kind === "answered" ? { probing: 0, succeeded: 1 } : { probing: 1, succeeded: 0 }
  const probing = state.probing - ended.probing
  const succeeded = state.succeeded - ended.succeeded + (said === "well" && !isSlow ? 1 : 0)
  const failed = state.failed + (said === "ill" || isSlow ? 1 : 0)
  return failed > settings.failedProbes
    ? open(state, isSlow ? "slowness" : "failures", state.reopened + 1, now, settings)
    : succeeded >= settings.successes
    ? closed(state, settings)
    : { ...state, probing, succeeded, failed }
}

/**
 * A call has answered, and its answer goes on: a probe is judged now, and its ticket is good for what the answer does in
 * the rest of its time.
 */
export const answer = (
  state: State,
  ticket: Ticket,
  millis: number,
  now: number,
  settings: Settings
): readonly [Ticket, State] => {
  if (ticket.generation !== state.generation || ticket.kind !== "probe") return [ticket, state]
  const after = record(state, ticket, "Success", millis, now, settings)
  return [{ generation: after.generation, kind: Rule.isSlow(settings.rule, millis) ? "call" : "answered" }, after]
}

// -----------------------------------------------------------------------------
// changing
// -----------------------------------------------------------------------------

const next = ({ fault, generation, usual }: Known): Known => ({ generation: generation + 1, usual, fault })

const open = (state: Closed | HalfOpen, why: Open["why"], reopened: number, now: number, settings: Settings): Open => ({
  _tag: "Open",
  ...next(state),
  until: now + openTime(reopened, state.generation + 1, settings),
  why,
  reopened
})

/** How long it is open; chance goes by the generation, so that the same circuit does the same again. */
const openTime = (reopened: number, generation: number, settings: Settings): number => {
  const time = Math.min(settings.openFor * settings.growth ** reopened, settings.maxOpenFor)
  if (settings.jitter === 0 || time === Infinity) return time
  const chance = new PCGRandom(settings.seed, generation).number()
  return Math.min(Math.max(Math.round(time * (1 + settings.jitter * (2 * chance - 1))), 1), settings.maxOpenFor)
}

/** The circuit closed, with nothing remembered of its calls. */
export const closed = (state: State, settings: Settings): Closed => ({
  _tag: "Closed",
  ...next(state),
  memory: Rule.empty(settings.rule)
})

/** The circuit opened by hand, until a moment. */
export const opened = (state: State, until: number): Open => ({
  _tag: "Open",
  ...next(state),
  until,
  why: "hand",
  reopened: 0
})

/** The circuit held open by one more. */
export const isolated = (state: State): Isolated =>
  state._tag === "Isolated"
    ? { ...state, holders: state.holders + 1 }
    : { _tag: "Isolated", ...next(state), holders: 1 }

/** The circuit held open by one less, who began to in the given generation; closed when it was the last. */
export const released = (state: State, generation: number, settings: Settings): State =>
  state._tag !== "Isolated" || state.generation !== generation
    ? state
    : state.holders > 1
    ? { ...state, holders: state.holders - 1 }
    : closed(state, settings)

/** The circuit out of use: everything goes through. */
export const disabled = (state: State): State =>
  state._tag === "Disabled" ? state : { _tag: "Disabled", ...next(state) }

/** The circuit in use again, if it was not. */
export const enabled = (state: State, settings: Settings): State =>
  state._tag === "Disabled" ? closed(state, settings) : state
