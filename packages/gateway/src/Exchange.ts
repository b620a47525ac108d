/**
 * One request and its answer, from arrival until the last byte; and the routes that exchanges take.
 *
 * @since 0.1.0
 */
import type * as HttpServerRequest from "@effect/platform/HttpServerRequest"
import type * as HttpServerResponse from "@effect/platform/HttpServerResponse"
import type * as LlmError from "@spillway/core/LlmError"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import type * as Tracer from "effect/Tracer"
import type * as Access from "./Access.js"
import type * as Drain from "./Drain.js"
import type * as OpenStreams from "./OpenStreams.js"
import type { Reason, Refusal } from "./Refusal.js"

/**
 * What can go wrong with an exchange.
 *
 * @since 0.1.0
 * @category models
 */
export type Failure = LlmError.LlmError | Refusal

/**
 * Why an answer was broken off of which nobody can be told any more: its client has long taken nothing.
 *
 * @since 0.1.0
 * @category models
 */
export type Cut = "ReaderStalled"

/**
 * An exchange under way. The fields that change are what the access log tells of it in the end.
 *
 * @since 0.1.0
 * @category models
 */
export interface Exchange {
  /** The id in the log and in `x-request-id`. */
  readonly id: string
  readonly request: HttpServerRequest.HttpServerRequest
  /** The path without its query. */
  readonly path: string
  /** When it arrived, in milliseconds on the `Clock`. */
  readonly arrived: number
  /** Closes when the answer has ended. */
  readonly scope: Scope.Scope
  /** Whose it is; nobody's where the gateway has no keys, or the route needs none. */
  readonly principal: Access.Principal | undefined
  /** What the headers say of the call, as the references of `Policy`. */
  readonly given: Context.Context<never> | undefined
  /** Its place among the calls in flight. */
  readonly running: Drain.Running
  /** The streams that are under way, in case the answer is one. */
  readonly streams: OpenStreams.OpenStreams
  /** Whether the gateway no longer waits for it to end. */
  readonly isCut: () => boolean
  /** The trace that it is part of, where it is part of one. */
  span: Tracer.AnySpan | undefined
  /** The status answered with; 499 as long as there is none. */
  status: number
  /** The model asked for, once it is known. */
  model: string
  /** What went wrong, where something did. */
  failure: LlmError.Tag | Reason | Cut | undefined
  /** Whether a stream was left, or cut, before its end. */
  leftEarly: boolean
}

/**
 * A path that is served. What an API fails with it writes itself, in its own clients' words.
 *
 * @since 0.1.0
 * @category models
 */
export interface Route {
  readonly method: "GET" | "POST"
  readonly path: string
  /** Whether every path that begins with this one is meant. @default false */
  readonly prefix?: boolean
  /** The header by which its requests are told from those of another API for the same path. */
  readonly header?: string
  /** A `call` is counted, waited for and refused while draining; a `probe` is answered always. */
  readonly kind: "call" | "probe"
  /**
   * Whose key it needs, where the gateway has keys at all.
   *
   * @default "user" for a call, and "admin" for anything else
   */
  readonly access?: "open" | Access.Role
  readonly handle: (exchange: Exchange) => Effect.Effect<HttpServerResponse.HttpServerResponse, Failure, Scope.Scope>
  readonly refuse: (failure: Failure, exchange: Exchange) => HttpServerResponse.HttpServerResponse
}

/**
 * Whose key a route needs, where the gateway has keys.
 *
 * @since 0.1.0
 * @category destructors
 */
export const accessOf = ({ access, kind }: Route): "open" | Access.Role => access ?? (kind === "call" ? "user" : "admin")

/**
 * Runs an effect under what the headers said.
 *
 * @since 0.1.0
 * @category combinators
 */
export const under = <A, E>(exchange: Exchange, effect: Effect.Effect<A, E>): Effect.Effect<A, E> => {
  const { given } = exchange
  return given === undefined
    ? effect
    : Effect.mapInputContext(effect, (context: Context.Context<never>) => Context.merge(context, given))
}

/**
 * Runs a stream under what the headers said.
 *
 * @since 0.1.0
 * @category combinators
 */
export const underStream = <A, E>(exchange: Exchange, stream: Stream.Stream<A, E>): Stream.Stream<A, E> => {
  const { given } = exchange
  return given === undefined
    ? stream
    : Stream.mapInputContext(stream, (context: Context.Context<never>) => Context.merge(context, given))
}
