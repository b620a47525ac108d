/**
 * Counts what failed by the address it came from: the first few go, and who goes on has to wait, twice as long each
 * time. Synchronous; `now` is the `Clock`'s time in milliseconds.
 *
 * Memory is bounded: the addresses that failed longest ago are forgotten first.
 *
 * @since 0.1.0
 */

/**
 * What failed, by address.
 *
 * @since 0.1.0
 * @category models
 */
export interface FailedAttempts {
  /** Counts one more of an address; how many milliseconds it is to wait, 0 where it need not. */
  readonly add: (address: string, now: number) => number
  /** How many addresses are known. */
  readonly size: () => number
}

/**
 * How many failures go in a row before one has to wait.
 *
 * @since 0.1.0
 * @category limits
 */
export const free = 10

/**
 * The longest wait, in milliseconds; who has not failed for as long begins anew.
 *
 * @since 0.1.0
 * @category limits
 */
export const longestWait = 60_000

/**
 * How many addresses are remembered.
 *
 * @since 0.1.0
 * @category limits
 */
export const most = 10_000

/**
 * None yet.
 *
 * @since 0.1.0
 * @category constructors
 */
export const make = (): FailedAttempts => {
  // in the order of their last failures
  const known = new Map<string, { readonly count: number; readonly at: number }>()
  return {
    add: (address, now) => {
      const who = networkOf(address)
      const before = known.get(who)
      const count = before === undefined || now - before.at >= longestWait ? 1 : before.count + 1
      known.delete(who)
      known.set(who, { count, at: now })
      if (known.size > most) known.delete(known.keys().next().value!)
      return count <= free ? 0 : Math.min(1000 * 2 ** (count - free - 1), longestWait)
    },
    size: () => known.size
  }
}

// who has one address of IPv6 has the 2^64 around it
const networkOf = (address: string): string => {
  const bare = address.replace(/^::ffff:/i, "")
  if (!bare.includes(":")) return bare
  const [head = "", tail = ""] = bare.split("::", 2)
  const groups = [head, tail].map((part) => part === "" ? [] : part.split(":"))
  const zeros = Array.from({ length: Math.max(0, 8 - groups.flat().length) }, () => "0")
  return (bare.includes("::") ? [...groups[0]!, ...zeros, ...groups[1]!] : groups[0]!).slice(0, 4).join(":")
}
