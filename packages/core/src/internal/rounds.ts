/**
 * Turns: weighted deficit round robin (Shreedhar and Varghese, "Efficient Fair Queueing Using Deficit Round Robin",
 * 1995).
 *
 * Everyone who has something waiting is visited once a round. Who comes meanwhile is visited from the next round on, and
 * before those who were there already: nobody is visited twice while he waits for his first visit. A visit adds a
 * quantum to the credit, and as long as that pays for the next item it goes. What is left is kept for the next round, or
 * lost where nothing more waits. So over any time in which two of them have something waiting, what they get differs, by
 * weight, by no more than a quantum and the dearest item of each.
 *
 * No visit is made in which nothing would go: of everyone it is known in which round the next item can be paid, and the
 * first of them is at hand. Who is alone is not counted, and then no item is asked what it costs.
 */
import * as Heap from "./heap.js"

/** Those who take turns. */
export interface Ring<F> {
  /** By the round in which they can pay. */
  readonly order: Heap.Heap<F>
  /** The round that is under way. */
  round: number
  /** What number the first had who came in this round, and what the next one has. */
  base: number
  next: number
}

/** One who takes turns in a ring; all but the quantum is the ring's own. */
export interface Flow<Self> {
  /** What a visit adds to the credit. */
  readonly quantum: number
  place: Heap.Place<Self> | undefined
  /** Within a round the smaller goes first. */
  number: number
  /** What is left after the last visit, and in which round that was. */
  credit: number
  lastVisit: number
}

/** The rules of the turns. */
export interface Rounds<F> {
  /** One who had nothing waiting has something. */
  readonly join: (ring: Ring<F>, flow: F) => void
  /** One has nothing more. */
  readonly leave: (ring: Ring<F>, flow: F) => void
  /** Another item may be the next one. */
  readonly change: (ring: Ring<F>, flow: F) => void
  /** Whose turn it is. */
  readonly first: (ring: Ring<F>) => F | undefined
  /** Takes from the one whose turn it is what its next item costs, which is to go then. */
  readonly pay: (ring: Ring<F>) => void
  /** About how many items of the others go before so many of this one have gone, rather too few than too many. */
  readonly others: (ring: Ring<F>, flow: F, items: number) => number
}

export const makeRing = <F>(): Ring<F> => ({ order: Heap.make(), round: 0, base: 0, next: 0 })

// how many may come in a round and still be visited in the order in which they came
const block = 2 ** 16

/** Turns by what the next item of each costs, and how many items it has. */
export const make = <F extends Flow<F>>(costOfNext: (flow: F) => number, sizeOf: (flow: F) => number): Rounds<F> => {
  const change = (ring: Ring<F>, flow: F) => {
    if (Heap.size(ring.order) === 1) return
    const visits = Math.ceil(Math.max(costOfNext(flow) - flow.credit, 0) / flow.quantum)
    Heap.change(ring.order, flow.place!, Math.max(flow.lastVisit + visits, ring.round), flow.number)
  }
  return {
    join(ring, flow) {
      flow.number = ring.next++
      flow.credit = 0
      flow.lastVisit = ring.round
      flow.place = Heap.add(ring.order, flow, ring.round, flow.number)
      // the first to come was not counted while it was alone
      if (Heap.size(ring.order) === 2) for (const { item } of ring.order.places.slice()) change(ring, item)
      else change(ring, flow)
    },
    leave: (ring, flow) => Heap.remove(ring.order, flow.place!),
    change,
    first: (ring) => Heap.first(ring.order),
    pay(ring) {
      const flow = Heap.first(ring.order)!
      const isAlone = Heap.size(ring.order) === 1
      const round = isAlone ? Math.max(flow.lastVisit + 1, ring.round) : ring.order.keys[0]!
      flow.credit = isAlone ? 0 : flow.credit + (round - flow.lastVisit) * flow.quantum - costOfNext(flow)
      flow.lastVisit = round
      if (round === ring.round) return
      ring.round = round
      ring.base -= block
      ring.next = ring.base
    },
    others({ order }, flow, items) {
      if (Heap.size(order) === 1) return 0
      const rounds = items * costOfNext(flow) / flow.quantum
      return Heap.sum(order.places, ({ item }) =>
        item === flow ? 0 : Math.min(sizeOf(item), rounds * item.quantum / costOfNext(item)))
    }
  }
}
