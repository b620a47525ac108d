/** A backend behind a circuit breaker that answers as it is told. */
import { assert } from "@effect/vitest"
import * as CircuitBreaker from "@spillway/core/CircuitBreaker"
import * as Completion from "@spillway/core/Completion"
import * as LlmError from "@spillway/core/LlmError"
import * as LlmService from "@spillway/core/LlmService"
import * as Policy from "@spillway/core/Policy"
import * as Resilience from "@spillway/core/Resilience"
import { Cause, type Duration, Effect, Exit, Option, TestClock } from "effect"

export const fault = new LlmError.ServerFault({ backend: "test", message: "500" })

export const failed = <A>(exit: Exit.Exit<A, LlmError.LlmError>): LlmError.LlmError =>
  exit._tag === "Failure" ? Option.getOrThrow(Cause.failureOption(exit.cause)) : assert.fail("it succeeded")

export const times = (n: number) => <A, E, R>(effect: Effect.Effect<A, E, R>) => Effect.repeatN(effect, n - 1)

export const forked = <A, E, R>(effect: Effect.Effect<A, E, R>) =>
  Effect.tap(Effect.fork(effect), () => TestClock.adjust(0))

export const make = (
  options: Partial<CircuitBreaker.Options> = {},
  inner: Policy.Policy = Policy.identity
) =>
  Effect.map(CircuitBreaker.make({ backend: "test", ...options }), (breaker) => {
    const asked = { times: 0 }
    let answer: Effect.Effect<void, LlmError.LlmError> = Effect.void
    const service = Resilience.protect(
      LlmService.make("test", {
        generateText: ({ model }) =>
          Effect.suspend(() => {
            asked.times++
            return Effect.as(answer, Completion.make({ model, content: [], finishReason: "stop", usage: {} }))
          })
      }),
      Policy.compose(breaker.policy, inner)
    )
    const ask = service.generateText({ model: "m", prompt: "" })
    /** Asks, and is answered like this. */
    const as = (effect: Effect.Effect<void, LlmError.LlmError>) =>
      Effect.suspend(() => {
        answer = effect
        return Effect.asVoid(Effect.exit(ask))
      })
    const self = {
      breaker,
      asked,
      ask,
      as,
      succeed: as(Effect.void),
      fail: as(fault),
      answers: (effect: Effect.Effect<void, LlmError.LlmError>) =>
        Effect.sync(() => {
          answer = effect
        }),
      /** Asks, and is answered like this after so long. */
      after: (time: Duration.DurationInput, effect: Effect.Effect<void, LlmError.LlmError> = Effect.void) =>
        Effect.gen(function*() {
          answer = Effect.zipRight(Effect.sleep(time), effect)
          yield* Effect.fork(Effect.exit(ask))
          yield* TestClock.adjust(time)
        }),
      /** Asks and answers, one letter after the other: `S` for a success, `F` for a failure. */
      play: (script: string) => Effect.forEach(script, (letter) => letter === "S" ? self.succeed : self.fail, { discard: true }),
      tag: Effect.map(breaker.state, ({ _tag }) => _tag),
      failures: Effect.map(breaker.state, (state) => state._tag === "Closed" ? state.memory.row : -1),
      /** What one more call comes to. */
      outcome: Effect.map(Effect.exit(ask), (exit) => Exit.isSuccess(exit) ? "Success" : failed(exit)._tag)
    }
    return self
  })
