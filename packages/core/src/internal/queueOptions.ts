/**
 * How the options of a queue are read.
 */
import * as Duration from "effect/Duration"
import * as Schema from "effect/Schema"
import * as InvalidOptions from "../InvalidOptions.js"

const { duration, name, number, oneOf, whole } = InvalidOptions

const limits = {
  capacity: whole({ atLeast: 0 }),
  concurrency: whole({ atLeast: 1 })
}

const weight = number({ atLeast: 0.001, atMost: 1000 })

const Fairness = Schema.Struct({
  cost: Schema.optionalWith(oneOf("calls", "tokens"), { default: () => "calls" as const }),
  quantum: Schema.optional(whole({ atLeast: 1 })),
  weights: Schema.optionalWith(Schema.Record({ key: Schema.String, value: weight }), { default: () => ({}) }),
  defaultWeight: Schema.optionalWith(weight, { default: () => 1 })
})

/**
 * The options as a schema, for who reads them from a file.
 *
 * @since 0.1.0
 * @category schemas
 */
export const Options = Schema.Struct({
  capacity: Schema.optionalWith(limits.capacity, { default: () => 100 }),
  concurrency: Schema.optionalWith(limits.concurrency, { default: () => 5 }),
  maxWait: Schema.optionalWith(duration({ atLeast: 1 }), { default: () => Duration.seconds(300) }),
  ageing: Schema.optionalWith(duration({ atLeast: 1 }), { default: () => Duration.seconds(30) }),
  overflow: Schema.optionalWith(oneOf("refuse", "displace"), { default: () => "refuse" as const }),
  tenantCapacity: Schema.optional(whole({ atLeast: 1 })),
  fairness: Schema.optionalWith(Fairness, {
    default: () => ({ cost: "calls" as const, weights: {}, defaultWeight: 1 })
  }),
  lateShare: Schema.optionalWith(number({ atLeast: 0, atMost: 1 }), { default: () => 0.2 })
})

const Settings = Schema.Struct({ backend: name, ...Options.fields })

/** What a queue keeps to, defaults filled in. */
export type Settings = typeof Settings.Type

export const validate = InvalidOptions.validate("RequestQueue", Settings)

export const validateCapacity = InvalidOptions.validate("RequestQueue", Schema.Struct({ capacity: limits.capacity }))

export const validateConcurrency = InvalidOptions.validate(
  "RequestQueue",
  Schema.Struct({ concurrency: limits.concurrency })
)
