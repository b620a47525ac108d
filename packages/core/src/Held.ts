/**
 * What a call holds until its answer has ended: a place in the queue, a key's lease, a verdict owed to the breaker.
 *
 * A `Scope` would do the same, at twenty times the cost (a scope and its finalizers are most of what a call through
 * all policies may cost, and nearly every release here is a synchronous change of state). Taking and `add` happen in
 * one synchronous step, so that no interruption can fall between them.
 *
 * @since 0.1.0
 */
import type * as Chunk from "effect/Chunk"
import * as Effect from "effect/Effect"
import type * as Exit from "effect/Exit"
import type * as Option from "effect/Option"
import type * as Completion from "./Completion.js"
import type { LlmError } from "./LlmError.js"

/**
 * Gives back one thing that was held; hears how the call ended. An answer that ended well is a success with what
 * carries its `usage`: the answer itself, or the `Finish` part of a stream. A stream that its consumer left early is a
 * success with nothing. Return an effect only when giving back really is one.
 *
 * @since 0.1.0
 * @category models
 */
export type Release = (exit: Exit.Exit<unknown, unknown>) => void | Effect.Effect<void>

/**
 * The next parts of a streamed answer (of a model's, or the bytes of an object): never none. Fails with nothing when it
 * has ended.
 *
 * @since 0.1.0
 * @category models
 */
export type Pull<A = Completion.Part> = Effect.Effect<Parts<A>, Option.Option<LlmError>>

/**
 * Parts that came together.
 *
 * @since 0.1.0
 * @category models
 */
export type Parts<A = Completion.Part> = Chunk.Chunk<A>

/**
 * Stands between a streamed answer and its consumer, once the first parts are there; those it is shown. When it cuts the
 * answer off, it closes `held` itself, whether or not the consumer is there to hear of it.
 *
 * @since 0.1.0
 * @category models
 */
export type Watch = <A>(rest: Pull<A>, held: Held, first: Parts<A>) => Effect.Effect<Pull<A>>

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
  /** Has the rest of the answer watched, should it be a stream: the first to ask stands next to the backend. */
  readonly watch: (watch: Watch) => void
  /** The rest of a streamed answer, after its first parts, watched by all who asked. */
  readonly watched: <A>(rest: Pull<A>, first: Parts<A>) => Effect.Effect<Pull<A>>
  /** Hands over to another what is held and who watches: it is given back when the other is closed. */
  readonly moveTo: (other: Held) => void
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
  let watches: Array<Watch> | undefined
  const self: Held = {
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
    },
    watch(watch) {
      if (watches === undefined) watches = [watch]
      else watches.push(watch)
    },
    watched: (rest, first) =>
      watches === undefined
        ? Effect.succeed(rest)
        : Effect.reduce(watches, rest, (rest, watch) => watch(rest, self, first)),
    moveTo(other) {
      other.add(self.close)
      watches?.forEach(other.watch)
    }
  }
  return self
}
