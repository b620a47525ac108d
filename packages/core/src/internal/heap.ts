/**
 * Items in the order of a key, those with the same key in the order of a second: the first is at hand, and each knows
 * where it stands, so that any of them leaves at the cost of the first.
 *
 * What a heap of many costs is looking up memory. So a parent has four children, and the keys lie beside the items.
 */

/** Items in order. */
export interface Heap<A> {
  /** Every item, the first in front, the others in no order that means anything. */
  places: Array<Place<A>>
  /** The key of each. */
  keys: Array<number>
  ties: Array<number>
}

/** Where an item stands. */
export interface Place<A> {
  readonly item: A
  at: number
}

export const make = <A>(): Heap<A> => ({ places: [], keys: [], ties: [] })

export const first = <A>(heap: Heap<A>): A | undefined => heap.places[0]?.item

export const size = <A>(heap: Heap<A>): number => heap.places.length

/** Whether it stands there still. */
export const has = <A>(heap: Heap<A>, place: Place<A>): boolean => heap.places[place.at] === place

export const add = <A>(heap: Heap<A>, item: A, key: number, tie = 0): Place<A> => {
  const place = { item, at: heap.places.length }
  if (place.at > 0) rise(heap, place, key, tie)
  else {
    // an array that grows from nothing takes room for many, and many heaps are of one
    heap.places = [place]
    heap.keys = [key]
    heap.ties = [tie]
  }
  return place
}

/** Takes out one that stands there. */
export const remove = <A>(heap: Heap<A>, place: Place<A>): void => {
  const last = heap.places.pop()!
  const key = heap.keys.pop()!
  const tie = heap.ties.pop()!
  if (last === place) return
  last.at = place.at
  settle(heap, last, key, tie)
}

/** Gives one that stands there another key. */
export const change = <A>(heap: Heap<A>, place: Place<A>, key: number, tie: number): void => settle(heap, place, key, tie)

/** The sum of a number that each of them has; of very many only some are looked at, and it is about that. */
export const sum = <A>(all: ReadonlyArray<A>, of: (one: A) => number): number => {
  const step = Math.max(all.length / most, 1)
  let sum = 0
  for (let at = 0; at < all.length; at += step) sum += of(all[Math.floor(at)]!)
  return sum * step
}
const most = 128

const settle = <A>(heap: Heap<A>, place: Place<A>, key: number, tie: number) => {
  if (place.at > 0 && isBefore(heap, parentOf(place.at), key, tie)) rise(heap, place, key, tie)
  else sink(heap, place, key, tie)
}

const rise = <A>(heap: Heap<A>, place: Place<A>, key: number, tie: number) => {
  let at = place.at
  while (at > 0) {
    const parent = parentOf(at)
    if (!isBefore(heap, parent, key, tie)) break
    move(heap, parent, at)
    at = parent
  }
  put(heap, place, key, tie, at)
}

const sink = <A>(heap: Heap<A>, place: Place<A>, key: number, tie: number) => {
  const { keys, ties } = heap
  let at = place.at
  while (true) {
    let child = 4 * at + 1
    const end = Math.min(child + 4, keys.length)
    if (child >= end) break
    for (let other = child + 1; other < end; other++) {
      if (isBefore(heap, child, keys[other]!, ties[other]!)) child = other
    }
    if (isBefore(heap, child, key, tie)) break
    move(heap, child, at)
    at = child
  }
  put(heap, place, key, tie, at)
}

const parentOf = (at: number) => (at - 1) >> 2

/** Whether what has the key comes before what stands there. */
const isBefore = ({ keys, ties }: Heap<unknown>, at: number, key: number, tie: number) =>
  key < keys[at]! || (key === keys[at]! && tie < ties[at]!)

const put = <A>({ keys, places, ties }: Heap<A>, place: Place<A>, key: number, tie: number, at: number) => {
  places[at] = place
  keys[at] = key
  ties[at] = tie
  place.at = at
}

const move = <A>(heap: Heap<A>, from: number, to: number) =>
  put(heap, heap.places[from]!, heap.keys[from]!, heap.ties[from]!, to)
