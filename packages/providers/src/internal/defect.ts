/**
 * What a bug dies with, once it has been near a request: the client's error may hold the request, whose headers hold the
 * key, and whoever logs the cause would print it.
 */
import type * as KeyPool from "@spillway/core/KeyPool"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import { hide } from "./scrub.js"

/** The same effect; what it dies with is told by name, words and stack alone, without the key. */
export const guard = <A, E>(lease: KeyPool.Lease, effect: Effect.Effect<A, E>): Effect.Effect<A, E> =>
  Effect.catchAllCause(effect, (cause) => Effect.failCause(withoutKey(lease, cause)))

/** The same cause; a bug in it is told without the key. */
export const withoutKey = <E>(lease: KeyPool.Lease, cause: Cause.Cause<E>): Cause.Cause<E> =>
  cause._tag === "Fail" || cause._tag === "Interrupt" ? cause : purged(cause, Redacted.value(lease.key))

const purged = <E>(cause: Cause.Cause<E>, key: string): Cause.Cause<E> =>
  Cause.match<Cause.Cause<E>, E>(cause, {
    onEmpty: Cause.empty,
    onFail: Cause.fail,
    onDie: (defect) => Cause.die(told(defect, key)),
    onInterrupt: Cause.interrupt,
    onSequential: Cause.sequential,
    onParallel: Cause.parallel
  })

const told = (defect: unknown, key: string): Error => {
  if (!(defect instanceof Error)) return new Error(typeof defect === "string" ? hide(defect, key) : `a bug (${typeof defect})`)
  const error = new Error(hide(defect.message, key))
  error.name = hide(defect.name, key)
  error.stack = hide(defect.stack ?? "", key)
  return error
}
