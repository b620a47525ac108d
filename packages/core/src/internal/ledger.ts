/**
 * Money under limits: what is spent, and what is reserved for calls under way. Every change is one synchronous step, so
 * that nobody spends what another has been promised.
 *
 * A call reserves the most it may cost, from every limit that concerns it or from none. When it has ended, what it has
 * cost takes the place of what it had reserved. Both belong to the period in which it was let in: a call over midnight
 * is paid from the day on which it began.
 *
 * Amounts are whole micro-dollars; times milliseconds since 1970.
 */
import type * as Period from "./period.js"
import * as Spent from "./spent.js"

// -----------------------------------------------------------------------------
// models
// -----------------------------------------------------------------------------

/** For how long what is spent counts: as long as the program runs, a period of the calendar, or so many milliseconds. */
export type Span =
  | { readonly _tag: "Always" }
  | { readonly _tag: "Calendar"; readonly periodOf: Period.Calendar }
  | { readonly _tag: "Rolling"; readonly millis: number }

/** Whether a limit that is reached keeps calls out. */
export interface Limit {
  readonly amount: number
  readonly span: Span
  readonly isFirm: boolean
}

/** What one of those who have a limit each has under it. */
export interface Account {
  readonly name: string
  readonly spent: Spent.Spent
  reserved: number
  /** Calls that were let in and have not been settled. */
  open: number
  /** Until when it need not be said again that the limit is reached. */
  toldUntil: number
}

/** What is reserved. Whoever has it settles it when the call has ended. */
export interface Reservation {
  readonly amount: number
  readonly at: number
  /** When it is given back, should nobody have settled it by then. */
  readonly expires: number
  readonly accounts: ReadonlyArray<Account>
  state: "reserved" | "expired" | "settled"
}

/** Why a call is not let in: limits (by their places) that have no room, and when they will (none: not by waiting). */
export interface Refusal {
  readonly _tag: "Refusal"
  readonly limits: ReadonlyArray<number>
  readonly retryAt: number | undefined
}

/** What was reserved, and what is to be said: limits that are reached, but are not firm. */
export interface Admission {
  readonly _tag: "Admission"
  readonly reservation: Reservation
  readonly reached: ReadonlyArray<number>
}

/** An account, now. */
export interface Line {
  readonly account: string
  readonly spent: number
  readonly reserved: number
}

/** Money under limits. */
export interface Ledger {
  /**
   * Reserves an amount under every limit for which there is the name of an account, or says why not. What costs nothing
   * is always let in.
   */
  readonly reserve: (
    now: number,
    names: ReadonlyArray<string | undefined>,
    amount: number,
    expires: number
  ) => Admission | Refusal
  /** Puts what was spent in the place of what was reserved, once: nothing after that changes it. */
  readonly settle: (now: number, reservation: Reservation, amount: number) => void
  /** The period of the calendar that a limit is in. */
  readonly period: (now: number, limit: number) => Period.Period | undefined
  /** Every account under a limit. */
  readonly read: (now: number, limit: number) => ReadonlyArray<Line>
  /** Adds what was spent and is not known of here. */
  readonly add: (now: number, limit: number, account: string, amount: number) => void
}

// -----------------------------------------------------------------------------
// the accounts under one limit
// -----------------------------------------------------------------------------

/** Most accounts under a limit. Whoever comes later shares one, so that nobody has more by making up names. */
const mostAccounts = 100_000
const others = "(others)"
const fewAccounts = 1_000

const makeBook = ({ span }: Limit) => {
  const accounts = new Map<string, Account>()
  let period: Period.Period | undefined
  let sweepAt = fewAccounts

  // a new period begins with nothing; calls under way keep the account of the old one
  const turn = (now: number) => {
    if (span._tag !== "Calendar" || period !== undefined && period.start <= now && now < period.end) return
    // a clock that was put back takes the period along, with what was spent in it: nobody waits for its return
    if (period === undefined || now >= period.end) accounts.clear()
    period = span.periodOf(now)
  }
  // where no period ends, who has spent nothing lately is forgotten
  const sweep = (now: number) => {
    if (accounts.size < sweepAt) return
    for (const account of accounts.values()) {
      if (account.open === 0 && account.spent.sum(now) === 0) accounts.delete(account.name)
    }
    sweepAt = Math.max(fewAccounts, 2 * accounts.size)
  }
  const enter = (name: string, now: number): Account => {
    turn(now)
    sweep(now)
    const known = accounts.get(name) ?? (accounts.size < mostAccounts ? undefined : accounts.get(others))
    if (known !== undefined) return known
    const account: Account = {
      name: accounts.size < mostAccounts ? name : others,
      spent: span._tag === "Rolling" ? Spent.passing(span.millis) : Spent.staying(),
      reserved: 0,
      open: 0,
      toldUntil: -Infinity
    }
    accounts.set(account.name, account)
    return account
  }
  return {
    enter,
    all(now: number): ReadonlyArray<Account> {
      turn(now)
      return [...accounts.values()]
    },
    period(now: number) {
      turn(now)
      return period
    },
    /** When what was said now is to be said again. */
    sayAgainAt: (now: number) => period?.end ?? (span._tag === "Rolling" ? now + span.millis : Infinity)
  }
}

// -----------------------------------------------------------------------------
// the ledger
// -----------------------------------------------------------------------------

/** Nothing spent, nothing reserved. */
export const make = (limits: ReadonlyArray<Limit>): Ledger => {
  const books = limits.map(makeBook)
  const reservations = new Set<Reservation>()
  let nextExpiry = Infinity

  const giveBack = (reservation: Reservation, state: "expired" | "settled") => {
    if (reservation.state === "reserved") {
      reservations.delete(reservation)
      for (const account of reservation.accounts) account.reserved -= reservation.amount
    }
    reservation.state = state
  }

  const expire = (now: number) => {
    if (now < nextExpiry) return
    nextExpiry = Infinity
    for (const reservation of reservations) {
      if (reservation.expires <= now) giveBack(reservation, "expired")
      else nextExpiry = Math.min(nextExpiry, reservation.expires)
    }
  }

  // when time brings room; what is reserved is not waited for, since it may be given back at any moment
  const roomAt = (limit: number, { spent }: Account, amount: number, now: number): number | undefined => {
    const most = limits[limit]!.amount
    const missing = spent.sum(now) + amount - most
    return missing <= 0 || amount > most ? undefined : books[limit]!.period(now)?.end ?? spent.goneAt(missing, now)
  }

  return {
    reserve(now, names, amount, expires) {
      expire(now)
      const entered = names.map((name, limit) => name === undefined ? undefined : books[limit]!.enter(name, now))
      const hasRoom = (account: Account | undefined, limit: number) =>
        account === undefined || amount === 0 || account.spent.sum(now) + account.reserved + amount <= limits[limit]!.amount
      const full = limits.flatMap((_, limit) => hasRoom(entered[limit], limit) ? [] : [limit])
      const firm = full.filter((limit) => limits[limit]!.isFirm)
      if (firm.length > 0) {
        const times = firm.map((limit) => roomAt(limit, entered[limit]!, amount, now) ?? Infinity)
        const last = Math.max(...times)
        return { _tag: "Refusal", limits: firm, retryAt: last === Infinity ? undefined : last }
      }
      const reached = full.filter((limit) => entered[limit]!.toldUntil <= now)
      for (const limit of reached) entered[limit]!.toldUntil = books[limit]!.sayAgainAt(now)
      const accounts = entered.filter((account) => account !== undefined)
      for (const account of accounts) {
        account.reserved += amount
        account.open++
      }
      const reservation: Reservation = { amount, at: now, expires, accounts, state: "reserved" }
      reservations.add(reservation)
      nextExpiry = Math.min(nextExpiry, expires)
      return { _tag: "Admission", reservation, reached }
    },
    settle(now, reservation, amount) {
      expire(now)
      if (reservation.state === "settled") return
      giveBack(reservation, "settled")
      for (const account of reservation.accounts) {
        account.spent.add(amount, Math.min(reservation.at, now))
        account.open--
      }
    },
    period: (now, limit) => books[limit]!.period(now),
    read(now, limit) {
      expire(now)
      return books[limit]!.all(now).map(({ name, reserved, spent }) => ({ account: name, spent: spent.sum(now), reserved }))
    },
    add: (now, limit, account, amount) => books[limit]!.enter(account, now).spent.add(amount, now)
  }
}
