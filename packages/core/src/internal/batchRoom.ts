/**
 * Where items wait to be sent together: those of one kind in one batch, until it holds so many items, or so many tokens.
 */

/** One that waits. */
export interface Item {
  /** How much of a batch it takes: of its items, and of its tokens. */
  readonly size: number
  readonly tokens: number
}

/** What waits together. */
export interface Batch<I> {
  readonly kind: string
  /** In the order in which they came. */
  readonly items: Set<I>
  size: number
  tokens: number
}

/** A room of batches that are not full. */
export interface Room<I> {
  /**
   * Where the item is now, and which batches have left by its coming: the one that had no room for it, the one that it
   * filled.
   */
  readonly add: (kind: string, item: I) => { readonly batch: Batch<I>; readonly left: ReadonlyArray<Batch<I>> }
  /** Takes an item out of the batch it waits in, and a batch out of the room with its last item. */
  readonly remove: (batch: Batch<I>, item: I) => void
  /** Takes a batch out of the room; false when it has left before. */
  readonly take: (batch: Batch<I>) => boolean
  /** How many items wait. */
  readonly waiting: () => number
}

export const make = <I extends Item>(maxItems: number, maxTokens: number): Room<I> => {
  const batches = new Map<string, Batch<I>>()

  const isFull = ({ size, tokens }: Item) => size >= maxItems || tokens >= maxTokens
  const fits = (batch: Batch<I>, { size, tokens }: I) =>
    batch.size + size <= maxItems && batch.tokens + tokens <= maxTokens
  const open = (kind: string): Batch<I> => ({ kind, items: new Set(), size: 0, tokens: 0 })
  const put = (batch: Batch<I>, item: I) => {
    batch.items.add(item)
    batch.size += item.size
    batch.tokens += item.tokens
    return batch
  }
  const take = (batch: Batch<I>) => batches.get(batch.kind) === batch && batches.delete(batch.kind)

  return {
    add(kind, item) {
      if (isFull(item)) {
        const alone = put(open(kind), item)
        return { batch: alone, left: [alone] }
      }
      const waiting = batches.get(kind)
      const left: Array<Batch<I>> = []
      if (waiting !== undefined && !fits(waiting, item) && take(waiting)) left.push(waiting)
      const batch = put(batches.get(kind) ?? open(kind), item)
      if (isFull(batch)) {
        batches.delete(kind)
        left.push(batch)
      } else batches.set(kind, batch)
      return { batch, left }
    },
    remove(batch, item) {
      if (!batch.items.delete(item)) return
      batch.size -= item.size
      batch.tokens -= item.tokens
      if (batch.items.size === 0) take(batch)
    },
    take,
    waiting: () => Array.from(batches.values()).reduce((sum, { items }) => sum + items.size, 0)
  }
}
