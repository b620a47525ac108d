/**
 * Several API keys of one backend as one: who may be used now, and how each is doing.
 *
 * A lease is one key for one attempt. What comes of the attempt is told to the lease, and decides about the key:
 *
 * - `RateLimited` cools it, for that model, exactly as long as the backend says. A key that cools for two models at a
 *   time cools for all.
 * - `QuotaExhausted` sets it aside until the quota is back.
 * - `AuthenticationFailed` retires it, until it is replaced, taken back, or found to be accepted again (`validate`).
 * - Any other error is no fault of the key, unless keys lead to servers of their own (`faultCooldown`, `circuit`).
 *
 * The error to fail with then says when the *pool* can serve again: at once, when another key is ready. So whoever
 * retries needs to know nothing of keys.
 *
 * **Before a limit is hit** the pool paces itself. What it goes by is set (`requestsPerMinute`, `tokensPerMinute`, …),
 * read from the backend's headers, or learned from its refusals: a key that was refused is from then on sent just as
 * much as it takes, and after a while, carefully, a little more, to see whether that is still so. A call for which there
 * is room with no key waits here for its turn, first come first served, or is told how long it would have to
 * (`maxWait`). A backend that never refuses and tells of no limit is never held back.
 *
 * **While it runs**, keys are added, removed, disabled, enabled and replaced, and nothing is lost: attempts under way end
 * with the key they have, and what they do is no longer held against the one that took its place. All pools of the
 * program are found in `pools`.
 *
 * @since 0.1.0
 */
import type * as Arr from "effect/Array"
import * as Clock from "effect/Clock"
import type * as Config from "effect/Config"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import { dual } from "effect/Function"
import * as Option from "effect/Option"
import * as Random from "effect/Random"
import * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import { PCGRandom } from "effect/Utils"
import type * as InvalidOptions from "./InvalidOptions.js"
import * as Alarms from "./internal/alarms.js"
import * as Desk from "./internal/keyDesk.js"
import * as Keeping from "./internal/keyKeeping.js"
import type * as KeyLease from "./internal/keyLease.js"
import * as Leasing from "./internal/keyLeasing.js"
import type * as KeyOptions from "./internal/keyOptions.js"
import type * as Refusal from "./internal/keyRefusal.js"
import * as Ring from "./internal/keyRing.js"
import * as KeySettings from "./internal/keySettings.js"
import * as Slot from "./internal/keySlot.js"
import * as Strategy from "./internal/keyStrategy.js"
import * as KeyVariables from "./internal/keyVariables.js"
import { listed } from "./internal/listed.js"
import * as Monitor from "./Monitor.js"
import * as PriceBook from "./PriceBook.js"

export type { Lease, Limit, Limits, Wanted } from "./internal/keyLease.js"
export { type CircuitOptions, KeyOptions, type NamedKey, type OfKeys, Options } from "./internal/keyOptions.js"
export type { Strategy } from "./internal/keyStrategy.js"
export type { Check, Verdict } from "./internal/keyValidation.js"

// -----------------------------------------------------------------------------
// models
// -----------------------------------------------------------------------------

/**
 * Several keys as one.
 *
 * @since 0.1.0
 * @category models
 */
export interface KeyPool extends Keeping.Keeping {
  readonly backend: string
  /**
   * A key for one attempt with `model`, to be released by the taker in every case. It waits, in order of arrival and
   * interruptibly, when every key that could be used has `maxConcurrent` attempts under way, or will be ready shortly
   * (`maxWait`). Unless `wanted` names a key, `CurrentKey` may.
   */
  readonly acquire: (
    model: string,
    wanted?: KeyLease.Wanted
  ) => Effect.Effect<KeyLease.Lease, Refusal.Refusal>
  /** A key for as long as the scope lasts. */
  readonly lease: (
    model: string,
    wanted?: KeyLease.Wanted
  ) => Effect.Effect<KeyLease.Lease, Refusal.Refusal, Scope.Scope>
  /** Every key of the pool, now; one that was removed is among them until its last attempt has ended. */
  readonly stats: Effect.Effect<ReadonlyArray<Monitor.Key>>
}

/**
 * The name of every strategy.
 *
 * @since 0.1.0
 * @category models
 */
export const strategies: Arr.NonEmptyReadonlyArray<Strategy.Strategy> = Strategy.names

// -----------------------------------------------------------------------------
// references
// -----------------------------------------------------------------------------

/**
 * The only key that calls made here may use, by its name; any, unless a caller says so. A backend that has no key of
 * that name answers with `KeysExhausted`.
 *
 * @since 0.1.0
 * @category references
 */
export class CurrentKey extends Context.Reference<CurrentKey>()("@spillway/core/CurrentKey", {
  defaultValue: (): Option.Option<string> => Option.none()
}) {}

/**
 * Runs an effect whose calls use the key of this name and no other.
 *
 * @since 0.1.0
 * @category combinators
 */
export const withKey: {
  (id: string): <A, E, R>(self: Effect.Effect<A, E, R>) => Effect.Effect<A, E, R>
  <A, E, R>(self: Effect.Effect<A, E, R>, id: string): Effect.Effect<A, E, R>
} = dual(
  2,
  <A, E, R>(self: Effect.Effect<A, E, R>, id: string) => Effect.provideService(self, CurrentKey, Option.some(id))
)

/**
 * Like `withKey`, for a stream.
 *
 * @since 0.1.0
 * @category combinators
 */
export const withKeyStream: {
  (id: string): <A, E, R>(self: Stream.Stream<A, E, R>) => Stream.Stream<A, E, R>
  <A, E, R>(self: Stream.Stream<A, E, R>, id: string): Stream.Stream<A, E, R>
} = dual(
  2,
  <A, E, R>(self: Stream.Stream<A, E, R>, id: string) => Stream.provideService(self, CurrentKey, Option.some(id))
)

/**
 * What holds of pools made here where they are not told otherwise, and of keys by their names (which may give them
 * others): for whoever has no hand in how a backend is built.
 *
 * @since 0.1.0
 * @category models
 */
export interface Defaults {
  readonly pool?: Omit<KeyOptions.Options, "backend" | "keys"> | undefined
  readonly keys?: KeyOptions.OfKeys | undefined
}

/**
 * The defaults of pools made here; none, unless they are provided.
 *
 * @since 0.1.0
 * @category references
 */
export class CurrentDefaults extends Context.Reference<CurrentDefaults>()("@spillway/core/KeyPoolDefaults", {
  defaultValue: (): Defaults => ({})
}) {}

/**
 * Where pools are found that are made here: one list for the whole program, unless another is provided.
 *
 * @since 0.1.0
 * @category references
 */
export class CurrentPools extends Context.Reference<CurrentPools>()("@spillway/core/CurrentPools", {
  defaultValue: (): Set<KeyPool> => new Set()
}) {}

/**
 * Every pool that there is now, by the current list: to validate, disable and replace keys from outside.
 *
 * @since 0.1.0
 * @category combinators
 */
export const pools: Effect.Effect<ReadonlyArray<KeyPool>> = Effect.map(CurrentPools, (pools) => [...pools])

// -----------------------------------------------------------------------------
// constructors
// -----------------------------------------------------------------------------

/**
 * A pool of keys. It is part of the monitor's snapshot, and in the list of pools, until the scope closes.
 *
 * @since 0.1.0
 * @category constructors
 * @example
 * ```ts
 * import { KeyPool, LlmError } from "@spillway/core"
 * import { Duration, Effect, Option, Redacted } from "effect"
 * import * as assert from "node:assert"
 *
 * const program = Effect.gen(function*() {
 *   const pool = yield* KeyPool.make({ backend: "groq", keys: [Redacted.make("gsk_1"), Redacted.make("gsk_2")] })
 *   const first = yield* pool.lease("llama")
 *   const error = first.failed(
 *     new LlmError.RateLimited({ backend: "groq", message: "slow down", retryAfter: Duration.seconds(20) })
 *   )
 *   // the other key is ready: try again at once
 *   assert.deepStrictEqual(LlmError.retryAfter(error), Option.some(Duration.zero))
 *   assert.strictEqual((yield* pool.lease("llama")).id, "key-2")
 * })
 * Effect.runSync(Effect.scoped(program))
 * ```
 */
export const make = (
  options: KeyOptions.Options
): Effect.Effect<KeyPool, InvalidOptions.InvalidOptions, Scope.Scope> => {
  const { keys, ...own } = options
  // an Effect, so that whoever builds the pool twice has two pools
  return Effect.flatMap(CurrentDefaults, (defaults) => {
    const read = Either.flatMap(KeySettings.read({ ...defaults.pool, ...own }), (settings) =>
      Either.map(KeySettings.toSlots(settings, keys, defaults.keys), (slots) => ({ settings, slots })))
    return Effect.flatMap(read, ({ settings, slots }) => register(settings, slots, true))
  })
}

/**
 * The pool of a backend that takes no key: one lease after the other of an empty key. A 429 then concerns the whole
 * backend, which is left alone by every caller for as long as it says.
 *
 * @since 0.1.0
 * @category constructors
 */
export const anonymous = (
  backend: string,
  options: Omit<KeyOptions.Options, "backend" | "keys"> = {}
): Effect.Effect<KeyPool, InvalidOptions.InvalidOptions, Scope.Scope> =>
  Effect.flatMap(CurrentDefaults, ({ pool }) =>
    Effect.flatMap(KeySettings.read({ ...pool, ...options, backend, canChange: false }), (settings) =>
      register(settings, [KeySettings.anonymous(settings)], false)))

/**
 * The keys in the environment: `PREFIX`, and `PREFIX_1`, `PREFIX_2` … up to the first number that is missing (at most
 * 99), of each prefix, named by their variables. A key that occurs twice counts once. With none there it is missing
 * data that names the variable; one that is set but empty, or holds what no key can, is invalid data that does not
 * repeat it.
 *
 * @since 0.1.0
 * @category constructors
 * @example
 * ```ts
 * import { KeyPool } from "@spillway/core"
 * import { ConfigProvider, Effect } from "effect"
 * import * as assert from "node:assert"
 *
 * const environment = ConfigProvider.fromMap(new Map([["GOOGLE_API_KEY", "AIza1"], ["GEMINI_API_KEY_1", "AIza2"]]))
 * const keys = Effect.runSync(Effect.withConfigProvider(KeyPool.config("GOOGLE_API_KEY", "GEMINI_API_KEY"), environment))
 * assert.deepStrictEqual(keys.map(({ name }) => name), ["GOOGLE_API_KEY", "GEMINI_API_KEY_1"])
 * ```
 */
export const config = (
  ...prefixes: Arr.NonEmptyReadonlyArray<string>
): Config.Config<Arr.NonEmptyReadonlyArray<KeyVariables.Variable>> => KeyVariables.config(prefixes)

// -----------------------------------------------------------------------------
// the pool
// -----------------------------------------------------------------------------

interface World {
  readonly alarms: Alarms.Alarms
  readonly book: PriceBook.PriceBook
  readonly random: PCGRandom
}

const register = (
  settings: KeySettings.Settings,
  slots: ReadonlyArray<Slot.Slot>,
  modelsApart: boolean
): Effect.Effect<KeyPool, never, Scope.Scope> =>
  Effect.gen(function*() {
    const world: World = {
      alarms: yield* Alarms.make,
      book: yield* PriceBook.CurrentPriceBook,
      random: new PCGRandom(yield* Random.nextIntBetween(0, 2 ** 31))
    }
    const ring = Ring.make(slots)
    const desk = toDesk(settings, ring, modelsApart, world)
    const keeping = Keeping.make(settings, ring, desk.serve, yield* Scope.Scope)
    const pool = toPool(settings.backend, ring, desk, keeping)
    const all = yield* CurrentPools
    yield* Monitor.register({ backend: settings.backend, read: (now) => ({ keys: read(ring, desk, now) }) })
    return yield* listed(all, pool)
  })

const toDesk = (
  settings: KeySettings.Settings,
  ring: Ring.Ring,
  modelsApart: boolean,
  { alarms, book, random }: World
): Desk.Desk => {
  const { backend, cooldown, faultCooldown, maxWait, pacing, quotaCooldown, strategy } = settings
  return Desk.make({
    backend,
    slots: ring.slots,
    choose: Strategy.strategies[strategy](random),
    cooldown: Leasing.toWait(cooldown),
    quotaCooldown: Leasing.toWait(quotaCooldown),
    faultCooldown: Leasing.toWait(faultCooldown),
    pacing,
    patience: {
      turn: Duration.toMillis(maxWait ?? Duration.seconds(10)),
      cooling: Duration.toMillis(maxWait ?? Duration.seconds(1))
    },
    modelsApart,
    price: book === PriceBook.empty ? undefined : (model, usage, now) =>
      Option.getOrUndefined(
        Option.flatMap(book.price(backend, model, now), (price) => Either.getRight(PriceBook.cost(price, usage)))
      ),
    alarms
  })
}

const read = (ring: Ring.Ring, desk: Desk.Desk, now: number): ReadonlyArray<Monitor.Key> =>
  ring.all().map((slot) => Slot.toMonitor(slot, desk.queued(slot.id), now))

const anyKey: KeyLease.Wanted = {}

const toPool = (backend: string, ring: Ring.Ring, desk: Desk.Desk, keeping: Keeping.Keeping): KeyPool => {
  const acquire: KeyPool["acquire"] = (model, wanted = anyKey) =>
    Effect.withFiberRuntime((fiber) => {
      // `Context.get` would look for the default, of which there is no need here, for longer than all the rest takes
      const named: Option.Option<string> | undefined = fiber.currentContext.unsafeMap.get(CurrentKey.key)
      return desk.acquire(model, wanted, fiber, named && Option.getOrUndefined(named))
    })
  return {
    ...keeping,
    backend,
    acquire,
    lease: (model, wanted) => Effect.acquireRelease(acquire(model, wanted), (lease) => Effect.sync(lease.release)),
    stats: Effect.map(Clock.currentTimeMillis, (now) => read(ring, desk, now))
  }
}
