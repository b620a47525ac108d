/**
 * The backends of a file, as one service, and of the next file, and of the one after that. What is the same in the next
 * one is not made anew: a backend of which nothing has changed keeps its queue, its circuit, and what it knows of its
 * keys, and a budget that has not changed goes on counting. What no file speaks of any more is released, once its last
 * call has ended.
 *
 * @since 0.1.0
 */
import * as HttpClient from "@effect/platform/HttpClient"
import type * as InvalidOptions from "@spillway/core/InvalidOptions"
import type * as LlmService from "@spillway/core/LlmService"
import type * as ConfigError from "effect/ConfigError"
import type * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Equal from "effect/Equal"
import * as Hash from "effect/Hash"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Predicate from "effect/Predicate"
import * as RcMap from "effect/RcMap"
import type * as Scope from "effect/Scope"
import * as BackendLayers from "./BackendLayers.js"
import * as ConfigReading from "./ConfigReading.js"
import * as Money from "./Money.js"

/**
 * What may be wrong with a file when it comes to making what it says.
 *
 * @since 0.1.0
 * @category models
 */
export type Failure = ConfigError.ConfigError | InvalidOptions.InvalidOptions

/**
 * Makes services of files.
 *
 * @since 0.1.0
 * @category models
 */
export interface Generations {
  /** The service that a file speaks of, for as long as the scope lasts. */
  readonly make: (file: ConfigReading.ConfigFile) => Effect.Effect<BackendLayers.Joined, Failure, Scope.Scope>
}

/**
 * No file yet. All backends share the connections of the client.
 *
 * @since 0.1.0
 * @category constructors
 */
export const make = (
  environment: BackendLayers.Environment
): Effect.Effect<Generations, never, HttpClient.HttpClient | Scope.Scope> =>
  Effect.gen(function*() {
    const client = yield* HttpClient.HttpClient
    const moneys = yield* sharing<Money.Money>()
    const backends = yield* sharing<Context.Context<LlmService.LlmService>>()
    let latest: Money.Money | undefined

    const build = (backend: ConfigReading.Backend, money: Money.Money, moneyText: string) =>
      backends(
        ConfigReading.toText([moneyText, backend]),
        Effect.provideService(
          Layer.build(BackendLayers.fromFile(backend, environment, money)),
          HttpClient.HttpClient,
          client
        )
      )

    return {
      make: (file) =>
        Effect.gen(function*() {
          const moneyText = ConfigReading.toText([Money.isCounted(file), file.budget, file.pricing])
          const money = yield* moneys(
            moneyText,
            Effect.suspend(() => Money.make(file, Option.flatMap(Option.fromNullable(latest), ({ budget }) => budget)))
          )
          latest = money
          const built = yield* Effect.forEach(file.backends, (backend) =>
            Effect.map(build(backend, money, moneyText), (built) => [backend.name, built] as const))
          return BackendLayers.join(built, file.models)
        })
    }
  })

// -----------------------------------------------------------------------------
// sharing
// -----------------------------------------------------------------------------

/** Who asks for a thing by the same text is given the same, which is released when nobody holds it any more. */
const sharing = <A>() =>
  Effect.map(
    RcMap.make({ lookup: ({ make }: Wanted<A>) => make }),
    (shared) => (text: string, make: Wanted<A>["make"]) => RcMap.get(shared, wanted(text, make))
  )

interface Wanted<A> extends Equal.Equal {
  readonly text: string
  readonly make: Effect.Effect<A, Failure, Scope.Scope>
}

const wanted = <A>(text: string, make: Wanted<A>["make"]): Wanted<A> => ({
  text,
  make,
  [Hash.symbol]: () => Hash.string(text),
  [Equal.symbol]: (that) => Predicate.hasProperty(that, "text") && that.text === text
})
