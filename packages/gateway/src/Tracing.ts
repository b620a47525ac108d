/**
 * The trace that an exchange is part of: it goes on the one that its headers name, and so do the calls that it makes.
 *
 * Where a tracer is there, the exchange is a span of its kind `server`, named after its route, which lasts until the last
 * byte and is told nothing that the client wrote. Where there is none, what came in is passed on, and nothing is made.
 *
 * @since 0.1.0
 */
import * as TraceContext from "@spillway/core/TraceContext"
import type * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type * as Fiber from "effect/Fiber"
import * as Tracer from "effect/Tracer"
import type * as Exchange from "./Exchange.js"

/**
 * Runs the handling of an exchange within its trace.
 *
 * @since 0.1.0
 * @category combinators
 */
export const within = <A, E, R>(
  exchange: Exchange.Exchange,
  route: string,
  fiber: Fiber.RuntimeFiber<unknown, unknown>,
  effect: Effect.Effect<A, E, R>
): Effect.Effect<A, E, R> => {
  const parent = TraceContext.fromHeaders(exchange.request.headers)
  if (TraceContext.isTraced(fiber)) {
    return Effect.flatMap(
      Effect.makeSpan(route, {
        ...(parent === undefined ? { root: true } : { parent }),
        kind: "server",
        attributes: { "http.request.method": exchange.request.method, "http.route": route, "spillway.request_id": exchange.id },
        captureStackTrace: false
      }),
      (span) => under(exchange, span, effect)
    )
  }
  return parent === undefined ? effect : under(exchange, parent, effect)
}

const under = <A, E, R>(
  exchange: Exchange.Exchange,
  span: Tracer.AnySpan,
  effect: Effect.Effect<A, E, R>
): Effect.Effect<A, E, R> => {
  exchange.span = span
  const trace = Context.make(Tracer.ParentSpan, span).pipe(Context.add(TraceContext.IsPropagated, true))
  return Effect.mapInputContext(effect, (context: Context.Context<R>) => Context.merge(context, trace))
}

/**
 * Ends the span of an exchange that has ended.
 *
 * @since 0.1.0
 * @category combinators
 */
export const end = ({ failure, leftEarly, span, status }: Exchange.Exchange, clock: Clock.Clock): void => {
  if (span?._tag !== "Span") return
  span.attribute("http.response.status_code", status)
  if (failure !== undefined) span.attribute("error.type", failure)
  if (leftEarly) span.attribute("spillway.left_early", true)
  // what a client did wrong is no error of the server's
  const isOurs = status >= 500 || (status < 400 && failure !== undefined)
  span.end(clock.unsafeCurrentTimeNanos(), isOurs ? Exit.fail(new Error(failure ?? `status ${status}`)) : Exit.void)
}
