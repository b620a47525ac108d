/**
 * Calls that are under way for several callers: whoever asks for the same joins, whoever goes leaves the others to it,
 * and with the last of them it is given up.
 */
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as FiberId from "effect/FiberId"
import * as Caller from "./caller.js"

/** A call under way: its members are those who wait for it, or read it. */
export interface Shared<Member, Work> {
  readonly key: string
  readonly level: number
  readonly members: Set<Member>
  readonly work: Work
  readonly fiber: Fiber.RuntimeFiber<unknown>
}

/** A call that is about to be made. */
export interface Plan<Work, A, E> {
  /** What there is of it for its members. */
  readonly work: Work
  readonly effect: Effect.Effect<A, E>
  readonly ended: (exit: Exit.Exit<A, E>) => void
}

/** Calls of one operation. */
export interface SharedCalls<Member, Work, A, E> {
  /** Joins the call under way for the same key and tenant, if it is open and no less urgent; else one is made. */
  readonly enter: (
    key: string,
    caller: Caller.Caller,
    member: Member,
    plan: (members: ReadonlySet<Member>) => Plan<Work, A, E>
  ) => Shared<Member, Work>
  /** Goes. With the last who does, the call is given up, which may be waited for. */
  readonly leave: (shared: Shared<Member, Work>, member: Member) => Effect.Effect<void>
}

export const make = <Member, Work, A, E>(
  counts: { made: number; joined: number },
  isOpen: (work: Work) => boolean
): SharedCalls<Member, Work, A, E> => {
  const calls = new Map<string, Shared<Member, Work>>()
  const close = (shared: Shared<Member, Work>) => {
    if (calls.get(shared.key) === shared) calls.delete(shared.key)
  }
  return {
    enter(content, caller, member, plan) {
      const key = JSON.stringify([caller.tenant, content])
      const there = calls.get(key)
      if (there !== undefined && there.level <= caller.level && isOpen(there.work)) {
        counts.joined++
        there.members.add(member)
        return there
      }
      counts.made++
      const members = new Set([member])
      const { effect, ended, work } = plan(members)
      const fiber = Caller.start(caller, { ...caller, deadline: Infinity }, effect)
      const made = { key, level: caller.level, members, work, fiber }
      calls.set(key, made)
      fiber.addObserver((exit) => {
        close(made)
        ended(Exit.flatten(exit))
      })
      return made
    },
    leave(shared, member) {
      if (!shared.members.delete(member) || shared.members.size > 0) return Effect.void
      // who comes now would join what is being given up
      close(shared)
      shared.fiber.unsafeInterruptAsFork(FiberId.none)
      return Effect.asVoid(Fiber.await(shared.fiber))
    }
  }
}
