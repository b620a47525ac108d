/**
 * Who waits, and whose turn it is. Every step is synchronous and takes O(log n).
 *
 * The order: the most urgent level first; within a level whoever would have to be given up first; within the same
 * moment whoever came first. Against starvation, a call that has waited its whole patience (longer for a less urgent
 * level) goes before all who have not, the longest out of patience first.
 *
 * @since 0.1.0
 */
import * as Heap from "./heap.js"

/**
 * One who waits.
 *
 * @since 0.1.0
 * @category models
 */
export interface Waiter {
  /** 0 (most urgent) to 2. */
  readonly level: number
  /** When it was accepted; the one before has the smaller `sequence`, also within a millisecond. */
  readonly since: number
  readonly sequence: number
  /** When it is to be given up. */
  readonly due: number
  /** When its patience ends. */
  readonly patience: number
  /** Where it stands in each order; the room's own. */
  turnAt: number
  patienceAt: number
}

/**
 * Those who wait.
 *
 * @since 0.1.0
 * @category models
 */
export interface WaitingRoom<A extends Waiter> {
  readonly size: () => number
  readonly add: (waiter: A) => void
  /** Whether it waited still. */
  readonly remove: (waiter: A) => boolean
  /** Takes out the one whose turn it is. */
  readonly next: (now: number) => A | undefined
  /** Since when the oldest waits; `Infinity` when none does. Looks at everyone. */
  readonly oldest: () => number
}

/**
 * A room where nobody waits.
 *
 * @since 0.1.0
 * @category constructors
 */
export const make = <A extends Waiter>(): WaitingRoom<A> => {
  const turns = Heap.make<"turnAt", A>("turnAt", (self, that) =>
    self.level !== that.level
      ? self.level < that.level
      : self.due !== that.due
      ? self.due < that.due
      : self.sequence < that.sequence)
  const patiences = Heap.make<"patienceAt", A>("patienceAt", (self, that) =>
    self.patience !== that.patience ? self.patience < that.patience : self.sequence < that.sequence)
  const take = (waiter: A): A => {
    turns.remove(waiter)
    patiences.remove(waiter)
    waiter.turnAt = gone
    return waiter
  }
  return {
    size: () => turns.items.length,
    add(waiter) {
      turns.add(waiter)
      patiences.add(waiter)
    },
    remove(waiter) {
      if (waiter.turnAt === gone) return false
      take(waiter)
      return true
    },
    next(now) {
      const impatient = patiences.items[0]
      if (impatient === undefined) return undefined
      return take(impatient.patience <= now ? impatient : turns.items[0]!)
    },
    oldest: () => turns.items.reduce((oldest, { since }) => Math.min(oldest, since), Infinity)
  }
}

const gone = -1
