/**
 * What a call holds until its answer has ended: a place in the queue, a key's lease, a verdict owed to the breaker.
 *
 * A `Scope` would do the same, at twenty times the cost (a scope and its finalizers are most of what a call through
 * all policies may cost, and nearly every release here is a synchronous change of state). Taking and `add` happen in
 * one synchronous step, so that no interruption can fall between them.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import type * as Exit from "effect/Exit"

/**
 * Gives back one thing that was held; hears how the call ended. Return an effect only when giving back really is one.
 *
 * @since 0.1.0
 * @category models
 */
export type Release = (exit: Exit.Exit<unknown, unknown>) => void | Effect.Effect<void>

/**
 * The things that a call holds.
 *
 * @since 0.1.0
 * @category models
 */
export interface Held {
  /** Remembers what to give back. When the call has ended already, it is given back at once. */
  readonly add: (release: Release) => void
  /** Gives everything back, the last taken first, once; later calls do nothing. */
  readonly close: (exit: Exit.Exit<unknown, unknown>) => Effect.Effect<void>
}

/**
 * Holds nothing yet.
 *
 * @since 0.1.0
 * @category constructors
 */
export const make = (): Held => {
  let releases: Array<Release> | undefined = []
  let ended: Exit.Exit<unknown, unknown> | undefined
  return {
    add(release) {
      if (releases !== undefined) {
        releases.push(release)
        return
      }
      const effect = release(ended!)
      // the call is over, nobody is left to wait for this one
      if (effect !== undefined) Effect.runFork(effect)
    },
    close(exit) {
      if (releases === undefined) return Effect.void
      const held = releases
      releases = undefined
      ended = exit
      let effects: Effect.Effect<void> | undefined
      let defect: { readonly error: unknown } | undefined
      for (let i = held.length - 1; i >= 0; i--) {
        try {
          const effect = held[i]!(exit)
          if (effect !== undefined) {
            effects = effects === undefined ? effect : Effect.ensuring(effects, effect)
          }
        } catch (error) {
          // a bug in one release must not keep the others from being made
          defect ??= { error }
        }
      }
      if (defect !== undefined) {
        const die = Effect.die(defect.error)
        return effects === undefined ? die : Effect.zipRight(effects, die)
      }
      return effects ?? Effect.void
    }
  }
}
