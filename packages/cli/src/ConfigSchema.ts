/**
 * What a configuration file may say, as a schema: of each mechanism what the mechanism itself reads, so that none of
 * its options can be missing here.
 *
 * @since 0.1.0
 */
import * as AdaptiveRate from "@spillway/core/AdaptiveRate"
import * as Batching from "@spillway/core/Batching"
import * as Budget from "@spillway/core/Budget"
import * as Caching from "@spillway/core/Caching"
import * as CircuitBreaker from "@spillway/core/CircuitBreaker"
import * as Coalescing from "@spillway/core/Coalescing"
import * as Hedging from "@spillway/core/Hedging"
import * as InvalidOptions from "@spillway/core/InvalidOptions"
import * as KeyPool from "@spillway/core/KeyPool"
import * as PriceBook from "@spillway/core/PriceBook"
import * as RequestQueue from "@spillway/core/RequestQueue"
import * as Retry from "@spillway/core/Retry"
import * as RetryBudget from "@spillway/core/RetryBudget"
import * as Router from "@spillway/core/Router"
import * as Telemetry from "@spillway/core/Telemetry"
import * as Timeout from "@spillway/core/Timeout"
import * as Access from "@spillway/gateway/Access"
import * as AccessKey from "@spillway/gateway/AccessKey"
import * as Allowance from "@spillway/gateway/Allowance"
import * as Gateway from "@spillway/gateway/Gateway"
import * as Catalogue from "@spillway/providers/Catalogue"
import * as JSONSchema from "effect/JSONSchema"
import * as Option from "effect/Option"
import * as Record from "effect/Record"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"

// -----------------------------------------------------------------------------
// fields
// -----------------------------------------------------------------------------

const no = Schema.Literal(false).annotations({ message: () => "must be options, or false" })
const yesOrNo = Schema.Boolean.annotations({ message: () => "must be options, true or false" })

/** What is there unless it is left out. */
const on = <S extends Schema.Schema.AnyNoContext>(options: S) => Schema.optional(Schema.Union(no, options))

/** What is not there unless it is asked for, be it with the defaults. */
const off = <S extends Schema.Schema.AnyNoContext>(options: S) => Schema.optional(Schema.Union(yesOrNo, options))

// the message holds nothing of what stands there
const secret = Schema.String.pipe(
  Schema.filter((text) => text.length > 0),
  Schema.annotations({
    message: () => ({ message: "must be a key: a text that is not empty, best as \"${NAME}\" of the environment", override: true }),
    jsonSchema: { type: "string", minLength: 1 }
  })
)

// -----------------------------------------------------------------------------
// sections
// -----------------------------------------------------------------------------

/**
 * What stands around a backend: the standard policies, and around them what joins calls, shares
 * them, and keeps their answers.
 *
 * @since 0.1.0
 * @category schemas
 */
export const Policies = Schema.Struct({
  caching: off(Caching.Options),
  coalescing: off(Coalescing.Options),
  batching: off(Batching.Options),
  telemetry: on(Telemetry.Options),
  retry: on(Schema.Struct({ ...Retry.Options.fields, budget: on(RetryBudget.Options) })),
  hedge: off(Hedging.Options),
  queue: on(RequestQueue.Options),
  adaptive: off(AdaptiveRate.Options),
  breaker: on(CircuitBreaker.Options),
  timeout: on(Timeout.Options)
}).annotations({ identifier: "Policies" })

/**
 * A key, and what may be set of it.
 *
 * @since 0.1.0
 * @category schemas
 */
export const Key = Schema.Union(
  secret,
  Schema.Struct({ key: secret, name: Schema.optional(InvalidOptions.name), ...KeyPool.KeyOptions.fields })
).annotations({ identifier: "Key" })

/**
 * A backend.
 *
 * @since 0.1.0
 * @category schemas
 */
export const Backend = Schema.Struct({
  keys: Schema.optional(Schema.Array(Key)),
  address: Schema.optional(InvalidOptions.name),
  environment: Schema.optional(Schema.Record({ key: InvalidOptions.name, value: Schema.String })),
  pool: Schema.optional(KeyPool.Options),
  policies: Schema.optional(Policies)
}).annotations({ identifier: "Backend" })

const { hosts: _hosts, version: _version, ...gateway } = Gateway.Settings.fields
const { key: _key, ...accessKey } = Access.Settings.from.fields.keys.value.fields

/**
 * The gateway, and who may use it.
 *
 * @since 0.1.0
 * @category schemas
 */
export const GatewaySection = Schema.Struct({
  host: Schema.optional(InvalidOptions.name),
  port: Schema.optional(InvalidOptions.whole({ atLeast: 0, atMost: 65_535 })),
  ...gateway,
  access: Schema.optional(Schema.Struct({
    keys: Schema.Array(Schema.Struct({
      ...accessKey,
      key: Schema.String.pipe(
        Schema.filter((text) => Option.isSome(AccessKey.configured(toAccessKey(text)))),
        Schema.annotations({
          message: () => ({ message: "must be sha256: and 64 digits, or a key of 16 to 512 visible characters", override: true }),
          // an editor sees the name of a variable in its place
          jsonSchema: { type: "string", minLength: 1 }
        })
      )
    }))
  }))
})

/**
 * A client's key as `Access` takes it: a hash as it is, anything else as a secret.
 *
 * @since 0.1.0
 * @category conversions
 */
export const toAccessKey = (text: string): Redacted.Redacted | string =>
  text.startsWith("sha256:") ? text : Redacted.make(text)

/**
 * A tenant: its share of the places in every queue, and what its keys may do together.
 *
 * @since 0.1.0
 * @category schemas
 */
export const Tenant = Schema.Struct({
  weight: Schema.optional(InvalidOptions.number({ atLeast: 0.001, atMost: 1000 })),
  ...Allowance.fields
})

/**
 * The file.
 *
 * @since 0.1.0
 * @category schemas
 */
export const File = Schema.Struct({
  gateway: Schema.optional(GatewaySection),
  tenants: Schema.optional(Schema.Record({ key: InvalidOptions.name, value: Tenant })),
  policies: Schema.optional(Policies),
  backends: Schema.Struct(Record.map(Catalogue.backends, () => Schema.optional(Schema.NullOr(Backend)))),
  models: Schema.optional(Router.Names),
  budget: Schema.optional(Budget.Options),
  pricing: Schema.optional(Schema.Struct({
    prices: Schema.optional(PriceBook.Options.fields.prices),
    providers: Schema.optional(Schema.Record({ key: InvalidOptions.name, value: InvalidOptions.name }))
  }))
})

/**
 * What a file says, once it has been found to be as it must be.
 *
 * @since 0.1.0
 * @category models
 */
export type File = typeof File.Encoded

// -----------------------------------------------------------------------------
// for editors
// -----------------------------------------------------------------------------

/**
 * The same as a JSON Schema, for editors to complete and check a file by. `spillway.schema.json` of this package is this,
 * with what is said of each option.
 *
 * @since 0.1.0
 * @category conversions
 */
export const toJsonSchema = (): JSONSchema.JsonSchema7Root => ({
  ...JSONSchema.make(File),
  $schema: "http://json-schema.org/draft-07/schema#",
  title: "The configuration of Spillway"
})

/**
 * Where it is published.
 *
 * @since 0.1.0
 * @category constants
 */
export const published: URL = new URL("../spillway.schema.json", import.meta.url)
