/**
 * From the environment to the backends: the only place that decides *which*.
 *
 * A backend is there when a key of its own is in the environment (Ollama, which needs none: its address). With no
 * backend at all, the simulator stands in for every one of them, on loopback.
 *
 * @since 0.1.0
 */
import type * as InvalidOptions from "@spillway/core/InvalidOptions"
import * as KeyPool from "@spillway/core/KeyPool"
import type * as LlmService from "@spillway/core/LlmService"
import * as Resilience from "@spillway/core/Resilience"
import * as Router from "@spillway/core/Router"
import * as Catalogue from "@spillway/providers/Catalogue"
import * as Simulator from "@spillway/testing/Simulator"
import * as Arr from "effect/Array"
import * as Config from "effect/Config"
import type * as ConfigError from "effect/ConfigError"
import * as ConfigProvider from "effect/ConfigProvider"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as NodeHttp from "./NodeHttp.js"
import * as Simulated from "./Simulated.js"

/**
 * The service behind a command, and who stands behind the service.
 *
 * @since 0.1.0
 * @category models
 */
export interface Backends {
  readonly names: ReadonlyArray<Catalogue.Name>
  /** Whether the simulator stands in for them. */
  readonly simulated: boolean
  /** All of them as one, each behind the standard policies: `backend/model`. */
  readonly layer: Layer.Layer<LlmService.LlmService, ConfigError.ConfigError | InvalidOptions.InvalidOptions>
}

/**
 * The backends that the environment speaks of, or the simulator in their place, which runs until the scope closes.
 *
 * @since 0.1.0
 * @category constructors
 */
export const backends = (options: Resilience.Options = {}) =>
  Effect.gen(function*() {
    const names = yield* Effect.filter(Catalogue.names, isConfigured)
    if (names.length > 0) return { names, simulated: false, layer: route(names, options) }
    const { environment } = yield* Simulated.start({ host: "127.0.0.1", port: 0 }, Simulator.demo)
    const layer = Layer.provide(
      route(Catalogue.names, options),
      Layer.setConfigProvider(ConfigProvider.fromMap(new Map(environment)))
    )
    return { names: Catalogue.names, simulated: true, layer }
  })

/**
 * For a person who waits at a terminal: told within seconds what is wrong, rather than kept waiting until it is right.
 *
 * @since 0.1.0
 * @category constants
 */
export const impatient: Resilience.Options = { retry: { maxRetries: 2 } }

const isConfigured = (name: Catalogue.Name): Effect.Effect<boolean, ConfigError.ConfigError> => {
  const entry: Catalogue.Entry = Catalogue.backends[name]
  const signs: Iterable<Config.Config<unknown>> = entry.keyVariables === undefined
    ? entry.addressVariables.map((name) => Config.string(name))
    : [KeyPool.config(...entry.keyVariables)]
  return Effect.map(Effect.all(Array.from(signs, Config.option)), Arr.some(Option.isSome))
}

const route = (names: ReadonlyArray<Catalogue.Name>, options: Resilience.Options) =>
  Router.layer(
    Object.fromEntries(names.map((name) => [name, Resilience.layer(options)(Catalogue.backends[name].layer)]))
  ).pipe(Layer.provide(NodeHttp.client))
