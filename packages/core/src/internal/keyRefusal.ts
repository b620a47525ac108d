/**
 * What is said when there is no key to be had, and what becomes of an error that a key had, now that there are others.
 */
import * as Duration from "effect/Duration"
import * as LlmError from "../LlmError.js"
import type * as Asked from "./keyAsked.js"
import * as Slot from "./keySlot.js"

/** No key: not now, or none any more. */
export type Refusal = LlmError.KeysCooling | LlmError.KeysExhausted

/** None of these can be used any more, however long one waits. */
export const exhausted = (
  backend: string,
  { id, model }: Asked.Asked,
  slots: ReadonlyArray<Slot.Slot>
): LlmError.KeysExhausted => {
  if (slots.length === 0) {
    return new LlmError.KeysExhausted({
      backend,
      model,
      message: id === undefined ? `${backend} has no key` : `${backend} has no key ${id}`
    })
  }
  const disabled = slots.filter((slot) => slot.isDisabled).length
  const retired = slots.filter((slot) => slot.retired && !slot.isDisabled).length
  const spent = slots.length - disabled - retired
  return new LlmError.KeysExhausted({
    backend,
    model,
    message: `no key of ${backend} can be used: ${retired} not accepted, ${spent} out of quota${
      disabled === 0 ? "" : `, ${disabled} disabled`
    }`,
    ...(retired === slots.length && { reason: "AuthenticationFailed" }),
    ...(spent === slots.length && { reason: "QuotaExhausted" })
  })
}

/** None of these can be used for so many milliseconds. */
export const cooling = (
  backend: string,
  { model }: Asked.Asked,
  slots: ReadonlyArray<Slot.Slot>,
  millis: number,
  now: number
): LlmError.KeysCooling => {
  const retryAfter = Duration.millis(millis)
  const left = Duration.format(retryAfter)
  const isPaced = slots.some((slot) => Slot.readyAt(slot, model, now) <= now)
  return new LlmError.KeysCooling({
    backend,
    model,
    retryAfter,
    message: isPaced
      ? `every key of ${backend} is used as often as it may be, and it is one's turn in another ${left}`
      : `every key of ${backend} is cooling down, the first for another ${left}`
  })
}

/** The error to fail with, when the pool can serve again in so many milliseconds. */
export const rewrite = (
  error: LlmError.LlmError,
  readyIn: () => number,
  isAnotherWell: () => boolean
): LlmError.LlmError => {
  const { backend, message, model } = error
  switch (error._tag) {
    case "RateLimited":
    case "QuotaExhausted":
    case "ServerFault": {
      if (error._tag === "ServerFault" && !isAnotherWell()) return error
      const retryAfter = error._tag === "ServerFault" ? Duration.zero : Duration.millis(readyIn())
      const { code, requestId, shouldRetry, status } = error
      return new LlmError[error._tag]({ backend, message, model, status, code, requestId, shouldRetry, retryAfter })
    }
    case "NetworkFailure":
      return isAnotherWell()
        ? new LlmError.NetworkFailure({ backend, message, model, retryAfter: Duration.zero })
        : error
    default:
      return error
  }
}
