/**
 * What is too large for one exchange goes up in parts: put, resumed after a cut, or copied within the backend.
 */
import * as Chunk from "effect/Chunk"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import * as LlmError from "../LlmError.js"
import type * as ObjectBackend from "../ObjectBackend.js"
import type * as Objects from "../Objects.js"
import { pages } from "./objectBatches.js"
import * as Pieces from "./objectPieces.js"

type Result = Effect.Effect<Objects.Info, LlmError.LlmError>

/** Stores an object: in one exchange where one part holds it. */
export const put = (definition: ObjectBackend.Definition, object: Objects.Put): Result => {
  const { backend, exchanges, parts } = definition
  const { body: given, ifAbsent = false, size: announced, ...description } = object
  const body = typeof given === "string" ? encoder.encode(given) : given
  const size = body instanceof Uint8Array ? body.length : announced
  const known = size === undefined ? undefined : Math.max(parts.bytes, Math.ceil(size / parts.most))
  return Effect.scoped(
    Effect.flatMap(
      Pieces.cut(backend, { body, ...(announced !== undefined && { size: announced }) }, (number) =>
        known ?? grown(parts, number)),
      (next) =>
        Effect.flatMap(next, (first) =>
          Option.isNone(first) || first.value.last
            ? exchanges.put({
              ...description,
              body: Option.match(first, { onNone: () => new Uint8Array(), onSome: ({ bytes }) => bytes }),
              ifAbsent
            })
            : upload(definition, description, (upload) =>
              send(definition, upload, Stream.concat(Stream.make(first.value), toStream(next)), new Map(), ifAbsent)))
    )
  )
}

const encoder = new TextEncoder()

/** What parts of a body of unknown size hold, so that ten thousand of them hold the largest object there may be. */
const grown = ({ bytes }: ObjectBackend.Parts, number: number): number => bytes * 2 ** Math.floor((number - 1) / 1000)

/** Sends what an upload lacks, and completes it. */
export const resume = (
  definition: ObjectBackend.Definition,
  upload: Objects.Upload,
  body: Objects.Put["body"],
  { ifAbsent = false, size }: Pick<Objects.Put, "size" | "ifAbsent"> = {}
): Result => {
  const { backend, exchanges, parts } = definition
  return Effect.flatMap(Stream.runCollect(pages((from) => exchanges.listParts(upload, from))), (found) => {
    const there = new Map(Chunk.map(found, (part) => [part.number, part] as const))
    const largest = Chunk.reduce(found, 0, (largest, { size }) => Math.max(largest, size))
    const wanted = (number: number): number => {
      const part = there.get(number)
      // a part that is too small to have another behind it was the last one, and may have been cut short
      return part !== undefined && part.size >= parts.minBytes
        ? part.size
        : Math.max(largest, grown(parts, number))
    }
    return Effect.scoped(
      Effect.flatMap(
        Pieces.cut(backend, { body, ...(size !== undefined && { size }) }, wanted),
        (next) => send(definition, upload, toStream(next), there, ifAbsent)
      )
    )
  })
}

/** Copies within the backend: in one exchange where that is allowed. */
export const copy = (
  definition: ObjectBackend.Definition,
  from: Objects.Location,
  to: Objects.Location
): Result => {
  const { exchanges, parts } = definition
  const copied = Effect.flatMap(exchanges.copy(from, to), () => exchanges.head(to))
  return Effect.catchTag(copied, "InvalidRequest", (refused) =>
    Effect.flatMap(exchanges.head(from), (info) => {
      const { contentType, metadata, size } = info
      if (size <= parts.maxCopyBytes) return Effect.fail(refused)
      const bytes = Math.max(parts.maxCopyBytes / 8, Math.ceil(size / parts.most))
      const ranges = Array.from({ length: Math.ceil(size / bytes) }, (_, index) => ({
        number: index + 1,
        start: index * bytes,
        end: Math.min(size, (index + 1) * bytes) - 1
      }))
      const description = { ...to, metadata, ...(contentType !== undefined && { contentType }) }
      return upload(definition, description, (upload) =>
        Effect.flatMap(
          Effect.forEach(
            ranges,
            ({ number, ...range }) => exchanges.copyPart(upload, number, from, range),
            { concurrency: parts.concurrency }
          ),
          (copied) => complete(definition, upload, copied, false)
        ))
    }))
}

// -----------------------------------------------------------------------------
// parts
// -----------------------------------------------------------------------------

/** Begins an upload, and gives it up where it is not completed: parts that nobody asks for cost money. */
const upload = (
  { exchanges }: ObjectBackend.Definition,
  description: Objects.Description,
  use: (upload: Objects.Upload) => Result
): Result =>
  Effect.uninterruptibleMask((restore) =>
    Effect.flatMap(restore(exchanges.begin(description)), (upload) =>
      Effect.onExit(restore(use(upload)), (exit) =>
        Exit.isSuccess(exit) ? Effect.void : exchanges.abort(upload).pipe(
          Effect.interruptible,
          Effect.timeout("10 seconds"),
          Effect.catchAll((error) =>
            Effect.logWarning(`the upload ${upload.id} of ${upload.bucket}/${upload.key} could not be aborted`, error)
          )
        )))
  )

const toStream = (next: Pieces.Pieces): Stream.Stream<Pieces.Piece, LlmError.LlmError> =>
  Stream.repeatEffectOption(
    Effect.flatMap(
      Effect.mapError(next, Option.some),
      Option.match({ onNone: () => Effect.fail(Option.none()), onSome: Effect.succeed })
    )
  )

const send = (
  definition: ObjectBackend.Definition,
  upload: Objects.Upload,
  pieces: Stream.Stream<Pieces.Piece, LlmError.LlmError>,
  there: ReadonlyMap<number, ObjectBackend.Part>,
  ifAbsent: boolean
): Result => {
  const { backend, exchanges, parts } = definition
  const sendOne = ({ bytes, number }: Pieces.Piece): Effect.Effect<ObjectBackend.Part, LlmError.LlmError> => {
    if (number > parts.most) return Effect.fail(tooLarge(backend, parts))
    const part = there.get(number)
    return part !== undefined && part.size === bytes.length && part.etag === parts.etagOf(bytes)
      ? Effect.succeed(part)
      : exchanges.sendPart(upload, number, bytes)
  }
  return pieces.pipe(
    Stream.mapEffect(sendOne, { concurrency: parts.concurrency }),
    Stream.runCollect,
    Effect.flatMap((sent) => complete(definition, upload, Chunk.toReadonlyArray(sent), ifAbsent))
  )
}

const tooLarge = (backend: string, { most }: ObjectBackend.Parts) =>
  new LlmError.InvalidRequest({
    backend,
    field: "body",
    message: `${backend}: the body needs more than the ${most} parts that an upload may have`
  })

/** An upload that is gone may have been completed, by an attempt whose answer was lost. */
const complete = (
  { exchanges, parts: { etagOfAll } }: ObjectBackend.Definition,
  upload: Objects.Upload,
  parts: ReadonlyArray<ObjectBackend.Part>,
  ifAbsent: boolean
): Result =>
  Effect.catchTag(exchanges.complete(upload, parts, ifAbsent), "NotFound", (gone) =>
    Effect.flatMap(
      Effect.mapError(exchanges.head(upload), () => gone),
      (info) => info.etag === etagOfAll(parts) ? Effect.succeed(info) : Effect.fail(gone)
    ))
