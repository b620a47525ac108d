/**
 * Several attempts of one call at once, each in a fiber of its own and holding its own: what the first to succeed holds
 * becomes the call's, and the others are interrupted.
 */
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as FiberId from "effect/FiberId"
import * as Option from "effect/Option"
import * as Held from "../Held.js"
import type { LlmError } from "../LlmError.js"
import type * as Policy from "../Policy.js"
import type * as Alarms from "./alarms.js"
import * as Child from "./child.js"
import * as Deadline from "./deadline.js"
import * as Hedge from "./hedge.js"
import type * as HedgeDelay from "./hedgeDelay.js"

/** When attempts are begun beside the first. */
export interface Settings {
  readonly alarms: Alarms.Alarms
  readonly delays: HedgeDelay.Delays
  /** Most attempts beside the first. */
  readonly maxExtra: number
  /** Takes what one more costs out of the budget, if it is there. */
  readonly mayPay: (now: number) => boolean
  readonly counts: { begun: number; won: number; lost: number; refused: number }
}

const place = Symbol.for("@spillway/core/Hedging/place")

interface Attempt extends Policy.Call {
  readonly [place]: () => void
}

const isAttempt = (call: Policy.Call): call is Attempt => place in call

/** The attempt waits no more: its time begins. */
export const hasItsPlace = (call: Policy.Call): void => {
  if (isAttempt(call)) call[place]()
}

/** Goes the rest of the way with a call, more than once if need be. */
export type Race = <A, R>(way: Policy.Next<A, R>, call: Policy.Call) => Effect.Effect<A, LlmError, R>

export const make = ({ alarms, counts, delays, maxExtra, mayPay }: Settings): Race => <A, R>(
  way: Policy.Next<A, R>,
  call: Policy.Call
) =>
  Effect.withFiberRuntime<A, LlmError, R>((parent, status) => {
    const runtime = Child.runtimeOf<R>(parent, status)
    const deadline = Deadline.toMillis(call.deadline)
    return Effect.async<A, LlmError>((resume) => {
      const underWay = new Map<Held.Held, Fiber.RuntimeFiber<unknown>>()
      let race = Hedge.initial
      let isOver = false
      let winner: Held.Held | undefined
      let alarm: Alarms.Alarm | undefined
      let firstPlaced: number | undefined

      const begin = () => {
        const isFirst = race.begun === 0
        const held = Held.make()
        race = Hedge.begin(race)
        disarm()
        if (!isFirst) counts.begun++
        const attempt: Attempt = { ...(isFirst ? call : another(call)), held, [place]: () => started(isFirst) }
        const fiber = Child.start(runtime, Effect.onExit(way(attempt), (exit) => settle(exit, held)), true)
        underWay.set(held, fiber)
        fiber.addObserver((exit) => {
          underWay.delete(held)
          if (!isFirst) counts[winner === held ? "won" : "lost"]++
          ended(Exit.flatten(exit), held, isFirst)
        })
      }

      const started = (isFirst: boolean) => {
        const now = alarms.now()
        if (isFirst) firstPlaced = now
        const time = now + delays.of(call)
        disarm()
        if (!isOver && time < deadline && Hedge.mayBegin(race, maxExtra)) alarm = alarms.set(time, () => decide("begin"))
      }

      const disarm = () => {
        if (alarm !== undefined) alarms.clear(alarm)
        alarm = undefined
      }

      /** Begins another attempt, if it may be; what to do if not. */
      const extra = (): Hedge.Decision => {
        const now = alarms.now()
        if (now < deadline && Hedge.mayBegin(race, maxExtra)) {
          if (mayPay(now)) {
            begin()
            return "wait"
          }
          counts.refused++
        }
        const [refused, decision] = Hedge.refuse(race)
        race = refused
        return decision
      }

      const decide = (decision: Hedge.Decision): void => {
        if (decision === "begin") return decide(extra())
        if (decision === "fail") end(Exit.fail(race.reason!))
      }

      // within the attempt's own fiber, so that who is interrupted later finds it decided
      const settle = (exit: Exit.Exit<A, LlmError>, held: Held.Held): Effect.Effect<void> => {
        if (Exit.isFailure(exit)) return held.close(exit)
        if (isOver) return held.close(Exit.void)
        winner = held
        stop()
        if (firstPlaced !== undefined) delays.answered(call, alarms.now() - firstPlaced)
        held.moveTo(call.held)
        return Effect.void
      }

      const ended = (exit: Exit.Exit<A, LlmError>, held: Held.Held, isFirst: boolean) => {
        if (winner === held) return resume(exit)
        if (isOver) return
        const error = Exit.isFailure(exit) ? Option.getOrUndefined(Cause.failureOption(exit.cause)) : undefined
        if (error === undefined) return end(exit)
        const [left, decision] = Hedge.fail(race, error, isFirst, maxExtra)
        race = left
        decide(decision)
      }

      const end = (exit: Exit.Exit<A, LlmError>) => {
        stop()
        resume(exit)
      }

      /** Nothing more is begun, and what is under way is given up but for the winner. */
      const stop = () => {
        isOver = true
        disarm()
        for (const [held, fiber] of underWay) {
          if (held !== winner) fiber.unsafeInterruptAsFork(FiberId.none)
        }
      }

      begin()
      return Effect.suspend(() => {
        stop()
        return Fiber.interruptAll(underWay.values())
      })
    })
  })

// a try of its own in the eyes of the queue, and none after another
const another = ({ previous: _, ...call }: Policy.Call): Policy.Call => ({
  ...call,
  arrival: { since: undefined, sequence: 0 }
})
