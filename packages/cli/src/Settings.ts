/**
 * From the environment, or a file, to the backends: the only place that decides *which*.
 *
 * A backend is there when a key of its own is in the environment (Ollama, which needs none: its address). With no
 * backend at all, the simulator stands in for every one of them, on loopback.
 *
 * @since 0.1.0
 */
import type * as HttpServerError from "@effect/platform/HttpServerError"
import type * as InvalidOptions from "@spillway/core/InvalidOptions"
import * as KeyPool from "@spillway/core/KeyPool"
import * as LlmService from "@spillway/core/LlmService"
import type * as Resilience from "@spillway/core/Resilience"
import type * as Moderation from "@spillway/gateway/Moderation"
import * as Catalogue from "@spillway/providers/Catalogue"
import * as Simulator from "@spillway/testing/Simulator"
import * as Arr from "effect/Array"
import * as Config from "effect/Config"
import type * as ConfigError from "effect/ConfigError"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Record from "effect/Record"
import type * as Scope from "effect/Scope"
import * as BackendLayers from "./BackendLayers.js"
import type * as ConfigFile from "./ConfigFile.js"
import * as Generations from "./Generations.js"
import * as Money from "./Money.js"
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
  /** Each of them, behind the standard policies. */
  readonly layers: { readonly [N in Catalogue.Name]?: Backend }
  /** All of them as one: `backend/model`; and those that moderate. */
  readonly layer: Layer.Layer<LlmService.LlmService | Moderation.Moderation, Layer.Layer.Error<Backend>>
}

/**
 * A backend behind the standard policies, whole.
 *
 * @since 0.1.0
 * @category models
 */
export type Backend = Layer.Layer<LlmService.LlmService, ConfigError.ConfigError | InvalidOptions.InvalidOptions>

/**
 * The backends that the environment speaks of, or the simulator in their place, which runs until the scope closes.
 *
 * @since 0.1.0
 * @category constructors
 */
export const backends = (
  options: Resilience.Options = {}
): Effect.Effect<
  Backends,
  ConfigError.ConfigError | InvalidOptions.InvalidOptions | HttpServerError.ServeError,
  Scope.Scope
> =>
  Effect.flatMap(
    Effect.filter(Catalogue.names, isConfigured),
    (names) =>
      names.length > 0
        ? Effect.succeed(toBackends(names.map((name) => ({ name, policies: options })), false))
        : simulated(options)
  )

/**
 * Every backend that the simulator can stand in for, with the simulator in its place, which runs until the scope closes.
 *
 * @since 0.1.0
 * @category constructors
 */
export const simulated = (
  options: Resilience.Options = {}
): Effect.Effect<Backends, InvalidOptions.InvalidOptions | HttpServerError.ServeError, Scope.Scope> =>
  Effect.map(Simulated.start({ host: "127.0.0.1", port: 0 }, Simulator.demo), ({ environment }) =>
    toBackends(
      Catalogue.names.filter((name) => isSpoken(name, environment))
        .map((name) => ({ name, policies: options, variables: environment })),
      true
    ))

/**
 * For a person who waits at a terminal: told within seconds what is wrong, rather than kept waiting until it is right.
 *
 * @since 0.1.0
 * @category constants
 */
export const impatient: Resilience.Options = { retry: { maxRetries: 2 } }

/**
 * The backends that a file speaks of, each under the policies it gives them; all together under its budget, too.
 *
 * @since 0.1.0
 * @category constructors
 */
export const fromFile = (file: ConfigFile.ConfigFile, environment: BackendLayers.Environment): Backends => ({
  names: file.backends.map(({ name }) => name),
  simulated: false,
  layers: Object.fromEntries(
    file.backends.map((backend) => [
      backend.name,
      connected(Layer.unwrapScoped(Effect.map(Money.make(file), (money) => BackendLayers.fromFile(backend, environment, money))))
    ])
  ),
  layer: connected(
    Layer.scopedContext(
      Effect.map(Effect.flatMap(Generations.make(environment), ({ make }) => make(file)), BackendLayers.toContext)
    )
  )
})

// each alone has connections of its own, all together have them in common
const connected = Layer.provide(NodeHttp.client)

const isConfigured = (name: Catalogue.Name): Effect.Effect<boolean, ConfigError.ConfigError> => {
  const entry: Catalogue.Entry = Catalogue.backends[name]
  const signs: Iterable<Config.Config<unknown>> = entry.keyVariables === undefined
    ? entry.addressVariables.map((name) => Config.string(name))
    : [KeyPool.config(...entry.keyVariables)]
  return Effect.map(Effect.all(Array.from(signs, Config.option)), Arr.some(Option.isSome))
}

const isSpoken = (name: Catalogue.Name, environment: ReadonlyMap<string, string>): boolean => {
  const { addressVariables }: Catalogue.Entry = Catalogue.backends[name]
  return addressVariables.some((variable) => environment.has(variable))
}

/** A backend, what stands around it, and what it reads in place of the environment, if anything. */
interface Chosen {
  readonly name: Catalogue.Name
  readonly policies: Resilience.Options
  readonly variables?: ReadonlyMap<string, string>
}

const toBackends = (backends: ReadonlyArray<Chosen>, simulated: boolean): Backends => {
  const layers = Object.fromEntries(
    backends.map(({ name, policies, variables }) => [name, BackendLayers.make(name, policies, variables)])
  )
  return {
    names: backends.map(({ name }) => name),
    simulated,
    layers: Record.map(layers, connected),
    layer: connected(Layer.scopedContext(
      Effect.map(
        Effect.forEach(Object.entries(layers), ([name, layer]) =>
          Effect.map(Layer.build(layer), (built) => [name, built] as const)),
        (built) => BackendLayers.toContext(BackendLayers.join(built))
      )
    ))
  }
}
