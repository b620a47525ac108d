/**
 * A body cut into pieces of the sizes that are wanted, each held in memory only until it is handed over.
 */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import * as LlmError from "../LlmError.js"
import type * as Objects from "../Objects.js"
import { join } from "./objectReading.js"

/** A piece of a body; the first has the number 1. An empty body is one empty piece. */
export interface Piece {
  readonly number: number
  readonly bytes: Uint8Array
  readonly last: boolean
}

/** The next piece; nothing after the last one. */
export type Pieces = Effect.Effect<Option.Option<Piece>, LlmError.LlmError>

/** Begins to cut. That a piece is the last is known with it, so the body is always read a little ahead. */
export const cut = (
  backend: string,
  { body, size }: Pick<Objects.Put, "body" | "size">,
  sizeOf: (number: number) => number
): Effect.Effect<Pieces, never, Scope.Scope> =>
  Effect.map(Stream.toPull(toStream(body)), (pull) => {
    const waiting: Array<Uint8Array> = []
    let held = 0
    let seen = 0
    let number = 0
    let ended = false

    const take = (count: number): Uint8Array => {
      const taken: Array<Uint8Array> = []
      let wanted = count
      while (wanted > 0) {
        const piece = waiting[0]!
        if (piece.length > wanted) {
          taken.push(piece.subarray(0, wanted))
          waiting[0] = piece.subarray(wanted)
          wanted = 0
        } else {
          taken.push(piece)
          waiting.shift()
          wanted -= piece.length
        }
      }
      held -= count
      return join(taken)
    }

    const next: Pieces = Effect.suspend(() => {
      const wanted = sizeOf(number + 1)
      if (ended && held === 0 && number > 0) return Effect.succeedNone
      if (ended || held > wanted) {
        const bytes = take(Math.min(held, wanted))
        return Effect.succeedSome({ number: ++number, bytes, last: ended && held === 0 })
      }
      return Effect.matchEffect(pull, {
        onSuccess: (chunk) => {
          for (const bytes of chunk) {
            if (bytes.length === 0) continue
            waiting.push(bytes)
            held += bytes.length
            seen += bytes.length
          }
          return size !== undefined && seen > size ? Effect.fail(wrongSize(backend, size, "more")) : next
        },
        onFailure: (error) => {
          if (Option.isSome(error)) return Effect.fail(unreadable(backend, error.value))
          ended = true
          return size !== undefined && seen < size ? Effect.fail(wrongSize(backend, size, "fewer")) : next
        }
      })
    })
    return next
  })

const encoder = new TextEncoder()

const toStream = (body: Objects.Put["body"]): Stream.Stream<Uint8Array, unknown> =>
  typeof body === "string"
    ? Stream.make(encoder.encode(body))
    : body instanceof Uint8Array
    ? Stream.make(body)
    : body

const unreadable = (backend: string, error: unknown): LlmError.LlmError =>
  LlmError.isLlmError(error) ? error : new LlmError.InvalidRequest({
    backend,
    field: "body",
    message: `${backend}: the body could not be read: ${error instanceof Error ? error.message : String(error)}`
  })

const wrongSize = (backend: string, size: number, than: "more" | "fewer") =>
  new LlmError.InvalidRequest({
    backend,
    field: "size",
    message: `${backend}: the body has ${than} bytes than the ${size} that were announced`
  })
