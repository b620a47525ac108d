/**
 * The backends that look at texts for what is forbidden, as they come and go: each is there for as long as what stands
 * behind it, so that a file that is read again changes them with the rest.
 *
 * @since 0.1.0
 */
import * as Moderation from "@spillway/gateway/Moderation"
import * as OpenAi from "@spillway/providers/OpenAi"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"

/**
 * Those that there are.
 *
 * @since 0.1.0
 * @category models
 */
export interface Moderators extends Moderation.Service {
  /** Makes one of them known; gives what takes it away again. */
  readonly add: (name: string, moderate: Moderation.Moderate) => () => void
}

/**
 * None yet.
 *
 * @since 0.1.0
 * @category constructors
 */
export const unsafeMake = (): Moderators => {
  // of two of one name the later is asked, and the earlier again when that one goes
  const known: Array<readonly [string, Moderation.Moderate]> = []
  return {
    moderate: (request) => Moderation.make(Object.fromEntries(known)).moderate(request),
    add: (name, moderate) => {
      const entry = [name, moderate] as const
      known.push(entry)
      return () => {
        known.splice(known.indexOf(entry), 1)
      }
    }
  }
}

/**
 * Where backends that are made here make themselves known: one for the whole program, unless another is provided.
 *
 * @since 0.1.0
 * @category references
 */
export class CurrentModerators extends Context.Reference<CurrentModerators>()("@spillway/cli/CurrentModerators", {
  defaultValue: unsafeMake
}) {}

/**
 * A backend that is known under the name for as long as its layer lives, if it can look at texts at all.
 *
 * @since 0.1.0
 * @category combinators
 */
export const register = (name: string) => <A, E, R>(self: Layer.Layer<A, E, R>): Layer.Layer<A, E, R> =>
  Layer.provideMerge(
    Layer.scopedDiscard(
      Effect.flatMap(Effect.serviceOption(OpenAi.OpenAi), (openai) =>
        Option.isNone(openai)
          ? Effect.void
          : Effect.flatMap(CurrentModerators, ({ add }) =>
            Effect.acquireRelease(Effect.sync(() => add(name, openai.value.moderate)), (remove) => Effect.sync(remove))))
    ),
    self
  )
