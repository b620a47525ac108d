/**
 * Puts a policy around a service: what comes out is a service again.
 *
 * @since 0.1.0
 */
import * as Cause from "effect/Cause"
import type * as Chunk from "effect/Chunk"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import { dual } from "effect/Function"
import * as Option from "effect/Option"
import * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import type * as Completion from "./Completion.js"
import * as Held from "./Held.js"
import * as LlmError from "./LlmError.js"
import type * as LlmService from "./LlmService.js"
import * as Policy from "./Policy.js"

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
    model: string,
    effect: Effect.Effect<A, LlmError.LlmError>
  ): Effect.Effect<A, LlmError.LlmError> => {
    const run = policy(() => effect)
    return Effect.contextWithEffect((context: Context.Context<never>) => {
      const call = makeCall(context, backend, operation, model)
      return Effect.onExit(run(call), call.held.close)
    })
  }
  return {
    ...self,
    generateText: (request) => whole("generateText", request.model, self.generateText(request)),
    embed: (request) => whole("embed", request.model, self.embed(request)),
    rerank: (request) => whole("rerank", request.model, self.rerank(request)),
    listModels: whole("listModels", "", self.listModels),
    streamText: (request) => streamed(backend, request.model, self.streamText(request), policy)
  }
})

const makeCall = (
  context: Context.Context<never>,
  backend: string,
  operation: LlmService.Operation,
  model: string
): Policy.Call => ({
  backend,
  operation,
  model,
  priority: Policy.toLevel(Context.get(context, Policy.CurrentPriority)),
  deadline: Context.get(context, Policy.CurrentDeadline),
  tenant: Context.get(context, Policy.CurrentTenant),
  attempt: 1,
  held: Held.make()
})

interface Opened {
  readonly first: Chunk.Chunk<Completion.Part>
  readonly pull: Effect.Effect<Chunk.Chunk<Completion.Part>, Option.Option<LlmError.LlmError>>
}

const streamed = (
  backend: string,
  model: string,
  parts: Stream.Stream<Completion.Part, LlmError.LlmError>,
  policy: Policy.Policy
): Stream.Stream<Completion.Part, LlmError.LlmError> =>
  Stream.unwrapScoped(
    Effect.contextWithEffect((context: Context.Context<Scope.Scope>) => {
      const call = makeCall(context, backend, "streamText", model)
      return Effect.map(
        Effect.zipRight(
          Scope.addFinalizerExit(Context.get(context, Scope.Scope), call.held.close),
          policy(open(parts, backend))(call)
        ),
        ({ first, pull }) =>
          Stream.concat(
            Stream.fromChunk(first),
            Stream.repeatEffectChunkOption(
              // what is held goes back the moment the answer has ended, not when its consumer is done
              Effect.onError(pull, (cause) =>
                call.held.close(
                  Option.match(Option.flatten(Cause.failureOption(cause)), {
                    onNone: () => Cause.isFailure(cause) ? Exit.void : Exit.failCause(cause),
                    onSome: Exit.fail
                  })
                ))
            )
          )
      )
    })
  )

const open = (
  parts: Stream.Stream<Completion.Part, LlmError.LlmError>,
  backend: string
): Policy.Next<Opened, never> =>
(call) =>
  Effect.flatMap(Scope.make(), (scope) => {
    call.held.add((exit) => Scope.close(scope, exit))
    return Effect.flatMap(Scope.extend(Stream.toPull(parts), scope), (pull) =>
      Effect.map(
        Effect.mapError(
          pull,
          Option.getOrElse(() =>
            new LlmError.StreamInterrupted({
              backend,
              model: call.model,
              message: `${backend} ended the stream before its first part`
            })
          )
        ),
        (first): Opened => ({ first, pull })
      ))
  })
