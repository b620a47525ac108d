/**
 * Whether the backend accepts a key, found out by asking it.
 */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as LlmError from "../LlmError.js"
import * as Slot from "./keySlot.js"

/**
 * What asking the backend has shown of a key: it is accepted (`valid`) or not (`invalid`), or that could not be found
 * out, because of `error`.
 *
 * @since 0.1.0
 * @category models
 */
export interface Verdict {
  readonly id: string
  readonly verdict: "valid" | "invalid" | "unknown"
  readonly error?: LlmError.LlmError
}

/**
 * Asks the backend with the key of this name, by the cheapest request that shows whether it accepts it.
 *
 * @since 0.1.0
 * @category models
 */
export type Check = (id: string) => Effect.Effect<unknown, LlmError.LlmError>

const verdicts: { readonly [T in LlmError.Tag]?: Verdict["verdict"] } = {
  AuthenticationFailed: "invalid",
  // it knows whom it denies, or sends away
  PermissionDenied: "valid",
  QuotaExhausted: "valid",
  RateLimited: "valid"
}

const patience = Duration.seconds(30)

/** Finds out about one key, which is not used any more if it is not accepted, and again if it is. */
export const validate = (slot: Slot.Slot, check: Check | undefined, backend: string): Effect.Effect<Verdict> => {
  const { generation, id } = slot
  if (check === undefined) return Effect.succeed({ id, verdict: "unknown" })
  const late = () =>
    new LlmError.TimedOut({ backend, after: patience, message: `${backend} did not say whether it accepts ${id}` })
  return check(id).pipe(
    Effect.timeoutFail({ duration: patience, onTimeout: late }),
    Effect.match({
      onSuccess: (): Verdict => ({ id, verdict: "valid" }),
      onFailure: (error): Verdict => ({ id, verdict: verdicts[error._tag] ?? "unknown", error })
    }),
    Effect.tap((verdict) =>
      Effect.sync(() => {
        if (generation !== slot.generation || verdict.verdict === "unknown") return
        slot.retired = verdict.verdict === "invalid"
      })
    )
  )
}
