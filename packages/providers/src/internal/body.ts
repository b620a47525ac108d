/**
 * The body of an answer, chunk by chunk, or as text up to a limit.
 */
import type * as Headers from "@effect/platform/Headers"
import type * as HttpClientError from "@effect/platform/HttpClientError"
import type * as HttpClientResponse from "@effect/platform/HttpClientResponse"
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

/** The body, if it has at most `limit` bytes once it is decompressed; a larger one is cut off at once. */
export const readText = (
  response: HttpClientResponse.HttpClientResponse,
  headers: Headers.Headers,
  limit: number
): Effect.Effect<string, HttpClientError.HttpClientError | typeof tooLarge> => {
  const length = headers["content-length"]
  // what a client reads by itself it reads whole, so it may do so only when the size is known beforehand
  return length !== undefined && headers["content-encoding"] === undefined && Number(length) <= limit
    ? response.text
    : Effect.acquireUseRelease(open(response), ({ bytes }) => collect(bytes, limit), ({ close }) => close)
}

const collect = (
  bytes: Body["bytes"],
  limit: number
): Effect.Effect<string, HttpClientError.HttpClientError | typeof tooLarge> => {
  const decoder = new TextDecoder()
  let text = ""
  let size = 0
  const next: Effect.Effect<string, HttpClientError.HttpClientError | typeof tooLarge> = Effect.matchEffect(bytes, {
    onSuccess: (chunk) => {
      for (const piece of chunk) {
        size += piece.length
        if (size > limit) return Effect.fail(tooLarge)
        text += decoder.decode(piece, { stream: true })
      }
      return next
    },
    onFailure: (error) => Option.isNone(error) ? Effect.succeed(text + decoder.decode()) : Effect.fail(error.value)
  })
  return next
}
