/**
 * How the keys of a pool come and go while it runs, and how they are validated.
 */
import * as Arr from "effect/Array"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import type * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import type * as Scope from "effect/Scope"
import type * as InvalidOptions from "../InvalidOptions.js"
import type * as KeyOptions from "./keyOptions.js"
import type * as Ring from "./keyRing.js"
import * as KeySettings from "./keySettings.js"
import * as Slot from "./keySlot.js"
import * as Validation from "./keyValidation.js"
import * as KeyVariables from "./keyVariables.js"

/**
 * What may be done about the keys of a pool.
 *
 * @since 0.1.0
 * @category models
 */
export interface Keeping {
  /**
   * Takes a key back into use that was retired, disabled, out of quota or cooling, with nothing held against it; false
   * when there is no such key.
   */
  readonly revalidate: (id: string) => Effect.Effect<boolean>
  /** Puts a new key in the place of another; attempts under way end with the old one, and do not touch the new. */
  readonly replace: (id: string, key: Redacted.Redacted) => Effect.Effect<boolean, InvalidOptions.InvalidOptions>
  /** Puts one more key into the pool, and says what it is called. */
  readonly add: (
    key: Redacted.Redacted | KeyOptions.NamedKey
  ) => Effect.Effect<string, InvalidOptions.InvalidOptions>
  /** Takes a key out of the pool for good; attempts under way end with it. False when there is no such key. */
  readonly remove: (id: string) => Effect.Effect<boolean>
  /** Takes a key out of use until it is enabled; attempts under way end with it. False when there is no such key. */
  readonly disable: (id: string) => Effect.Effect<boolean>
  /** Takes a disabled key back into use, as it was. False when there is no such key. */
  readonly enable: (id: string) => Effect.Effect<boolean>
  /** Asks the backend whether it accepts a key, which is used or not accordingly; none when there is no such key. */
  readonly validate: (id: string) => Effect.Effect<Option.Option<Validation.Verdict>>
  /** The same of every key that is not disabled, several at a time. */
  readonly validateAll: Effect.Effect<ReadonlyArray<Validation.Verdict>>
  /** How that is asked, as the backend knows it; begins with what is to be validated by itself. */
  readonly validateBy: (check: Validation.Check) => Effect.Effect<void>
}

/** Keeps these keys; whoever waits is served again when something has changed. */
export const make = (
  settings: KeySettings.Settings,
  ring: Ring.Ring,
  serve: () => void,
  scope: Scope.Scope
): Keeping => {
  const { backend, canChange, revalidateEvery, validateAtStart } = settings
  let check: Validation.Check | undefined

  const change = (id: string, change: (slot: Slot.Slot) => void): Effect.Effect<boolean> =>
    Effect.sync(() => {
      const slot = ring.find(id)
      if (slot === undefined) return false
      change(slot)
      serve()
      return true
    })

  const changed = <A>(
    change: () => Either.Either<A, InvalidOptions.InvalidOptions>
  ): Effect.Effect<A, InvalidOptions.InvalidOptions> =>
    Effect.suspend(() =>
      canChange ? change() : Either.left(KeySettings.invalid("keys", `${backend} has its keys for good`))
    )

  const validated = (slots: ReadonlyArray<Slot.Slot>): Effect.Effect<ReadonlyArray<Validation.Verdict>> =>
    Effect.tap(
      Effect.forEach(slots, (slot) => Validation.validate(slot, check, backend), { concurrency: 8 }),
      () => Effect.sync(serve)
    )

  const validateAll = Effect.suspend(() => validated(ring.slots.filter((slot) => !slot.isDisabled)))

  const validateRetired = Effect.suspend(() => validated(ring.slots.filter((slot) => slot.retired && !slot.isDisabled)))

  const byItself = Effect.zipRight(
    validateAtStart ? validateAll : Effect.void,
    revalidateEvery === undefined
      ? Effect.void
      : Effect.forever(Effect.zipRight(Effect.sleep(revalidateEvery), validateRetired))
  )

  return {
    revalidate: (id) => change(id, (slot) => Slot.restore(slot)),
    replace: (id, key) =>
      Effect.flatten(changed(() => {
        const problem = KeyVariables.problem(Redacted.value(key))
        return problem === undefined
          ? Either.right(change(id, (slot) => Slot.restore(slot, key)))
          : Either.left(KeySettings.invalid("key", `the new key for ${id} ${problem}`))
      })),
    add: (key) =>
      changed(() =>
        Either.map(KeySettings.toAnother(settings, key, ring), (slot) => {
          ring.add(slot)
          serve()
          return slot.id
        })
      ),
    remove: (id) => change(id, ring.remove),
    disable: (id) =>
      change(id, (slot) => {
        slot.isDisabled = true
      }),
    enable: (id) =>
      change(id, (slot) => {
        slot.isDisabled = false
      }),
    validate: (id) =>
      Effect.suspend(() => Effect.map(validated(ring.slots.filter((slot) => slot.id === id)), Arr.head)),
    validateAll,
    validateBy: (how) =>
      Effect.suspend(() => {
        check = how
        return validateAtStart || revalidateEvery !== undefined
          ? Effect.asVoid(Effect.forkIn(Effect.interruptible(byItself), scope))
          : Effect.void
      })
  }
}
