/**
 * A service that can be replaced while it is being used: calls under way end with the one that they began with, those
 * that come later go to the one that has taken its place.
 *
 * What stands behind a service (its queue, its keys, its connections) lives in a scope of its own. When it has been
 * replaced, and the last of its calls has ended, which for a stream is when its last part has been read or its reader
 * has gone, that scope is closed. So a program changes its backends without losing an answer.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as ExecutionStrategy from "effect/ExecutionStrategy"
import * as Exit from "effect/Exit"
import * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import type * as LlmService from "./LlmService.js"

// -----------------------------------------------------------------------------
// models
// -----------------------------------------------------------------------------

/**
 * A service, and how to put another in its place.
 *
 * @since 0.1.0
 * @category models
 */
export interface Replaceable<S extends LlmService.Service = LlmService.Service> {
  /** Asks whichever service is in place when a call begins. */
  readonly service: LlmService.Service
  /** Asks whichever is in place for something that not every service does; that is a call as well. */
  readonly use: <A, E, R>(use: (service: S) => Effect.Effect<A, E, R>) => Effect.Effect<A, E, R>
  /**
   * Makes another service and puts it in place. When it cannot be made, it fails and nothing has changed. One goes after
   * the other.
   */
  readonly replace: <E, R>(make: Effect.Effect<S, E, R>) => Effect.Effect<void, E, Exclude<R, Scope.Scope>>
  /** How many services have been replaced and still have calls under way. */
  readonly leaving: Effect.Effect<number>
}

// -----------------------------------------------------------------------------
// constructors
// -----------------------------------------------------------------------------

/**
 * A service that can be replaced. When the scope closes, so do those of all that have been put in place, whether or not
 * they have calls under way.
 *
 * @since 0.1.0
 * @category constructors
 * @example
 * ```ts
 * import { Completion, LlmService, Prompt, Replaceable } from "@spillway/core"
 * import * as Effect from "effect/Effect"
 * import * as assert from "node:assert"
 *
 * const says = (text: string) =>
 *   LlmService.make("parrot", {
 *     generateText: ({ model }) =>
 *       Effect.succeed(Completion.make({ model, content: [Prompt.text(text)], finishReason: "stop", usage: {} }))
 *   })
 * const program = Effect.gen(function*() {
 *   const { replace, service } = yield* Replaceable.make(Effect.succeed(says("old")))
 *   yield* replace(Effect.succeed(says("new")))
 *   assert.strictEqual((yield* service.generateText({ model: "grey", prompt: "hi" })).text, "new")
 * })
 * Effect.runSync(Effect.scoped(program))
 * ```
 */
export const make = <S extends LlmService.Service, E, R>(
  first: Effect.Effect<S, E, R>
): Effect.Effect<Replaceable<S>, E, Exclude<R, Scope.Scope> | Scope.Scope> =>
  Effect.gen(function*() {
    const outer = yield* Scope.Scope
    const turn = Effect.unsafeMakeSemaphore(1)
    let current = yield* Effect.uninterruptibleMask((restore) => place(restore(first), outer))
    let leaving = 0

    const leave = (one: Placed<S>) => {
      leaving--
      // whoever ends the last call does not wait for what closes then
      return Effect.asVoid(Effect.forkDaemon(one.close))
    }
    const begin = () => {
      current.calls++
      return current
    }
    const end = (one: Placed<S>) => Effect.suspend(() => --one.calls === 0 && one !== current ? leave(one) : Effect.void)

    const whole = <A, E, R>(use: (service: S) => Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
      Effect.uninterruptibleMask((restore) => {
        const one = begin()
        return Effect.ensuring(restore(Effect.suspend(() => use(one.service))), end(one))
      })
    const streamed = <A, E>(use: (service: S) => Stream.Stream<A, E>): Stream.Stream<A, E> =>
      Stream.unwrapScoped(Effect.map(Effect.acquireRelease(Effect.sync(begin), end), ({ service }) => use(service)))

    return {
      service: {
        get backend() {
          return current.service.backend
        },
        get operations() {
          return current.service.operations
        },
        generateText: (request) => whole((service) => service.generateText(request)),
        streamText: (request) => streamed((service) => service.streamText(request)),
        embed: (request) => whole((service) => service.embed(request)),
        rerank: (request) => whole((service) => service.rerank(request)),
        infer: (request) => whole((service) => service.infer(request)),
        listModels: whole((service) => service.listModels),
        health: whole((service) => service.health)
      },
      use: whole,
      replace: (make) =>
        turn.withPermits(1)(Effect.uninterruptibleMask((restore) =>
          Effect.flatMap(place(restore(make), outer), (next) => {
            const before = current
            current = next
            leaving++
            return before.calls === 0 ? leave(before) : Effect.void
          })
        )),
      leaving: Effect.sync(() => leaving)
    }
  })

/** A service in its scope, and how many calls it has under way. */
interface Placed<S> {
  readonly service: S
  readonly close: Effect.Effect<void>
  calls: number
}

const place = <S, E, R>(
  make: Effect.Effect<S, E, R>,
  outer: Scope.Scope
): Effect.Effect<Placed<S>, E, Exclude<R, Scope.Scope>> =>
  Effect.flatMap(Scope.fork(outer, ExecutionStrategy.sequential), (scope) =>
    Scope.extend(make, scope).pipe(
      Effect.map((service): Placed<S> => ({ service, close: Scope.close(scope, Exit.void), calls: 0 })),
      Effect.onError((cause) => Scope.close(scope, Exit.failCause(cause)))
    ))
