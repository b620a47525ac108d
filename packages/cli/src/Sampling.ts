/**
 * Which traces are told: OpenTelemetry's samplers, before any tracer.
 *
 * @since 0.1.0
 */
import * as Option from "effect/Option"
import * as Tracer from "effect/Tracer"

/**
 * Whether a span of this trace, with this parent, is told.
 *
 * @since 0.1.0
 * @category models
 */
export type Sampled = (traceId: string, parent: Option.Option<Tracer.AnySpan>) => boolean

/**
 * The samplers' names, as `OTEL_TRACES_SAMPLER` has them.
 *
 * @since 0.1.0
 * @category constants
 */
export const names = [
  "always_on",
  "always_off",
  "traceidratio",
  "parentbased_always_on",
  "parentbased_always_off",
  "parentbased_traceidratio"
] as const

const all = (): Sampled => () => true

const none = (): Sampled => () => false

// the same answer for all spans of a trace, wherever they are made
const share = (ratio: number): Sampled => (traceId) => parseInt(traceId.slice(-13), 16) < ratio * 2 ** 52

const asParent = (root: (ratio: number) => Sampled) => (ratio: number): Sampled => {
  const sampled = root(ratio)
  return (traceId, parent) => Option.match(parent, { onNone: () => sampled(traceId, parent), onSome: (parent) => parent.sampled })
}

/**
 * The samplers, each of the ratio that `OTEL_TRACES_SAMPLER_ARG` gives.
 *
 * @since 0.1.0
 * @category tables
 */
export const by: { readonly [N in typeof names[number]]: (ratio: number) => Sampled } = {
  always_on: all,
  always_off: none,
  traceidratio: share,
  parentbased_always_on: asParent(all),
  parentbased_always_off: asParent(none),
  parentbased_traceidratio: asParent(share)
}

/**
 * A tracer whose spans go no further where they are not sampled; they have their ids all the same, for those who are
 * told of the trace.
 *
 * @since 0.1.0
 * @category combinators
 */
export const tracer = (self: Tracer.Tracer, sampled: Sampled): Tracer.Tracer =>
  Tracer.make({
    span(name, parent, ...rest) {
      const span = self.span(name, parent, ...rest)
      return sampled(span.traceId, parent) ? span : Object.assign(span, { sampled: false, end: () => {} })
    },
    context: (run, fiber) => self.context(run, fiber)
  })
