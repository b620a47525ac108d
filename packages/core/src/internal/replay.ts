/**
 * The parts of an answer that several read, each at his own pace and from its first part: the last so many are kept.
 */
import * as Chunk from "effect/Chunk"

/** What has come of an answer. */
export interface Replay<A> {
  /** Parts that came together; never none. */
  readonly put: (parts: Chunk.Chunk<A>) => void
  /** Whether its first part is still there. */
  readonly isWhole: () => boolean
  /** The parts at a place, none where none have come yet, or `lost` where they are there no more. */
  readonly at: (place: number) => Chunk.Chunk<A> | "lost" | undefined
}

export const make = <A>(maxParts: number): Replay<A> => {
  const kept: Array<Chunk.Chunk<A>> = []
  let first = 0
  let parts = 0
  return {
    put(chunk) {
      kept.push(chunk)
      parts += chunk.length
      while (parts > maxParts && kept.length > 1) {
        parts -= kept.shift()!.length
        first++
      }
    },
    isWhole: () => first === 0,
    at: (place) => place < first ? "lost" : kept[place - first]
  }
}
