/**
 * The limits of a budget: how they are written, and how they are kept.
 *
 * @since 0.1.0
 */
import * as DateTime from "effect/DateTime"
import * as Duration from "effect/Duration"
import * as Either from "effect/Either"
import * as Predicate from "effect/Predicate"
import * as Schema from "effect/Schema"
import * as InvalidOptions from "../InvalidOptions.js"
import type * as PriceBook from "../PriceBook.js"
import type * as Ledger from "./ledger.js"
import * as Period from "./period.js"
import * as PriceField from "./priceField.js"

// -----------------------------------------------------------------------------
// as they are written
// -----------------------------------------------------------------------------

/**
 * What a limit may go by.
 *
 * @since 0.1.0
 * @category models
 */
export interface Owned {
  readonly backend: string
  readonly model: string
  readonly tenant: string
}

/**
 * Who has a limit each: `all` calls together, or each backend, model or tenant. A function says whose a call is by
 * itself (a tenant's team); where it says nothing, the limit does not concern the call.
 *
 * @since 0.1.0
 * @category models
 */
export type Owner = "all" | "backend" | "model" | "tenant" | ((call: Owned) => string | undefined)

/**
 * What becomes of a call for which a limit has no room: `refuse` fails it with a `BudgetExceeded` that nobody tries
 * elsewhere; `failover` with one that a `Router.failover` takes to the next backend, which may be cheaper; `warn` lets it
 * through, and says so in the log.
 *
 * @since 0.1.0
 * @category models
 */
export type AtLimit = "refuse" | "failover" | "warn"

/**
 * How much may be spent, by whom, in what time.
 *
 * @since 0.1.0
 * @category models
 */
export interface Limit {
  /** What it is called, in errors and for the monitor. @default by owner and time, as "tenant per day" */
  readonly name?: string | undefined
  /** How much may be spent, in dollars, from 0. */
  readonly dollars: number
  /** Who has it. @default "all" */
  readonly of?: Owner | undefined
  /** Of those who would have it, the only ones who do. @default each */
  readonly only?: ReadonlyArray<string> | undefined
  /**
   * The period of the calendar after which what was spent no longer counts.
   *
   * @default none: what was spent counts as long as the program runs
   */
  readonly per?: Period.Unit | undefined
  /** Whose calendar: the name of a time zone, as "America/New_York". @default "UTC" */
  readonly zone?: string | undefined
  /**
   * Instead of a period: after how long it no longer counts, from 1 second. It is kept exact to a sixtieth of that, on the
   * safe side.
   */
  readonly within?: Duration.DurationInput | undefined
  /** What becomes of a call for which there is no room. @default "refuse" */
  readonly atLimit?: AtLimit | undefined
}

/**
 * What is to be kept.
 *
 * @since 0.1.0
 * @category models
 */
export interface Options {
  /** A call is let in when each that concerns it has room. */
  readonly limits: ReadonlyArray<Limit>
  /**
   * What a model costs whose price is not known. Without it, such a call is refused, unless all that its limits do is
   * warn.
   *
   * @default none
   */
  readonly unknownPrice?: PriceBook.Price | undefined
  /**
   * How many tokens a model is taken to generate where the request sets no `maxTokens`, from 0.
   *
   * @default 4096
   */
  readonly assumedOutput?: number | undefined
  /**
   * After how long a reservation is given back that nobody has settled, should there be a way to lose one; from 1 second,
   * and not before the deadline of its call. What such a call turns out to cost is counted still.
   *
   * @default 1 hour
   */
  readonly reservedFor?: Duration.DurationInput | undefined
}

// -----------------------------------------------------------------------------
// as they are kept
// -----------------------------------------------------------------------------

const owners = ["all", "backend", "model", "tenant"] as const

const limit = {
  name: Schema.optional(InvalidOptions.name),
  dollars: InvalidOptions.number({ atLeast: 0, atMost: 1_000_000_000 }),
  of: Schema.optionalWith(InvalidOptions.oneOf(...owners), { default: (): typeof owners[number] => "all" }),
  only: Schema.optional(Schema.Array(Schema.String)),
  per: Schema.optional(InvalidOptions.oneOf("minute", "day", "month")),
  zone: Schema.optionalWith(
    Schema.TimeZone.annotations({
      message: ({ actual }) => ({ message: `must be the name of a time zone, not "${actual}"`, override: true }),
      jsonSchema: { type: "string" }
    }),
    { default: () => DateTime.zoneMakeOffset(0) }
  ),
  within: Schema.optional(InvalidOptions.duration({ atLeast: "1 second", atMost: "366 days" })),
  atLimit: Schema.optionalWith(InvalidOptions.oneOf("refuse", "failover", "warn"), { default: (): AtLimit => "refuse" })
}

const oneTime = ({ per, within }: { readonly per?: unknown; readonly within?: unknown }) =>
  per === undefined || within === undefined || "must be `per` a period or `within` a time, not both"

/**
 * The options as a schema, for who reads them from a file; in a file nobody's limit goes by a function.
 *
 * @since 0.1.0
 * @category schemas
 */
export const Options = Schema.Struct({
  limits: Schema.Array(Schema.Struct(limit).pipe(Schema.filter(oneTime))),
  unknownPrice: Schema.optionalWith(PriceField.price, { as: "Option" }),
  assumedOutput: Schema.optionalWith(InvalidOptions.whole({ atLeast: 0 }), { default: () => 4096 }),
  reservedFor: Schema.optionalWith(InvalidOptions.duration({ atLeast: "1 second" }), { default: () => Duration.hours(1) })
})

const Settings = Schema.Struct({
  ...Options.fields,
  limits: Schema.Array(
    Schema.Struct({
      ...limit,
      of: Schema.optionalWith(
        Schema.Union(
          InvalidOptions.oneOf(...owners),
          Schema.declare((u): u is Exclude<Owner, string> => Predicate.isFunction(u))
        ).annotations({
          message: () => ({ message: `must be ${owners.map((owner) => `"${owner}"`).join(", ")} or a function`, override: true })
        }),
        { default: (): Owner => "all" }
      )
    }).pipe(Schema.filter(oneTime))
  )
})
type Settings = typeof Settings.Type

const validate = InvalidOptions.validate("Budget", Settings)

/** A limit as it is kept. */
export interface Kept extends Ledger.Limit {
  readonly name: string
  readonly atLimit: AtLimit
  /** Whose a call is; none where the limit does not concern it. */
  readonly ownerOf: (call: Owned) => string | undefined
}

/** Reads the options; what they leave out is filled in. */
export const read = (options: Options) =>
  Either.flatMap(validate(options), ({ limits, ...settings }) => {
    const kept = limits.map(keep)
    const second = kept.findIndex(({ name }, place) => kept.findIndex((other) => other.name === name) < place)
    return second < 0 ? Either.right({ ...settings, limits: kept }) : Either.left(
      new InvalidOptions.InvalidOptions({
        module: "Budget",
        field: `limits.${second}.name`,
        message: `Budget.limits.${second}.name: there is another limit named "${kept[second]!.name}"`
      })
    )
  })

const amount = InvalidOptions.whole({ atLeast: 0 })

/** Reads what was spent in an earlier run of the program. */
export const readAccounts = InvalidOptions.validate(
  "Budget",
  Schema.Struct({
    accounts: Schema.Array(Schema.Struct({
      limit: Schema.String,
      account: Schema.String,
      limitMicroDollars: amount,
      spentMicroDollars: amount,
      reservedMicroDollars: amount,
      from: Schema.optional(Schema.Number)
    }))
  })
)

const keep = ({ atLimit, dollars, name, of, only, per, within, zone }: Settings["limits"][number]): Kept => {
  const ownerOf = typeof of === "string" ? byOwner[of] : of
  const time = per !== undefined ? `per ${per}` : within !== undefined ? `within ${Duration.format(within)}` : "in all"
  return {
    name: name ?? `${typeof of === "string" ? of : "some"} ${time}`,
    atLimit,
    isFirm: atLimit !== "warn",
    amount: Math.round(dollars * 1_000_000),
    span: per !== undefined
      ? { _tag: "Calendar", periodOf: Period.calendar(per, zone) }
      : within !== undefined
      ? { _tag: "Rolling", millis: Duration.toMillis(within) }
      : { _tag: "Always" },
    ownerOf: only === undefined ? ownerOf : (call) => {
      const owner = ownerOf(call)
      return owner !== undefined && only.includes(owner) ? owner : undefined
    }
  }
}

const byOwner: { readonly [O in typeof owners[number]]: (call: Owned) => string } = {
  all: () => "all",
  backend: ({ backend }) => backend,
  model: ({ backend, model }) => `${backend}/${model}`,
  tenant: ({ tenant }) => tenant
}
