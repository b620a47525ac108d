/**
 * Those who wait for something that can be had at once or not at all, in order of arrival; who comes back stands where
 * his first arrival puts him. Who asks for the same stands in the same line: where the first of a line cannot be
 * answered, none behind him is. An answer is never lost: who is interrupted in the very moment in which it comes gives
 * it back.
 */
import * as Effect from "effect/Effect"
import * as Heap from "./heap.js"

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

interface Standing {
  readonly arrival: number
  readonly number: number
}

interface Waiter<Asked, Answer> extends Standing {
  readonly asked: Asked
  answered: (answer: Answer) => void
}

export const make = <Asked, Answer>(options: {
  /** What lines stand for. */
  readonly line: (asked: Asked) => string
  /** When it came, and when it came first if it has come back, in milliseconds. */
  readonly arrival: (asked: Asked) => { readonly since: number; readonly first: number | undefined }
  /** A round begins, in which who cannot be answered may keep something from those who came later. */
  readonly begin: () => void
  /** The answer, if there is one now. */
  readonly take: (asked: Asked) => Answer | undefined
  readonly giveBack: (answer: Answer) => void
}): Waiters<Asked, Answer> => {
  const { arrival, begin, giveBack, line, take } = options
  type Line = Heap.Heap<Waiter<Asked, Answer>>
  const lines = new Map<string, Line>()
  let size = 0
  let numbers = 0
  // a clock that is set back lets nobody overtake
  let newest = -Infinity
  let isServing = false
  let again = false

  const leave = (place: Heap.Place<Waiter<Asked, Answer>>): void => {
    const name = line(place.item.asked)
    const waiting = lines.get(name)
    if (waiting === undefined || !Heap.has(waiting, place)) return
    Heap.remove(waiting, place)
    size--
    if (Heap.size(waiting) === 0) lines.delete(name)
  }

  /** The first come of those who are first in their lines, where none has been found not to be answered. */
  const next = (stuck: ReadonlySet<Line>): Heap.Place<Waiter<Asked, Answer>> | undefined => {
    let first: Heap.Place<Waiter<Asked, Answer>> | undefined
    for (const waiting of lines.values()) {
      const head = stuck.has(waiting) ? undefined : waiting.places[0]
      if (head !== undefined && (first === undefined || isBefore(head.item, first.item))) first = head
    }
    return first
  }

  const round = (): void => {
    const stuck = new Set<Line>()
    begin()
    for (let place = next(stuck); place !== undefined; place = next(stuck)) {
      const { item } = place
      const answer = take(item.asked)
      if (answer === undefined) {
        stuck.add(lines.get(line(item.asked))!)
        continue
      }
      leave(place)
      item.answered(answer)
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
      const { first, since } = arrival(asked)
      newest = Math.max(newest, since)
      const waiter: Waiter<Asked, Answer> = {
        asked,
        arrival: first ?? newest,
        number: ++numbers,
        answered: (given) => {
          answer = given
        }
      }
      const name = line(asked)
      const waiting = lines.get(name) ?? Heap.make()
      lines.set(name, waiting)
      const place = Heap.add(waiting, waiter, waiter.arrival, waiter.number)
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
            leave(place)
            if (answer !== undefined) giveBack(answer)
            serve()
          })
      )
    }))

  return {
    size: () => size,
    sizeOf: (name) => lines.get(name)?.places.length ?? 0,
    *all() {
      for (const { places } of lines.values()) for (const { item } of places) yield item.asked
    },
    wait,
    serve
  }
}

const isBefore = (one: Standing, other: Standing): boolean =>
  one.arrival < other.arrival || one.arrival === other.arrival && one.number < other.number
