/**
 * What the operating system tells the process while it runs.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as Queue from "effect/Queue"
import type * as Scope from "effect/Scope"

/**
 * Runs the effect each time that the signal comes, until the scope closes: once at a time, and once more for all that
 * came meanwhile. From here on the signal does not end the process.
 *
 * @since 0.1.0
 * @category combinators
 */
export const on = <R>(signal: NodeJS.Signals, effect: Effect.Effect<void, never, R>): Effect.Effect<void, never, R | Scope.Scope> =>
  Effect.gen(function*() {
    const came = yield* Queue.sliding<void>(1)
    const listener = () => {
      came.unsafeOffer(undefined)
    }
    yield* Effect.acquireRelease(
      Effect.sync(() => process.on(signal, listener)),
      () => Effect.sync(() => process.off(signal, listener))
    )
    yield* Effect.forkScoped(Effect.forever(Effect.zipRight(Queue.take(came), effect)))
  })
