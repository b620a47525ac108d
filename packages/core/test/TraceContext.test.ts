import { assert, describe, it } from "@effect/vitest"
import * as TraceContext from "@spillway/core/TraceContext"
import { Context, Effect, Option, Tracer } from "effect"

const traceId = "4bf92f3577b34da6a3ce929d0e0e4736"
const spanId = "00f067aa0ba902b7"
const traceparent = `00-${traceId}-${spanId}-01`

/** A tracer whose spans are told to nobody. */
const tracer = Tracer.make({
  span: (name, parent, context, links, startTime, kind) => ({
    _tag: "Span",
    name,
    spanId: "1111111111111111",
    traceId: Option.isSome(parent) ? parent.value.traceId : "2".repeat(32),
    parent,
    context,
    status: { _tag: "Started", startTime },
    attributes: new Map(),
    links,
    sampled: true,
    kind,
    end() {},
    attribute() {},
    event() {},
    addLinks() {}
  }),
  context: (run) => run()
})

const told = Effect.withFiberRuntime((fiber) => Effect.succeed(TraceContext.ofFiber(fiber)))
const propagated = <A, E, R>(effect: Effect.Effect<A, E, R>) => Effect.provideService(effect, TraceContext.IsPropagated, true)
const within = (headers: Record<string, string>) => Effect.withParentSpan(TraceContext.fromHeaders(headers)!)

describe("TraceContext", () => {
  it("reads what W3C's headers say", () => {
    const span = TraceContext.fromHeaders({ traceparent, tracestate: "congo=t61rcWkgMzE" })
    assert.deepInclude(span, { _tag: "ExternalSpan", traceId, spanId, sampled: true })
    assert.deepStrictEqual(TraceContext.toHeaders(span!), { traceparent, tracestate: "congo=t61rcWkgMzE" })
    assert.isFalse(TraceContext.fromHeaders({ traceparent: `00-${traceId}-${spanId}-00` })?.sampled)
  })

  it("knows later versions by what this one has, and takes nothing that is not as it must be", () => {
    assert.isDefined(TraceContext.fromHeaders({ traceparent: `01-${traceId}-${spanId}-01-more` }))
    for (
      const wrong of [
        `ff-${traceId}-${spanId}-01`,
        `00-${traceId}-${spanId}-01-more`,
        `00-${traceId.toUpperCase()}-${spanId}-01`,
        `00-${"0".repeat(32)}-${spanId}-01`,
        `00-${traceId}-${"0".repeat(16)}-01`,
        `00-${traceId}-${spanId}`,
        `00-${traceId}-${spanId}-01\r\nx: y`,
        ""
      ]
    ) assert.isUndefined(TraceContext.fromHeaders({ traceparent: wrong }), wrong)
    assert.isUndefined(TraceContext.fromHeaders({ tracestate: "a=b" }))
  })

  it("leaves out a state that no header can carry, and keeps the trace", () => {
    for (const tracestate of ["a=b\r\nx: y", "a=ä", "x".repeat(513), ""]) {
      assert.deepStrictEqual(TraceContext.toHeaders(TraceContext.fromHeaders({ traceparent, tracestate })!), { traceparent })
    }
  })

  it.effect("is told to backends only where somebody says so", () =>
    Effect.gen(function*() {
      assert.isUndefined(yield* within({ traceparent })(told))
      assert.deepStrictEqual(yield* propagated(within({ traceparent })(told)), { traceparent })
      assert.isUndefined(yield* propagated(told))
    }))

  it.effect("is passed on as it came where there is no tracer, and not made up", () =>
    Effect.gen(function*() {
      assert.isUndefined(yield* propagated(Effect.withSpan(told, "work")))
      const headers = { traceparent, tracestate: "congo=t61rcWkgMzE" }
      assert.deepStrictEqual(yield* propagated(within(headers)(told)), headers)
    }))

  it.effect("names the span that the work is done in where there is one, and keeps the state", () =>
    Effect.gen(function*() {
      const headers = yield* told.pipe(
        Effect.withSpan("inner"),
        Effect.withSpan("outer"),
        within({ traceparent, tracestate: "congo=t61rcWkgMzE" }),
        propagated,
        Effect.withTracer(tracer)
      )
      assert.deepStrictEqual(headers, {
        traceparent: `00-${traceId}-1111111111111111-01`,
        tracestate: "congo=t61rcWkgMzE"
      })
      assert.deepStrictEqual(yield* told.pipe(Effect.withSpan("root"), propagated, Effect.withTracer(tracer)), {
        traceparent: `00-${"2".repeat(32)}-1111111111111111-01`
      })
    }))

  it("says nothing unless it is asked to", () => {
    assert.isFalse(Context.get(Context.empty(), TraceContext.IsPropagated))
  })
})
