/**
 * A policy stands between a call and its backend: it sees the call first, and decides whether, when and how often
 * the rest of the way is gone.
 *
 * One type serves whole answers and streams: what a policy takes (a place, a probe) it adds to `call.held`, and it is
 * given back when the answer has *ended*, which for a stream is later than when it began. A stream has "answered" when
 * its first part is there; until then it may be tried again, afterwards its errors belong to the caller.
 *
 * @since 0.1.0
 */
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import { dual } from "effect/Function"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import * as Held from "./Held.js"
import { onEnd } from "./internal/ending.js"
import { CurrentDeadline } from "./internal/deadline.js"
import type { LlmError } from "./LlmError.js"
import type * as LlmService from "./LlmService.js"
import type * as Protection from "./Protection.js"

export { CurrentDeadline } from "./internal/deadline.js"

// -----------------------------------------------------------------------------
// what a caller may say of a call
// -----------------------------------------------------------------------------

/**
 * How urgent a call is: a name, or a number from 0 (`high`) over 1 (`normal`) to 2 (`low`).
 *
 * @since 0.1.0
 * @category models
 */
export type Priority = "high" | "normal" | "low" | number

/**
 * The number of a priority, held within 0 (most urgent) and 2.
 *
 * @since 0.1.0
 * @category models
 */
export const toLevel = (priority: Priority): number =>
  typeof priority === "string"
    ? levels[priority]
    : priority >= 0 ? Math.min(priority, 2) : priority < 0 ? 0 : levels.normal

const levels = { high: 0, normal: 1, low: 2 } as const

/**
 * The priority of calls made here; `normal` unless a caller says otherwise.
 *
 * @since 0.1.0
 * @category references
 */
export class CurrentPriority extends Context.Reference<CurrentPriority>()("@spillway/core/CurrentPriority", {
  defaultValue: (): Priority => "normal"
}) {}

/**
 * On whose behalf calls are made here; the queue is fair between tenants. The empty name is nobody in particular.
 *
 * @since 0.1.0
 * @category references
 */
export class CurrentTenant extends Context.Reference<CurrentTenant>()("@spillway/core/CurrentTenant", {
  defaultValue: (): string => ""
}) {}

/**
 * What the caller names calls made here, to speak of them later (to a queue, of one that waits there); none unless a
 * caller says so.
 *
 * @since 0.1.0
 * @category references
 */
export class CurrentCallId extends Context.Reference<CurrentCallId>()("@spillway/core/CurrentCallId", {
  defaultValue: (): Option.Option<string> => Option.none()
}) {}

/**
 * Runs an effect whose calls have the given priority. For a stream, use `Stream.provideService` with
 * `CurrentPriority`.
 *
 * @since 0.1.0
 * @category combinators
 */
export const withPriority: {
  (priority: Priority): <A, E, R>(self: Effect.Effect<A, E, R>) => Effect.Effect<A, E, R>
  <A, E, R>(self: Effect.Effect<A, E, R>, priority: Priority): Effect.Effect<A, E, R>
} = dual(
  2,
  <A, E, R>(self: Effect.Effect<A, E, R>, priority: Priority) => Effect.provideService(self, CurrentPriority, priority)
)

/**
 * Runs an effect whose calls must have ended after the given time, counted from when the effect starts. Within
 * another deadline the earlier one holds.
 *
 * @since 0.1.0
 * @category combinators
 */
export const withDeadline: {
  (after: Duration.DurationInput): <A, E, R>(self: Effect.Effect<A, E, R>) => Effect.Effect<A, E, R>
  <A, E, R>(self: Effect.Effect<A, E, R>, after: Duration.DurationInput): Effect.Effect<A, E, R>
} = dual(2, <A, E, R>(self: Effect.Effect<A, E, R>, after: Duration.DurationInput) =>
  Effect.flatMap(deadlineIn(after), (deadline) => Effect.provideService(self, CurrentDeadline, deadline)))

/**
 * Like `withDeadline`, for a stream: the whole of it must have ended by then.
 *
 * @since 0.1.0
 * @category combinators
 */
export const withDeadlineStream: {
  (after: Duration.DurationInput): <A, E, R>(self: Stream.Stream<A, E, R>) => Stream.Stream<A, E, R>
  <A, E, R>(self: Stream.Stream<A, E, R>, after: Duration.DurationInput): Stream.Stream<A, E, R>
} = dual(2, <A, E, R>(self: Stream.Stream<A, E, R>, after: Duration.DurationInput) =>
  Stream.unwrap(Effect.map(deadlineIn(after), (deadline) => Stream.provideService(self, CurrentDeadline, deadline))))

/**
 * Runs an effect whose calls are made on behalf of a tenant.
 *
 * @since 0.1.0
 * @category combinators
 */
export const withTenant: {
  (tenant: string): <A, E, R>(self: Effect.Effect<A, E, R>) => Effect.Effect<A, E, R>
  <A, E, R>(self: Effect.Effect<A, E, R>, tenant: string): Effect.Effect<A, E, R>
} = dual(
  2,
  <A, E, R>(self: Effect.Effect<A, E, R>, tenant: string) => Effect.provideService(self, CurrentTenant, tenant)
)

/**
 * Runs an effect whose calls bear a name, by which a queue knows them while they wait.
 *
 * @since 0.1.0
 * @category combinators
 */
export const withCallId: {
  (id: string): <A, E, R>(self: Effect.Effect<A, E, R>) => Effect.Effect<A, E, R>
  <A, E, R>(self: Effect.Effect<A, E, R>, id: string): Effect.Effect<A, E, R>
} = dual(
  2,
  <A, E, R>(self: Effect.Effect<A, E, R>, id: string) => Effect.provideService(self, CurrentCallId, Option.some(id))
)

const deadlineIn = (after: Duration.DurationInput) =>
  Effect.zipWith(Clock.currentTimeMillis, CurrentDeadline, (now, outer) => {
    const own = now + Duration.toMillis(after)
    return Option.some(Option.isSome(outer) ? Math.min(outer.value, own) : own)
  })

// -----------------------------------------------------------------------------
// policies
// -----------------------------------------------------------------------------

/**
 * What is asked of a backend: of a model, of a store of objects, or what only that backend does.
 *
 * @since 0.1.0
 * @category models
 */
export type Operation = Protection.Operation

/**
 * When a call came to its queue for the first time: written down there, once, so that a further attempt stands where
 * the first one stood. Every copy of a call has the same one.
 *
 * @since 0.1.0
 * @category models
 */
export interface Arrival {
  /** Milliseconds on the `Clock`; none before it has come. */
  since: number | undefined
  /** Who came first within a millisecond: the smaller. */
  sequence: number
}

/**
 * What policies see of a request.
 *
 * @since 0.1.0
 * @category models
 */
export interface Call {
  readonly backend: string
  readonly operation: Operation
  /** Whether the answer comes in parts, and the call lasts until the last of them. */
  readonly isStreamed: boolean
  /** The model asked for; empty where the operation has none. */
  readonly model: string
  /** 0 (most urgent) to 2. */
  readonly priority: number
  /** Milliseconds on the `Clock` by which the answer must have ended. */
  readonly deadline: Option.Option<number>
  readonly tenant: string
  /** What the caller named it. */
  readonly id: Option.Option<string>
  /** What is asked; absent where it is none of the requests that every backend knows. */
  readonly request?: LlmService.Request
  /** Which try this is; 1 is the first. */
  readonly attempt: number
  /** Why the try before this one failed; absent on the first. */
  readonly previous?: LlmError
  /** The queue's own. */
  readonly arrival: Arrival
  /** What the call holds until its answer has ended. Inside `attempt` it is what this attempt holds. */
  readonly held: Held.Held
}

/**
 * The first try of a call, with what its caller said of it (`CurrentPriority` and the like), holding nothing yet.
 *
 * @since 0.1.0
 * @category constructors
 */
export const makeCall = (
  context: Context.Context<never>,
  backend: string,
  { model, operation, request }: Protection.Asked<never>,
  isStreamed: boolean
): Call => ({
  backend,
  operation,
  isStreamed,
  model,
  ...(request !== undefined && { request }),
  priority: toLevel(Context.get(context, CurrentPriority)),
  deadline: Context.get(context, CurrentDeadline),
  tenant: Context.get(context, CurrentTenant),
  id: Context.get(context, CurrentCallId),
  attempt: 1,
  arrival: { since: undefined, sequence: 0 },
  held: Held.make()
})

/**
 * The rest of the way to the backend.
 *
 * @since 0.1.0
 * @category models
 */
export type Next<A, R> = (call: Call) => Effect.Effect<A, LlmError, R>

/**
 * Stands between a call and its backend.
 *
 * @since 0.1.0
 * @category models
 */
export interface Policy {
  <A, R>(next: Next<A, R>): Next<A, R>
}

/**
 * Does nothing.
 *
 * @since 0.1.0
 * @category constructors
 */
export const identity: Policy = (next) => next

/**
 * Several policies as one. The first sees the call first: with `compose(retry, queue)` each attempt waits in the
 * queue anew, with `compose(queue, retry)` a call would keep its place while it sleeps between attempts.
 *
 * @since 0.1.0
 * @category constructors
 */
export const compose = (...policies: ReadonlyArray<Policy>): Policy => (next) =>
  policies.reduceRight((inner, policy) => policy(inner), next)

/**
 * Goes the rest of the way once, holding apart what this attempt takes: a failed or interrupted attempt gives it back
 * at once, a successful one hands it to the call, which gives it back when the answer has ended.
 *
 * @since 0.1.0
 * @category combinators
 */
export const attempt = <A, R>(next: Next<A, R>, call: Call): Effect.Effect<A, LlmError, R> =>
  Effect.suspend(() => {
    const held = Held.make()
    return onEnd(next({ ...call, held }), (exit) => {
      if (exit._tag === "Failure") return held.close(exit)
      held.moveTo(call.held)
      return Effect.void
    })
  })
