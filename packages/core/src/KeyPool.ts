/**
 * Several API keys of one backend as one: who may be used now, and how each is doing.
 *
 * A lease is one key for one attempt. What comes of the attempt is told to the lease, and decides about the key:
 *
 * - `RateLimited` cools it, for that model, exactly as long as the backend says. A key that cools for two models at a
 *   time cools for all.
 * - `QuotaExhausted` sets it aside until the quota is back.
 * - `AuthenticationFailed` retires it, until it is replaced or taken back.
 * - Any other error is no fault of the key, unless keys lead to servers of their own (`faultCooldown`).
 *
 * The error to fail with then says when the *pool* can serve again: at once, when another key is ready. So whoever
 * retries needs to know nothing of keys.
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
import * as Redacted from "effect/Redacted"
import * as Runtime from "effect/Runtime"
import * as Schema from "effect/Schema"
import * as Scope from "effect/Scope"
import type * as Completion from "./Completion.js"
import * as InvalidOptions from "./InvalidOptions.js"
import * as Slot from "./internal/keySlot.js"
import * as KeyVariables from "./internal/keyVariables.js"
import * as Waiters from "./internal/waiters.js"
import * as LlmError from "./LlmError.js"
import * as Monitor from "./Monitor.js"

// -----------------------------------------------------------------------------
// models
// -----------------------------------------------------------------------------

/**
 * What a backend's headers say of the limits of the key that was used.
 *
 * @since 0.1.0
 * @category models
 */
export interface Limits {
  readonly requests?: Limit
  readonly tokens?: Limit
}

/**
 * One limit: how much of it is left, and in how many milliseconds it is full again.
 *
 * @since 0.1.0
 * @category models
 */
export interface Limit {
  readonly limit?: number
  readonly remaining?: number
  readonly resetMillis?: number
}

/**
 * A key in use by one attempt. The four functions are synchronous; `release` may be called more than once.
 *
 * @since 0.1.0
 * @category models
 */
export interface Lease {
  readonly key: Redacted.Redacted
  /** The key's name or fingerprint, for people: never the key. */
  readonly id: string
  /** The attempt succeeded; `usage` as far as it is known. */
  readonly succeeded: (usage: Completion.Usage) => void
  /**
   * The attempt failed. The pool cools or retires the key as the error demands, and returns the error to fail with:
   * its `retryAfter` is now when the *pool* can serve again, zero if another key is ready.
   */
  readonly failed: (error: LlmError.LlmError) => LlmError.LlmError
  /** What the answer's headers said of the key's limits. */
  readonly observed: (limits: Limits) => void
  /** The attempt is over. */
  readonly release: () => void
}

/**
 * Several keys as one.
 *
 * @since 0.1.0
 * @category models
 */
export interface KeyPool {
  readonly backend: string
  /**
   * A key for one attempt with `model`, to be released by the taker in every case. It waits only when every key that
   * could be used has `maxConcurrent` attempts under way, and can be interrupted then. With an `id` it is that key and
   * no other: for what was begun with it and is known nowhere else.
   */
  readonly acquire: (
    model: string,
    id?: string
  ) => Effect.Effect<Lease, LlmError.KeysCooling | LlmError.KeysExhausted>
  /** A key for as long as the scope lasts. */
  readonly lease: (
    model: string
  ) => Effect.Effect<Lease, LlmError.KeysCooling | LlmError.KeysExhausted, Scope.Scope>
  /** Every key of the pool, now. */
  readonly stats: Effect.Effect<ReadonlyArray<Monitor.Key>>
  /** Takes a key back into use that was retired, out of quota or cooling; false when there is no key of that id. */
  readonly revalidate: (id: string) => Effect.Effect<boolean>
  /** Puts a new key in the place of another; attempts under way end with the old one, and do not touch the new. */
  readonly replace: (id: string, key: Redacted.Redacted) => Effect.Effect<boolean, InvalidOptions.InvalidOptions>
}

/**
 * Which of the keys that are ready is taken: `round-robin` the one that has waited longest for its turn,
 * `least-loaded` the one with the fewest attempts under way (among equals, by turns), `failover` the first in the order
 * in which they were given.
 *
 * @since 0.1.0
 * @category models
 */
export type Strategy = "round-robin" | "least-loaded" | "failover"

/**
 * A key with a name for people; the name is what statistics, logs and errors show.
 *
 * @since 0.1.0
 * @category models
 */
export interface NamedKey {
  /** The name. @default `key-1`, `key-2` …, by its position */
  readonly name?: string
  readonly key: Redacted.Redacted
}

/**
 * What a pool is made of.
 *
 * @since 0.1.0
 * @category models
 */
export interface Options {
  /** The backend's name, as errors and statistics carry it. */
  readonly backend: string
  /** The keys. One that occurs twice counts once. */
  readonly keys: Arr.NonEmptyReadonlyArray<Redacted.Redacted | NamedKey>
  /** Which key is taken. @default "round-robin" */
  readonly strategy?: Strategy
  /** How long a key cools after a 429 that does not say; from 0. @default "5 seconds" */
  readonly cooldown?: Duration.DurationInput
  /** How long a key is set aside when its quota is used up and the backend does not say until when; from 0. @default "1 hour" */
  readonly quotaCooldown?: Duration.DurationInput
  /**
   * How long another key is preferred after a fault of the server (whatever counts against a circuit), for keys that
   * lead to servers of their own; from 0. A fault never makes a key unusable: where all have had one, the one whose
   * time is over first is taken. @default not at all
   */
  readonly faultCooldown?: Duration.DurationInput
  /**
   * Most attempts under way with one key, from 1; whoever comes when all are taken waits, in order of arrival. The
   * place to wait is the queue: let its concurrency be no more than this times the keys. @default no limit
   */
  readonly maxConcurrent?: number
}

// -----------------------------------------------------------------------------
// constructors
// -----------------------------------------------------------------------------

/**
 * A pool of keys. It is part of the monitor's snapshot until the scope closes.
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
export const make = (options: Options): Effect.Effect<KeyPool, InvalidOptions.InvalidOptions, Scope.Scope> => {
  const { keys, ...rest } = options
  // suspended, so that whoever builds the pool twice has two pools
  return Effect.suspend(() =>
    Effect.flatMap(
      Either.all({ settings: validate(rest), slots: toSlots(keys) }),
      ({ settings, slots }) =>
        register({ ...settings, maxConcurrent: settings.maxConcurrent ?? Infinity, slots, modelsApart: true })
    )
  )
}

/**
 * The pool of a backend that takes no key: one lease after the other of an empty key. A 429 then concerns the whole
 * backend, which is left alone by every caller for as long as it says.
 *
 * @since 0.1.0
 * @category constructors
 */
export const anonymous = (backend: string): Effect.Effect<KeyPool, never, Scope.Scope> =>
  Effect.suspend(() =>
    register({
      ...defaults,
      backend,
      slots: [Slot.make("anonymous", Redacted.make(""))],
      maxConcurrent: Infinity,
      modelsApart: false
    })
  )

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
): Config.Config<Arr.NonEmptyReadonlyArray<Required<NamedKey>>> => KeyVariables.config(prefixes)

// -----------------------------------------------------------------------------
// options
// -----------------------------------------------------------------------------

const defaults = {
  strategy: "round-robin",
  cooldown: Duration.seconds(5),
  quotaCooldown: Duration.hours(1),
  faultCooldown: Duration.zero
} as const

const validate = InvalidOptions.validate(
  "KeyPool",
  Schema.Struct({
    backend: InvalidOptions.name,
    strategy: Schema.optionalWith(InvalidOptions.oneOf("round-robin", "least-loaded", "failover"), {
      default: (): Strategy => defaults.strategy
    }),
    cooldown: Schema.optionalWith(InvalidOptions.duration(), { default: () => defaults.cooldown }),
    quotaCooldown: Schema.optionalWith(InvalidOptions.duration(), { default: () => defaults.quotaCooldown }),
    faultCooldown: Schema.optionalWith(InvalidOptions.duration(), { default: () => defaults.faultCooldown }),
    maxConcurrent: Schema.optional(InvalidOptions.whole({ atLeast: 1 }))
  })
)

const invalid = (field: string, problem: string) =>
  new InvalidOptions.InvalidOptions({ module: "KeyPool", field, message: `KeyPool.${field}: ${problem}` })

const toSlots = (keys: Options["keys"]): Either.Either<ReadonlyArray<Slot.Slot>, InvalidOptions.InvalidOptions> => {
  const slots = new Map<string, Slot.Slot>()
  const named = keys.map((key, index) => ({ name: `key-${index + 1}`, ...(Redacted.isRedacted(key) ? { key } : key) }))
  // a program without types may hand over a bare text, and no message may repeat it
  const bare = named.find(({ key }) => !Redacted.isRedacted(key))
  if (bare !== undefined) return Either.left(invalid("keys", `${bare.name} must be Redacted`))
  for (const { key, name } of KeyVariables.distinct(named)) {
    const problem = KeyVariables.problem(Redacted.value(key))
    if (problem !== undefined) return Either.left(invalid("keys", `${name} ${problem}`))
    if (slots.has(name)) return Either.left(invalid("keys", `two keys have the name "${name}"`))
    slots.set(name, Slot.make(name, key))
  }
  return slots.size === 0 ? Either.left(invalid("keys", "must hold a key")) : Either.right([...slots.values()])
}

// -----------------------------------------------------------------------------
// the pool
// -----------------------------------------------------------------------------

type Refusal = LlmError.KeysCooling | LlmError.KeysExhausted

interface Settings {
  readonly backend: string
  readonly slots: ReadonlyArray<Slot.Slot>
  readonly strategy: Strategy
  readonly cooldown: Duration.Duration
  readonly quotaCooldown: Duration.Duration
  readonly faultCooldown: Duration.Duration
  readonly maxConcurrent: number
  /** Whether a 429 to one model says nothing of the others. */
  readonly modelsApart: boolean
}

/** What is asked of the pool, and by which clock. */
interface Asked {
  readonly model: string
  readonly clock: Clock.Clock
  /** The only key that will do. */
  readonly id: string | undefined
}

const strategies: { readonly [S in Strategy]: (a: Slot.Slot, b: Slot.Slot) => number } = {
  "round-robin": (a, b) => a.turn - b.turn,
  "least-loaded": (a, b) => a.inFlight - b.inFlight || a.turn - b.turn,
  failover: () => 0
}

const register = (settings: Settings): Effect.Effect<KeyPool, never, Scope.Scope> =>
  Effect.flatMap(Effect.runtime<Scope.Scope>(), (runtime) => {
    const scope = Context.get(runtime.context, Scope.Scope)
    const later = (millis: number, wake: () => void) => {
      Runtime.runFork(runtime, Effect.delay(Effect.sync(wake), millis), { scope })
    }
    const read = (now: number) => settings.slots.map((slot) => Slot.toMonitor(slot, now))
    return Effect.as(
      Monitor.register({ backend: settings.backend, read: (now) => ({ keys: read(now) }) }),
      unsafeMake(settings, later)
    )
  })

const unsafeMake = (
  { backend, cooldown, faultCooldown, maxConcurrent, modelsApart, quotaCooldown, slots, strategy }: Settings,
  later: (millis: number, wake: () => void) => void
): KeyPool => {
  const order = strategies[strategy]
  let turns = 0
  let wakesAt = Infinity

  const isBefore = (a: Slot.Slot, b: Slot.Slot, now: number): boolean =>
    (Slot.restsFor(a, now) - Slot.restsFor(b, now) || order(a, b)) < 0

  const take = (asked: Asked): Lease | Refusal | undefined => {
    const { clock, id, model } = asked
    const now = clock.unsafeCurrentTimeMillis()
    let best: Slot.Slot | undefined
    let busy = false
    for (const slot of slots) {
      if (id !== undefined && slot.id !== id || Slot.readyAt(slot, model) > now) continue
      if (slot.inFlight >= maxConcurrent) busy = true
      else if (best === undefined || isBefore(slot, best, now)) best = slot
    }
    if (best !== undefined) return toLease(best, asked, now)
    if (!busy) return toRefusal(asked, now)
    wake(model, now)
    return undefined
  }

  const candidates = (id: string | undefined) => id === undefined ? slots : slots.filter((slot) => slot.id === id)

  const waiters = Waiters.make<Asked, Lease | Refusal>(take, (answer) => {
    if (isLease(answer)) answer.release()
  })

  // who waits for a busy key also takes one that has cooled down meanwhile
  const wake = (model: string, now: number): void => {
    const next = Math.min(...slots.map((slot) => Slot.readyAt(slot, model)).filter((at) => at > now))
    if (next >= wakesAt) return
    wakesAt = next
    later(next - now, () => {
      wakesAt = Infinity
      waiters.serve()
    })
  }

  const toLease = (slot: Slot.Slot, { clock, id, model }: Asked, now: number): Lease => {
    const generation = slot.generation
    let released = false
    slot.turn = ++turns
    slot.inFlight++
    slot.requests++
    slot.lastUsed = now
    return {
      key: slot.key,
      id: slot.id,
      succeeded: (usage) => Slot.succeeded(slot, usage),
      failed(error) {
        Slot.failed(slot, error._tag)
        const now = clock.unsafeCurrentTimeMillis()
        if (generation === slot.generation) hold(slot, model, error, now)
        return rewrite(error, () => readyIn(model, id, now), () => isAnotherWell(slot, model, id, now))
      },
      observed(limits) {
        if (generation === slot.generation) slot.remaining = toRemaining(limits)
      },
      release() {
        if (released) return
        released = true
        slot.inFlight--
        if (waiters.size() > 0) waiters.serve()
      }
    }
  }

  const hold = (slot: Slot.Slot, model: string, error: LlmError.LlmError, now: number): void => {
    switch (error._tag) {
      case "RateLimited":
        return Slot.cool(slot, modelsApart ? model : undefined, now + toWait(error.retryAfter ?? cooldown), now)
      case "QuotaExhausted":
        return Slot.exhaust(slot, now + toWait(error.retryAfter ?? quotaCooldown))
      case "AuthenticationFailed":
        slot.retired = true
        return
      default:
        if (LlmError.isBackendFault(error)) Slot.rest(slot, error._tag, now + toWait(faultCooldown))
    }
  }

  const readyIn = (model: string, id: string | undefined, now: number): number => {
    let at = Infinity
    for (const slot of candidates(id)) at = Math.min(at, Slot.readyAt(slot, model))
    return Math.max(0, at - now)
  }

  const isAnotherWell = (slot: Slot.Slot, model: string, id: string | undefined, now: number): boolean =>
    Slot.restsFor(slot, now) > 0 && id === undefined &&
    slots.some((other) => other !== slot && Slot.restsFor(other, now) === 0 && Slot.readyAt(other, model) <= now)

  const toRefusal = ({ id, model }: Asked, now: number): Refusal => {
    const asked = candidates(id)
    if (asked.length === 0) {
      return new LlmError.KeysExhausted({ backend, model, message: `${backend} has no key ${id}` })
    }
    if (asked.every((slot) => Slot.isSpent(slot, now))) {
      const retired = asked.filter((slot) => slot.retired).length
      return new LlmError.KeysExhausted({
        backend,
        model,
        message: `no key of ${backend} can be used: ${retired} not accepted, ${asked.length - retired} out of quota`,
        ...(retired === asked.length && { reason: "AuthenticationFailed" }),
        ...(retired === 0 && { reason: "QuotaExhausted" })
      })
    }
    const retryAfter = Duration.millis(readyIn(model, id, now))
    return new LlmError.KeysCooling({
      backend,
      model,
      retryAfter,
      message: `every key of ${backend} is cooling down, the first for another ${Duration.format(retryAfter)}`
    })
  }

  const acquire: KeyPool["acquire"] = (model, id) =>
    Effect.clockWith((clock) => {
      if (waiters.size() > 0) waiters.serve()
      const asked: Asked = { model, clock, id }
      const answer = take(asked)
      return answer === undefined ? Effect.flatMap(waiters.wait(asked), toEffect) : toEffect(answer)
    })

  const change = (id: string, change: (slot: Slot.Slot) => void): Effect.Effect<boolean> =>
    Effect.sync(() => {
      const slot = slots.find((slot) => slot.id === id)
      if (slot === undefined) return false
      change(slot)
      waiters.serve()
      return true
    })

  return {
    backend,
    acquire,
    lease: (model) => Effect.acquireRelease(acquire(model), (lease) => Effect.sync(lease.release)),
    stats: Effect.map(Clock.currentTimeMillis, (now) => slots.map((slot) => Slot.toMonitor(slot, now))),
    revalidate: (id) => change(id, (slot) => Slot.restore(slot)),
    replace: (id, key) => {
      const problem = KeyVariables.problem(Redacted.value(key))
      return problem === undefined
        ? change(id, (slot) => Slot.restore(slot, key))
        : Effect.fail(invalid("key", `the new key for ${id} ${problem}`))
    }
  }
}

const isLease = (answer: Lease | Refusal): answer is Lease => "release" in answer

const toEffect = (answer: Lease | Refusal): Effect.Effect<Lease, Refusal> =>
  isLease(answer) ? Effect.succeed(answer) : answer

// a wait that no clock can count must not become none at all
const toWait = (duration: Duration.Duration): number => Math.min(Duration.toMillis(duration), longestWait)

const longestWait = 31 * 24 * 60 * 60 * 1000

const rewrite = (
  error: LlmError.LlmError,
  readyIn: () => number,
  isAnotherWell: () => boolean
): LlmError.LlmError => {
  const { backend, message, model } = error
  switch (error._tag) {
    case "RateLimited":
    case "QuotaExhausted":
    case "ServerFault": {
      if (error._tag === "ServerFault" && !isAnotherWell()) return error
      const retryAfter = error._tag === "ServerFault" ? Duration.zero : Duration.millis(readyIn())
      const { code, requestId, shouldRetry, status } = error
      return new LlmError[error._tag]({ backend, message, model, status, code, requestId, shouldRetry, retryAfter })
    }
    case "NetworkFailure":
      return isAnotherWell()
        ? new LlmError.NetworkFailure({ backend, message, model, retryAfter: Duration.zero })
        : error
    default:
      return error
  }
}

const toRemaining = ({ requests, tokens }: Limits): Monitor.Key["remaining"] =>
  requests?.remaining === undefined && tokens?.remaining === undefined ? undefined : {
    ...(requests?.remaining !== undefined && { requests: requests.remaining }),
    ...(tokens?.remaining !== undefined && { tokens: tokens.remaining })
  }
