/**
 * Reading an object to its end, though the connection may not last that long.
 */
import * as Chunk from "effect/Chunk"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import * as Bytes from "../Bytes.js"
import * as LlmError from "../LlmError.js"
import type * as ObjectBackend from "../ObjectBackend.js"
import type * as Objects from "../Objects.js"

/** The bytes of an object. What breaks off is gone on with where it stood, as long as each try brings a byte. */
export const stream = (
  { backend, exchanges }: ObjectBackend.Definition,
  at: Objects.Location,
  range: Objects.Range | undefined
): Stream.Stream<Uint8Array, LlmError.LlmError> => {
  const open = (range: Objects.Range | undefined, known: Objects.Info | undefined) =>
    Stream.unwrapScoped(Effect.flatMap(exchanges.get(at, range), ({ bytes, info, length }) => {
      if (known !== undefined && known.etag !== info.etag) return Effect.fail(changed(backend, at))
      let read = 0
      const counted = Stream.mapChunks(bytes, (chunk) => {
        for (const piece of chunk) read += piece.length
        return chunk
      })
      return Effect.succeed(Stream.catchAll(counted, (error): Stream.Stream<Uint8Array, LlmError.LlmError> => {
        const rest = length === undefined ? undefined : restOf(range, info.size, read, length)
        return rest !== undefined && read > 0 && info.etag !== undefined && LlmError.retriability(error) === "Retry"
          ? open(rest, info)
          : Stream.fail(error)
      }))
    }))
  return open(range, undefined)
}

const changed = (backend: string, { bucket, key }: Objects.Location) =>
  new LlmError.Conflict({ backend, message: `${backend}: ${bucket}/${key} was changed while it was being read` })

/** What is still to be read; `undefined` when it is all there. */
const restOf = (
  range: Objects.Range | undefined,
  size: number,
  read: number,
  length: number
): Objects.Range | undefined => {
  const first = range === undefined ? 0 : "last" in range ? Math.max(0, size - range.last) : range.start
  return read < length ? { start: first + read, end: first + length - 1 } : undefined
}

/** All bytes in one. */
export const whole = (
  bytes: Stream.Stream<Uint8Array, LlmError.LlmError>
): Effect.Effect<Uint8Array, LlmError.LlmError> =>
  Effect.map(Stream.runCollect(bytes), (chunk) => join(Chunk.toReadonlyArray(chunk)))

/** Pieces in one; a single one is not copied. */
export const join = (pieces: ReadonlyArray<Uint8Array>): Uint8Array =>
  pieces.length === 1 ? pieces[0]! : Bytes.join(pieces)
