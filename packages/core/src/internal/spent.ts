/**
 * An amount that adds up, and either stays or goes again when its time is over.
 */

/** Times are in milliseconds since 1970. */
export interface Spent {
  /** Adds what belongs to a moment, which may have gone already, but is none to come. */
  readonly add: (amount: number, at: number) => void
  readonly sum: (now: number) => number
  /** When so much of it will have gone; none if it never will. */
  readonly goneAt: (amount: number, now: number) => number | undefined
}

/** What stays. */
export const staying = (): Spent => {
  let sum = 0
  return {
    add(amount) {
      sum += amount
    },
    sum: () => sum,
    goneAt: () => undefined
  }
}

const slots = 60

/**
 * What goes after so many milliseconds. It is kept in sixty slots and one, and goes a slot at a time: never too early,
 * and up to a sixtieth of the time too late (a slot is of whole milliseconds).
 */
export const passing = (millis: number): Spent => {
  const width = Math.ceil(millis / slots)
  const size = slots + 1
  const amounts = new Float64Array(size)
  const numbers = new Float64Array(size).fill(-Infinity)
  let newest = -Infinity
  const isHere = (slot: number, now: number) => Math.floor(now / width) - numbers[slot]! < size
  const put = (number: number, amount: number) => {
    const slot = number % size
    if (numbers[slot]! > number) return
    if (numbers[slot]! < number) {
      numbers[slot] = number
      amounts[slot] = 0
    }
    amounts[slot]! += amount
    newest = Math.max(newest, number)
  }
  // a clock that is put back takes all of it along, or what is spent from now on would be taken for long gone
  const follow = (now: number) => {
    const ahead = newest - Math.floor(now / width) - 1
    if (ahead <= 0) return
    const kept = Array.from(numbers, (number, slot) => [number - ahead, amounts[slot]!] as const)
    numbers.fill(-Infinity)
    newest = -Infinity
    for (const [number, amount] of kept) if (number >= 0) put(number, amount)
  }
  return {
    add: (amount, at) => put(Math.floor(at / width), amount),
    sum(now) {
      follow(now)
      return amounts.reduce((sum, amount, slot) => isHere(slot, now) ? sum + amount : sum, 0)
    },
    goneAt(amount, now) {
      follow(now)
      const oldestFirst = Array.from(numbers.keys()).filter((slot) => isHere(slot, now)).sort((a, b) => numbers[a]! - numbers[b]!)
      let left = amount
      const last = oldestFirst.find((slot) => (left -= amounts[slot]!) <= 0)
      return last === undefined ? undefined : (numbers[last]! + size) * width
    }
  }
}
