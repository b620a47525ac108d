/**
 * The keys that a pool has, which may change: those that there are now, and those that have been taken out and still
 * have attempts under way.
 */
import type * as Slot from "./keySlot.js"

/** Keys, in their order. */
export interface Ring {
  /** Those that there are now; the same array at any time. */
  readonly slots: ReadonlyArray<Slot.Slot>
  /** How many there ever were. */
  readonly count: () => number
  readonly find: (id: string) => Slot.Slot | undefined
  readonly add: (slot: Slot.Slot) => void
  readonly remove: (slot: Slot.Slot) => void
  /** Those that there are now, and those that still have attempts under way. */
  readonly all: () => ReadonlyArray<Slot.Slot>
}

export const make = (initial: ReadonlyArray<Slot.Slot>): Ring => {
  const slots = [...initial]
  let leaving: ReadonlyArray<Slot.Slot> = []
  let count = initial.length
  const stay = () => leaving = leaving.filter((slot) => slot.inFlight > 0)
  return {
    slots,
    count: () => count,
    find: (id) => slots.find((slot) => slot.id === id),
    add(slot) {
      slots.push(slot)
      count++
    },
    remove(slot) {
      slots.splice(slots.indexOf(slot), 1)
      slot.isDisabled = true
      leaving = [...stay(), slot]
    },
    all: () => leaving.length === 0 ? slots : [...slots, ...stay()]
  }
}
