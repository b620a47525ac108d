/**
 * Those who wait for something that can be had at once or not at all, in order of arrival. An answer is never lost: who
 * is interrupted in the very moment in which it comes gives it back.
 */
import * as Effect from "effect/Effect"

/** Those who wait for an `Answer`, each asking by an `Asked`. */
export interface Waiters<Asked, Answer> {
  readonly size: () => number
  /** Waits for its turn and the answer; to be started when there is no answer now. */
  readonly wait: (asked: Asked) => Effect.Effect<Answer>
  /** Gives whoever can be answered now an answer, the first come first. */
  readonly serve: () => void
}

export const make = <Asked, Answer>(
  /** The answer, if there is one now. */
  take: (asked: Asked) => Answer | undefined,
  giveBack: (answer: Answer) => void
): Waiters<Asked, Answer> => {
  interface Waiter {
    readonly asked: Asked
    answered: (answer: Answer) => void
  }
  const waiting = new Set<Waiter>()

  const serve = (): void => {
    for (const waiter of waiting) {
      const answer = take(waiter.asked)
      if (answer === undefined) continue
      waiting.delete(waiter)
      waiter.answered(answer)
    }
  }

  const wait = (asked: Asked): Effect.Effect<Answer> =>
    Effect.uninterruptible(Effect.suspend(() => {
      let answer: Answer | undefined
      const waiter: Waiter = {
        asked,
        answered: (given) => {
          answer = given
        }
      }
      waiting.add(waiter)
      serve()
      return Effect.onInterrupt(
        Effect.interruptible(Effect.async<Answer>((resume) => {
          if (answer !== undefined) resume(Effect.succeed(answer))
          waiter.answered = (given) => {
            answer = given
            resume(Effect.succeed(given))
          }
        })),
        () =>
          Effect.sync(() => {
            waiting.delete(waiter)
            if (answer !== undefined) giveBack(answer)
          })
      )
    }))

  return { size: () => waiting.size, wait, serve }
}
