/**
 * Turns between tenants: weighted deficit round robin (Shreedhar and Varghese, "Efficient Fair Queueing Using Deficit
 * Round Robin", 1995).
 *
 * Everyone who has something waiting is visited once a round, in the order in which they came. A visit adds a quantum
 * to the tenant's credit, and as long as that pays for the next item it goes. What is left is kept for the next round,
 * or lost where nothing more waits. So over any time in which two tenants have something waiting, what they get
 * differs, by weight, by no more than a quantum and the dearest item of each.
 *
 * No visit is made in which nothing would go: of everyone it is known in which round the next item can be paid, and the
 * first of them is at hand. Who is alone is not counted, and then no item is asked what it costs.
 */
import * as Heap from "./heap.js"

/** Those who take turns. */
export interface Ring<A> {
  readonly tenants: Map<string, Heap.Place<Tenant<A>>>
  /** By the round in which they can pay. */
  readonly order: Heap.Heap<Tenant<A>>
  /** How many items wait. */
  size: number
  /** The round that is under way, and how many are not to be visited in it any more. */
  round: number
  visited: number
  /** How many have come. */
  came: number
}

/** One who has something waiting. */
export interface Tenant<A> {
  readonly name: string
  readonly items: Heap.Heap<A>
  readonly quantum: number
  /** How many came before; the place in a round. */
  readonly number: number
  /** What was left after the last visit, and in which round that was. */
  credit: number
  lastVisit: number
}

/** The rules of the turns. */
export interface Rounds<A> {
  /** Of one tenant's items the smallest key goes first. */
  readonly add: (ring: Ring<A>, tenant: string, item: A, key: number, tie: number) => Heap.Place<A>
  readonly remove: (ring: Ring<A>, tenant: string, place: Heap.Place<A>) => void
  /** The one whose turn it is. */
  readonly first: (ring: Ring<A>) => A | undefined
  /** Takes out that one, which pays for it. */
  readonly take: (ring: Ring<A>) => A | undefined
  /** About how many of those who wait would go before one who came now, rather too few than too many. */
  readonly ahead: (ring: Ring<A>, tenant: string, key: number) => number
}

export const makeRing = <A>(): Ring<A> => ({ tenants: new Map(), order: Heap.make(), size: 0, round: 0, visited: 0, came: 0 })

/** Turns by what a tenant's credit grows in a round, and what an item costs. */
export const make = <A>(quantumOf: (tenant: string) => number, costOf: (item: A) => number): Rounds<A> => {
  const costOfNext = ({ items }: Tenant<A>) => costOf(Heap.first(items)!)

  const schedule = ({ order, round }: Ring<A>, place: Heap.Place<Tenant<A>>) => {
    const tenant = place.item
    if (Heap.size(order) === 1) return
    const visits = Math.ceil(Math.max(costOfNext(tenant) - tenant.credit, 0) / tenant.quantum)
    Heap.change(order, place, Math.max(tenant.lastVisit + visits, round), tenant.number)
  }

  const join = (ring: Ring<A>, name: string, item: A, key: number, tie: number) => {
    const items = Heap.of(item, key, tie)
    const number = ring.came++
    // the last to be visited: in this round if all the others are still to be visited in it, else in the next
    const lastVisit = ring.visited > 0 ? ring.round : ring.round - 1
    const tenant = { name, items, quantum: quantumOf(name), number, credit: 0, lastVisit }
    if (lastVisit === ring.round) ring.visited++
    const place = Heap.add(ring.order, tenant, ring.round, number)
    ring.tenants.set(name, place)
    // the first to come was not counted while it was alone
    if (Heap.size(ring.order) === 2) ring.order.places.slice().forEach((place) => schedule(ring, place))
    else schedule(ring, place)
    return items.places[0]!
  }

  const remove = (ring: Ring<A>, name: string, place: Heap.Place<A>) => {
    const tenant = ring.tenants.get(name)!
    const { items } = tenant.item
    const wasNext = place === items.places[0]
    Heap.remove(items, place)
    ring.size--
    if (Heap.size(items) === 0) {
      ring.tenants.delete(name)
      Heap.remove(ring.order, tenant)
      if (tenant.item.lastVisit === ring.round) ring.visited--
    } else if (wasNext) schedule(ring, tenant)
  }

  return {
    add(ring, name, item, key, tie) {
      ring.size++
      const tenant = ring.tenants.get(name)
      if (tenant === undefined) return join(ring, name, item, key, tie)
      const place = Heap.add(tenant.item.items, item, key, tie)
      if (place.at === 0) schedule(ring, tenant)
      return place
    },
    remove,
    first(ring) {
      const tenant = Heap.first(ring.order)
      return tenant === undefined ? undefined : Heap.first(tenant.items)
    },
    take(ring) {
      const tenant = Heap.first(ring.order)
      if (tenant === undefined) return undefined
      const next = tenant.items.places[0]!
      if (Heap.size(ring.order) === 1) {
        tenant.credit = 0
      } else {
        const round = ring.order.keys[0]!
        tenant.credit += (round - tenant.lastVisit) * tenant.quantum - costOf(next.item)
        if (round > ring.round) {
          ring.round = round
          ring.visited = 0
        }
      }
      if (tenant.lastVisit < ring.round) {
        tenant.lastVisit = ring.round
        ring.visited++
      }
      remove(ring, tenant.name, next)
      return next.item
    },
    ahead(ring, name, key) {
      const tenant = ring.tenants.get(name)?.item
      if (tenant === undefined) return 0
      const own = Heap.sum(tenant.items.keys, (other) => other <= key ? 1 : 0)
      if (ring.tenants.size === 1) return own
      const rounds = own * costOfNext(tenant) / tenant.quantum
      return own + Heap.sum(ring.order.places, ({ item }) =>
        item === tenant ? 0 : Math.min(Heap.size(item.items), rounds * item.quantum / costOfNext(item)))
    }
  }
}
