/**
 * The trace that a call is part of, as W3C's headers carry it from one program to the next: `traceparent` says which
 * trace and span, `tracestate` what those who trace want to tell each other.
 *
 * What comes in becomes the parent of what is done (`fromHeaders`, `Effect.withParentSpan`). A backend is told of it only
 * where somebody said so (`IsPropagated`): it is a stranger to most programs, and owes them no trace.
 *
 * @see https://www.w3.org/TR/trace-context/
 * @since 0.1.0
 */
import * as Context from "effect/Context"
import * as DefaultServices from "effect/DefaultServices"
import type * as Fiber from "effect/Fiber"
import * as Tracer from "effect/Tracer"

/**
 * Whether backends are told of the trace that a call is part of; not, unless somebody says so.
 *
 * @since 0.1.0
 * @category references
 */
export class IsPropagated extends Context.Reference<IsPropagated>()("@spillway/core/TraceContext/IsPropagated", {
  defaultValue: (): boolean => false
}) {}

/**
 * What came in `tracestate`, in the context of the span that came in `traceparent`.
 *
 * @since 0.1.0
 * @category tags
 */
export class TraceState extends Context.Tag("@spillway/core/TraceContext/TraceState")<TraceState, string>() {}

/**
 * The span that the headers name (their names in lower case); `undefined` where they name none, or not as they must.
 *
 * @since 0.1.0
 * @category constructors
 */
export const fromHeaders = (headers: Readonly<Record<string, string | undefined>>): Tracer.ExternalSpan | undefined => {
  const { traceparent, tracestate } = headers
  const [, version, traceId, spanId, flags, more] = traceparent === undefined ? [] : parent.exec(traceparent) ?? []
  if (traceId === undefined || spanId === undefined || version === "ff" || (version === "00" && more !== "")) {
    return undefined
  }
  if (/^0+$/.test(traceId) || /^0+$/.test(spanId)) return undefined
  return Tracer.externalSpan({
    traceId,
    spanId,
    sampled: (parseInt(flags!, 16) & 1) === 1,
    ...(tracestate !== undefined && state.test(tracestate) && {
      // an external span's context is typed as one that nothing is asked of
      context: Context.make(TraceState, tracestate) as Context.Context<never>
    })
  })
}

const parent = /^([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})((?:-.*)?)$/
const state = /^[\x20-\x7e]{1,512}$/

/**
 * The headers that name a span, with the `tracestate` that came with the trace.
 *
 * @since 0.1.0
 * @category destructors
 */
export const toHeaders = (span: Tracer.AnySpan): Readonly<Record<string, string>> => {
  const state = stateOf(span)
  return {
    traceparent: `00-${span.traceId}-${span.spanId}-${span.sampled ? "01" : "00"}`,
    ...(state !== undefined && { tracestate: state })
  }
}

const stateOf = (span: Tracer.AnySpan): string | undefined => {
  let root = span
  while (root._tag === "Span") {
    if (root.parent._tag === "None") return undefined
    root = root.parent.value
  }
  return root.context.unsafeMap.get(TraceState.key)
}

/**
 * The headers that tell a backend of the trace that a fiber is part of; `undefined` where it is not to be told, or
 * there is none. Whoever has no tracer passes on what came in.
 *
 * @since 0.1.0
 * @category destructors
 */
export const ofFiber = (
  fiber: Fiber.RuntimeFiber<unknown, unknown>
): Readonly<Record<string, string>> | undefined => {
  const span = fiber.currentSpan
  if (span === undefined || fiber.currentContext.unsafeMap.get(IsPropagated.key) !== true) return undefined
  return span._tag === "ExternalSpan" || isTraced(fiber) ? toHeaders(span) : undefined
}

/**
 * Whether there is a tracer: Effect's own, to which nobody listens, is none.
 *
 * @since 0.1.0
 * @category guards
 */
export const isTraced = (fiber: Fiber.RuntimeFiber<unknown, unknown>): boolean => fiber.currentTracer !== nativeTracer

const nativeTracer = Context.get(DefaultServices.liveServices, Tracer.Tracer)
