/**
 * Keys in use: what is told of an attempt, and what that means for its key.
 */
import * as Duration from "effect/Duration"
import * as Option from "effect/Option"
import type * as Completion from "../Completion.js"
import * as LlmError from "../LlmError.js"
import * as Circuit from "./circuit.js"
import * as Allowance from "./keyAllowance.js"
import * as Asked from "./keyAsked.js"
import * as Latency from "./keyLatency.js"
import type * as KeyLease from "./keyLease.js"
import * as Pace from "./keyPace.js"
import * as Refusal from "./keyRefusal.js"
import * as Sends from "./keySends.js"
import * as Slot from "./keySlot.js"

/** What keys are judged by. Times are milliseconds. */
export interface Settings {
  readonly cooldown: number
  readonly quotaCooldown: number
  readonly faultCooldown: number
  readonly pacing: boolean
  /** Whether a 429 to one model says nothing of the others. */
  readonly modelsApart: boolean
  /** What an answer costs, in micro-dollars, if that is known. */
  readonly price: ((model: string, usage: Completion.Usage, now: number) => number | undefined) | undefined
}

/** The pool around it. */
export interface Pool {
  /** The keys that would do: all of them, or the one of this name. */
  readonly candidates: (id: string | undefined) => ReadonlyArray<Slot.Slot>
  /** A key has come free. */
  readonly released: () => void
}

/** Makes leases. */
export interface Leasing {
  /** A key that was found to be ready, for what is asked. */
  readonly lease: (slot: Slot.Slot, asked: Asked.Asked, now: number) => KeyLease.Lease
}

/** A key in use. */
interface Use {
  readonly slot: Slot.Slot
  readonly asked: Asked.Asked
  /** When it began. */
  readonly since: number
  readonly generation: number
  readonly turn: number
  /** Which use of the key it is. */
  readonly number: number
  readonly tokens: number
  reservation: Allowance.Reservation | undefined
  ticket: Circuit.Ticket | undefined
  microDollars: number
  hasAnswered: boolean
  isReleased: boolean
}

export const make = (settings: Settings, pool: Pool): Leasing => {
  let turns = 0

  const lease = (slot: Slot.Slot, asked: Asked.Asked, now: number): KeyLease.Lease => {
    const use = begin(slot, asked, ++turns, now)
    return {
      key: slot.key,
      id: slot.id,
      answered: () => answered(use, timeOf(use)),
      succeeded: (usage) => succeeded(use, usage),
      failed: (error) => failed(use, error),
      observed: (limits) => observed(use, limits),
      spent: (microDollars) => spent(use, microDollars),
      release: () => {
        if (!end(use)) return
        if (use.ticket !== undefined) judge(use, "GivenUp", timeOf(use))
        pool.released()
      },
      cancel: () => {
        if (!end(use)) return
        undo(use)
        pool.released()
      }
    }
  }

  const succeeded = (use: Use, usage: Completion.Usage): void => {
    const { asked, generation, slot } = use
    const now = timeOf(use)
    answered(use, now)
    judge(use, "Success", now)
    Slot.succeeded(slot, usage)
    const cost = settings.price?.(asked.model, usage, now)
    if (cost !== undefined) spent(use, cost)
    if (use.reservation !== undefined && generation === slot.generation) {
      Allowance.settle(use.reservation, (usage.inputTokens ?? 0) + (usage.outputTokens ?? 0))
    }
    use.reservation = undefined
  }

  const failed = (use: Use, error: LlmError.LlmError): LlmError.LlmError => {
    const { asked, generation, reservation, since, slot } = use
    const now = timeOf(use)
    if (LlmError.isBackendFault(error)) {
      Latency.note(slot.latency, Math.max(now - since, longAnswer), now)
      judge(use, "Failure", now, error)
    } else judge(use, "Refusal", now)
    Slot.failed(slot, error._tag)
    if (generation === slot.generation) {
      if (error._tag === "RateLimited" && reservation !== undefined) Allowance.giveBack(reservation, now)
      blame(slot, asked, error, since, now)
    }
    use.reservation = undefined
    return Refusal.rewrite(error, () => readyIn(asked, now), () => isAnotherWell(slot, asked, now))
  }

  const observed = (use: Use, limits: KeyLease.Limits): void => {
    const { asked, generation, number, slot, tokens, turn } = use
    if (generation !== slot.generation) return
    slot.remaining = toRemaining(limits)
    if (!settings.pacing) return
    // what was sent later may not have been counted yet
    const later = Math.max(0, Math.min(slot.requests - number, slot.inFlight - 1))
    const underWay = { requests: later, tokens: later === 0 ? 0 : slot.reserved - tokens }
    Allowance.observe(slot.allowance, asked.scope, limits, turn, underWay, timeOf(use))
  }

  /** Holds an error against the key that had it. */
  const blame = (
    slot: Slot.Slot,
    { model, scope }: Asked.Asked,
    error: LlmError.LlmError,
    sentAt: number,
    now: number
  ): void => {
    switch (error._tag) {
      case "RateLimited": {
        const { cooldown, modelsApart, pacing } = settings
        const said = error.retryAfter && toWait(error.retryAfter)
        Sends.forget(slot.sends, sentAt)
        const isPaced = pacing && (Pace.letThrough(slot.sends, sentAt) > 0 || Allowance.isPaced(slot.allowance, scope))
        if (pacing) Allowance.refused(slot.allowance, scope, slot.sends, sentAt, now, said)
        if (said === undefined && isPaced) return
        return Slot.cool(slot, modelsApart ? model : undefined, now + (said ?? cooldown), now)
      }
      case "QuotaExhausted":
        return Slot.exhaust(slot, now + (error.retryAfter ? toWait(error.retryAfter) : settings.quotaCooldown))
      case "AuthenticationFailed":
        slot.retired = true
        return
      default:
        if (LlmError.isBackendFault(error)) Slot.rest(slot, error._tag, now + settings.faultCooldown)
    }
  }

  const readyIn = (asked: Asked.Asked, now: number): number => {
    let at = Infinity
    for (const slot of pool.candidates(asked.id)) at = Math.min(at, Asked.readyAt(asked, slot, now))
    return Asked.waitUntil(at, now)
  }

  const isAnotherWell = (slot: Slot.Slot, asked: Asked.Asked, now: number): boolean =>
    Slot.restsFor(slot, now) > 0 && asked.id === undefined && pool.candidates(undefined).some((other) =>
      other !== slot && Slot.restsFor(other, now) === 0 && Asked.readyAt(asked, other, now) <= now
    )

  return { lease }
}

// -----------------------------------------------------------------------------
// from its beginning to its end
// -----------------------------------------------------------------------------

const begin = (slot: Slot.Slot, asked: Asked.Asked, turn: number, now: number): Use => {
  const tokens = Asked.tokens(asked, slot)
  const use: Use = {
    slot,
    asked,
    since: now,
    generation: slot.generation,
    turn,
    number: ++slot.requests,
    tokens,
    reservation: Allowance.isLimited(slot.allowance)
      ? Allowance.take(slot.allowance, asked.scope, tokens, now)
      : undefined,
    ticket: undefined,
    microDollars: 0,
    hasAnswered: false,
    isReleased: false
  }
  if (slot.state !== undefined && slot.circuit !== undefined) {
    ;[use.ticket, slot.state] = Circuit.admit(slot.state, now, slot.circuit)
  }
  Sends.note(slot.sends, now)
  slot.turn = turn
  slot.inFlight++
  slot.reserved += tokens
  slot.lastUsed = now
  return use
}

/** Whether it had not ended before. */
const end = (use: Use): boolean => {
  if (use.isReleased) return false
  use.isReleased = true
  use.slot.inFlight--
  use.slot.reserved -= use.tokens
  return true
}

const undo = (use: Use): void => {
  const { generation, reservation, since, slot } = use
  slot.requests--
  Sends.forget(slot.sends, since)
  judge(use, "Neutral", since)
  if (reservation !== undefined && generation === slot.generation) Allowance.undo(reservation, since, timeOf(use))
}

const timeOf = ({ asked }: Use): number => asked.clock.unsafeCurrentTimeMillis()

const answered = (use: Use, now: number): void => {
  if (!use.hasAnswered) Latency.note(use.slot.latency, now - use.since, now)
  use.hasAnswered = true
}

const spent = (use: Use, microDollars: number): void => {
  Slot.spent(use.slot, microDollars - use.microDollars)
  use.microDollars = microDollars
}

const judge = (use: Use, outcome: Circuit.Outcome, now: number, error?: LlmError.LlmError): void => {
  const { since, slot, ticket } = use
  if (ticket === undefined || slot.state === undefined || slot.circuit === undefined) return
  const fault = error === undefined ? Option.none() : Option.some({ error: error._tag, message: error.message })
  slot.state = Circuit.record(slot.state, ticket, outcome, now - since, now, slot.circuit, fault)
  use.ticket = undefined
}

// what an attempt that failed counts for among answers, however soon it did
const longAnswer = 30_000

/** In milliseconds; a wait that no clock can count must not become none at all. */
export const toWait = (duration: Duration.Duration): number => Math.min(Duration.toMillis(duration), Asked.longestWait)

const toRemaining = ({ requests, tokens }: KeyLease.Limits): Slot.Slot["remaining"] =>
  requests?.remaining === undefined && tokens?.remaining === undefined ? undefined : {
    ...(requests?.remaining !== undefined && { requests: requests.remaining }),
    ...(tokens?.remaining !== undefined && { tokens: tokens.remaining })
  }
