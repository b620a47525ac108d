/**
 * Who waits, and whose turn it is. Every step is synchronous and takes O(log n).
 *
 * The order: whoever has waited a whole patience (it is longer at a less urgent level) goes before all who have not, and
 * those go by level. Where several tenants have someone there, they take turns (`rounds.ts`). Of one tenant, whoever ran
 * out of patience first goes first, and within a level whoever would have to be given up first; at the same moment
 * whoever came first.
 */
import * as Heap from "./heap.js"
import * as Register from "./register.js"
import * as Rounds from "./rounds.js"

/** One who waits. */
export interface Waiter<Self> extends Register.Guest<Self> {
  /** Who came before has the smaller, also within a millisecond. */
  readonly sequence: number
  /** When it would have to be given up. */
  readonly due: number
  /** From 0 (most urgent) on. */
  level: number
  /** When its patience ends. */
  patience: number
  /** Where it stands in each order; the room's own, and absent when it is not there. */
  standing: Standing<Self> | undefined
}

interface Standing<A> {
  readonly ring: Rounds.Ring<A>
  readonly turn: Heap.Place<A>
  /** Absent where it has no end, or has ended. */
  readonly patience: Heap.Place<A> | undefined
  readonly leastUrgent: Heap.Place<A> | undefined
}

/** How a room is kept. */
export interface Options<A> {
  /** By how much a tenant's credit grows each time it is visited. */
  readonly quantumOf: (tenant: string) => number
  /** What a waiter costs of that; asked only of those between whose tenants there are turns. */
  readonly costOf: (waiter: A) => number
  /** Whether anybody will ask for the least urgent. */
  readonly displaces: boolean
}

/** Those who wait. */
export interface WaitingRoom<A> extends Pick<Register.Register<A>, "size" | "sizeOf" | "named"> {
  readonly add: (waiter: A) => void
  /** Whether it waited still. */
  readonly remove: (waiter: A, now: number) => boolean
  /** Gives one who waits another level, and the patience that goes with it. */
  readonly move: (waiter: A, level: number, patience: number, now: number) => void
  /** The one whose turn it is. */
  readonly first: (now: number) => A | undefined
  /** Takes out that one; it has had its turn, which one that is removed has not. */
  readonly next: (now: number) => A | undefined
  /** Of the least urgent level the one who came last, but nobody whose patience has ended. */
  readonly leastUrgent: (now: number) => A | undefined
  /** About how many would go before one who came now, rather too few than too many. */
  readonly ahead: (tenant: string, level: number, due: number, now: number) => number
  /** Since when the oldest waits; `Infinity` when none does. */
  readonly oldest: () => number
}

/** A room where nobody waits. */
export const make = <A extends Waiter<A>>({ costOf, displaces, quantumOf }: Options<A>): WaitingRoom<A> => {
  const rounds = Rounds.make<A>(quantumOf, costOf)
  const register = Register.make<A>()
  const impatient = Rounds.makeRing<A>()
  const levels = new Map<number, Heap.Place<Rounds.Ring<A>>>()
  const byUrgency = Heap.make<Rounds.Ring<A>>()
  const byPatience = Heap.make<A>()
  const byLackOfUrgency = Heap.make<A>()

  const ringAt = (level: number): Rounds.Ring<A> => {
    let place = levels.get(level)
    if (place === undefined) {
      place = Heap.add(byUrgency, Rounds.makeRing<A>(), level)
      levels.set(level, place)
    }
    return place.item
  }

  const standAtLevel = (waiter: A) => {
    const { due, level, patience, sequence, tenant } = waiter
    const ring = ringAt(level)
    waiter.standing = {
      ring,
      turn: rounds.add(ring, tenant, waiter, due, sequence),
      patience: patience === Infinity ? undefined : Heap.add(byPatience, waiter, patience, sequence),
      leastUrgent: displaces ? Heap.add(byLackOfUrgency, waiter, -level, -sequence) : undefined
    }
  }

  const standWithImpatient = (waiter: A) => {
    const turn = rounds.add(impatient, waiter.tenant, waiter, waiter.patience, waiter.sequence)
    waiter.standing = { ring: impatient, turn, patience: undefined, leastUrgent: undefined }
  }

  const stand = (waiter: A, now: number) =>
    waiter.patience <= now ? standWithImpatient(waiter) : standAtLevel(waiter)

  /** Leaves every order; the turns already where it was its turn. */
  const leave = (waiter: A, hadItsTurn = false) => {
    const { leastUrgent, patience, ring, turn } = waiter.standing!
    waiter.standing = undefined
    if (!hadItsTurn) rounds.remove(ring, waiter.tenant, turn)
    if (patience !== undefined) Heap.remove(byPatience, patience)
    if (leastUrgent !== undefined) Heap.remove(byLackOfUrgency, leastUrgent)
    if (ring.size > 0 || ring === impatient) return
    Heap.remove(byUrgency, levels.get(waiter.level)!)
    levels.delete(waiter.level)
  }

  const age = (now: number) => {
    while (byPatience.keys[0]! <= now) {
      const waiter = Heap.first(byPatience)!
      leave(waiter)
      standWithImpatient(waiter)
    }
  }

  const mostUrgent = (now: number) => {
    age(now)
    return impatient.size > 0 ? impatient : Heap.first(byUrgency) ?? impatient
  }

  return {
    size: register.size,
    sizeOf: register.sizeOf,
    named: register.named,
    add(waiter) {
      age(waiter.since)
      register.add(waiter)
      stand(waiter, waiter.since)
    },
    remove(waiter, now) {
      if (waiter.standing === undefined) return false
      age(now)
      leave(waiter)
      register.remove(waiter)
      return true
    },
    move(waiter, level, patience, now) {
      age(now)
      leave(waiter)
      waiter.level = level
      waiter.patience = patience
      stand(waiter, now)
    },
    first: (now) => rounds.first(mostUrgent(now)),
    next(now) {
      const waiter = rounds.take(mostUrgent(now))
      if (waiter === undefined) return undefined
      leave(waiter, true)
      register.remove(waiter)
      return waiter
    },
    leastUrgent(now) {
      age(now)
      return Heap.first(byLackOfUrgency)
    },
    ahead(tenant, level, due, now) {
      age(now)
      const above = Heap.sum(byUrgency.keys, (key, at) => key < level ? byUrgency.places[at]!.item.size : 0)
      const beside = levels.get(level)
      return impatient.size + above + (beside === undefined ? 0 : rounds.ahead(beside.item, tenant, due))
    },
    oldest: () => register.oldest()?.since ?? Infinity
  }
}
