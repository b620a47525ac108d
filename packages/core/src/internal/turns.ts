/**
 * Whose turn it is of those who wait.
 *
 * As long as all have patience it is the turn of the most urgent level, and at that level it goes round between the
 * tenants. As long as somebody has none, it goes round between all tenants, at whatever levels theirs wait: otherwise a
 * tenant with so many that they lose their patience would for that reason go before all others. Of one tenant, whoever
 * ran out of patience first goes first, then the most urgent level, and within a level whoever is due first; at the
 * same moment whoever came first.
 */
import * as Heap from "./heap.js"
import * as Rounds from "./rounds.js"

/** One who waits. */
export interface Waiter {
  readonly tenant: string
  /** Who came before has the smaller, also within a millisecond. */
  readonly sequence: number
  /** When it would have to be given up. */
  readonly due: number
  /** From 0 (most urgent) on. */
  readonly level: number
  /** When its patience ends. */
  readonly patience: number
}

/** One who has somebody waiting. */
interface Tenant<A> extends Rounds.Flow<Tenant<A>> {
  readonly name: string
  /** Absent as long as none ever was. */
  impatient: Heap.Heap<A> | undefined
  readonly lines: Heap.Heap<Line<A>>
  size: number
}

/** Those of a tenant at a level. */
interface Line<A> extends Rounds.Flow<Line<A>> {
  readonly level: Level<A>
  readonly items: Heap.Heap<A>
  /** Among the lines of the tenant. */
  spot: Heap.Place<Line<A>> | undefined
}

interface Level<A> {
  readonly value: number
  readonly lines: Map<Tenant<A>, Line<A>>
  readonly ring: Rounds.Ring<Line<A>>
  size: number
  /** Among the levels. */
  spot: Heap.Place<Level<A>> | undefined
}

/** Where somebody waits. */
export interface Spot<A> {
  readonly tenant: Tenant<A>
  /** Absent where the patience has ended. */
  readonly line: Line<A> | undefined
  readonly place: Heap.Place<A>
}

/** By how much a tenant's credit grows each time it is visited, and what one who waits costs of that. */
export interface Prices<A> {
  readonly quantumOf: (tenant: string) => number
  /** Asked only where there are turns to take. */
  readonly costOf: (waiter: A) => number
}

/** The turns of those who wait. */
export interface Turns<A> {
  /** How many of a tenant's wait. */
  readonly sizeOf: (tenant: string) => number
  readonly enter: (waiter: A, isPatient: boolean) => Spot<A>
  /** Gives one who waits the spot that it has by its level and its patience now. */
  readonly move: (waiter: A, spot: Spot<A>, isPatient: boolean) => Spot<A>
  readonly leave: (spot: Spot<A>) => void
  /** The one whose turn it is. */
  readonly first: () => A | undefined
  /** Has that one pay for its turn, after which it is to leave. */
  readonly pay: () => void
  /** About how many would go before one who came now, rather too few than too many. */
  readonly ahead: (tenant: string, level: number, due: number) => number
}

/** Nobody waits. */
export const make = <A extends Waiter>({ costOf, quantumOf }: Prices<A>): Turns<A> => {
  const tenants = new Map<string, Tenant<A>>()
  const everybody = Rounds.makeRing<Tenant<A>>()
  const levels = new Map<number, Level<A>>()
  const byUrgency = Heap.make<Level<A>>()
  let impatient = 0

  const nextOf = ({ impatient, lines }: Tenant<A>) =>
    (impatient && Heap.first(impatient)) ?? Heap.first(Heap.first(lines)!.items)!
  const betweenTenants = Rounds.make<Tenant<A>>((tenant) => costOf(nextOf(tenant)), ({ size }) => size)
  const betweenLines = Rounds.make<Line<A>>(
    ({ items }) => costOf(Heap.first(items)!),
    ({ items }) => Heap.size(items)
  )

  const makeTenant = (name: string): Tenant<A> => ({
    name,
    impatient: undefined,
    lines: Heap.make(),
    size: 0,
    quantum: quantumOf(name),
    place: undefined,
    number: 0,
    credit: 0,
    lastVisit: 0
  })

  const makeLine = (level: Level<A>, quantum: number): Line<A> => ({
    level,
    items: Heap.make(),
    spot: undefined,
    quantum,
    place: undefined,
    number: 0,
    credit: 0,
    lastVisit: 0
  })

  const levelOf = (value: number) => {
    let level = levels.get(value)
    if (level === undefined) {
      level = { value, lines: new Map(), ring: Rounds.makeRing(), size: 0, spot: undefined }
      level.spot = Heap.add(byUrgency, level, value)
      levels.set(value, level)
    }
    return level
  }

  const enterLine = (tenant: Tenant<A>, waiter: A): Spot<A> => {
    const { due, sequence } = waiter
    const level = levelOf(waiter.level)
    const known = level.lines.get(tenant)
    const line = known ?? makeLine(level, tenant.quantum)
    const place = Heap.add(line.items, waiter, due, sequence)
    level.size++
    if (known === undefined) {
      line.spot = Heap.add(tenant.lines, line, level.value)
      level.lines.set(tenant, line)
      betweenLines.join(level.ring, line)
    } else betweenLines.change(level.ring, line)
    return { tenant, line, place }
  }

  const leaveLine = (tenant: Tenant<A>, line: Line<A>, place: Heap.Place<A>) => {
    const { items, level } = line
    Heap.remove(items, place)
    level.size--
    if (Heap.size(items) > 0) return betweenLines.change(level.ring, line)
    betweenLines.leave(level.ring, line)
    Heap.remove(tenant.lines, line.spot!)
    level.lines.delete(tenant)
    if (level.size > 0) return
    Heap.remove(byUrgency, level.spot!)
    levels.delete(level.value)
  }

  const sit = (tenant: Tenant<A>, waiter: A, isPatient: boolean): Spot<A> => {
    if (isPatient) return enterLine(tenant, waiter)
    impatient++
    tenant.impatient ??= Heap.make()
    return { tenant, line: undefined, place: Heap.add(tenant.impatient, waiter, waiter.patience, waiter.sequence) }
  }

  const stand = ({ line, place, tenant }: Spot<A>) => {
    if (line !== undefined) return leaveLine(tenant, line, place)
    impatient--
    Heap.remove(tenant.impatient!, place)
  }

  return {
    sizeOf: (name) => tenants.get(name)?.size ?? 0,
    enter(waiter, isPatient) {
      const known = tenants.get(waiter.tenant)
      const tenant = known ?? makeTenant(waiter.tenant)
      const spot = sit(tenant, waiter, isPatient)
      tenant.size++
      if (known === undefined) {
        tenants.set(tenant.name, tenant)
        betweenTenants.join(everybody, tenant)
      } else betweenTenants.change(everybody, tenant)
      return spot
    },
    move(waiter, spot, isPatient) {
      stand(spot)
      const moved = sit(spot.tenant, waiter, isPatient)
      betweenTenants.change(everybody, spot.tenant)
      return moved
    },
    leave(spot) {
      const { tenant } = spot
      stand(spot)
      tenant.size--
      if (tenant.size > 0) return betweenTenants.change(everybody, tenant)
      betweenTenants.leave(everybody, tenant)
      tenants.delete(tenant.name)
    },
    first() {
      if (impatient > 0) return nextOf(betweenTenants.first(everybody)!)
      const level = Heap.first(byUrgency)
      return level && Heap.first(betweenLines.first(level.ring)!.items)
    },
    pay() {
      if (impatient > 0) betweenTenants.pay(everybody)
      else betweenLines.pay(Heap.first(byUrgency)!.ring)
    },
    ahead(name, value, due) {
      const tenant = tenants.get(name)
      const level = levels.get(value)
      const line = tenant && level?.lines.get(tenant)
      const beside = line === undefined ? 0 : Heap.sum(line.items.keys, (other) => other <= due ? 1 : 0)
      if (impatient > 0) {
        if (tenant === undefined) return 0
        const above = Heap.sum(tenant.lines.places, ({ item }) =>
          item.level.value < value ? Heap.size(item.items) : 0)
        const own = (tenant.impatient === undefined ? 0 : Heap.size(tenant.impatient)) + above + beside
        return own + betweenTenants.others(everybody, tenant, own)
      }
      const above = Heap.sum(byUrgency.places, ({ item }) => item.value < value ? item.size : 0)
      return above + beside + (line === undefined ? 0 : betweenLines.others(line.level.ring, line, beside))
    }
  }
}
