/**
 * Lists in which something stands for as long as it is there.
 */
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"

/** Puts one into a list until the scope closes. */
export const listed = <A>(all: Set<A>, one: A): Effect.Effect<A, never, Scope.Scope> =>
  Effect.acquireRelease(
    Effect.sync(() => {
      all.add(one)
      return one
    }),
    () => Effect.sync(() => all.delete(one))
  )
