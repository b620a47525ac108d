import { assert, describe, it } from "@effect/vitest"
import { Effect, Option, Tracer } from "effect"
import * as Sampling from "../src/Sampling.js"

const parent = (sampled: boolean) => Option.some(Tracer.externalSpan({ traceId: "1", spanId: "2", sampled }))
const low = `${"0".repeat(18)}1${"0".repeat(13)}`
const high = "f".repeat(32)

describe("Sampling", () => {
  it("samples as OpenTelemetry's samplers do", () => {
    const is = (name: typeof Sampling.names[number], ratio: number, id: string, of = Option.none<Tracer.AnySpan>()) =>
      Sampling.by[name](ratio)(id, of)
    assert.deepStrictEqual(
      [is("always_on", 0, low), is("always_on", 0, low, parent(false)), is("always_off", 1, low, parent(true))],
      [true, true, false]
    )
    assert.deepStrictEqual(
      [is("traceidratio", 0.5, low), is("traceidratio", 0.5, high), is("traceidratio", 1, high), is("traceidratio", 0, low)],
      [true, false, true, false]
    )
    for (const name of Sampling.names.filter((name) => name.startsWith("parentbased"))) {
      assert.deepStrictEqual([is(name, 0.5, high, parent(true)), is(name, 0.5, low, parent(false))], [true, false], name)
    }
    assert.deepStrictEqual(
      [is("parentbased_always_off", 1, low), is("parentbased_traceidratio", 0.5, low), is("parentbased_traceidratio", 0.5, high)],
      [false, true, false]
    )
  })

  it.effect("a span that is not sampled goes no further, and neither do those in it", () =>
    Effect.gen(function*() {
      const ended: Array<string> = []
      const counting = Tracer.make({
        span: (name, parent, context, links, startTime, kind) => ({
          _tag: "Span",
          name,
          spanId: "1",
          traceId: "2",
          parent,
          context,
          status: { _tag: "Started", startTime },
          attributes: new Map(),
          links,
          sampled: true,
          kind,
          end: () => void ended.push(name),
          attribute() {},
          event() {},
          addLinks() {}
        }),
        context: (run) => run()
      })
      const work = Effect.currentSpan.pipe(Effect.withSpan("inner"), Effect.withSpan("outer"), Effect.orDie)
      const with_ = (name: typeof Sampling.names[number]) =>
        Effect.withTracer(work, Sampling.tracer(counting, Sampling.by[name](1)))
      assert.isFalse((yield* with_("parentbased_always_off")).sampled)
      assert.deepStrictEqual(ended, [])
      assert.isTrue((yield* with_("parentbased_always_on")).sampled)
      assert.deepStrictEqual(ended, ["inner", "outer"])
    }))
})
