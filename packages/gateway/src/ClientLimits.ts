/**
 * Holds each client to the models and tokens that its key allows: a service becomes a service that looks at whose call
 * it is (`Access.CurrentPrincipal`). How often one may ask, and how much at once, the gateway has looked at before.
 *
 * Tokens are taken before the call is made, as many as it is estimated to use, and settled by what its answer says that
 * it has used; a call that failed gives back all.
 *
 * @since 0.1.0
 */
import type * as Completion from "@spillway/core/Completion"
import * as LlmError from "@spillway/core/LlmError"
import type * as LlmService from "@spillway/core/LlmService"
import * as Tokens from "@spillway/core/Tokens"
import * as OpenAiModerationWire from "@spillway/providers/OpenAiModerationWire"
import type * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import * as Access from "./Access.js"
import * as Allowance from "./Allowance.js"
import type { Failure } from "./Exchange.js"
import type * as Moderation from "./Moderation.js"
import { Refusal } from "./Refusal.js"

// what errors name as the backend when none was asked
const backend = "gateway"

/**
 * The service, for clients with limits.
 *
 * @since 0.1.0
 * @category combinators
 */
export const protect = (self: LlmService.Service): LlmService.Service => {
  const whole = <Request extends LlmService.Request, Answer extends { readonly usage?: Completion.Usage }>(
    ask: (request: Request) => Effect.Effect<Answer, LlmError.LlmError>
  ) =>
  (request: Request): Effect.Effect<Answer, LlmError.LlmError> =>
    Effect.flatMap(admitted(request), ({ request, settle }) =>
      Effect.onExit(ask(request), (exit) => settle(exit._tag === "Success" ? exit.value.usage : "failed")))
  return {
    ...self,
    generateText: whole(self.generateText),
    embed: whole(self.embed),
    rerank: whole(self.rerank),
    infer: whole(self.infer),
    streamText: (request) =>
      Stream.unwrap(
        Effect.map(admitted(request), ({ request, settle }) => {
          let used: Completion.Usage | "failed" | undefined = "failed"
          const parts = Stream.tap(self.streamText(request), (part) =>
            Effect.sync(() => {
              used = part._tag === "Finish" ? part.usage : used === "failed" ? undefined : used
            }))
          return Stream.ensuring(parts, Effect.suspend(() => settle(used)))
        })
      ),
    listModels: Effect.zipWith(self.listModels, Access.CurrentPrincipal, (models, principal) =>
      Option.match(principal, {
        onNone: () => models,
        onSome: ({ allowances }) => models.filter(({ id }) => allowances.every(({ mayUse }) => mayUse(id)))
      }))
  }
}

/**
 * Moderation, for clients with limits: its models are among those that a key allows or not; it uses no tokens.
 *
 * @since 0.1.0
 * @category combinators
 */
export const protectModeration = ({ moderate }: Moderation.Service): Moderation.Service => ({
  moderate: (request) =>
    Effect.flatMap(Access.CurrentPrincipal, (principal) => {
      const { model = OpenAiModerationWire.model } = request
      return Option.isNone(principal) || principal.value.allowances.every(({ mayUse }) => mayUse(model))
        ? moderate(request)
        : Effect.fail(unknown(model))
    })
})

/**
 * What the client hears of a failure: that it has used up its tokens is a refusal of ours, after which it may come
 * again, as nothing was sent.
 *
 * @since 0.1.0
 * @category conversions
 */
export const refusalOf = (failure: Failure): Failure =>
  failure._tag === "RateLimited" && failure.backend === backend
    ? new Refusal({
      reason: "LimitReached",
      message: failure.message,
      ...(failure.retryAfter !== undefined && { retryAfter: failure.retryAfter })
    })
    : failure

interface Admitted<Request> {
  readonly request: Request
  /** Told what the call has used; `failed` where nothing came. */
  readonly settle: (usage: Completion.Usage | "failed" | undefined) => Effect.Effect<void>
}

const admitted = <Request extends LlmService.Request>(
  request: Request
): Effect.Effect<Admitted<Request>, LlmError.LlmError> =>
  Effect.flatMap(Access.CurrentPrincipal, (principal) =>
    Option.isNone(principal)
      ? Effect.succeed({ request, settle: () => Effect.void })
      : Effect.flatMap(Effect.clock, (clock) => admit(request, principal.value.allowances, clock)))

const admit = <Request extends LlmService.Request>(
  request: Request,
  allowances: ReadonlyArray<Allowance.Allowance>,
  clock: Clock.Clock
): Either.Either<Admitted<Request>, LlmError.LlmError> => {
  const { model } = request
  if (!allowances.every(({ mayUse }) => mayUse(model))) {
    return Either.left(unknown(model))
  }
  return Either.flatMap(bounded(request, allowances), (request) => {
    const { input, output = assumedOutput } = Tokens.estimate(request)
    const wait = Allowance.reserve(allowances, input + output, clock.unsafeCurrentTimeMillis())
    return wait === undefined
      ? Either.right({
        request,
        settle: (usage) =>
          Effect.sync(() => {
            const used = usage === "failed" ? 0 : tokensOf(usage) ?? input + output
            Allowance.charge(allowances, used - input - output, clock.unsafeCurrentTimeMillis())
          })
      })
      : Either.left(
        new LlmError.RateLimited({
          backend,
          model,
          message: "This client has used its tokens of the minute",
          retryAfter: Duration.millis(wait)
        })
      )
  })
}

const unknown = (model: string) => new LlmError.ModelNotFound({ backend, model, message: "There is no such model" })

// what a model is taken to generate where nothing bounds it
const assumedOutput = 1024

const tokensOf = (usage: Completion.Usage | undefined): number | undefined =>
  usage?.inputTokens === undefined && usage?.outputTokens === undefined
    ? undefined
    : (usage.inputTokens ?? 0) + (usage.outputTokens ?? 0)

const bounded = <Request extends LlmService.Request>(
  request: Request,
  allowances: ReadonlyArray<Allowance.Allowance>
): Either.Either<Request, LlmError.LlmError> => {
  if (!("prompt" in request)) return Either.right(request)
  const most = Math.min(...allowances.map(({ maxTokens = Infinity }) => maxTokens))
  const { maxTokens, model } = request
  return maxTokens === undefined
    ? Either.right(most === Infinity ? request : { ...request, maxTokens: most })
    : maxTokens <= most
    ? Either.right(request)
    : Either.left(
      new LlmError.InvalidRequest({
        backend,
        model,
        field: "max_tokens",
        message: `max_tokens is ${maxTokens}, and this client may ask for ${most} at most`
      })
    )
}
