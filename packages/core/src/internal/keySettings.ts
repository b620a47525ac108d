/**
 * What is set of a pool and its keys, read from what was said, and the keys made of it.
 */
import * as DateTime from "effect/DateTime"
import * as Duration from "effect/Duration"
import * as Either from "effect/Either"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import * as InvalidOptions from "../InvalidOptions.js"
import * as Circuit from "./circuit.js"
import * as Allowance from "./keyAllowance.js"
import type * as KeyOptions from "./keyOptions.js"
import * as Pace from "./keyPace.js"
import type * as Ring from "./keyRing.js"
import * as Slot from "./keySlot.js"
import * as Strategy from "./keyStrategy.js"
import * as KeyVariables from "./keyVariables.js"
import * as Period from "./period.js"

const perTime = Schema.optional(InvalidOptions.number({ atLeast: 1 }))
const count = Schema.optional(InvalidOptions.whole({ atLeast: 1 }))
const from0 = (value: Duration.Duration) =>
  Schema.optionalWith(InvalidOptions.duration(), { default: () => value })

const ofKey = Schema.Struct({
  weight: Schema.optional(InvalidOptions.number({ atLeast: 0.001, atMost: 1_000_000 })),
  cost: Schema.optional(InvalidOptions.number({ atLeast: 0 })),
  maxConcurrent: count,
  requestsPerMinute: perTime,
  burst: count,
  tokensPerMinute: perTime,
  requestsPerDay: count,
  resetZone: Schema.optional(
    Schema.String.pipe(
      Schema.filter((zone) => Option.isSome(DateTime.zoneFromString(zone))),
      Schema.annotations({
        message: ({ actual }) => ({ message: `must be a time zone, not ${JSON.stringify(actual)}`, override: true })
      })
    )
  ),
  spendLimit: Schema.optional(InvalidOptions.whole({ atLeast: 0 }))
})

const ofPool = Schema.Struct({
  ...ofKey.fields,
  backend: InvalidOptions.name,
  strategy: Schema.optionalWith(InvalidOptions.oneOf(...Strategy.names), {
    default: (): Strategy.Strategy => "round-robin"
  }),
  cooldown: from0(Duration.seconds(5)),
  quotaCooldown: from0(Duration.hours(1)),
  faultCooldown: from0(Duration.zero),
  circuit: Schema.optional(
    Schema.Struct({
      failures: Schema.optionalWith(InvalidOptions.whole({ atLeast: 1 }), { default: () => 5 }),
      openFor: Schema.optionalWith(InvalidOptions.duration({ atLeast: 1 }), { default: () => Duration.seconds(30) })
    })
  ),
  pacing: Schema.optionalWith(Schema.Boolean, { default: () => true }),
  maxWait: Schema.optional(InvalidOptions.duration()),
  validateAtStart: Schema.optionalWith(Schema.Boolean, { default: () => false }),
  revalidateEvery: Schema.optional(InvalidOptions.duration({ atLeast: "1 second" })),
  canChange: Schema.optionalWith(Schema.Boolean, { default: () => true })
})

/** What is set of a pool. */
export type Settings = typeof ofPool.Type

/** What is set of a pool, defaults filled in. */
export const read: (
  options: Omit<KeyOptions.Options, "keys">
) => Either.Either<Settings, InvalidOptions.InvalidOptions> = InvalidOptions.validate("KeyPool", ofPool)

const readKey = InvalidOptions.validate("KeyPool", ofKey)

/** An option that cannot be meant. */
export const invalid = (field: string, problem: string): InvalidOptions.InvalidOptions =>
  new InvalidOptions.InvalidOptions({ module: "KeyPool", field, message: `KeyPool.${field}: ${problem}` })

/** A key as it comes into a pool, the nth of all that ever did. */
export const toSlot = (
  settings: Settings,
  given: Redacted.Redacted | KeyOptions.NamedKey,
  nth: number,
  defaults: { readonly [name: string]: KeyOptions.KeyOptions } = {}
): Either.Either<Slot.Slot, InvalidOptions.InvalidOptions> => {
  const { key, name = `key-${nth}`, ...own } = Redacted.isRedacted(given) ? { key: given } : given
  // a program without types may hand over a bare text, and no message may repeat it
  if (!Redacted.isRedacted(key)) return Either.left(invalid("keys", `${name} must be Redacted`))
  const problem = KeyVariables.problem(Redacted.value(key))
  if (problem !== undefined) return Either.left(invalid("keys", `${name} ${problem}`))
  return Either.mapBoth(readKey({ ...(Object.hasOwn(defaults, name) && defaults[name]), ...own }), {
    onLeft: ({ field, message }) => invalid(`keys.${name}.${field}`, message.slice(message.indexOf(": ") + 2)),
    onRight: (own) => make({ ...settings, ...own }, name, key, nth)
  })
}

/** The one key of a backend that wants none. */
export const anonymous = (settings: Settings): Slot.Slot => make(settings, "anonymous", Redacted.make(""), 1)

const make = (settings: Settings, id: string, key: Redacted.Redacted, nth: number): Slot.Slot => {
  const { circuit, cooldown, cost, maxConcurrent, resetZone, weight } = settings
  const zone = Option.getOrElse(DateTime.zoneFromString(resetZone ?? "UTC"), () => DateTime.zoneMakeOffset(0))
  return Slot.make({
    id,
    weight: weight ?? 1,
    cost: cost ?? 0,
    maxConcurrent: maxConcurrent ?? Infinity,
    allowance: Allowance.make(settings, Period.calendar("day", zone), {
      cooldown: Duration.toMillis(cooldown),
      spread: Pace.spreadOf(nth)
    }),
    circuit: circuit && {
      ...Circuit.defaults,
      rule: { failures: circuit.failures },
      openFor: Duration.toMillis(circuit.openFor)
    }
  }, key)
}

/** A key that comes to these. */
export const toAnother = (
  settings: Settings,
  given: Redacted.Redacted | KeyOptions.NamedKey,
  ring: Ring.Ring
): Either.Either<Slot.Slot, InvalidOptions.InvalidOptions> =>
  Either.flatMap(toSlot(settings, given, ring.count() + 1), (slot) => {
    const same = ring.slots.find(({ key }) => Redacted.value(key) === Redacted.value(slot.key))
    return same !== undefined
      ? Either.left(invalid("keys", `${slot.id} is the same key as ${same.id}`))
      : ring.find(slot.id) !== undefined
      ? Either.left(invalid("keys", `two keys have the name "${slot.id}"`))
      : Either.right(slot)
  })

/** The keys of a new pool, each of them once. */
export const toSlots = (
  settings: Settings,
  keys: KeyOptions.Options["keys"],
  defaults: { readonly [name: string]: KeyOptions.KeyOptions } = {}
): Either.Either<ReadonlyArray<Slot.Slot>, InvalidOptions.InvalidOptions> =>
  Either.flatMap(Either.all(keys.map((given, index) => toSlot(settings, given, index + 1, defaults))), (all) => {
    const slots = KeyVariables.distinct(all)
    const ids = slots.map(({ id }) => id)
    const twice = ids.find((id, index) => ids.indexOf(id) < index)
    return slots.length === 0
      ? Either.left(invalid("keys", "must hold a key"))
      : twice !== undefined
      ? Either.left(invalid("keys", `two keys have the name "${twice}"`))
      : Either.right(slots)
  })
