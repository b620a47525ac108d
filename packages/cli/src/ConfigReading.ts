/**
 * What a configuration file says, read by `ConfigSchema` and by what is known of backends.
 *
 * @since 0.1.0
 */
import type * as Batching from "@spillway/core/Batching"
import type * as Budget from "@spillway/core/Budget"
import type * as Caching from "@spillway/core/Caching"
import type * as Coalescing from "@spillway/core/Coalescing"
import type * as KeyPool from "@spillway/core/KeyPool"
import type * as PriceBook from "@spillway/core/PriceBook"
import type * as Resilience from "@spillway/core/Resilience"
import type * as Router from "@spillway/core/Router"
import type * as Access from "@spillway/gateway/Access"
import type * as Gateway from "@spillway/gateway/Gateway"
import * as Catalogue from "@spillway/providers/Catalogue"
import * as Arr from "effect/Array"
import * as Either from "effect/Either"
import * as ParseResult from "effect/ParseResult"
import * as Predicate from "effect/Predicate"
import * as Record from "effect/Record"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import * as ConfigSchema from "./ConfigSchema.js"
import * as ConfigText from "./ConfigText.js"

// -----------------------------------------------------------------------------
// models
// -----------------------------------------------------------------------------

/**
 * What a file says, read.
 *
 * @since 0.1.0
 * @category models
 */
export interface ConfigFile {
  readonly backends: Arr.NonEmptyReadonlyArray<Backend>
  /** Names of models, each with those to try, in order. */
  readonly models: Router.Names
  /** Where the gateway listens, and how it is set up. */
  readonly gateway: Gateway.Options & Listening
  /** What may be spent with all of them together. */
  readonly budget?: Budget.Options
  /** What models cost, where it is something else than the price list says. */
  readonly pricing?: Pricing
}

/**
 * A backend in a file.
 *
 * @since 0.1.0
 * @category models
 */
export interface Backend {
  readonly name: Catalogue.Name
  readonly keys: ReadonlyArray<KeyPool.NamedKey>
  /** How its keys are used. */
  readonly pool: NonNullable<KeyPool.Defaults["pool"]>
  readonly address: string | undefined
  /** What else the variables that it knows would say: a version, a region, a secret that belongs to the key. */
  readonly environment: Readonly<Record<string, string>>
  /** Its own policies over those of all. */
  readonly policies: Policies
}

/**
 * What stands around a backend: the standard policies, and around them what joins calls, shares them, and keeps their
 * answers. `true` is for the defaults of what is off without.
 *
 * @since 0.1.0
 * @category models
 */
export interface Policies extends Resilience.Options {
  readonly batching?: Batching.Options | boolean | undefined
  readonly coalescing?: Coalescing.Options | boolean | undefined
  readonly caching?: Caching.Options | boolean | undefined
}

/**
 * Where the gateway listens, unless the command line says otherwise.
 *
 * @since 0.1.0
 * @category models
 */
export interface Listening {
  readonly host?: string | undefined
  readonly port?: number | undefined
}

/**
 * Prices of one's own, and what the price list calls backends; as `GenAiPrices.Options`.
 *
 * @since 0.1.0
 * @category models
 */
export interface Pricing {
  readonly prices?: ReadonlyArray<PriceBook.Entry> | undefined
  readonly providers?: { readonly [backend: string]: string } | undefined
}

// -----------------------------------------------------------------------------
// constructors
// -----------------------------------------------------------------------------

/**
 * Reads a file's text. `environment` is where `${NAME}` is looked up. What is wrong only with one thing beside another
 * is left to `ConfigTrial`.
 *
 * @since 0.1.0
 * @category constructors
 */
export const parse = (
  source: string,
  environment: (name: string) => string | undefined
): Either.Either<
  { readonly config: ConfigFile; readonly text: ConfigText.Text },
  Arr.NonEmptyReadonlyArray<ConfigText.Problem>
> =>
  Either.flatMap(ConfigText.parse(source, environment), (text) =>
    Either.flatMap(read(text), (file) => {
      const problems = unfit(file, text.problem)
      const backends = toBackends(file)
      if (Arr.isNonEmptyReadonlyArray(problems)) return Either.left(problems)
      if (!Arr.isNonEmptyReadonlyArray(backends)) return Either.left([text.problem(["backends"], "must name a backend")])
      const { budget, models = {}, pricing } = file
      return Either.right({
        config: {
          backends,
          models,
          gateway: toGateway(file),
          ...(budget !== undefined && { budget }),
          ...(pricing !== undefined && { pricing })
        },
        text
      })
    }))

/**
 * What a file says of something as a text, keys included: to tell whether another file says the same, and for nothing
 * else.
 *
 * @since 0.1.0
 * @category conversions
 */
export const toText = (said: unknown): string =>
  JSON.stringify(said, (_, part: unknown) => Redacted.isRedacted(part) ? Redacted.value(part) : part) ?? ""

// -----------------------------------------------------------------------------
// by the schema
// -----------------------------------------------------------------------------

const decode = Schema.decodeUnknownEither(ConfigSchema.File, { errors: "all", onExcessProperty: "error" })

const read = (
  { contents, problem }: ConfigText.Text
): Either.Either<ConfigSchema.File, Arr.NonEmptyReadonlyArray<ConfigText.Problem>> =>
  Either.mapBoth(decode(contents), {
    // it is handed on as it is written: who reads it fills in what it leaves out
    onRight: () => contents as ConfigSchema.File,
    onLeft: (error) => {
      const issues = furthest(ParseResult.ArrayFormatter.formatErrorSync(error))
      // what stands there may be a secret
      const problems = issues.map(({ message, path }) => problem(path, message.replace(/, actual [^]*$/, "")))
      return Arr.isNonEmptyArray(problems) ? problems : [problem([], error.message)]
    }
  })

/** Where alternatives were tried for a field, those that got furthest know best. */
const furthest = (issues: ReadonlyArray<ParseResult.ArrayFormatterIssue>) =>
  issues.filter(({ path }, index) =>
    issues.findIndex((other) => other.path.join(".") === path.join(".")) === index
    && !issues.some((other) => other.path.length > path.length && path.every((key, at) => other.path[at] === key))
  )

// -----------------------------------------------------------------------------
// by what is known of backends
// -----------------------------------------------------------------------------

/** What no schema can say: what must be there for something else to be. */
const unfit = (file: ConfigSchema.File, at: ConfigText.Text["problem"]): ReadonlyArray<ConfigText.Problem> => [
  ...named(file).flatMap(([name, backend]) => {
    const { addressVariables, keyVariables, optionalKeyVariables }: Catalogue.Entry = Catalogue.backends[name]
    const { address, keys = [], pool } = backend ?? {}
    if (keyVariables !== undefined && keys.length === 0) return [at(["backends", name], "needs a key")]
    if (keyVariables === undefined && optionalKeyVariables === undefined && keys.length > 0) {
      return [at(["backends", name, "keys"], "has no use for a key")]
    }
    if (keyVariables === undefined && address === undefined) {
      return [at(["backends", name], `needs an address (what ${addressVariables[0]} would say)`)]
    }
    return name === "s3" && pool?.strategy !== undefined
      ? [at(["backends", name, "pool", "strategy"], "is said by S3_STRATEGY in its environment")]
      : []
  }),
  ...Object.entries(file.models ?? {}).flatMap(([name, choices]) =>
    choices.flatMap((choice, index) => {
      const chosen = typeof choice === "string" ? choice : choice.model
      const [prefix = "", model = ""] = split(chosen)
      return Object.hasOwn(file.backends, prefix) && model !== ""
        ? []
        : [at(["models", name, index], `must be backend/model with a backend of this file, not "${chosen}"`)]
    })
  ),
  ...Object.entries(file.tenants ?? {}).flatMap(([name, { weight: _, ...limits }]) =>
    Object.keys(limits).length > 0 && file.gateway?.access === undefined
      ? [at(["tenants", name, Object.keys(limits)[0]!], "has no meaning without gateway.access, whose keys tell tenants apart")]
      : []
  )
]

const split = (model: string): ReadonlyArray<string> => {
  const slash = model.indexOf("/")
  return slash < 0 ? ["", model] : [model.slice(0, slash), model.slice(slash + 1)]
}

type Entry = ConfigSchema.File["backends"][Catalogue.Name]

const named = ({ backends }: ConfigSchema.File) =>
  // the schema has seen to it that there are no others
  Object.entries(backends) as ReadonlyArray<[Catalogue.Name, Entry]>

// -----------------------------------------------------------------------------
// what it comes to
// -----------------------------------------------------------------------------

const toBackends = (file: ConfigSchema.File): ReadonlyArray<Backend> =>
  named(file).map(([name, backend]) => ({
    name,
    keys: (backend?.keys ?? []).map((given) =>
      typeof given === "string" ? { key: Redacted.make(given) } : { ...given, key: Redacted.make(given.key) }
    ),
    pool: backend?.pool ?? {},
    address: backend?.address,
    environment: backend?.environment ?? {},
    policies: withTenants(over(file.policies, backend?.policies), file)
  }))

/** The policies of all, and over them a backend's own, option by option. */
const over = (all: ConfigSchema.File["policies"] = {}, own: ConfigSchema.File["policies"] = {}): Policies => ({
  ...all,
  ...Record.map(own as Readonly<Record<string, unknown>>, (options, section) => {
    const common = (all as Readonly<Record<string, unknown>>)[section]
    return Predicate.isRecord(options) && Predicate.isRecord(common) ? { ...common, ...options } : options
  })
})

/** Tenants have their weight in every queue, unless the queue says otherwise. */
const withTenants = (policies: Policies, { tenants = {} }: ConfigSchema.File): Policies => {
  const weights = Record.filterMap(tenants, ({ weight }) => Arr.head(weight === undefined ? [] : [weight]))
  const { queue } = policies
  return queue === false || Record.isEmptyRecord(weights) ? policies : {
    ...policies,
    queue: { ...queue, fairness: { ...queue?.fairness, weights: { ...weights, ...queue?.fairness?.weights } } }
  }
}

const toGateway = ({ gateway = {}, tenants = {} }: ConfigSchema.File): ConfigFile["gateway"] => {
  const { access, ...rest } = gateway
  return { ...defined(rest), ...(access !== undefined && { access: toAccess(access.keys, tenants) }) }
}

const toAccess = (
  keys: ReadonlyArray<Omit<Access.Key, "key"> & { readonly key: string }>,
  tenants: NonNullable<ConfigSchema.File["tenants"]>
): Access.Options => ({
  keys: keys.map(({ key, ...rest }) => ({ ...rest, key: ConfigSchema.toAccessKey(key) })),
  tenants: Record.map(tenants, ({ weight: _, ...limits }) => limits)
})

/** Without what is undefined, which some options may not be. */
const defined = <R extends object>(record: R) =>
  Object.fromEntries(Object.entries(record).filter(([, value]) => value !== undefined)) as {
    readonly [K in keyof R]: Exclude<R[K], undefined>
  }
