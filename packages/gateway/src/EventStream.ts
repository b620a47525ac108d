/**
 * A streamed answer as server-sent events.
 *
 * Nothing is said before the first part is there, so that a call that fails before it has a true status. After that an
 * error can only be a last event. Whatever arrives together leaves together: one write for a chunk of parts, nothing
 * held back, and the next chunk is asked for when the client has taken this one.
 *
 * @since 0.1.0
 */
import * as HttpServerResponse from "@effect/platform/HttpServerResponse"
import type * as Completion from "@spillway/core/Completion"
import * as LlmError from "@spillway/core/LlmError"
import * as Cause from "effect/Cause"
import * as Chunk from "effect/Chunk"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as ExecutionStrategy from "effect/ExecutionStrategy"
import * as Exit from "effect/Exit"
import * as Option from "effect/Option"
import * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import * as Exchange from "./Exchange.js"
import { Refusal } from "./Refusal.js"

/**
 * Writes one answer in the events of a wire: text that is complete events, every one ended by an empty line.
 *
 * @since 0.1.0
 * @category models
 */
export interface Writer {
  readonly parts: (parts: Chunk.Chunk<Completion.Part>) => string
  /** The last words of a stream that came to its end. */
  readonly ended: () => string
  /** The last words of a stream that did not. */
  readonly failed: (failure: Exchange.Failure) => string
}

/**
 * One event with JSON as its data.
 *
 * JSON text has no line ends of its own; the three other characters at which some clients break lines are escaped.
 *
 * @since 0.1.0
 * @category constructors
 */
export const event = (json: string): string =>
  `data: ${lineBreaks.test(json) ? json.replace(everyLineBreak, escape) : json}\n\n`

const lineBreaks = /[\u0085\u2028\u2029]/
const everyLineBreak = /[\u0085\u2028\u2029]/g
const escape = (char: string) => `\\u${char.charCodeAt(0).toString(16).padStart(4, "0")}`

/**
 * Waits for the first part, then answers with the stream; `makeWriter` is told the time in milliseconds.
 *
 * @since 0.1.0
 * @category constructors
 */
export const respond = (
  exchange: Exchange.Exchange,
  parts: Stream.Stream<Completion.Part, LlmError.LlmError>,
  makeWriter: (now: number) => Writer
): Effect.Effect<HttpServerResponse.HttpServerResponse, LlmError.LlmError> =>
  Effect.flatMap(Scope.fork(exchange.scope, ExecutionStrategy.sequential), (scope) => {
    const close = (exit: Exit.Exit<unknown, unknown>) => Scope.close(scope, exit)
    return Effect.flatMap(
      Scope.extend(Stream.toPull(Exchange.underStream(exchange, parts)), scope),
      (pull) =>
        Effect.zipWith(
          Effect.onError(firstOf(pull, exchange.model), (cause) => close(Exit.failCause(cause))),
          Clock.currentTimeMillis,
          (first, now) =>
            HttpServerResponse.stream(
              Stream.ensuringWith(
                Stream.repeatEffectChunkOption(writing(exchange, first, pull, makeWriter(now), close)),
                (exit) => {
                  if (Exit.isFailure(exit)) exchange.leftEarly = true
                  return close(exit)
                }
              ),
              { contentType: "text/event-stream; charset=utf-8", headers }
            )
        )
    )
  })

const headers = { "cache-control": "no-cache", "x-accel-buffering": "no" }

type Pull = Effect.Effect<Chunk.Chunk<Completion.Part>, Option.Option<LlmError.LlmError>>

const firstOf = (pull: Pull, model: string): Effect.Effect<Chunk.Chunk<Completion.Part>, LlmError.LlmError> =>
  Effect.matchEffect(pull, {
    onFailure: Option.match({ onNone: () => Effect.fail(brokenOff(model)), onSome: Effect.fail }),
    onSuccess: (chunk) => chunk.length === 0 ? firstOf(pull, model) : Effect.succeed(chunk)
  })

const brokenOff = (model: string) =>
  new LlmError.StreamInterrupted({ backend: "gateway", model, message: "The answer broke off before its end" })

const encoder = new TextEncoder()

const writing = (
  exchange: Exchange.Exchange,
  first: Chunk.Chunk<Completion.Part>,
  pull: Pull,
  writer: Writer,
  close: (exit: Exit.Exit<unknown, unknown>) => Effect.Effect<void>
): Effect.Effect<Chunk.Chunk<Uint8Array>, Option.Option<never>> => {
  let begun = false
  let finished = false
  let over = false
  const write = (text: string) => text === "" ? Chunk.empty<Uint8Array>() : Chunk.of(encoder.encode(text))
  const pass = (chunk: Chunk.Chunk<Completion.Part>) => {
    for (const part of chunk) finished ||= part._tag === "Finish"
    return write(writer.parts(chunk))
  }
  const end = (text: string, exit: Exit.Exit<unknown, unknown>) => {
    over = true
    return Effect.as(close(exit), write(text))
  }
  const fail = (failure: Exchange.Failure) => {
    exchange.failure = failure._tag === "Refusal" ? failure.reason : failure._tag
    return end(writer.failed(failure), Exit.fail(failure))
  }
  const next = Effect.matchCauseEffect(pull, {
    onSuccess: (chunk) => Effect.succeed(pass(chunk)),
    onFailure: (cause): Effect.Effect<Chunk.Chunk<Uint8Array>, Option.Option<never>> => {
      const failure = Cause.failureOption(cause)
      if (Option.isSome(failure)) {
        return Option.isSome(failure.value)
          ? fail(failure.value.value)
          : finished
          ? end(writer.ended(), Exit.void)
          : fail(brokenOff(exchange.model))
      }
      const rest = Cause.keepDefects(cause)
      return Option.isNone(rest)
        ? Effect.failCause(Cause.map(cause, () => Option.none()))
        : Effect.zipRight(
          Effect.annotateLogs(Effect.logError("a bug broke off an answer", rest.value), { requestId: exchange.id }),
          fail(bug)
        )
    }
  })
  return Effect.suspend(() => {
    if (over) return Effect.fail(Option.none())
    if (exchange.isCut()) return fail(cut)
    if (begun) return next
    begun = true
    return Effect.withFiberRuntime((fiber) => {
      // some servers write the answer on another fiber than the one that made it
      exchange.running.fiber = fiber
      return Effect.succeed(pass(first))
    })
  })
}

const cut = new Refusal({ reason: "Draining", message: "The gateway is shutting down; the answer is not complete" })

const bug = new Refusal({ reason: "InternalError", message: "The gateway has a bug, and the answer broke off" })
