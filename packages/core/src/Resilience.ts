/**
 * Puts policies around a service: what comes out is a service again. `layer` puts the standard ones around a layer.
 *
 * A call goes through the standard policies from the top to the bottom, and its answer back up:
 *
 * | | what it does, by default | stands there because |
 * |---|---|---|
 * | `Telemetry` | counts, measures, traces | it sees what the caller sees: one call, its retries and waits included |
 * | `Timeout.deadline` | refuses what is late already | nothing further down is bothered with it |
 * | `Retry` | 5 times, after 1, 2, 4, 8, 16 s ± 20 %, or what the backend says | a call that sleeps before its next attempt holds no place: 5 places and 5 sleepers, and nothing would move |
 * | `RequestQueue` | 5 at once, 100 wait | only attempts spend the backend's quota, so attempts are what it limits |
 * | `CircuitBreaker` | opens after 5 failures in a row, for 30 s | inside the queue, nothing passes a circuit that opened while it waited, and an open one empties the queue at once |
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
import * as Cause from "effect/Cause"
import * as Channel from "effect/Channel"
import * as Chunk from "effect/Chunk"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import { dual } from "effect/Function"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import * as CircuitBreaker from "./CircuitBreaker.js"
import type * as Completion from "./Completion.js"
import type * as Held from "./Held.js"
import * as InvalidOptions from "./InvalidOptions.js"
import * as LlmError from "./LlmError.js"
import * as LlmService from "./LlmService.js"
import * as Policy from "./Policy.js"
import * as RequestQueue from "./RequestQueue.js"
import * as Retry from "./Retry.js"
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
  readonly queue?: Omit<RequestQueue.Options, "backend"> | false | undefined
  readonly breaker?: Omit<CircuitBreaker.Options, "backend"> | false | undefined
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
    queue: Schema.optional(Schema.Unknown),
    breaker: Schema.optional(Schema.Unknown),
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
    const { breaker, queue, retry, telemetry, timeout } = options
    const none = { policy: Policy.identity, attempts: Policy.identity }
    const telling = telemetry === false ? none : yield* Telemetry.make(backend, telemetry)
    const retrying = retry === false ? none : yield* Retry.make(retry)
    const queueing = queue === false ? none : yield* RequestQueue.make({ ...queue, backend })
    const breaking = breaker === false ? none : yield* CircuitBreaker.make({ ...breaker, backend })
    const timing = yield* Timeout.make(timeout === false ? Timeout.never : timeout)
    return Policy.compose(
      telling.policy,
      Timeout.deadline,
      retrying.policy,
      queueing.policy,
      breaking.policy,
      telling.attempts,
      timing.policy
    )
  })

/**
 * The standard policies around the service of a layer. Each time the layer is built, it has a queue and a circuit of
 * its own.
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
<E, R>(
  self: Layer.Layer<LlmService.LlmService, E, R>
): Layer.Layer<LlmService.LlmService, E | InvalidOptions.InvalidOptions, R> =>
  Layer.provide(
    Layer.scoped(
      LlmService.LlmService,
      Effect.flatMap(LlmService.LlmService, (service) =>
        Effect.map(standard(service.backend, options), (policy) => protect(service, policy)))
    ),
    self
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
} = dual(2, (self: LlmService.Service, policy: Policy.Policy): LlmService.Service => {
  const backend = self.backend
  const whole = <A>(
    operation: LlmService.Operation,
    request: LlmService.Request | undefined,
    effect: Effect.Effect<A, LlmError.LlmError>
  ): Effect.Effect<A, LlmError.LlmError> => {
    const run = policy(() => effect)
    return Effect.contextWithEffect((context: Context.Context<never>) => {
      const call = Policy.makeCall(context, backend, operation, request?.model ?? "", request)
      return Effect.onExit(run(call), call.held.close)
    })
  }
  return {
    ...self,
    generateText: (request) => whole("generateText", request, self.generateText(request)),
    embed: (request) => whole("embed", request, self.embed(request)),
    rerank: (request) => whole("rerank", request, self.rerank(request)),
    infer: (request) => whole("infer", request, self.infer(request)),
    listModels: whole("listModels", undefined, self.listModels),
    health: whole("health", undefined, self.health),
    streamText: (request) => streamed(backend, request, self.streamText(request), policy)
  }
})

const streamed = (
  backend: string,
  request: Completion.Request,
  parts: Stream.Stream<Completion.Part, LlmError.LlmError>,
  policy: Policy.Policy
): Stream.Stream<Completion.Part, LlmError.LlmError> =>
  fromPull(
    Effect.contextWithEffect((context: Context.Context<Scope.Scope>) => {
      const call = Policy.makeCall(context, backend, "streamText", request.model, request)
      const held = call.held
      let finish: Pick<Completion.Completion, "usage"> = { usage: {} }
      const noted = (parts: Held.Parts) => {
        const last = Chunk.unsafeLast(parts)
        if (last._tag === "Finish") finish = last
        return parts
      }
      // what is held goes back the moment the answer has ended, not when its consumer is done
      const end = (error: Option.Option<LlmError.LlmError>) =>
        Effect.zipRight(
          held.close(Option.match(error, { onNone: () => Exit.succeed(finish), onSome: Exit.fail })),
          Effect.fail(error)
        )
      let pull: Held.Pull = policy(open(parts, backend))(call).pipe(
        Effect.mapError(Option.some),
        Effect.flatMap(({ first, pull: others }) => {
          noted(first)
          return Effect.map(held.watched(Effect.catchAll(Effect.map(others, noted), end)), (rest) => {
            pull = rest
            return first
          })
        }),
        Effect.catchAll(end)
      )
      return Effect.as(
        // the stream's own failures have closed it by then: what fails later is its consumer, who has left early
        Scope.addFinalizerExit(Context.get(context, Scope.Scope), (exit) =>
          held.close(Exit.isFailure(exit) && Cause.isFailure(exit.cause) ? Exit.void : exit)),
        Effect.suspend(() => pull)
      )
    })
  )

// like `Stream.fromPull`, at half the cost per part: the end is looked for once, not at each pull
const fromPull = (pull: Effect.Effect<Held.Pull, never, Scope.Scope>) =>
  Stream.fromChannel(Channel.unwrapScoped(Effect.map(pull, (pull) => {
    const step: Channel.Channel<Held.Parts, unknown, Option.Option<LlmError.LlmError>, unknown, void> = Channel.flatMap(
      Channel.fromEffect(pull),
      (parts) => Channel.flatMap(Channel.write(parts), () => step)
    )
    return Channel.catchAll(step, Option.match({ onNone: () => Channel.void, onSome: Channel.fail }))
  })))

interface Opened {
  readonly first: Held.Parts
  readonly pull: Held.Pull
}

const open =
  (parts: Stream.Stream<Completion.Part, LlmError.LlmError>, backend: string): Policy.Next<Opened, never> => (call) =>
    Effect.flatMap(Scope.make(), (scope) => {
      call.held.add((exit) => Scope.close(scope, exit))
      return Effect.flatMap(Scope.extend(Stream.toPull(parts), scope), (toPull) => {
        const pull: Held.Pull = Effect.flatMap(toPull, (parts) => Chunk.isEmpty(parts) ? pull : Effect.succeed(parts))
        return Effect.mapBoth(pull, {
          onSuccess: (first): Opened => ({ first, pull }),
          onFailure: Option.getOrElse(() =>
            new LlmError.StreamInterrupted({
              backend,
              model: call.model,
              message: `${backend} ended the stream before its first part`
            })
          )
        })
      })
    })
