/**
 * Who may use the gateway: its clients' keys, what each of them stands for, and what it may do.
 *
 * A gateway that is given no keys is open to whoever reaches it, which is right on loopback only. With keys, a request
 * says its own as `authorization: Bearer …`, `x-api-key` or `api-key`, as clients of the APIs do; a page in a browser as
 * the password of a Basic authorization. What needs which role is the route's to say (`Exchange.Route`).
 *
 * Keys are kept as hashes, and looked up by the hash of what a request says: how long that takes tells nothing of a key.
 * Every request without a right one hears the same. One that has a right key is let in whatever others did from its
 * address, since one address may be that of a proxy; who goes on saying wrong ones is told to wait, longer each time.
 *
 * What is done with a key is done on behalf of its tenant: queues, budgets, joined calls and cached answers go by that,
 * and no header can choose another. What a tenant may spend is its budget's to keep (`Budget`, of `"tenant"`).
 *
 * @since 0.1.0
 */
import type * as HttpServerRequest from "@effect/platform/HttpServerRequest"
import * as InvalidOptions from "@spillway/core/InvalidOptions"
import * as Policy from "@spillway/core/Policy"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Either from "effect/Either"
import * as Encoding from "effect/Encoding"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import * as AccessKey from "./AccessKey.js"
import * as Allowance from "./Allowance.js"
import * as CallHeaders from "./CallHeaders.js"
import * as FailedAttempts from "./FailedAttempts.js"
import { Refusal } from "./Refusal.js"

// -----------------------------------------------------------------------------
// options
// -----------------------------------------------------------------------------

/**
 * What a client may do: call models, or operate the gateway as well.
 *
 * @since 0.1.0
 * @category models
 */
export type Role = "user" | "admin"

/**
 * A client's key, and what it stands for.
 *
 * @since 0.1.0
 * @category models
 */
export interface Key extends Allowance.Limits {
  /** What logs call the client: 1 to 64 letters, digits and `. _ : @ / -`. No two are the same. */
  readonly name: string
  /** The key, or `sha256:` and the 64 digits of its hash (`AccessKey.hash`), which need not be secret. */
  readonly key: Redacted.Redacted | string
  /** What it may do. @default "user" */
  readonly role?: Role | undefined
  /** On whose behalf its calls are made; written like a name. @default the name */
  readonly tenant?: string | undefined
  /** The most urgent that its calls may be; those that say they are more urgent are as urgent as this. @default "high" */
  readonly priority?: Policy.Priority | undefined
}

/**
 * Who may use the gateway.
 *
 * @since 0.1.0
 * @category models
 */
export interface Options {
  /** The keys, at least one. */
  readonly keys: ReadonlyArray<Key>
  /** What the keys of a tenant may do together, besides what each of them may. @default nothing more is limited */
  readonly tenants?: { readonly [tenant: string]: Allowance.Limits } | undefined
}

const says = (message: string) => () => ({ message, override: true })

const label = Schema.String.pipe(
  Schema.filter(CallHeaders.isTenant),
  Schema.annotations({ message: says("must be 1 to 64 letters, digits and . _ : @ / -") })
)

// the message holds nothing of what was given
const key = Schema.declare((u): u is Redacted.Redacted | string => Option.isSome(AccessKey.configured(u))).annotations({
  message: says("must be sha256: and 64 digits, or a Redacted key of 16 to 512 visible characters")
})

const priority = Schema.Union(InvalidOptions.oneOf("high", "normal", "low"), InvalidOptions.number({ atLeast: 0, atMost: 2 }))
  .annotations({ message: says("must be \"high\", \"normal\", \"low\", or a number from 0 (most urgent) to 2") })

/**
 * The options, as they are read.
 *
 * @since 0.1.0
 * @category schemas
 */
export const Settings = Schema.Struct({
  keys: Schema.Array(Schema.Struct({
    name: label,
    key,
    role: Schema.optionalWith(InvalidOptions.oneOf("user", "admin"), { default: (): Role => "user" }),
    tenant: Schema.optional(label),
    priority: Schema.optionalWith(priority, { default: (): Policy.Priority => "high" }),
    ...Allowance.fields
  })),
  tenants: Schema.optionalWith(Schema.Record({ key: label, value: Schema.Struct(Allowance.fields) }), { default: () => ({}) })
}).pipe(
  Schema.filter(({ keys }) =>
    keys.length === 0 ? [{ path: ["keys"], message: "must hold a key; without any, leave `access` out" }] : keys.flatMap((key, place) => {
      const before = keys.slice(0, place)
      return [
        ...before.some(({ name }) => name === key.name)
          ? [{ path: ["keys", place, "name"], message: "must not be the name of another key" }]
          : [],
        ...before.some((other) => digestOf(other) === digestOf(key))
          ? [{ path: ["keys", place, "key"], message: "must not be another's key" }]
          : []
      ]
    })
  )
)

/**
 * The options, read.
 *
 * @since 0.1.0
 * @category models
 */
export type Settings = typeof Settings.Type

const digestOf = ({ key }: { readonly key: Redacted.Redacted | string }): string =>
  Option.getOrThrow(AccessKey.configured(key))

// -----------------------------------------------------------------------------
// principals
// -----------------------------------------------------------------------------

/**
 * Who a key stands for.
 *
 * @since 0.1.0
 * @category models
 */
export interface Principal {
  readonly name: string
  readonly role: Role
  readonly tenant: string
  /** The most urgent level that its calls may have. */
  readonly level: number
  /** The key's allowance, and its tenant's. */
  readonly allowances: ReadonlyArray<Allowance.Allowance>
}

/**
 * Whose call it is that is made here; nobody's in particular where the gateway has no keys.
 *
 * @since 0.1.0
 * @category references
 */
export class CurrentPrincipal extends Context.Reference<CurrentPrincipal>()("@spillway/gateway/CurrentPrincipal", {
  defaultValue: (): Option.Option<Principal> => Option.none()
}) {}

/**
 * Tells who sends a request.
 *
 * @since 0.1.0
 * @category models
 */
export interface Access {
  /** Who sends it, if that one may do what needs the role. */
  readonly check: (
    request: HttpServerRequest.HttpServerRequest,
    needs: Role,
    now: number
  ) => Either.Either<Principal, Refusal>
}

/**
 * Access by the keys of the options.
 *
 * @since 0.1.0
 * @category constructors
 */
export const make = ({ keys, tenants }: Settings): Access => {
  const ofTenant = new Map(Object.entries(tenants).map(([tenant, limits]) => [tenant, Allowance.make(limits)]))
  const principals = new Map(keys.map((key): [string, Principal] => {
    const { name, priority, role, tenant = name } = key
    const shared = ofTenant.get(tenant)
    return [digestOf(key), {
      name,
      role,
      tenant,
      level: Policy.toLevel(priority),
      allowances: shared === undefined ? [Allowance.make(key)] : [Allowance.make(key), shared]
    }]
  }))
  const failed = FailedAttempts.make()
  return {
    check: (request, needs, now) => {
      const said = secretOf(request.headers)
      // who says nothing does not guess
      if (said === undefined) return Either.left(unauthorized(request))
      const principal = principals.get(AccessKey.digest(said))
      if (principal === undefined) {
        const wait = failed.add(Option.getOrElse(request.remoteAddress, () => ""), now)
        return Either.left(wait === 0 ? unauthorized(request) : slowDown(wait))
      }
      return needs === "admin" && principal.role !== "admin" ? Either.left(forbidden) : Either.right(principal)
    }
  }
}

// longer ones are nobody's, and not worth a hash
const longest = 512

const secretOf = (headers: HttpServerRequest.HttpServerRequest["headers"]): string | undefined => {
  const { authorization } = headers
  const secret = authorization === undefined
    ? headers["x-api-key"] ?? headers["api-key"]
    : ofAuthorization(authorization.trim())
  return secret !== undefined && secret.length <= longest ? secret : undefined
}

const ofAuthorization = (authorization: string): string | undefined => {
  const space = authorization.indexOf(" ")
  const scheme = authorization.slice(0, Math.max(space, 0)).toLowerCase()
  const rest = authorization.slice(space + 1).trim()
  if (scheme === "bearer") return rest
  if (scheme !== "basic" || rest.length > 2 * longest) return undefined
  return Option.getOrUndefined(
    Option.map(Either.getRight(Encoding.decodeBase64String(rest)), (pair) => pair.slice(pair.indexOf(":") + 1))
  )
}

const unauthorized = ({ headers }: HttpServerRequest.HttpServerRequest): Refusal =>
  headers["accept"]?.includes("text/html") === true ? unauthorizedPage : unauthorizedCall

const noKey = { reason: "Unauthorized", message: "This needs a key of this gateway, and the request has none that is right" } as const
const unauthorizedCall = new Refusal({ ...noKey, challenge: "Bearer realm=\"spillway\"" })
const unauthorizedPage = new Refusal({ ...noKey, challenge: "Basic realm=\"spillway\", charset=\"UTF-8\"" })

const forbidden = new Refusal({ reason: "Forbidden", message: "This is for operators: it needs the key of an admin" })

const slowDown = (millis: number): Refusal =>
  new Refusal({
    reason: "LimitReached",
    message: "Too many requests without a right key came from this address",
    retryAfter: Duration.millis(millis)
  })

// -----------------------------------------------------------------------------
// calls
// -----------------------------------------------------------------------------

/**
 * Lets a call of a principal in, if it may ask once more: under which references it is made, from what its headers say.
 * Whoever was let in must leave (`Allowance.leave`).
 *
 * @since 0.1.0
 * @category combinators
 */
export const enter = (
  principal: Principal,
  said: Context.Context<never> = Context.empty(),
  now: number
): Either.Either<Context.Context<never>, Refusal> => {
  const { allowances, level, tenant } = principal
  const wanted = Context.get(said, Policy.CurrentTenant)
  if (wanted !== "" && wanted !== tenant) return Either.left(otherTenant)
  const wait = Allowance.enter(allowances, now)
  return wait === undefined
    ? Either.right(Context.merge(
      said,
      Context.make(CurrentPrincipal, Option.some(principal)).pipe(
        Context.add(Policy.CurrentTenant, tenant),
        Context.add(Policy.CurrentPriority, Math.max(level, Policy.toLevel(Context.get(said, Policy.CurrentPriority))))
      )
    ))
    : Either.left(
      new Refusal({
        reason: "LimitReached",
        message: "This client has asked for as much as it may for now",
        retryAfter: Duration.millis(wait)
      })
    )
}

const otherTenant = new Refusal({
  reason: "Forbidden",
  message: "x-spillway-tenant must be the tenant of the key, or left out",
  field: "x-spillway-tenant"
})
