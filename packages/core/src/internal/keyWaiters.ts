/**
 * Those who wait for something that can be had at once or not at all, in order of arrival. Who asks for the same stands
 * in the same line: where the first of a line cannot be answered, none behind him is. An answer is never lost: who is
 * interrupted in the very moment in which it comes gives it back.
 */
import * as Effect from "effect/Effect"

/** Those who wait for an `Answer`, each asking by an `Asked`. */
export interface Waiters<Asked, Answer> {
  readonly size: () => number
  /** How many stand in a line. */
  readonly sizeOf: (line: string) => number
  /** Everyone who waits. */
  readonly all: () => Iterable<Asked>
  /** Waits for its turn and the answer. */
  readonly wait: (asked: Asked) => Effect.Effect<Answer>
  /** Gives whoever can be answered now an answer, the first come first. */
  readonly serve: () => void
}

interface Waiter<Asked, Answer> {
  readonly asked: Asked
  readonly number: number
  answered: (answer: Answer) => void
}

export const make = <Asked, Answer>(options: {
  /** What lines stand for. */
  readonly line: (asked: Asked) => string
  /** A round begins, in which who cannot be answered may keep something from those who came later. */
  readonly begin: () => void
  /** The answer, if there is one now. */
  readonly take: (asked: Asked) => Answer | undefined
  readonly giveBack: (answer: Answer) => void
}): Waiters<Asked, Answer> => {
  const { begin, giveBack, line, take } = options
  const lines = new Map<string, Set<Waiter<Asked, Answer>>>()
  let size = 0
  let numbers = 0
  let isServing = false
  let again = false

  const leave = (waiter: Waiter<Asked, Answer>): void => {
    const name = line(waiter.asked)
    const waiting = lines.get(name)
    if (waiting === undefined || !waiting.delete(waiter)) return
    size--
    if (waiting.size === 0) lines.delete(name)
  }

  /** The first come of those who are first in their lines, where none has been found not to be answered. */
  const next = (stuck: ReadonlySet<Set<Waiter<Asked, Answer>>>): Waiter<Asked, Answer> | undefined => {
    let first: Waiter<Asked, Answer> | undefined
    for (const waiting of lines.values()) {
      if (stuck.has(waiting)) continue
      const [head] = waiting
      if (head !== undefined && (first === undefined || head.number < first.number)) first = head
    }
    return first
  }

  const round = (): void => {
    const stuck = new Set<Set<Waiter<Asked, Answer>>>()
    begin()
    for (let waiter = next(stuck); waiter !== undefined; waiter = next(stuck)) {
      const answer = take(waiter.asked)
      if (answer === undefined) {
        stuck.add(lines.get(line(waiter.asked))!)
        continue
      }
      leave(waiter)
      waiter.answered(answer)
    }
  }

  const serve = (): void => {
    // whoever is answered may give something back at once
    again = true
    if (isServing) return
    isServing = true
    while (again && size > 0) {
      again = false
      round()
    }
    isServing = false
  }

  const wait = (asked: Asked): Effect.Effect<Answer> =>
    Effect.uninterruptible(Effect.suspend(() => {
      let answer: Answer | undefined
      const waiter: Waiter<Asked, Answer> = {
        asked,
        number: ++numbers,
        answered: (given) => {
          answer = given
        }
      }
      const waiting = lines.get(line(asked))
      if (waiting === undefined) lines.set(line(asked), new Set([waiter]))
      else waiting.add(waiter)
      size++
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
            leave(waiter)
            if (answer !== undefined) giveBack(answer)
            serve()
          })
      )
    }))

  return {
    size: () => size,
    sizeOf: (name) => lines.get(name)?.size ?? 0,
    *all() {
      for (const waiting of lines.values()) for (const { asked } of waiting) yield asked
    },
    wait,
    serve
  }
}
