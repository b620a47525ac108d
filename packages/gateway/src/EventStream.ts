/**
 * A streamed answer as server-sent events, or as whatever else a wire has for streams.
 *
 * Nothing is said before the first part is there, so that a call that fails before it has a true status. After that an
 * error can only be a last event. Whatever arrives together leaves together: one write for a chunk of parts, nothing
 * held back, and the next chunk is asked for when the client has taken this one. While the backend says nothing there
 * are heartbeats, so that nobody between it and the client takes the connection for dead; a client that takes nothing
 * is cut, and the call given up, lest it hold the backend for ever.
 *
 * @since 0.1.0
 */
import * as HttpServerResponse from "@effect/platform/HttpServerResponse"
import type * as Completion from "@spillway/core/Completion"
import * as LlmError from "@spillway/core/LlmError"
import * as Cause from "effect/Cause"
import * as Chunk from "effect/Chunk"
import * as Effect from "effect/Effect"
import * as ExecutionStrategy from "effect/ExecutionStrategy"
import * as Exit from "effect/Exit"
import * as FiberId from "effect/FiberId"
import * as Option from "effect/Option"
import * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import * as Exchange from "./Exchange.js"
import * as Following from "./Following.js"
import { Refusal } from "./Refusal.js"

/**
 * Writes one answer in the events of a wire: text that is complete events, every one with its end.
 *
 * @since 0.1.0
 * @category models
 */
export interface Writer {
  /** @default "text/event-stream; charset=utf-8" */
  readonly contentType?: string
  /** What is said while there is nothing to say; empty where the wire has no word for it. */
  readonly heartbeat: string
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
 * A line that readers of events skip: the heartbeat of wires that have no event for it.
 *
 * @since 0.1.0
 * @category constants
 */
export const keepAlive = ": keep-alive\n\n"

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
        Effect.flatMap(
          Effect.onError(firstOf(pull, exchange.model), (cause) => close(Exit.failCause(cause))),
          (first) => {
            const writer = makeWriter(exchange.streams.now())
            return Effect.map(
              Following.make(pull, scope, exchange.streams, {
                hasHeartbeat: writer.heartbeat !== "",
                stalled: () => cutOff(exchange)
              }),
              ({ next }) =>
                HttpServerResponse.stream(
                  Stream.ensuringWith(
                    Stream.repeatEffectChunkOption(writing(exchange, first, next, writer, close)),
                    (exit) => {
                      if (Exit.isFailure(exit)) exchange.leftEarly = true
                      return close(exit)
                    }
                  ),
                  { contentType: writer.contentType ?? "text/event-stream; charset=utf-8", headers }
                )
            )
          }
        )
    )
  })

const headers = { "cache-control": "no-cache", "x-accel-buffering": "no" }

const cutOff = (exchange: Exchange.Exchange) => {
  exchange.failure = "ReaderStalled"
  exchange.running.fiber.unsafeInterruptAsFork(FiberId.none)
}

type Pull<A> = Effect.Effect<A, Option.Option<LlmError.LlmError>>

type Parts = Chunk.Chunk<Completion.Part>

const firstOf = (pull: Pull<Parts>, model: string): Effect.Effect<Parts, LlmError.LlmError> =>
  Effect.matchEffect(pull, {
    onFailure: Option.match({ onNone: () => Effect.fail(brokenOff(model)), onSome: Effect.fail }),
    onSuccess: (chunk) => chunk.length === 0 ? firstOf(pull, model) : Effect.succeed(chunk)
  })

const brokenOff = (model: string) =>
  new LlmError.StreamInterrupted({ backend: "gateway", model, message: "The answer broke off before its end" })

const encoder = new TextEncoder()

const writing = (
  exchange: Exchange.Exchange,
  first: Parts,
  next: Pull<Parts | undefined>,
  writer: Writer,
  close: (exit: Exit.Exit<unknown, unknown>) => Effect.Effect<void>
): Effect.Effect<Chunk.Chunk<Uint8Array>, Option.Option<never>> => {
  let begun = false
  let finished = false
  let over = false
  const write = (text: string) => text === "" ? Chunk.empty<Uint8Array>() : Chunk.of(encoder.encode(text))
  const pass = (chunk: Parts) => {
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
  const rest = Effect.matchCauseEffect(next, {
    onSuccess: (chunk) =>
      chunk !== undefined
        ? Effect.succeed(pass(chunk))
        : exchange.isCut()
        ? fail(cut)
        : Effect.succeed(write(writer.heartbeat)),
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
    if (begun) return rest
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
