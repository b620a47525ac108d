/**
 * What is done when an effect has ended, however it did.
 */
import type * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"

/**
 * As `Effect.onExit`, at half its cost where ending is a synchronous step: what is done hands back an effect only where
 * there is something left to wait for, and `Effect.void` counts for nothing.
 */
export const onEnd = <A, E, R>(
  effect: Effect.Effect<A, E, R>,
  ended: (exit: Exit.Exit<A, E>) => Effect.Effect<void>
): Effect.Effect<A, E, R> =>
  Effect.uninterruptibleMask((restore) =>
    Effect.matchCauseEffect(restore(effect), {
      onSuccess: (value): Effect.Effect<A, E> => {
        const exit = Exit.succeed(value)
        const rest = ended(exit)
        return rest === Effect.void ? exit : Effect.zipRight(rest, exit)
      },
      onFailure: (cause: Cause.Cause<E>): Effect.Effect<A, E> => {
        const exit = Exit.failCause(cause)
        const rest = ended(exit)
        return rest === Effect.void ? exit : Effect.onExit(exit, () => rest)
      }
    })
  )
