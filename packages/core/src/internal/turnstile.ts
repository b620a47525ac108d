/**
 * Who goes through at once, who waits, and who is sent away: what a queue decides, in synchronous steps.
 */
import * as Duration from "effect/Duration"
import type * as LlmError from "../LlmError.js"
import type * as Monitor from "../Monitor.js"
import type * as Policy from "../Policy.js"
import * as Allowance from "./allowance.js"
import * as Deadline from "./deadline.js"
import * as Fairness from "./fairness.js"
import * as Pace from "./pace.js"
import * as QueueCounts from "./queueCounts.js"
import type * as QueueOptions from "./queueOptions.js"
import * as QueueRefusals from "./queueRefusals.js"
import * as WaitingRoom from "./waitingRoom.js"

/** What is told to one who waits: that it may go, or why not. */
export type Answer = (refusal?: LlmError.LlmError) => void

/** One who waits. */
export interface Waiter extends WaitingRoom.Waiter<Waiter>, Fairness.Payer {
  readonly answer: Answer
  /** When it is to be given up. */
  readonly until: number
}

/** What it does with newcomers and with those who wait. */
const modes = {
  open: { goes: true, refusal: undefined },
  paused: { goes: false, refusal: undefined },
  draining: { goes: true, refusal: "draining" },
  shut: { goes: false, refusal: "shut" }
} as const

/** The turnstile of a queue. */
export interface Turnstile {
  /** Lets a newcomer through if it can go at once. A call that is let through gives its place back by itself. */
  readonly pass: (call: Policy.Call) => boolean
  /** Answers a newcomer, or lets it wait for its answer. */
  readonly come: (call: Policy.Call, answer: Answer) => Waiter | undefined
  /** Gives up one whose time is over. */
  readonly giveUp: (waiter: Waiter) => void
  /** Forgets one whose caller has gone away; whether it waited still. */
  readonly withdraw: (waiter: Waiter) => boolean
  /** Whether any waits by this name; all who do have this level from now on. */
  readonly boost: (id: string, level: number) => boolean
  readonly setCapacity: (capacity: number) => void
  readonly setConcurrency: (concurrency: number) => void
  /** Once it is shut it remains so. */
  readonly turn: (to: keyof typeof modes) => void
  readonly mode: () => keyof typeof modes
  readonly waiting: () => number
  readonly inFlight: () => number
  readonly read: (at: number) => Monitor.Queue
}

/** Open, and nobody there. `idle` hears each time that nobody is there any more. */
export const make = (settings: QueueOptions.Settings, now: () => number, idle: () => void): Turnstile => {
  const { backend, fairness, maxWait, overflow, tenantCapacity = Infinity } = settings
  const longest = Duration.toMillis(maxWait)
  const ageing = Duration.toMillis(settings.ageing)
  const room = WaitingRoom.make<Waiter>({
    quantumOf: Fairness.quantumOf(fairness),
    costOf: Fairness.costOf(fairness),
    displaces: overflow === "displace"
  })
  const counts = QueueCounts.make(now())
  const pace = Pace.make()
  const lateness = Allowance.make(settings.lateShare)
  let { capacity, concurrency } = settings
  let mode: keyof typeof modes = "open"
  let inFlight = 0
  let arrivals = 0

  // ---------------------------------------------------------------------------
  // places
  // ---------------------------------------------------------------------------

  const admit = (call: Policy.Call, waited: number) => {
    inFlight++
    counts.admitted(waited)
    call.held.add(end)
  }

  const end = () => {
    const at = now()
    inFlight--
    counts.ended(at)
    pace.ended(at)
    advance(at)
  }

  /** Lets in as many of those who wait as there are places. */
  const advance = (at: number) => {
    while (inFlight < concurrency && modes[mode].goes) {
      const waiter = room.first(at)
      if (waiter === undefined) break
      if (waiter.until <= at) {
        room.remove(waiter, at)
        sendAway(waiter, overdue(waiter, at))
      } else {
        room.next(at)
        admit(waiter.call, at - waiter.since)
        waiter.answer()
      }
    }
    if (room.size() > 0) return
    pace.stop()
    if (inFlight === 0) idle()
  }

  // ---------------------------------------------------------------------------
  // refusals
  // ---------------------------------------------------------------------------

  const refusal = (reason: Monitor.QueueRefusal, call: Policy.Call) =>
    QueueRefusals.errors[reason](call, {
      backend,
      maxWait,
      ...(reason === "tenant-full"
        ? { capacity: tenantCapacity, waiting: room.sizeOf(call.tenant) }
        : { capacity, waiting: room.size() }),
      retryAfter: pace.expect(room.size() + 1)
    })

  /** Tells one who is out of the room why. */
  const sendAway = (waiter: Waiter, reason: Monitor.QueueRefusal) => {
    counts.abandoned(reason)
    waiter.answer(refusal(reason, waiter.call))
  }

  const overdue = ({ call, until }: Waiter, at: number) =>
    deadlineOf(call) <= Math.max(at, until) ? "expired" : "waited-too-long"

  const isLate = (call: Policy.Call, at: number) => {
    const deadline = deadlineOf(call)
    if (deadline === Infinity) return false
    const ahead = room.ahead(call.tenant, call.priority, dueOf(call), at)
    return at + pace.wait(ahead, at) > deadline && lateness.take(arrivals)
  }

  /** Who has to go if the call comes in. */
  const displacedBy = (call: Policy.Call, at: number) => {
    if (room.size() < capacity) return undefined
    const waiter = room.leastUrgent(at)
    return waiter !== undefined && waiter.level > call.priority ? waiter : undefined
  }

  // who comes back for a further attempt is no newcomer
  const closedTo = (call: Policy.Call) => {
    const { refusal } = modes[mode]
    return refusal === "draining" && call.attempt > 1 ? undefined : refusal
  }

  /** Why the call must not wait. */
  const objection = (call: Policy.Call, at: number, displaced: Waiter | undefined) => {
    if (deadlineOf(call) <= at) return "expired"
    const closed = closedTo(call)
    if (closed !== undefined) return closed
    if (room.size() >= capacity && displaced === undefined) return "full"
    if (room.sizeOf(call.tenant) >= tenantCapacity) return "tenant-full"
    return isLate(call, at) ? "late" : undefined
  }

  // ---------------------------------------------------------------------------
  // newcomers
  // ---------------------------------------------------------------------------

  // a further attempt keeps its seniority
  const arrive = ({ arrival }: Policy.Call, at: number) => {
    if (arrival.since !== undefined) return
    arrival.since = at
    arrival.sequence = arrivals++
  }

  const dueOf = (call: Policy.Call) => Math.min(deadlineOf(call), call.arrival.since! + longest)
  const patienceOf = (call: Policy.Call, level: number) => call.arrival.since! + ageing * (1 + level)

  const pass = (call: Policy.Call) => {
    // a place is free only while nobody waits: whoever waited would have been handed it
    if (inFlight >= concurrency || !modes[mode].goes || closedTo(call) !== undefined) return false
    const at = now()
    if (deadlineOf(call) <= at) return false
    arrive(call, at)
    admit(call, 0)
    return true
  }

  const wait = (call: Policy.Call, at: number, answer: Answer): Waiter => {
    const waiter: Waiter = {
      call,
      answer,
      tenant: call.tenant,
      id: call.id._tag === "Some" ? call.id.value : undefined,
      since: at,
      sequence: call.arrival.sequence,
      due: dueOf(call),
      until: Math.min(deadlineOf(call), at + longest),
      level: call.priority,
      patience: patienceOf(call, call.priority),
      cost: undefined,
      standing: undefined,
      older: undefined,
      younger: undefined
    }
    room.add(waiter)
    if (modes[mode].goes) pace.start(at)
    return waiter
  }

  return {
    pass,
    come(call, answer) {
      if (pass(call)) {
        answer()
        return undefined
      }
      const at = now()
      arrive(call, at)
      const displaced = displacedBy(call, at)
      const reason = objection(call, at, displaced)
      if (reason !== undefined) {
        counts.refused(reason)
        answer(refusal(reason, call))
        return undefined
      }
      if (displaced !== undefined) room.remove(displaced, at)
      const waiter = wait(call, at, answer)
      if (displaced !== undefined) sendAway(displaced, "displaced")
      return waiter
    },
    giveUp(waiter) {
      const at = now()
      room.remove(waiter, at)
      sendAway(waiter, overdue(waiter, at))
      advance(at)
    },
    withdraw(waiter) {
      const at = now()
      if (!room.remove(waiter, at)) return false
      counts.abandoned()
      advance(at)
      return true
    },
    boost(id, level) {
      const at = now()
      let isHere = false
      for (const waiter of room.named(id)) {
        room.move(waiter, level, patienceOf(waiter.call, level), at)
        isHere = true
      }
      return isHere
    },
    setCapacity(value) {
      capacity = value
    },
    setConcurrency(value) {
      pace.quicken(value / concurrency)
      concurrency = value
      advance(now())
    },
    turn(to) {
      if (mode === "shut") return
      const at = now()
      mode = to
      pace.stop()
      if (modes[to].goes) pace.start(at)
      while (mode === "shut") {
        const waiter = room.next(at)
        if (waiter === undefined) break
        sendAway(waiter, "shut")
      }
      advance(at)
    },
    mode: () => mode,
    waiting: room.size,
    inFlight: () => inFlight,
    read: (at) => ({
      mode,
      capacity,
      concurrency,
      waiting: room.size(),
      inFlight,
      oldestWaitMillis: room.size() === 0 ? 0 : Math.max(at - room.oldest(), 0),
      ...counts.read(at)
    })
  }
}

const deadlineOf = ({ deadline }: Policy.Call) => Deadline.toMillis(deadline)
