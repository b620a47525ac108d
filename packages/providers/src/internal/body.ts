/**
 * The body of an answer, chunk by chunk, or as text up to a limit.
 */
import type * as Headers from "@effect/platform/Headers"
import type * as HttpClientError from "@effect/platform/HttpClientError"
import type * as HttpClientResponse from "@effect/platform/HttpClientResponse"
import * as Bytes from "@spillway/core/Bytes"
import type * as Chunk from "effect/Chunk"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Option from "effect/Option"
import * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"

/** A body that is being read. */
export interface Body {
  /** The next bytes; fails with nothing at the end. */
  readonly bytes: Effect.Effect<Chunk.Chunk<Uint8Array>, Option.Option<HttpClientError.HttpClientError>>
  /** Gives the body up, wherever it stands. */
  readonly close: Effect.Effect<void>
}

/** Begins to read a body. */
export const open = (response: HttpClientResponse.HttpClientResponse): Effect.Effect<Body> =>
  Effect.flatMap(Scope.make(), (scope) =>
    Effect.map(Scope.extend(Stream.toPull(response.stream), scope), (bytes): Body => ({
      bytes: Effect.mapError(bytes, Option.filter(isNotEmptyBody)),
      close: Scope.close(scope, Exit.void)
    })))

/** A client fails where there is no body at all; to us that is the end. */
const isNotEmptyBody = (error: HttpClientError.HttpClientError): boolean => error.reason !== "EmptyBody"

/** The body has more bytes than allowed. */
export const tooLarge = "TooLarge" as const

/** Why a body was not read. */
export type Unread = HttpClientError.HttpClientError | typeof tooLarge

/** The body as text, if it has at most `limit` bytes once it is decompressed; a larger one is cut off at once. */
export const readText = (
  response: HttpClientResponse.HttpClientResponse,
  headers: Headers.Headers,
  limit: number
): Effect.Effect<string, Unread> =>
  isKnownWithin(headers, limit) ? response.text : collect(response, limit, textual)

/** The body as bytes, under the same limit. */
export const readBytes = (
  response: HttpClientResponse.HttpClientResponse,
  headers: Headers.Headers,
  limit: number
): Effect.Effect<Uint8Array, Unread> =>
  isKnownWithin(headers, limit)
    ? Effect.map(response.arrayBuffer, (buffer) => new Uint8Array(buffer))
    : collect(response, limit, binary)

/** What a client reads by itself it reads whole, so it may do so only when the size is known beforehand. */
const isKnownWithin = (headers: Headers.Headers, limit: number): boolean =>
  headers["content-length"] !== undefined && headers["content-encoding"] === undefined &&
  Number(headers["content-length"]) <= limit

/** What pieces add up to. */
interface Sink<A> {
  readonly add: (piece: Uint8Array) => void
  readonly end: () => A
}

const textual = (): Sink<string> => {
  const decoder = new TextDecoder()
  let text = ""
  return {
    add(piece) {
      text += decoder.decode(piece, { stream: true })
    },
    end: () => text + decoder.decode()
  }
}

const binary = (): Sink<Uint8Array> => {
  const pieces: Array<Uint8Array> = []
  return {
    add(piece) {
      pieces.push(piece)
    },
    end: () => Bytes.join(pieces)
  }
}

const collect = <A>(
  response: HttpClientResponse.HttpClientResponse,
  limit: number,
  makeSink: () => Sink<A>
): Effect.Effect<A, Unread> =>
  Effect.acquireUseRelease(open(response), ({ bytes }) => {
    const sink = makeSink()
    let size = 0
    const next: Effect.Effect<A, Unread> = Effect.matchEffect(bytes, {
      onSuccess: (chunk) => {
        for (const piece of chunk) {
          size += piece.length
          if (size > limit) return Effect.fail(tooLarge)
          sink.add(piece)
        }
        return next
      },
      onFailure: (error) => Option.isNone(error) ? Effect.sync(sink.end) : Effect.fail(error.value)
    })
    return next
  }, ({ close }) => close)
