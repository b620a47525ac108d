/**
 * Whether a call that has failed is tried again, and after how long: one pure step from how often it was tried to the
 * next wait. Times are in milliseconds; `chance` is drawn evenly from 0 (included) to 1 (excluded).
 */
import * as Duration from "effect/Duration"
import * as Option from "effect/Option"
import * as LlmError from "../LlmError.js"

/** How a backoff is spread; see `Retry.Jitter`. */
export type Jitter = "full" | "equal" | "decorrelated" | "none" | number

/** See `Retry.Options`. */
export interface Settings {
  readonly maxRetries: number
  readonly initialDelay: number
  readonly factor: number
  readonly maxDelay: number
  readonly jitter: Jitter
  readonly maxRetryAfter: number
  /** `Infinity` where the backend is obeyed exactly. */
  readonly retryAfterWindow: number
  readonly retryAfterJitter: number
  readonly maxRotations: number
}

/** What has been tried. */
export interface State {
  readonly retries: number
  readonly rotations: number
  /** The last backoff. */
  readonly backoff: number
}

/** One more attempt. */
export interface Next {
  readonly state: State
  readonly wait: number
  /**
   * Whether it multiplies what a backend in trouble is asked. One that says when to come back is in none, and the keys
   * of a rotation come to an end.
   */
  readonly isCharged: boolean
}

/** Nothing has been tried again. */
export const initial: State = { retries: 0, rotations: 0, backoff: 0 }

type Step = (
  settings: Settings,
  state: State,
  error: LlmError.LlmError,
  chance: number,
  left: number
) => Next | undefined

/** The next attempt, if there is one; `left` is how long the call may still take. */
export const next: Step = (settings, state, error, chance, left) => {
  const isRotation = isAnotherReady(error) && state.rotations < settings.maxRotations
  const step = isRotation ? rotate : steps[LlmError.retriability(error)]
  const next = step(settings, state, error, chance, left)
  return next === undefined || next.wait >= left ? undefined : next
}

// the pool says so of a key that is limited, and a backend that takes the next request at once says the same
const isAnotherReady = (error: LlmError.LlmError): boolean =>
  error._tag === "RateLimited" && error.retryAfter !== undefined && Duration.toMillis(error.retryAfter) === 0

const stop: Step = () => undefined

const rotate: Step = ({ maxRotations }, state) =>
  state.rotations >= maxRotations
    ? undefined
    : { state: { ...state, rotations: state.rotations + 1 }, wait: 0, isCharged: false }

const wait: Step = (settings, state, error, chance, left) => {
  if (state.retries >= settings.maxRetries) return undefined
  const backoff = draw(settings, state, chance)
  const wait = isAnotherReady(error) ? backoff : obey(settings, error, backoff, chance, left)
  return wait === undefined ? undefined : {
    state: { ...state, retries: state.retries + 1, backoff },
    wait,
    isCharged: error._tag !== "RateLimited" && error._tag !== "KeysCooling"
  }
}

const steps: { readonly [V in LlmError.Retriability]: Step } = {
  Never: stop,
  Failover: stop,
  RotateKey: rotate,
  Retry: wait
}

// -----------------------------------------------------------------------------
// the wait
// -----------------------------------------------------------------------------

/** The backoff before the next retry: a whole number from 0 to `maxDelay`. */
export const draw = (settings: Settings, { backoff, retries }: State, chance: number): number => {
  const { factor, initialDelay, jitter, maxDelay } = settings
  // nothing grown without end is nothing still, not `NaN`
  const nominal = initialDelay === 0 ? 0 : Math.min(initialDelay * factor ** retries, maxDelay)
  const [from, to] = jitter === "decorrelated"
    ? [initialDelay, 3 * Math.max(initialDelay, backoff)]
    : typeof jitter === "number"
    ? [nominal * (1 - jitter), nominal * (1 + jitter)]
    : [nominal * least[jitter], nominal]
  // capped before the jitter, lest all who have reached the cap come together; after it, since it is the cap
  return Math.min(Math.round(from + chance * (to - from)), Math.floor(maxDelay))
}

const least: { readonly [J in Exclude<Jitter, number | "decorrelated">]: number } = { full: 0, equal: 0.5, none: 1 }

/** What comes of the backoff where the backend says how long to wait; nothing, where that is longer than anybody does. */
const obey = (
  { maxRetryAfter, retryAfterJitter, retryAfterWindow }: Settings,
  error: LlmError.LlmError,
  backoff: number,
  chance: number,
  left: number
): number | undefined => {
  const retryAfter = LlmError.retryAfter(error)
  if (Option.isNone(retryAfter)) return backoff
  const asked = Math.ceil(Duration.toMillis(retryAfter.value))
  // when its own keys are ready again the pool knows for certain
  const wait = retryAfterWindow === Infinity || error._tag === "KeysCooling"
    ? asked
    : Math.min(Math.max(asked, backoff), backoff + Math.floor(retryAfterWindow))
  if (wait > maxRetryAfter) return undefined
  const latest = Math.min(maxRetryAfter, left - 1)
  return wait + Math.round(chance * Math.floor(Math.max(Math.min(wait * retryAfterJitter, latest - wait), 0)))
}
