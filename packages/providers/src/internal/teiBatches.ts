/**
 * More texts than a server takes at once, in several requests, one after the other.
 */
import type * as Completion from "@spillway/core/Completion"
import type * as LlmError from "@spillway/core/LlmError"
import * as Arr from "effect/Array"
import * as Effect from "effect/Effect"

/** How many texts a server takes that does not say. */
const usual = 32

/**
 * The server's limit, asked once (by whoever comes first, for all who come meanwhile). A server that has no such route
 * has the usual limit; one that cannot be asked now is asked again by the next call.
 */
export const limit = (
  set: number | undefined,
  ask: Effect.Effect<{ readonly maxClientBatchSize?: number }, LlmError.LlmError>
): Effect.Effect<number, LlmError.LlmError> => {
  let known = set
  const asking = Effect.unsafeMakeSemaphore(1)
  const learn = Effect.map(
    Effect.catchTags(ask, {
      MalformedResponse: nothing,
      ModelNotFound: nothing,
      NotFound: nothing,
      InvalidRequest: nothing
    }),
    ({ maxClientBatchSize = usual }) => known = Math.max(1, maxClientBatchSize)
  )
  return Effect.suspend(() =>
    known !== undefined
      ? Effect.succeed(known)
      : asking.withPermits(1)(Effect.suspend(() => known === undefined ? learn : Effect.succeed(known)))
  )
}

const nothing = (): Effect.Effect<{ readonly maxClientBatchSize?: number }> => Effect.succeed({})

/** How a request is taken apart, and its answers are put together. */
export interface Batches<I, A> {
  /** How many texts it has. */
  readonly size: (input: I) => number
  /** The request for the texts from `start` to before `end`. */
  readonly slice: (input: I, start: number, end: number) => I
  /** The answer of all, from the answers in order; `starts` says where each began. */
  readonly join: (answers: Arr.NonEmptyReadonlyArray<A>, starts: Arr.NonEmptyReadonlyArray<number>) => A
  /** How many texts of the limit each request needs for itself. @default 0 */
  readonly reserved?: number
}

/** Asks for all of it, in as many requests as it takes. A single text is asked for at once. */
export const run = <I, A>(
  { join, reserved = 0, size, slice }: Batches<I, A>,
  limit: Effect.Effect<number, LlmError.LlmError>,
  ask: (input: I) => Effect.Effect<A, LlmError.LlmError>
) =>
(input: I): Effect.Effect<A, LlmError.LlmError> => {
  const count = size(input)
  return count <= 1 ? ask(input) : Effect.flatMap(limit, (limit) => {
    const most = Math.max(1, limit - reserved)
    if (count <= most) return ask(input)
    const starts = Arr.makeBy(Math.ceil(count / most), (i) => i * most)
    return Effect.map(
      Effect.forEach(starts, (start) => ask(slice(input, start, Math.min(count, start + most)))),
      (answers) => join(answers, starts)
    )
  })
}

/** Of a request whose texts are its `input`. */
export const byInput = <I extends { readonly input: ReadonlyArray<unknown> }>() => ({
  size: ({ input }: I) => input.length,
  slice: (request: I, start: number, end: number): I => ({ ...request, input: request.input.slice(start, end) })
})

/** One list after the other. */
export const concat: <A>(answers: ReadonlyArray<ReadonlyArray<A>>) => ReadonlyArray<A> = Arr.flatten

/** Of a request whose texts are its `input`, and whose answer is a list. */
export const lists = <I extends { readonly input: ReadonlyArray<unknown> }, A>(): Batches<I, ReadonlyArray<A>> => ({
  ...byInput<I>(),
  join: concat
})

/** What several requests used; nothing is known of it where one of them does not tell. */
export const total = (answers: ReadonlyArray<{ readonly usage: Completion.Usage }>): Completion.Usage => {
  let inputTokens = 0
  for (const { usage } of answers) {
    if (usage.inputTokens === undefined) return {}
    inputTokens += usage.inputTokens
  }
  return { inputTokens }
}
