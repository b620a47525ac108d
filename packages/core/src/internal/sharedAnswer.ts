/**
 * A whole answer, asked for once for all who want it while it is under way.
 */
import * as Effect from "effect/Effect"
import type { LlmError } from "../LlmError.js"
import type * as Alarms from "./alarms.js"
import * as Caller from "./caller.js"
import * as SharedCalls from "./sharedCalls.js"

/** Whose answers they are, and who is told of it. */
export interface Settings {
  readonly backend: string
  readonly alarms: Alarms.Alarms
  readonly counts: { made: number; joined: number }
}

/** What is asked: the same, where the key is the same. */
export interface Asked {
  readonly key: string
  readonly model: string
}

interface Waiter<A> {
  readonly resume: (answer: Effect.Effect<A, LlmError>) => void
  /** Rings at the caller's deadline. */
  alarm: Alarms.Alarm | undefined
}

export const make = <A>(
  { alarms, backend, counts }: Settings
): (asked: Asked, answer: Effect.Effect<A, LlmError>) => Effect.Effect<A, LlmError> => {
  const calls = SharedCalls.make<Waiter<A>, undefined, A, LlmError>(counts, () => true)
  const disarm = ({ alarm }: Waiter<A>) => {
    if (alarm !== undefined) alarms.clear(alarm)
  }
  return ({ key, model }, answer) =>
    Effect.withFiberRuntime((fiber, status) => {
      const caller = Caller.of(fiber, status)
      const { deadline } = caller
      return Effect.async<A, LlmError>((resume) => {
        if (deadline <= alarms.now()) return resume(Effect.fail(Caller.late(backend, model, "queued")))
        const waiter: Waiter<A> = { resume, alarm: undefined }
        const shared = calls.enter(key, caller, waiter, (waiters) => ({
          work: undefined,
          effect: answer,
          ended: (exit) => {
            for (const waiter of waiters) {
              disarm(waiter)
              waiter.resume(exit)
            }
          }
        }))
        const leave = () => {
          disarm(waiter)
          return calls.leave(shared, waiter)
        }
        if (deadline < Infinity) {
          waiter.alarm = alarms.set(
            deadline,
            () => resume(Effect.zipRight(leave(), Effect.fail(Caller.late(backend, model, "attempt"))))
          )
        }
        return Effect.suspend(leave)
      })
    })
}
