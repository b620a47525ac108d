/**
 * An answer that comes in pieces: bytes are cut into frames, frames are read, and what they hold is handed over, in one
 * synchronous step for each chunk of bytes.
 */
import type * as HttpClientResponse from "@effect/platform/HttpClientResponse"
import type * as Completion from "@spillway/core/Completion"
import type * as KeyPool from "@spillway/core/KeyPool"
import type * as LlmError from "@spillway/core/LlmError"
import * as Chunk from "effect/Chunk"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Body from "./body.js"
import type { Frame, Framer } from "./framing.js"
import * as Json from "./json.js"
import { reasonOf } from "./sending.js"

/** A stream came to its proper end. */
export interface End {
  readonly _tag: "End"
  readonly usage: Completion.Usage
}

/** Reads the frames of one answer; may have a state. */
export interface Reader<A> {
  /**
   * Adds the pieces that a frame holds to `out`. Returns nothing to go on, `ended(usage)` when the frame is the wire's
   * own end marker (nothing is read after it), or an error (`exchange.failure` for one that the backend sent,
   * `exchange.malformed` for what is not its wire).
   */
  readonly frame: (frame: Frame, out: Array<A>) => End | LlmError.LlmError | undefined
  /**
   * The bytes ended and no end marker was seen. Only for a wire that has no marker: may still add pieces and return
   * `ended`. Where it is left out, or returns nothing, the stream was interrupted.
   */
  readonly end?: (out: Array<A>) => End | LlmError.LlmError | undefined
}

/** What reading one answer takes. */
export interface Parameters<A> {
  readonly response: HttpClientResponse.HttpClientResponse
  readonly lease: KeyPool.Lease
  readonly framer: Framer
  readonly reader: Reader<A>
  readonly malformed: (what: string) => LlmError.MalformedResponse
  readonly failure: (body: unknown) => LlmError.LlmError
  readonly interrupted: (what: string) => LlmError.StreamInterrupted
}

/** An answer that is being read. */
export interface Reading<A> {
  /** The next pieces; the lease has heard how the answer ended, and is given back, before its last pieces are here. */
  readonly pull: Effect.Effect<Chunk.Chunk<A>, Option.Option<LlmError.LlmError>>
  /** Cuts the connection, unless the answer came to its end. */
  readonly close: Effect.Effect<void>
}

/** Begins to read. */
export const open = <A>(parameters: Parameters<A>): Effect.Effect<Reading<A>> =>
  Effect.map(Body.open(parameters.response), (body) => reading(parameters, body))

const reading = <A>(
  { failure, framer, interrupted, lease, malformed, reader }: Parameters<A>,
  body: Body.Body
): Reading<A> => {
  // how the answer ended, once it has; told after its last pieces have been handed over
  let over: Option.Option<LlmError.LlmError> | undefined

  const settle = (outcome: End | LlmError.LlmError): void => {
    if (outcome._tag === "End") {
      lease.succeeded(outcome.usage)
      over = Option.none()
    } else {
      over = Option.some(lease.failed(outcome))
    }
    lease.release()
  }

  const take = (frames: ReadonlyArray<Frame>, out: Array<A>): End | LlmError.LlmError | undefined => {
    for (const frame of frames) {
      const outcome = frame.bare === true ? bareError(frame.data, failure) : reader.frame(frame, out)
      if (outcome !== undefined) return outcome
    }
    return framer.tooLarge ? malformed("an event of its stream is larger than allowed") : undefined
  }

  const atEnd = (out: Array<A>): End | LlmError.LlmError => {
    const last = take(framer.end(), out)
    // what was cut off in its midst is no broken wire
    if (last !== undefined && (last._tag !== "MalformedResponse" || framer.tooLarge)) return last
    return reader.end?.(out) ?? interrupted("ended its stream without the end marker")
  }

  const hand = (out: Array<A>): Effect.Effect<Chunk.Chunk<A>, Option.Option<LlmError.LlmError>> => {
    if (over === undefined) return out.length === 0 ? pull : Effect.succeed(Chunk.unsafeFromArray(out))
    const last = out.length === 0 ? Effect.fail(over) : Effect.succeed(Chunk.unsafeFromArray(out))
    return Option.isNone(over) ? Effect.zipRight(Effect.forkDaemon(leave(body)), last) : last
  }

  const pull: Effect.Effect<Chunk.Chunk<A>, Option.Option<LlmError.LlmError>> = Effect.suspend(() =>
    over !== undefined ? Effect.fail(over) : Effect.matchEffect(body.bytes, {
      onSuccess: (chunk) => {
        const out: Array<A> = []
        for (const piece of chunk) {
          const outcome = take(framer.feed(piece), out)
          if (outcome !== undefined) {
            settle(outcome)
            break
          }
        }
        return hand(out)
      },
      onFailure: (error) => {
        const out: Array<A> = []
        settle(
          Option.isNone(error) ? atEnd(out) : interrupted(`broke off its stream: ${reasonOf(error.value)}`)
        )
        return hand(out)
      }
    })
  )

  return {
    pull,
    close: Effect.suspend(() => over !== undefined && Option.isNone(over) ? Effect.void : body.close)
  }
}

/**
 * Some backends write an error into an event stream as bare JSON, or as text that only looks like it. Other lines that
 * are no field mean nothing, as the standard has it.
 */
const bareError = (text: string, failure: (body: unknown) => LlmError.LlmError): LlmError.LlmError | undefined => {
  const body = Json.parse(text)
  const first = Array.isArray(body) ? body[0] : body
  return Json.get(first, "error") !== undefined
    ? failure(first)
    : body === undefined && /^\s*\[?\s*\{\s*"error"/.test(text)
    ? failure({ error: text })
    : undefined
}

/**
 * Leaves a body whose end marker was seen. Its last bytes (they mean nothing any more) are usually there already; with
 * them read, the connection can serve the next request. A body that goes on regardless is cut off.
 */
const leave = ({ bytes, close }: Body.Body): Effect.Effect<void> => {
  let left = 64 * 1024
  const discard: Effect.Effect<void> = Effect.matchEffect(bytes, {
    onFailure: () => Effect.void,
    onSuccess: (chunk) => {
      for (const piece of chunk) left -= piece.length
      return left > 0 ? discard : Effect.void
    }
  })
  return Effect.interruptible(Effect.ensuring(Effect.asVoid(Effect.timeoutOption(discard, "1 second")), close))
}
