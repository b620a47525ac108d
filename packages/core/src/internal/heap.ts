/**
 * A heap whose items know where they stand in it, so that any of them leaves at the cost of the first.
 *
 * @since 0.1.0
 */

/**
 * Items in an order; the first is at hand.
 *
 * @since 0.1.0
 * @category models
 */
export interface Heap<A> {
  /** Every item, the first in front, the others in no order that means anything. */
  readonly items: ReadonlyArray<A>
  readonly add: (item: A) => void
  /** Takes out an item that is in it. */
  readonly remove: (item: A) => void
}

/**
 * An empty heap. It keeps an item's standing in the item's field `at`; whoever has the item leaves that alone.
 *
 * @since 0.1.0
 * @category constructors
 */
export const make = <At extends string, A extends { [K in At]: number }>(
  at: At,
  isBefore: (self: A, that: A) => boolean
): Heap<A> => {
  const items: Array<A> = []
  const put = (item: A, index: number) => {
    items[index] = item
    // the field is At's, and At's fields are numbers
    item[at] = index as A[At]
  }
  const rise = (item: A, from: number) => {
    let index = from
    while (index > 0) {
      const parent = (index - 1) >> 1
      if (!isBefore(item, items[parent]!)) break
      put(items[parent]!, index)
      index = parent
    }
    put(item, index)
  }
  const sink = (item: A, from: number) => {
    let index = from
    while (true) {
      let child = 2 * index + 1
      if (child >= items.length) break
      if (child + 1 < items.length && isBefore(items[child + 1]!, items[child]!)) child++
      if (!isBefore(items[child]!, item)) break
      put(items[child]!, index)
      index = child
    }
    put(item, index)
  }
  return {
    items,
    add: (item) => rise(item, items.length),
    remove(item) {
      const index = item[at]
      const last = items.pop()!
      if (last === item) return
      if (index > 0 && isBefore(last, items[(index - 1) >> 1]!)) rise(last, index)
      else sink(last, index)
    }
  }
}
