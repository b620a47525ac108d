/**
 * Where keys are handed out: one synchronous step, as long as there is a key to be had. Otherwise one waits, or is told
 * that there is nothing worth waiting for.
 */
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import type * as Fiber from "effect/Fiber"
import type * as Alarms from "./alarms.js"
import * as Arrival from "./arrival.js"
import * as Deadline from "./deadline.js"
import * as Allowance from "./keyAllowance.js"
import * as Asked from "./keyAsked.js"
import type * as KeyLease from "./keyLease.js"
import * as Leasing from "./keyLeasing.js"
import * as Refusal from "./keyRefusal.js"
import * as Slot from "./keySlot.js"
import type * as Strategy from "./keyStrategy.js"
import * as Waiters from "./keyWaiters.js"

/** What keys are handed out by. Times are milliseconds. */
export interface Settings extends Leasing.Settings {
  readonly backend: string
  /** The keys there are now. */
  readonly slots: ReadonlyArray<Slot.Slot>
  readonly choose: Strategy.Choose
  /** Longest wait for a turn, and for a key that cools. */
  readonly patience: { readonly turn: number; readonly cooling: number }
  readonly alarms: Alarms.Alarms
}

/** Where keys are handed out. */
export interface Desk {
  /** A key, by what is wanted and said in the fiber's context. */
  readonly acquire: (
    model: string,
    wanted: KeyLease.Wanted,
    fiber: Fiber.RuntimeFiber<unknown, unknown>,
    named: string | undefined
  ) => Effect.Effect<KeyLease.Lease, Refusal.Refusal>
  /** Something has changed: whoever can have a key now gets it. */
  readonly serve: () => void
  /** How many wait for a key, this one among those that would do. */
  readonly queued: (id: string) => number
}

type Answer = KeyLease.Lease | Refusal.Refusal

export const make = (settings: Settings): Desk => {
  const { alarms, backend, choose, patience, slots } = settings
  const eligible: Array<Slot.Slot> = []
  // keys that are kept for who came earlier and waits for more of them than is there
  const kept = new Set<Slot.Slot>()
  let alarm: Alarms.Alarm | undefined
  let ringsAt = Infinity

  // ---------------------------------------------------------------------------
  // now
  // ---------------------------------------------------------------------------

  const take = (asked: Asked.Asked, now: number): Answer | undefined => {
    const { id, isProbe, model } = asked
    let count = 0
    let rests = Infinity
    let isBusy = false
    for (const slot of slots) {
      if (id !== undefined && slot.id !== id || !isProbe && Slot.readyAt(slot, model, now) > now) continue
      if (slot.inFlight >= slot.maxConcurrent) isBusy = true
      else if (isProbe || !Allowance.isLimited(slot.allowance) || isAllowed(slot, asked, now)) {
        const rest = Slot.restsFor(slot, now)
        if (rest > rests) continue
        if (rest < rests) count = 0
        rests = rest
        eligible[count++] = slot
      }
    }
    if (count === 0) return hold(asked, isBusy, now)
    return leasing.lease(count === 1 ? eligible[0]! : choose(eligible, count, asked.scope, now), asked, now)
  }

  const isAllowed = (slot: Slot.Slot, asked: Asked.Asked, now: number): boolean =>
    !kept.has(slot) && Allowance.readyAt(slot.allowance, asked.scope, Asked.tokens(asked, slot), now) <= now

  const candidates = (id: string | undefined): ReadonlyArray<Slot.Slot> =>
    id === undefined ? slots : slots.filter((slot) => slot.id === id)

  /** There is no key now: either it is worth waiting, or not. */
  const hold = (asked: Asked.Asked, isBusy: boolean, now: number): Refusal.Refusal | undefined => {
    const deadline = deadlineOf(asked)
    let first: Slot.Slot | undefined
    let firstAt = Infinity
    let isWorthIt = isBusy
    for (const slot of candidates(asked.id)) {
      const at = Asked.readyAt(asked, slot, now)
      if (at < firstAt && at > now) [first, firstAt] = [slot, at]
      isWorthIt ||= at - asked.since <= patience.turn && at < deadline &&
        Slot.readyAt(slot, asked.model, now) - now <= patience.cooling
    }
    if (!isWorthIt) return refuse(asked, firstAt, now)
    if (first !== undefined) {
      ring(firstAt)
      if (Allowance.sharedReadyAt(first.allowance, Asked.tokens(asked, first), now) > now) kept.add(first)
    }
    return undefined
  }

  const refuse = (asked: Asked.Asked, at: number, now: number): Refusal.Refusal => {
    const all = candidates(asked.id)
    return all.every((slot) => Slot.isSpent(slot, now))
      ? Refusal.exhausted(backend, asked, all)
      : Refusal.cooling(backend, asked, all, Asked.waitUntil(at, now), now)
  }

  // ---------------------------------------------------------------------------
  // later
  // ---------------------------------------------------------------------------

  const waiters = Waiters.make<Asked.Asked, Answer>({
    line: Asked.line,
    arrival: (asked) => asked,
    begin: () => kept.clear(),
    take: (asked) => take(asked, asked.clock.unsafeCurrentTimeMillis()),
    giveBack: (answer) => {
      if (isLease(answer)) answer.cancel()
    }
  })

  const leasing = Leasing.make(settings, {
    candidates,
    released: () => {
      if (waiters.size() > 0) waiters.serve()
    }
  })

  const ring = (time: number): void => {
    // the clock may tell no part of a millisecond
    const at = Math.ceil(time)
    if (at >= ringsAt) return
    if (alarm !== undefined) alarms.clear(alarm)
    ringsAt = at
    alarm = alarms.set(at, () => {
      ringsAt = Infinity
      alarm = undefined
      waiters.serve()
    })
  }

  /**
   * When it is the turn of one who comes after all who ask for the same, or before them where he comes back; now, where
   * that cannot be told.
   */
  const turnOf = (asked: Asked.Asked, now: number): number => {
    let first = Infinity
    let rate = 0
    for (const slot of candidates(asked.id)) {
      const at = Asked.readyAt(asked, slot, now)
      if (at <= now) return now
      if (at === Infinity) continue
      first = Math.min(first, at)
      rate += Allowance.rate(slot.allowance, asked.scope)
    }
    const ahead = asked.first === undefined ? waiters.sizeOf(Asked.line(asked)) : 0
    return first === Infinity ? now : first + ahead / rate
  }

  const wait = (asked: Asked.Asked) => Effect.flatMap(waiters.wait(asked), toEffect)

  const acquire: Desk["acquire"] = (model, wanted, fiber, named) => {
    const clock = Context.unsafeGet(fiber.currentDefaultServices, Clock.Clock)
    const now = clock.unsafeCurrentTimeMillis()
    const asked: Asked.Asked = {
      model,
      scope: settings.modelsApart ? model : "",
      id: wanted.id ?? named,
      isProbe: wanted.probe === true,
      request: wanted.request,
      clock,
      context: fiber.currentContext,
      since: now,
      first: Context.get(fiber.currentContext, Arrival.CurrentArrival),
      estimate: undefined
    }
    if (waiters.size() > 0 && !asked.isProbe) {
      waiters.serve()
      if (waiters.size() > 0) {
        const turn = turnOf(asked, now)
        return turn - now > patience.turn || turn > now && turn >= deadlineOf(asked)
          ? refuse(asked, turn, now)
          : wait(asked)
      }
    }
    if (kept.size > 0) kept.clear()
    const answer = take(asked, now)
    return answer === undefined ? wait(asked) : toEffect(answer)
  }

  return {
    acquire,
    serve: waiters.serve,
    queued: (id) => {
      let n = 0
      for (const asked of waiters.all()) if (asked.id === undefined || asked.id === id) n++
      return n
    }
  }
}

const deadlineOf = ({ context }: Asked.Asked): number => Deadline.toMillis(Context.get(context, Deadline.CurrentDeadline))

const isLease = (answer: Answer): answer is KeyLease.Lease => "release" in answer

const toEffect = (answer: Answer): Effect.Effect<KeyLease.Lease, Refusal.Refusal> =>
  isLease(answer) ? Effect.succeed(answer) : answer
