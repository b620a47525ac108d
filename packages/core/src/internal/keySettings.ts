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
import * as KeyOptions from "./keyOptions.js"
import * as Pace from "./keyPace.js"
import type * as Ring from "./keyRing.js"
import * as Slot from "./keySlot.js"
import * as KeyVariables from "./keyVariables.js"
import * as Period from "./period.js"

const ofPool = Schema.Struct({ backend: InvalidOptions.name, ...KeyOptions.Options.fields })

/** What is set of a pool. */
export type Settings = typeof ofPool.Type

/** What is set of a pool, defaults filled in. */
export const read: (
  options: Omit<KeyOptions.Options, "keys">
) => Either.Either<Settings, InvalidOptions.InvalidOptions> = InvalidOptions.validate("KeyPool", ofPool)

const readKey = InvalidOptions.validate("KeyPool", KeyOptions.KeyOptions)

/** An option that cannot be meant. */
export const invalid = (field: string, problem: string): InvalidOptions.InvalidOptions =>
  new InvalidOptions.InvalidOptions({ module: "KeyPool", field, message: `KeyPool.${field}: ${problem}` })

/** A key as it comes into a pool, the nth of all that ever did. */
export const toSlot = (
  settings: Settings,
  given: Redacted.Redacted | KeyOptions.NamedKey,
  nth: number,
  defaults: KeyOptions.OfKeys = {}
): Either.Either<Slot.Slot, InvalidOptions.InvalidOptions> => {
  const { key, name: known = `key-${nth}`, ...its } = Redacted.isRedacted(given) ? { key: given } : given
  const { name = known, ...own } = { ...(Object.hasOwn(defaults, known) && defaults[known]), ...its }
  // a program without types may hand over a bare text, and no message may repeat it
  if (!Redacted.isRedacted(key)) return Either.left(invalid("keys", `${name} must be Redacted`))
  const problem = KeyVariables.problem(Redacted.value(key))
  if (problem !== undefined) return Either.left(invalid("keys", `${name} ${problem}`))
  return Either.mapBoth(readKey(own), {
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
  defaults: KeyOptions.OfKeys = {}
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
