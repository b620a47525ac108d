/**
 * What becomes of a call of which several attempts are made at once: the rules alone, without time or fibers.
 */
import * as Duration from "effect/Duration"
import * as Option from "effect/Option"
import * as LlmError from "../LlmError.js"

/** The attempts of one call, none of which has succeeded. */
export interface Race {
  /** How many there were. */
  readonly begun: number
  readonly underWay: number
  /** No further one would help, or may be made. */
  readonly isLast: boolean
  /** What the call fails with, should all of them. */
  readonly reason: LlmError.LlmError | undefined
}

/** What is to be done: begin another attempt, wait for those under way, or fail with the reason. */
export type Decision = "begin" | "wait" | "fail"

export const initial: Race = { begun: 0, underWay: 0, isLast: false, reason: undefined }

export const begin = (race: Race): Race => ({ ...race, begun: race.begun + 1, underWay: race.underWay + 1 })

/** Whether another may be begun beside the first, of `most`. */
export const mayBegin = (race: Race, most: number): boolean => !race.isLast && race.begun <= most

/** No other is begun; what to do without. */
export const refuse = (race: Race): readonly [Race, Decision] => [
  { ...race, isLast: true },
  race.underWay === 0 ? "fail" : "wait"
]

/** One has failed, the first or one beside it. */
export const fail = (
  race: Race,
  error: LlmError.LlmError,
  isFirst: boolean,
  most: number
): readonly [Race, Decision] => {
  const left: Race = {
    ...race,
    underWay: race.underWay - 1,
    isLast: race.isLast || !helps(error),
    reason: race.reason === undefined || rank(error) >= rank(race.reason) ? error : race.reason
  }
  // that there is no money for a second answer says nothing of the first
  if (rank(error) === 0 && (isFirst || error._tag !== "BudgetExceeded")) return [{ ...left, reason: error }, "fail"]
  return mayBegin(left, most) ? [left, "begin"] : refuse(left)
}

const rank = (error: LlmError.LlmError): number => ranks[LlmError.retriability(error)]

const ranks: { readonly [V in LlmError.Retriability]: number } = { Never: 0, Failover: 1, RotateKey: 2, Retry: 3 }

/** Whether the same backend may do better if it is asked at once. */
const helps = (error: LlmError.LlmError): boolean => {
  const verdict = LlmError.retriability(error)
  if (verdict === "RotateKey") return true
  const wait = LlmError.retryAfter(error)
  // who is told to slow down needs to be told that there is another key
  const assumed = error._tag === "RateLimited" || error._tag === "KeysCooling" ? Duration.infinity : Duration.zero
  return verdict === "Retry" && Duration.equals(Option.getOrElse(wait, () => assumed), Duration.zero)
}
