/**
 * Which of the keys that may be used now is taken.
 */
import type * as Utils from "effect/Utils"
import * as Allowance from "./keyAllowance.js"
import * as Latency from "./keyLatency.js"
import type * as Slot from "./keySlot.js"

/**
 * Which of the keys that are ready is taken:
 *
 * - `round-robin`: the one that has waited longest for its turn.
 * - `least-loaded`: the one with the fewest attempts under way.
 * - `failover`: the first in the order in which they were given.
 * - `weighted`: each in proportion to its `weight`, evenly interleaved.
 * - `lowest-latency`: of two picked at random, the one that would answer sooner: by how long its answers have lately
 *   taken, times those under way. One that was slow is tried again after a while.
 * - `most-headroom`: the one that has most left of what limits it, as a share: by the backend's headers, and by what is
 *   set of it or has been learned.
 * - `lowest-cost`: the one whose `cost` is the least; among equals, the one that has cost the least so far.
 *
 * Among equals it goes by turns.
 *
 * @since 0.1.0
 * @category models
 */
export type Strategy =
  | "round-robin"
  | "least-loaded"
  | "failover"
  | "weighted"
  | "lowest-latency"
  | "most-headroom"
  | "lowest-cost"

/** Takes one of those that may be used: the first `count` of the slots, of which there are at least two. */
export type Choose = (slots: ReadonlyArray<Slot.Slot>, count: number, model: string, now: number) => Slot.Slot

/** How each strategy chooses; `random` is the pool's own. */
export const strategies: { readonly [S in Strategy]: (random: Utils.PCGRandom) => Choose } = {
  "round-robin": () => least((a, b) => a.turn - b.turn),
  "least-loaded": () => least((a, b) => a.inFlight - b.inFlight || a.turn - b.turn),
  failover: () => (slots) => slots[0]!,
  weighted: () => weighted,
  "lowest-latency": (random) => (slots, count, _, now) => {
    const one = random.integer(count)
    const other = (one + 1 + random.integer(count - 1)) % count
    return load(slots[other]!, now) < load(slots[one]!, now) ? slots[other]! : slots[one]!
  },
  "most-headroom": () => (slots, count, model, now) => {
    let best = slots[0]!
    let most = Allowance.headroom(best.allowance, model, now)
    for (let i = 1; i < count; i++) {
      const slot = slots[i]!
      const room = Allowance.headroom(slot.allowance, model, now)
      if (room > most || room === most && slot.turn < best.turn) [best, most] = [slot, room]
    }
    return best
  },
  "lowest-cost": () => least((a, b) => a.cost - b.cost || a.microDollars - b.microDollars || a.turn - b.turn)
}

/** The names of all of them. */
export const names = Object.keys(strategies) as [Strategy, ...Array<Strategy>] // what the table's type says

const least = (order: (a: Slot.Slot, b: Slot.Slot) => number): Choose => (slots, count) => {
  let best = slots[0]!
  for (let i = 1; i < count; i++) {
    if (order(slots[i]!, best) < 0) best = slots[i]!
  }
  return best
}

// each gains its weight, and who is taken pays what all have gained: the smooth weighted round robin
const weighted: Choose = (slots, count) => {
  let total = 0
  let best = slots[0]!
  for (let i = 0; i < count; i++) {
    const slot = slots[i]!
    total += slot.weight
    slot.credit += slot.weight
    if (slot.credit > best.credit) best = slot
  }
  best.credit -= total
  return best
}

// of one of which nothing is known yet, one answer is waited for
const unknown = 1e9

const load = ({ inFlight, latency }: Slot.Slot, now: number): number => {
  const cost = Latency.read(latency, now)
  return cost === 0 && inFlight > 0 ? unknown + inFlight : cost * (inFlight + 1)
}
