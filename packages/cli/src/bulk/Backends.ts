/**
 * The backends of bulk work, whose queues have room for all the calls that it has at once: it never fills one up itself.
 *
 * @since 0.1.0
 */
import type * as Budget from "@spillway/core/Budget"
import * as Arr from "effect/Array"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type * as Scope from "effect/Scope"
import type * as BackendLayers from "../BackendLayers.js"
import type * as ConfigReading from "../ConfigReading.js"
import type * as Report from "../Report.js"
import * as Settings from "../Settings.js"

/**
 * How many calls a backend has at once where nobody says: more than in a program that waits for each answer.
 *
 * @since 0.1.0
 * @category constants
 */
export const usual = 16

/**
 * How many calls each backend has at once, by a file that says so, where nobody says otherwise.
 *
 * @since 0.1.0
 * @category constructors
 */
export const atOnce = (
  concurrency: Option.Option<number>,
  file: Option.Option<ConfigReading.ConfigFile>
): Arr.NonEmptyReadonlyArray<number> => {
  const ofBackend = ({ policies: { queue } }: Pick<ConfigReading.Backend, "policies">) =>
    Option.getOrElse(concurrency, () => queue !== undefined && queue !== false && queue.concurrency || usual)
  return Option.match(file, {
    onNone: () => Arr.of(ofBackend({ policies: {} })),
    onSome: ({ backends }) => Arr.map(backends, ofBackend)
  })
}

/**
 * How many calls are to be begun at once: half of them may wait for their turn, or to be tried again, and no place is
 * free for want of a call.
 *
 * @since 0.1.0
 * @category constructors
 */
export const inFlight = (atOnce: Arr.NonEmptyReadonlyArray<number>): number => 2 * Math.max(...atOnce)

/**
 * The backends of a file, or of the environment, whose calls are counted by this budget.
 *
 * @since 0.1.0
 * @category constructors
 */
export const make = (
  atOnce: Arr.NonEmptyReadonlyArray<number>,
  budget: Budget.Budget,
  file: Option.Option<ConfigReading.ConfigFile>,
  environment: BackendLayers.Environment
): Effect.Effect<Settings.Backends, Report.Failure, Scope.Scope> => {
  const room = (concurrency: number) => ({ concurrency, capacity: inFlight(atOnce) })
  return Option.match(file, {
    onNone: () => Settings.backends({ budget, queue: room(atOnce[0]) }),
    onSome: (found) =>
      Effect.succeed(Settings.fromFile({
        ...found,
        // what is not priced is not counted
        pricing: found.pricing ?? {},
        backends: Arr.map(found.backends, (backend, at) => {
          const { queue } = backend.policies
          return {
            ...backend,
            policies: {
              ...backend.policies,
              budget,
              ...(queue !== false && { queue: { ...queue, ...room(atOnce[at] ?? usual) } })
            }
          }
        })
      }, environment))
  })
}
