/**
 * The backends of bulk work, whose queues have room for all the calls that it has at once: it never fills one up itself.
 *
 * @since 0.1.0
 */
import type * as FileSystem from "@effect/platform/FileSystem"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type * as Scope from "effect/Scope"
import * as ConfigFile from "../ConfigFile.js"
import type * as Report from "../Report.js"
import * as Settings from "../Settings.js"

/**
 * How many calls a backend has at once where nobody says: more than in a program that waits for each answer.
 *
 * @since 0.1.0
 * @category constants
 */
export const concurrency = 16

/**
 * Backends, and how many calls they are given at once: half of them may wait for their turn, or to be tried again, and
 * no place is free for want of a call.
 *
 * @since 0.1.0
 * @category models
 */
export interface Chosen {
  readonly backends: Settings.Backends
  readonly inFlight: number
}

/**
 * The backends of a file, or of the environment. A concurrency that is given comes before what a file says.
 *
 * @since 0.1.0
 * @category constructors
 */
export const choose = (options: {
  readonly concurrency: Option.Option<number>
  readonly config: Option.Option<string>
  readonly environment: Readonly<Record<string, string | undefined>>
}): Effect.Effect<Chosen, Report.Failure, FileSystem.FileSystem | Scope.Scope> =>
  Option.match(options.config, {
    onNone: () => {
      const most = Option.getOrElse(options.concurrency, () => concurrency)
      const inFlight = 2 * most
      return Effect.map(Settings.backends({ queue: { concurrency: most, capacity: inFlight } }), (backends) => ({
        backends,
        inFlight
      }))
    },
    onSome: (file) =>
      Effect.map(ConfigFile.load(file, (name) => options.environment[name]), (found) => {
        const atOnce = ({ policies: { queue } }: ConfigFile.Backend) =>
          Option.getOrElse(options.concurrency, () => queue !== false && queue?.concurrency || concurrency)
        const inFlight = 2 * Math.max(...found.backends.map(atOnce))
        const [first, ...others] = found.backends
        const roomy = (backend: ConfigFile.Backend): ConfigFile.Backend => {
          const { policies } = backend
          return policies.queue === false ? backend : {
            ...backend,
            policies: { ...policies, queue: { ...policies.queue, concurrency: atOnce(backend), capacity: inFlight } }
          }
        }
        return {
          backends: Settings.fromFile({ ...found, backends: [roomy(first), ...others.map(roomy)] }, options.environment),
          inFlight
        }
      })
  })
