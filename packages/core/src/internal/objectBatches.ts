/**
 * What has no end in one exchange: listings, and the removal of any number of keys.
 */
import * as Chunk from "effect/Chunk"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import * as LlmError from "../LlmError.js"
import type * as ObjectBackend from "../ObjectBackend.js"
import type * as Objects from "../Objects.js"

/** Every item, page after page; a page is asked for when the one before has been read. */
export const pages = <A>(
  page: (from: ObjectBackend.Cursor | undefined) => Effect.Effect<ObjectBackend.Page<A>, LlmError.LlmError>
): Stream.Stream<A, LlmError.LlmError> =>
  Stream.paginateChunkEffect(Option.none<ObjectBackend.Cursor>(), (from) =>
    Effect.map(page(Option.getOrUndefined(from)), ({ items, next }) => [
      Chunk.fromIterable(items),
      next === undefined ? Option.none() : Option.some(Option.some(next))
    ]))

const batch = 1000

/** Removes keys in batches, one after the other. */
export const removeMany = (
  { backend, exchanges }: ObjectBackend.Definition,
  bucket: string,
  keys: ReadonlyArray<string>
): Effect.Effect<ReadonlyArray<Objects.Deleted>, LlmError.LlmError> =>
  Effect.suspend(() => {
    const became = new Map<string, Objects.Deleted>()
    const distinct = [...new Set(keys)]
    const batches = Array.from(
      { length: Math.ceil(distinct.length / batch) },
      (_, index) => distinct.slice(index * batch, (index + 1) * batch)
    )
    const removed = Effect.forEach(batches, (keys, index) =>
      Effect.flatMap(Effect.either(exchanges.removeMany(bucket, keys)), (answer) => {
        if (Either.isLeft(answer) && index === 0) return Effect.fail(answer.left)
        const told = Either.isLeft(answer) ? keys.map((key) => ({ key, error: answer.left })) : answer.right
        for (const one of told) became.set(one.key, one)
        return Effect.void
      }), { discard: true })
    return Effect.map(removed, () => keys.map((key) => became.get(key) ?? { key, error: untold(backend) }))
  })

const untold = (backend: string) =>
  new LlmError.MalformedResponse({ backend, message: `${backend} did not say what became of this key` })
