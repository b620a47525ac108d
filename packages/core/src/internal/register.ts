/**
 * Who is there: since when, and by which name. Every step takes the same time, however many there are.
 */

/** One who is there. */
export interface Guest<Self> {
  /** What it is called by; several may have the same name. */
  readonly id: string | undefined
  /** When it came. */
  readonly since: number
  /** Who came before and after it; the register's own. */
  older: Self | undefined
  younger: Self | undefined
}

export interface Register<A> {
  readonly size: () => number
  /** Those with this name. */
  readonly named: (id: string) => Iterable<A>
  /** Who has been there longest. */
  readonly oldest: () => A | undefined
  readonly add: (guest: A) => void
  /** Strikes out one who is there. */
  readonly remove: (guest: A) => void
}

/** Nobody is there. */
export const make = <A extends Guest<A>>(): Register<A> => {
  const names = new Map<string, Set<A>>()
  let size = 0
  let oldest: A | undefined
  let youngest: A | undefined
  return {
    size: () => size,
    named: (id) => names.get(id) ?? [],
    oldest: () => oldest,
    add(guest) {
      size++
      guest.older = youngest
      if (youngest === undefined) oldest = guest
      else youngest.younger = guest
      youngest = guest
      if (guest.id === undefined) return
      const namesakes = names.get(guest.id)
      if (namesakes === undefined) names.set(guest.id, new Set([guest]))
      else namesakes.add(guest)
    },
    remove(guest) {
      size--
      const { older, younger } = guest
      if (older === undefined) oldest = younger
      else older.younger = younger
      if (younger === undefined) youngest = older
      else younger.older = older
      guest.older = guest.younger = undefined
      if (guest.id === undefined) return
      const namesakes = names.get(guest.id)!
      namesakes.delete(guest)
      if (namesakes.size === 0) names.delete(guest.id)
    }
  }
}
