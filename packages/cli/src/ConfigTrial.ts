/**
 * What is wrong with a configuration file that shows only when things are made of it: what one option is beside
 * another, and what the things themselves would refuse. Nothing is sent, and nobody sees what is made.
 *
 * @since 0.1.0
 */
import * as Batching from "@spillway/core/Batching"
import * as Budget from "@spillway/core/Budget"
import * as Caching from "@spillway/core/Caching"
import * as CircuitBreaker from "@spillway/core/CircuitBreaker"
import * as Coalescing from "@spillway/core/Coalescing"
import type * as InvalidOptions from "@spillway/core/InvalidOptions"
import * as KeyPool from "@spillway/core/KeyPool"
import * as LlmService from "@spillway/core/LlmService"
import * as Monitor from "@spillway/core/Monitor"
import * as PriceBook from "@spillway/core/PriceBook"
import * as RequestQueue from "@spillway/core/RequestQueue"
import * as Resilience from "@spillway/core/Resilience"
import * as Gateway from "@spillway/gateway/Gateway"
import * as Arr from "effect/Array"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import type * as ConfigReading from "./ConfigReading.js"
import type * as ConfigText from "./ConfigText.js"

/**
 * What would be refused of a file, once things are made of it.
 *
 * @since 0.1.0
 * @category constructors
 */
export const problems = (
  { backends, budget, gateway, pricing }: ConfigReading.ConfigFile,
  text: ConfigText.Text
): Effect.Effect<ReadonlyArray<ConfigText.Problem>> => {
  const at = (path: ConfigText.Path) => (error: InvalidOptions.InvalidOptions) => toProblem(text, path, error)
  const { host: _, port: __, ...options } = gateway
  return Effect.map(
    Effect.all([
      tried(Gateway.make(options).pipe(Effect.provideService(LlmService.LlmService, LlmService.make("none", {}))), at(["gateway"])),
      tried(budget === undefined ? Effect.void : Budget.make(budget), at(["budget"])),
      tried(PriceBook.make(pricing?.prices ?? []), at(["pricing"])),
      ...backends.flatMap((backend) => [
        tried(pool(backend), (error) => ofPool(text, backend, error)),
        tried(policies(backend), (error) => ofPolicies(text, backend, error))
      ])
    ]),
    (all) => Arr.dedupeWith(all.flat(), (a, b) => a.field === b.field && a.line === b.line)
  )
}

// -----------------------------------------------------------------------------
// trials
// -----------------------------------------------------------------------------

const tried = <R>(
  make: Effect.Effect<unknown, InvalidOptions.InvalidOptions, R>,
  toProblem: (error: InvalidOptions.InvalidOptions) => ConfigText.Problem
): Effect.Effect<ReadonlyArray<ConfigText.Problem>, never, Exclude<R, Scope.Scope>> =>
  make.pipe(
    Effect.scoped,
    Effect.provide(unseen()),
    Effect.match({ onSuccess: () => [], onFailure: (error) => [toProblem(error)] })
  )

/** Lists of their own, for what is made to enter and to leave. */
const unseen = () =>
  Context.make(Monitor.CurrentMonitor, Monitor.unsafeMake()).pipe(
    Context.add(KeyPool.CurrentPools, new Set()),
    Context.add(RequestQueue.CurrentQueues, new Set()),
    Context.add(CircuitBreaker.CurrentBreakers, new Set())
  )

const pool = ({ keys, name, pool }: ConfigReading.Backend) =>
  Arr.isNonEmptyReadonlyArray(keys)
    ? KeyPool.make({ ...pool, ...quiet, backend: name, keys })
    : KeyPool.anonymous(name, { ...pool, ...quiet })

/** Nobody is there to be asked whether keys are right. */
const quiet = { validateAtStart: false, revalidateEvery: undefined }

const policies = ({ name, policies }: ConfigReading.Backend) => {
  const { batching, caching, coalescing, ...standard } = policies
  const service = LlmService.make(name, {})
  return Effect.all([
    Resilience.standard(name, standard),
    Batching.make(service, typeof batching === "boolean" ? {} : batching),
    Coalescing.make(service, typeof coalescing === "boolean" ? {} : coalescing),
    Caching.make(service, typeof caching === "boolean" ? {} : caching)
  ])
}

// -----------------------------------------------------------------------------
// where it stands
// -----------------------------------------------------------------------------

const toProblem = (
  { problem }: ConfigText.Text,
  within: ConfigText.Path,
  { field, message, module }: InvalidOptions.InvalidOptions
) => problem([...within, ...fieldsOf(field)], message.replace(`${field === "" ? module : `${module}.${field}`}: `, ""))

const fieldsOf = (field: string): ReadonlyArray<string> => field === "" ? [] : field.split(".")

/** Of keys the pool speaks by their names. */
const ofPool = (text: ConfigText.Text, { keys, name }: ConfigReading.Backend, error: InvalidOptions.InvalidOptions) => {
  const place = keys.findIndex(({ name }, index) => {
    const known = name ?? `key-${index + 1}`
    return error.field.startsWith(`keys.${known}.`) || error.field === "keys" && error.message.startsWith(`KeyPool.keys: ${known} `)
  })
  const within = ["backends", name]
  return place < 0
    ? toProblem(text, error.field === "keys" ? within : [...within, "pool"], error)
    : text.problem([...within, "keys", place], error.message.replace(/^KeyPool\.\S+: /, ""))
}

/** The section that holds the options of a module. */
const sections: Readonly<Record<string, ReadonlyArray<string>>> = {
  Caching: ["caching"],
  Coalescing: ["coalescing"],
  Batching: ["batching"],
  Telemetry: ["telemetry"],
  Retry: ["retry"],
  RetryBudget: ["retry", "budget"],
  Hedging: ["hedge"],
  RequestQueue: ["queue"],
  AdaptiveRate: ["adaptive"],
  CircuitBreaker: ["breaker"],
  Timeout: ["timeout"]
}

/** An option that is not the backend's own is one of all. */
const ofPolicies = (text: ConfigText.Text, { name }: ConfigReading.Backend, error: InvalidOptions.InvalidOptions) => {
  const section = sections[error.module] ?? []
  const own = ["backends", name, "policies"]
  return toProblem(text, [...text.holds([...own, ...section, ...fieldsOf(error.field)]) ? own : ["policies"], ...section], error)
}
