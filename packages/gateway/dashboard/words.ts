/**
 * Numbers, times and states in the words of the page.
 */
import type * as Monitor from "@spillway/core/Monitor"

const grouped = new Intl.NumberFormat("en", { maximumFractionDigits: 0 })
const short = new Intl.NumberFormat("en", { notation: "compact", maximumSignificantDigits: 3 })

export const count = (value: number): string => value < 100_000 ? grouped.format(value) : short.format(value)

export const rate = (perSecond: number): string =>
  perSecond === 0 ? "0" : perSecond < 10 ? perSecond.toFixed(perSecond < 1 ? 2 : 1) : grouped.format(perSecond)

export const percent = (share: number): string =>
  share === 0 ? "0 %" : share < 0.0995 ? `${(share * 100).toFixed(1)} %` : `${Math.round(share * 100)} %`

export const millis = (value: number): string =>
  value < 1 && value > 0
    ? "<1 ms"
    : value < 1000
    ? `${Math.round(value)} ms`
    : value < 60_000
    ? `${(value / 1000).toFixed(value < 10_000 ? 2 : 1)} s`
    : span(value)

/** Two times in one unit, the second of which is the longer one. */
export const both = (one: number, other: number): string =>
  other < 1000 ? `${Math.round(one)} / ${Math.round(other)} ms` : `${(one / 1000).toFixed(2)} / ${(other / 1000).toFixed(2)} s`

/** How long something lasts, in its two largest units. */
export const span = (value: number): string => {
  const seconds = Math.ceil(value / 1000)
  if (seconds < 60) return `${seconds} s`
  if (seconds < 3600) return seconds % 60 === 0 ? `${seconds / 60} min` : `${Math.floor(seconds / 60)} min ${seconds % 60} s`
  const hours = Math.floor(seconds / 3600)
  return hours < 48
    ? `${hours} h ${Math.floor(seconds % 3600 / 60)} min`
    : `${Math.floor(hours / 24)} d ${hours % 24} h`
}

export const money = (microDollars: number): string => {
  const dollars = microDollars / 1_000_000
  return `$${Number.isInteger(dollars) ? count(dollars) : dollars.toFixed(dollars < 0.001 ? 6 : dollars < 10 ? 4 : 2)}`
}

export const clock = (at: number): string =>
  new Date(at).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit", second: "2-digit" })

export const ago = (at: number | undefined, now: number): string =>
  at === undefined ? "never" : now - at < 1500 ? "now" : `${span(now - at)} ago`

/** `RateLimited` as `rate limited`. */
export const spoken = (tag: string): string => tag.replace(/(?<=[a-z])(?=[A-Z])/g, " ").toLowerCase()

/** How good or bad something is; each has a colour and a shape of its own. */
export type Mood = "good" | "busy" | "warn" | "bad" | "off"

/** Written before the words of a state, so that no state is told by its colour alone. */
export const shapes: { readonly [M in Mood]: string } = { good: "●", busy: "◐", warn: "▲", bad: "■", off: "○" }

export interface State {
  readonly mood: Mood
  readonly says: string
}

/** What a backend is at, the worst first. */
export const stateOf = ({ calls, circuit, keys, queue }: Monitor.Backend, now: number): State => {
  if (circuit?.state === "isolated") return { mood: "bad", says: "isolated" }
  if (circuit?.state === "open") {
    return {
      mood: "bad",
      says: circuit.openUntil === undefined
        ? "circuit open"
        : circuit.openUntil > now
        ? `circuit open, ${span(circuit.openUntil - now)} left`
        : "circuit open, next call probes"
    }
  }
  if (queue?.mode === "paused") return { mood: "warn", says: "paused" }
  if (queue?.mode === "draining" || queue?.mode === "shut") return { mood: "warn", says: "takes no calls" }
  if (keys !== undefined && keys.length > 0 && keys.every(({ state }) => state !== "ready")) {
    return keys.some(({ state }) => state === "cooling")
      ? { mood: "warn", says: "all keys cool" }
      : { mood: "bad", says: "no usable key" }
  }
  if (queue !== undefined && queue.waiting > 0 && queue.waiting >= queue.capacity) return { mood: "warn", says: "queue full" }
  if (circuit?.state === "half-open") return { mood: "busy", says: "probing" }
  if (circuit?.state === "disabled") return { mood: "off", says: "circuit disabled" }
  if (calls === undefined || calls.started === 0) return { mood: "off", says: "not called yet" }
  return { mood: "good", says: "serving" }
}

const keyMoods: { readonly [S in Monitor.Key["state"]]: Mood } = {
  ready: "good",
  cooling: "warn",
  exhausted: "bad",
  retired: "bad",
  disabled: "off"
}

const keyWords: { readonly [S in Monitor.Key["state"]]: string } = {
  ready: "ready",
  cooling: "cools",
  exhausted: "out of quota",
  retired: "not accepted",
  disabled: "disabled"
}

export const stateOfKey = ({ state, until }: Monitor.Key, now: number): State => ({
  mood: keyMoods[state],
  says: until !== undefined && until > now ? `${keyWords[state]}, ${span(until - now)} left` : keyWords[state]
})

export const circuitMoods: { readonly [S in Monitor.Circuit["state"]]: Mood } = {
  closed: "good",
  open: "bad",
  "half-open": "busy",
  isolated: "bad",
  disabled: "off"
}

/** What is done about an error, by its verdict. */
export const verdicts: { readonly [V in Monitor.CallFailure["verdict"]]: string } = {
  Retry: "ask again",
  RotateKey: "another key",
  Failover: "another backend",
  Never: "tell the caller"
}

export const reasons: { readonly [R in Monitor.CircuitTransition["reason"]]: string } = {
  failures: "it failed",
  slowness: "it was slow",
  time: "its time was over",
  probes: "probes succeeded",
  hand: "by hand",
  snapshot: "as it was saved"
}
