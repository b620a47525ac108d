/**
 * What is kept for a while: by key, within a number of entries and of bytes; what was used the longest ago goes first.
 */

/** What is kept, and how much of it there is. */
export interface Store<A> {
  /** What was put under the key less than the time to live ago. */
  readonly get: (key: string, now: number) => A | undefined
  /** Keeps it, unless it alone is more than there is room for; what it replaces is gone in any case. */
  readonly put: (key: string, value: A, bytes: number, now: number) => void
  readonly entries: () => number
  readonly bytes: () => number
  /** How many have gone before their time, to make room. */
  readonly evicted: () => number
}

interface Entry<A> {
  readonly value: A
  readonly bytes: number
  readonly since: number
}

export const make = <A>(bounds: {
  readonly timeToLive: number
  readonly maxEntries: number
  readonly maxBytes: number
}): Store<A> => {
  // a map is in the order of its keys' coming: who is used comes anew
  const entries = new Map<string, Entry<A>>()
  let bytes = 0
  let evicted = 0
  const remove = (key: string, entry: Entry<A>) => {
    entries.delete(key)
    bytes -= entry.bytes
  }
  // by a clock that was put back nothing was ever put in the future
  const isFresh = ({ since }: Entry<A>, now: number) => since <= now && now < since + bounds.timeToLive
  return {
    get(key, now) {
      const entry = entries.get(key)
      if (entry === undefined) return undefined
      entries.delete(key)
      if (!isFresh(entry, now)) {
        bytes -= entry.bytes
        return undefined
      }
      entries.set(key, entry)
      return entry.value
    },
    put(key, value, size, now) {
      const before = entries.get(key)
      if (before !== undefined) remove(key, before)
      const total = size + key.length * 2
      if (total > bounds.maxBytes) return
      entries.set(key, { value, bytes: total, since: now })
      bytes += total
      for (const [oldest, entry] of entries) {
        if (entries.size <= bounds.maxEntries && bytes <= bounds.maxBytes) return
        remove(oldest, entry)
        if (isFresh(entry, now)) evicted++
      }
    },
    entries: () => entries.size,
    bytes: () => bytes,
    evicted: () => evicted
  }
}

/** About how many bytes of memory plain data takes. */
export const sizeOf = (value: unknown): number => {
  switch (typeof value) {
    case "string":
      return 16 + value.length * 2
    case "object":
      break
    default:
      return 8
  }
  if (value === null) return 8
  if (ArrayBuffer.isView(value)) return 16 + value.byteLength
  let size = 16
  for (const item of Array.isArray(value) ? value : Object.values(value)) size += 8 + sizeOf(item)
  return size
}
