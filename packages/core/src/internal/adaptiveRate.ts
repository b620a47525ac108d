/**
 * How many attempts a second a backend takes, learned from its refusals: AWS's rule for its clients, which is that of
 * CUBIC for TCP. A refusal takes the rate down to a share of what was sent; from there it comes back fast, lingers
 * where it was refused, and then feels its way beyond. Every step is pure; times are in milliseconds.
 */

/** How many attempts have lately been sent. */
export interface Pace {
  /** Sent since `since`, which is where the current half second begins. */
  readonly count: number
  readonly since: number
  /** Smoothed, over the half seconds before. */
  readonly perSecond: number
}

/** Nobody has been refused: nobody waits. */
export interface Off {
  readonly _tag: "Off"
  readonly pace: Pace
}

/** A bucket of attempts that fills as fast as the backend seems to take them. */
export interface On {
  readonly _tag: "On"
  readonly pace: Pace
  /** Attempts per second. */
  readonly rate: number
  /** Attempts that may be sent now, as of `at`. */
  readonly tokens: number
  readonly at: number
  /** When it was last refused, and at which rate. */
  readonly refusedAt: number
  readonly refusedRate: number
}

/** What is known. */
export type State = Off | On

/** What does not change. */
export interface Settings {
  /** Attempts per second that are sent in any case. */
  readonly floor: number
  /** How long after the last refusal nobody waits any more. */
  readonly memory: number
}

const halfSecond = 500
const smoothing = 0.8
const share = 0.7
const scale = 0.4

const startOf = (now: number): number => Math.floor(now / halfSecond) * halfSecond

/** Nothing has been sent. */
export const initial = (now: number): State => ({ _tag: "Off", pace: { count: 0, since: startOf(now), perSecond: 0 } })

// -----------------------------------------------------------------------------
// the pace
// -----------------------------------------------------------------------------

/** One more was sent. */
export const record = ({ count, perSecond, since }: Pace, now: number): Pace => {
  const start = startOf(now)
  if (start === since) return { count: count + 1, since, perSecond }
  // a clock that was put back begins anew: how long the half seconds before have lasted is not known
  return start < since ? { count: 1, since: start, perSecond } : {
    count: 0,
    since: start,
    perSecond: smoothing * (count + 1) * 1000 / (start - since) + (1 - smoothing) * perSecond
  }
}

// the current half second is not in the average, and alone may be more than that
const measured = ({ count, perSecond }: Pace): number => Math.max(perSecond, count * 1000 / halfSecond)

// -----------------------------------------------------------------------------
// the rate
// -----------------------------------------------------------------------------

/** The rate so many milliseconds after a refusal at `refusedRate`. */
export const cubic = (refusedRate: number, millis: number): number =>
  scale * (millis / 1000 - Math.cbrt(refusedRate * (1 - share) / scale)) ** 3 + refusedRate

/** An attempt that was sent at `sentAt` was refused for its rate. */
export const refused = (state: State, settings: Settings, sentAt: number, now: number): State => {
  const pace = measured(state.pace)
  if (state._tag === "Off") return slowed({ ...state, ...empty, at: now }, settings, pace, now)
  // who was sent before is no news: it was too fast before the rate was taken down
  return sentAt <= state.refusedAt ? state : slowed(state, settings, Math.min(pace, state.rate), now)
}

const empty = { _tag: "On", rate: 0, tokens: 0, refusedAt: 0, refusedRate: 0 } as const

const slowed = (state: On, settings: Settings, refusedRate: number, now: number): On => ({
  ...refilled(state, now),
  rate: Math.max(share * refusedRate, settings.floor),
  refusedAt: now,
  refusedRate
})

/** An attempt was answered. */
export const answered = (state: State, settings: Settings, now: number): State => {
  if (state._tag === "Off") return state
  const after = refilled(state, now)
  const { pace, refusedAt, refusedRate } = after
  if (now - refusedAt >= settings.memory) return { _tag: "Off", pace }
  // what is not used says nothing about what could be, beyond what it was taken down to
  const most = Math.max(2 * measured(pace), share * refusedRate)
  return { ...after, rate: Math.max(Math.min(cubic(refusedRate, now - refusedAt), most), settings.floor) }
}

// -----------------------------------------------------------------------------
// the bucket
// -----------------------------------------------------------------------------

// what is lost in adding up fractions is not waited for
const rounding = 1e-6

const refilled = (state: On, now: number): On => ({
  ...state,
  tokens: Math.min(state.tokens + Math.max(now - state.at, 0) * state.rate / 1000, Math.max(state.rate, 1)),
  at: now,
  refusedAt: Math.min(state.refusedAt, now)
})

/** The same for a clock that was put back: it gives nothing, and makes nobody wait for its return. */
export const asOf = (state: State, now: number): State =>
  state._tag === "On" && (now < state.at || now < state.refusedAt) ? refilled(state, now) : state

/** What is known when one is sent now, or in how many milliseconds one may be; `state` is as of now. */
export const take = (state: State, now: number): State | number => {
  if (state._tag === "Off") return { ...state, pace: record(state.pace, now) }
  const full = refilled(state, now)
  return full.tokens >= 1 - rounding
    ? { ...full, tokens: Math.max(full.tokens - 1, 0), pace: record(full.pace, now) }
    : Math.max(Math.ceil((1 - full.tokens) * 1000 / full.rate), 1)
}
