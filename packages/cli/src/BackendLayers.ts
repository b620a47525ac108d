/**
 * Backends as layers: each behind its policies, one of a file with the keys and the address that the file gives it; and
 * several of them as one service.
 *
 * @since 0.1.0
 */
import type * as HttpClient from "@effect/platform/HttpClient"
import * as Batching from "@spillway/core/Batching"
import * as Budget from "@spillway/core/Budget"
import * as Caching from "@spillway/core/Caching"
import * as Coalescing from "@spillway/core/Coalescing"
import type * as InvalidOptions from "@spillway/core/InvalidOptions"
import * as KeyPool from "@spillway/core/KeyPool"
import * as LlmService from "@spillway/core/LlmService"
import * as PriceBook from "@spillway/core/PriceBook"
import * as Resilience from "@spillway/core/Resilience"
import * as Router from "@spillway/core/Router"
import * as Moderation from "@spillway/gateway/Moderation"
import * as Catalogue from "@spillway/providers/Catalogue"
import * as OpenAi from "@spillway/providers/OpenAi"
import type * as ConfigError from "effect/ConfigError"
import * as ConfigProvider from "effect/ConfigProvider"
import * as Context from "effect/Context"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import type { Backend, Policies } from "./ConfigReading.js"
import * as Moderators from "./Moderators.js"
import type { Money } from "./Money.js"

/**
 * A backend behind its policies, to be connected.
 *
 * @since 0.1.0
 * @category models
 */
export type BackendLayer = Layer.Layer<
  LlmService.LlmService,
  ConfigError.ConfigError | InvalidOptions.InvalidOptions,
  HttpClient.HttpClient
>

/**
 * All that a gateway stands before.
 *
 * @since 0.1.0
 * @category models
 */
export interface Joined extends LlmService.Service, Moderation.Service {}

/**
 * The variables that a backend reads.
 *
 * @since 0.1.0
 * @category models
 */
export type Environment = Readonly<Record<string, string | undefined>>

/**
 * A backend behind policies; `variables` are what it reads in place of the environment, if anything.
 *
 * @since 0.1.0
 * @category layers
 */
export const make = (
  name: Catalogue.Name,
  { batching = false, caching = false, coalescing = false, ...policies }: Policies,
  variables?: ReadonlyMap<string, string>
): BackendLayer => {
  const { layer }: Catalogue.Entry = Catalogue.backends[name]
  const guarded = Moderators.register(name)(Resilience.layer(policies)(layer))
  const joined = batching === false ? guarded : Batching.layer(batching === true ? {} : batching)(guarded)
  const shared = coalescing === false ? joined : Coalescing.layer(coalescing === true ? {} : coalescing)(joined)
  const kept = caching === false ? shared : Caching.layer(caching === true ? {} : caching)(shared)
  return variables === undefined
    ? kept
    : Layer.provide(kept, Layer.setConfigProvider(ConfigProvider.fromMap(new Map(variables))))
}

/**
 * A backend of a file, which spends the money that it is given.
 *
 * @since 0.1.0
 * @category layers
 */
export const fromFile = (backend: Backend, environment: Environment, { budget, prices }: Money): BackendLayer =>
  Layer.provide(
    make(backend.name, backend.policies, toVariables(backend, environment)),
    Layer.succeedContext(
      Context.make(KeyPool.CurrentDefaults, toDefaults(backend)).pipe(
        Context.add(PriceBook.CurrentPriceBook, prices),
        Context.add(Budget.CurrentBudget, budget)
      )
    )
  )

/**
 * Several backends, built, as one: each under its name, and models under those that a file gives them.
 *
 * @since 0.1.0
 * @category combinators
 */
export const join = (
  backends: ReadonlyArray<readonly [name: string, built: Context.Context<LlmService.LlmService>]>,
  names: Router.Names = {}
): Joined => ({
  ...Router.withNames(
    Router.make(Object.fromEntries(backends.map(([name, built]) => [name, Context.get(built, LlmService.LlmService)]))),
    names
  ),
  ...Moderation.make(Object.fromEntries(backends.flatMap(([name, built]) =>
    Option.match(Context.getOption(built, OpenAi.OpenAi), {
      onNone: () => [],
      onSome: ({ moderate }): ReadonlyArray<[string, Moderation.Moderate]> => [[name, moderate]]
    })
  )))
})

/**
 * The same for a gateway to find.
 *
 * @since 0.1.0
 * @category conversions
 */
export const toContext = (joined: Joined): Context.Context<LlmService.LlmService | Moderation.Moderation> =>
  Context.make(LlmService.LlmService, joined).pipe(Context.add(Moderation.Moderation, joined))

/**
 * A backend of a file as the variables that its `layerConfig` reads: what the environment says of other things, and
 * of its keys and its address what the file says and nothing else.
 *
 * @since 0.1.0
 * @category conversions
 */
export const toVariables = (
  { address, environment, keys, name }: Backend,
  outer: Environment
): Map<string, string> => {
  const { addressVariables, keyVariables, optionalKeyVariables }: Catalogue.Entry = Catalogue.backends[name]
  const holders = keyVariables ?? optionalKeyVariables ?? []
  const isOurs = (variable: string) =>
    addressVariables.includes(variable) || holders.some((holder) => variable.replace(/_\d+$/, "") === holder)
  const variables = new Map(
    Object.entries(outer).filter((entry): entry is [string, string] => entry[1] !== undefined && !isOurs(entry[0]))
  )
  keys.forEach(({ key }, index) => variables.set(`${holders[0]}_${index + 1}`, Redacted.value(key)))
  if (address !== undefined) variables.set(addressVariables[0], address)
  for (const [variable, value] of Object.entries(environment)) variables.set(variable, value)
  return variables
}

/**
 * What the pool of a backend of a file goes by. Its keys come to it under the names of variables, and are called
 * something else from there on.
 *
 * @since 0.1.0
 * @category conversions
 */
export const toDefaults = ({ keys, name, pool }: Backend): KeyPool.Defaults => {
  const { keyVariables, optionalKeyVariables }: Catalogue.Entry = Catalogue.backends[name]
  const holder = (keyVariables ?? optionalKeyVariables ?? [])[0]
  return {
    pool,
    keys: Object.fromEntries(keys.map(({ key: _, ...options }, index) => [
      `${holder}_${index + 1}`,
      { name: `key-${index + 1}`, ...options }
    ]))
  }
}
