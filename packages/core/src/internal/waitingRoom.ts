/**
 * Who waits: whose turn it is, whose patience has come to its end, and who would have to go first. Every step is
 * synchronous and takes O(log n).
 */
import * as Heap from "./heap.js"
import * as Register from "./register.js"
import * as Turns from "./turns.js"

/** One who waits. */
export interface Waiter<Self> extends Turns.Waiter, Register.Guest<Self> {
  level: number
  patience: number
  /** Where it stands in each order; the room's own, and absent when it is not there. */
  standing: Standing<Self> | undefined
}

interface Standing<A> {
  readonly turn: Turns.Spot<A>
  /** Absent where it has no end, or has ended. */
  readonly patience: Heap.Place<A> | undefined
  readonly leastUrgent: Heap.Place<A> | undefined
}

/** How a room is kept. */
export interface Options<A> extends Turns.Prices<A> {
  /** Whether anybody will ask for the least urgent. */
  readonly displaces: boolean
}

/** Those who wait. */
export interface WaitingRoom<A>
  extends Pick<Register.Register<A>, "size" | "named">, Pick<Turns.Turns<A>, "sizeOf">
{
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
export const make = <A extends Waiter<A>>({ displaces, ...prices }: Options<A>): WaitingRoom<A> => {
  const register = Register.make<A>()
  const turns = Turns.make<A>(prices)
  const byPatience = Heap.make<A>()
  const byLackOfUrgency = Heap.make<A>()

  const stand = (waiter: A, turn: Turns.Spot<A>) => {
    const { level, patience, sequence } = waiter
    const isPatient = turn.line !== undefined
    waiter.standing = {
      turn,
      patience: isPatient && patience < Infinity ? Heap.add(byPatience, waiter, patience, sequence) : undefined,
      leastUrgent: isPatient && displaces ? Heap.add(byLackOfUrgency, waiter, -level, -sequence) : undefined
    }
  }

  const leave = ({ leastUrgent, patience }: Standing<A>) => {
    if (patience !== undefined) Heap.remove(byPatience, patience)
    if (leastUrgent !== undefined) Heap.remove(byLackOfUrgency, leastUrgent)
  }

  const shift = (waiter: A, now: number) => {
    const standing = waiter.standing!
    leave(standing)
    stand(waiter, turns.move(waiter, standing.turn, waiter.patience > now))
  }

  // everything that is done is done as of now
  const age = (now: number) => {
    while (byPatience.keys[0]! <= now) shift(Heap.first(byPatience)!, now)
  }

  const remove = (waiter: A, standing: Standing<A>) => {
    waiter.standing = undefined
    leave(standing)
    turns.leave(standing.turn)
    register.remove(waiter)
  }

  const first = (now: number) => {
    age(now)
    return turns.first()
  }

  return {
    size: register.size,
    sizeOf: turns.sizeOf,
    named: register.named,
    add(waiter) {
      age(waiter.since)
      register.add(waiter)
      stand(waiter, turns.enter(waiter, waiter.patience > waiter.since))
    },
    remove(waiter, now) {
      if (waiter.standing === undefined) return false
      age(now)
      remove(waiter, waiter.standing)
      return true
    },
    move(waiter, level, patience, now) {
      age(now)
      waiter.level = level
      waiter.patience = patience
      shift(waiter, now)
    },
    first,
    next(now) {
      const waiter = first(now)
      if (waiter === undefined) return undefined
      turns.pay()
      remove(waiter, waiter.standing!)
      return waiter
    },
    leastUrgent(now) {
      age(now)
      return Heap.first(byLackOfUrgency)
    },
    ahead(tenant, level, due, now) {
      age(now)
      return turns.ahead(tenant, level, due)
    },
    oldest: () => register.oldest()?.since ?? Infinity
  }
}
