/**
 * Puts policies around a service: what comes out is a service again. `layer` puts the standard ones around a layer, with
 * all that its backend does.
 *
 * A call goes through the standard policies from the top to the bottom, and its answer back up:
 *
 * | | what it does, by default | stands there because |
 * |---|---|---|
 * | `Telemetry` | counts, measures, traces | it sees what the caller sees: one call, its retries and waits included |
 * | `Timeout.deadline` | refuses what is late already | nothing further down is bothered with it |
 * | `Retry` | 5 times, after 1, 2, 4, 8, 16 s ± 20 %, or what the backend says; all calls together no more than 500 and half as often as they succeed (`RetryBudget`) | a call that sleeps before its next attempt holds no place: 5 places and 5 sleepers, and nothing would move |
 * | `Hedging` | nothing; with `hedge`, a second attempt beside one that is slow | each attempt waits for a place and takes a key like any other; the retry budget pays for both |
 * | `RequestQueue` | 5 at once, 100 wait | only attempts spend the backend's quota, so attempts are what it limits |
 * | `AdaptiveRate` | nothing; with `adaptive`, no faster than the backend lately took it | inside the queue, which decides whose turn it is |
 * | `CircuitBreaker` | opens after 5 failures in a row, for 30 s | inside the queue, nothing passes a circuit that opened while it waited, and an open one empties the queue at once |
 * | `Budget` | none; with `budget`, reserves what an attempt may cost | every attempt is paid, and one that waits reserves nothing |
 * | attempts' `Telemetry` | counts and traces attempts | it sees what is sent |
 * | `Timeout` | 60 s for an attempt, 60 s of silence in a stream | the place is free and the breaker knows when the time is over |
 *
 * below which is the backend, with its keys. A call asked of a dead backend thus costs six attempts and half a minute
 * once; the fifth failure in a row opens the circuit, and from then on calls fail at once with `CircuitOpen`, for a
 * `Router.failover` to take elsewhere.
 *
 * What an attempt takes (a place, a probe, a key) it holds until it has failed or its answer has *ended*, which for a
 * stream is when its last part is there or its consumer goes away.
 *
 * @since 0.1.0
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import { dual, identity } from "effect/Function"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Predicate from "effect/Predicate"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import * as AdaptiveRate from "./AdaptiveRate.js"
import * as Budget from "./Budget.js"
import * as CircuitBreaker from "./CircuitBreaker.js"
import * as Hedging from "./Hedging.js"
import * as Protecting from "./internal/protecting.js"
import * as InvalidOptions from "./InvalidOptions.js"
import * as LlmService from "./LlmService.js"
import * as Policy from "./Policy.js"
import * as Protection from "./Protection.js"
import * as RequestQueue from "./RequestQueue.js"
import * as Retry from "./Retry.js"
import * as RetryBudget from "./RetryBudget.js"
import * as Telemetry from "./Telemetry.js"
import * as Timeout from "./Timeout.js"

// -----------------------------------------------------------------------------
// the standard policies
// -----------------------------------------------------------------------------

/**
 * The options of each standard policy; `false` leaves it out.
 *
 * @since 0.1.0
 * @category models
 */
export interface Options {
  readonly telemetry?: Telemetry.Options | false | undefined
  readonly retry?: Retry.Options | false | undefined
  /** `true` for its defaults. @default false */
  readonly hedge?: Omit<Hedging.Options, "backend"> | boolean | undefined
  readonly queue?: Omit<RequestQueue.Options, "backend"> | false | undefined
  /** `true` for its defaults. @default false */
  readonly adaptive?: Omit<AdaptiveRate.Options, "backend"> | boolean | undefined
  /** Or one that is there already, for who wants to open it by hand, follow it, or save it. */
  readonly breaker?: Omit<CircuitBreaker.Options, "backend"> | CircuitBreaker.CircuitBreaker | false | undefined
  /** One for all who are to share it. @default what `Budget.layer` provides, else none */
  readonly budget?: Budget.Budget | false | undefined
  /** Without it, only the call's own deadline ends what takes too long. */
  readonly timeout?: Timeout.Options | false | undefined
}

const validate = InvalidOptions.validate(
  "Resilience",
  Schema.Struct({
    backend: InvalidOptions.name,
    // each is validated where it belongs
    telemetry: Schema.optional(Schema.Unknown),
    retry: Schema.optional(Schema.Unknown),
    hedge: Schema.optional(Schema.Unknown),
    queue: Schema.optional(Schema.Unknown),
    adaptive: Schema.optional(Schema.Unknown),
    breaker: Schema.optional(Schema.Unknown),
    budget: Schema.optional(Schema.Unknown.pipe(
      Schema.filter((budget) => budget === false || Predicate.hasProperty(budget, "policy") || "must be made by Budget.make, or false")
    )),
    timeout: Schema.optional(Schema.Unknown)
  })
)

/**
 * The standard policies of one backend, as one. Its queue and its circuit are made here: one backend, one of these.
 *
 * @since 0.1.0
 * @category constructors
 */
export const standard = (
  backend: string,
  options: Options = {}
): Effect.Effect<Policy.Policy, InvalidOptions.InvalidOptions, Scope.Scope> =>
  Effect.gen(function*() {
    yield* validate({ backend, ...options })
    const { adaptive = false, breaker, budget, hedge = false, queue, retry, telemetry, timeout } = options
    const none = { policy: Policy.identity, attempts: Policy.identity, budget: Option.none() }
    const telling = telemetry === false ? none : yield* Telemetry.make(backend, telemetry)
    const retrying = retry === false ? none : yield* Retry.make(retry)
    if (Option.isSome(retrying.budget)) yield* RetryBudget.register(retrying.budget.value, backend)
    const hedging = hedge === false
      ? { around: identity }
      : yield* Hedging.make({ ...(hedge === true ? {} : hedge), backend }, Option.getOrUndefined(retrying.budget))
    const queueing = queue === false ? none : yield* RequestQueue.make({ ...queue, backend })
    const pacing = adaptive === false
      ? none
      : yield* AdaptiveRate.make({ ...(adaptive === true ? {} : adaptive), backend })
    const breaking = breaker === false
      ? none
      : breaker !== undefined && "policy" in breaker
      ? breaker
      : yield* CircuitBreaker.make({ ...breaker, backend })
    const spending = budget === false ? none : budget ?? Option.getOrElse(yield* Budget.CurrentBudget, () => none)
    const timing = yield* Timeout.make(timeout === false ? Timeout.never : timeout)
    return Policy.compose(
      telling.policy,
      Timeout.deadline,
      retrying.policy,
      hedging.around(Policy.compose(queueing.policy, pacing.policy)),
      breaking.policy,
      spending.policy,
      telling.attempts,
      timing.policy
    )
  })

/**
 * The standard policies around the services of a layer: its `LlmService`, and what else its backend does (`Tei.Tei`,
 * `Ollama.Ollama`, a store of objects) besides. All wait in one queue and are watched by one circuit, which each layer
 * has of its own, each time it is built. A service that knows of no policy (see `Protection.own`) comes out as it is.
 *
 * @since 0.1.0
 * @category layers
 * @example
 * ```ts
 * import { LlmService, Resilience } from "@spillway/core"
 * import * as Layer from "effect/Layer"
 *
 * const Backend = Layer.succeed(LlmService.LlmService, LlmService.make("echo", {}))
 * const Live = Backend.pipe(Resilience.layer({ retry: { maxRetries: 3 }, queue: { concurrency: 20 } }))
 * ```
 */
export const layer = (options: Options = {}) =>
<E, R, Own = never>(
  self: Layer.Layer<LlmService.LlmService | Own, E, R>
): Layer.Layer<LlmService.LlmService | Own, E | InvalidOptions.InvalidOptions, R> =>
  Layer.flatMap(self, (services) =>
    Layer.scopedContext(
      Effect.map(standard(Context.get(services, LlmService.LlmService).backend, options), (policy) =>
        protectAll(services, policy))
    ))

const protectAll = <Own>(
  services: Context.Context<LlmService.LlmService | Own>,
  policy: Policy.Policy
): Context.Context<LlmService.LlmService | Own> =>
  Context.add(
    // what is behind each tag is of the tag's type again
    Context.unsafeMake(new Map(Array.from(services.unsafeMap, ([tag, service]) =>
      [tag, Predicate.isObject(service) ? protectOwn(service, policy) : service]))),
    LlmService.LlmService,
    protect(Context.get(services, LlmService.LlmService), policy)
  )

// -----------------------------------------------------------------------------
// any policy
// -----------------------------------------------------------------------------

/**
 * A service whose every call goes through the policy.
 *
 * @since 0.1.0
 * @category combinators
 */
export const protect: {
  (policy: Policy.Policy): (self: LlmService.Service) => LlmService.Service
  (self: LlmService.Service, policy: Policy.Policy): LlmService.Service
} = dual(2, (self: LlmService.Service, policy: Policy.Policy): LlmService.Service =>
  Protection.llm(self, Protecting.make(self.backend, policy)))

/**
 * The same for a service of what only one backend does (`Protection.own`), or a store of objects: where a backend was
 * made without a layer, give it the policy that its `LlmService` has. Any other service comes back as it is.
 *
 * @since 0.1.0
 * @category combinators
 */
export const protectOwn: {
  (policy: Policy.Policy): <S extends object>(self: S) => S
  <S extends object>(self: S, policy: Policy.Policy): S
} = dual(2, <S extends object>(self: S, policy: Policy.Policy): S =>
  Protection.within(self, (backend) => Protecting.make(backend, policy)))
