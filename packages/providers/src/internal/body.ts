/**
 * The body of an answer as text, up to a limit.
 */
import type * as Headers from "@effect/platform/Headers"
import type * as HttpClientError from "@effect/platform/HttpClientError"
import type * as HttpClientResponse from "@effect/platform/HttpClientResponse"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"

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
  if (length !== undefined && headers["content-encoding"] === undefined && Number(length) <= limit) {
    return response.text
  }
  return Effect.suspend(() => {
    const decoder = new TextDecoder()
    let text = ""
    let size = 0
    const read = Stream.runForEachChunk(response.stream, (chunk) => {
      for (const bytes of chunk) {
        size += bytes.length
        if (size > limit) return Effect.fail(tooLarge)
        text += decoder.decode(bytes, { stream: true })
      }
      return Effect.void
    })
    return Effect.matchEffect(read, {
      onSuccess: () => Effect.succeed(text + decoder.decode()),
      onFailure: (error) =>
        error !== tooLarge && error._tag === "ResponseError" && error.reason === "EmptyBody"
          ? Effect.succeed("")
          : Effect.fail(error)
    })
  })
}
