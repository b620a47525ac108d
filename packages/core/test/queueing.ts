/**
 * A queue before a backend whose calls take as long as they are told to.
 */
import { assert } from "@effect/vitest"
import * as Completion from "@spillway/core/Completion"
import type * as LlmError from "@spillway/core/LlmError"
import * as LlmService from "@spillway/core/LlmService"
import * as Monitor from "@spillway/core/Monitor"
import * as Policy from "@spillway/core/Policy"
import * as RequestQueue from "@spillway/core/RequestQueue"
import * as Resilience from "@spillway/core/Resilience"
import { Cause, type Duration, Effect, type Exit, Option, TestClock } from "effect"

export interface Ask {
  readonly takes?: Duration.DurationInput
  readonly priority?: Policy.Priority
  readonly deadline?: Duration.DurationInput
  readonly tenant?: string
  readonly id?: string
  readonly prompt?: string
  readonly maxTokens?: number
}

const completion = (model: string) => Completion.make({ model, content: [], finishReason: "stop", usage: {} })

/** One place, unless the options say more. */
export const make = (options: Partial<RequestQueue.Options> = {}) =>
  Effect.gen(function*() {
    const monitor = Monitor.unsafeMake()
    const queue = yield* Effect.provideService(
      RequestQueue.make({ backend: "test", concurrency: 1, ...options }),
      Monitor.CurrentMonitor,
      monitor
    )
    const started: Array<string> = []
    const ended: Array<string> = []
    const takes = new Map<string, Duration.DurationInput>()
    let inFlight = 0
    let most = 0
    const service = Resilience.protect(
      LlmService.make("test", {
        generateText: ({ model }) =>
          Effect.acquireUseRelease(
            Effect.sync(() => {
              started.push(model)
              most = Math.max(most, ++inFlight)
            }),
            () => Effect.as(Effect.sleep(takes.get(model)!), completion(model)),
            () =>
              Effect.sync(() => {
                inFlight--
                ended.push(model)
              })
          )
      }),
      queue.policy
    )
    return {
      queue,
      started,
      ended,
      most: () => most,
      inFlight: () => inFlight,
      /** What the monitor knows of the queue, as long as it does. */
      read: Effect.map(monitor.snapshot, ({ backends }) => backends[0]?.queue),
      ask: (
        name: string,
        { deadline, id, maxTokens, priority = "normal", prompt = "", takes: time = "1 second", tenant = "" }: Ask = {}
      ) => {
        takes.set(name, time)
        let answer = service.generateText({ model: name, prompt, ...(maxTokens !== undefined && { maxTokens }) }).pipe(
          Policy.withPriority(priority),
          Policy.withTenant(tenant)
        )
        if (id !== undefined) answer = Policy.withCallId(answer, id)
        return deadline === undefined ? answer : Policy.withDeadline(answer, deadline)
      }
    }
  })

export const settle = TestClock.adjust(0)

/** Forked, and as far as it goes by itself. */
export const forked = <A, E, R>(effect: Effect.Effect<A, E, R>) =>
  Effect.tap(Effect.fork(effect), () => Effect.yieldNow())

/** The error that it failed with. */
export const failed = <A>(exit: Exit.Exit<A, LlmError.LlmError>): LlmError.LlmError =>
  exit._tag === "Failure" ? Option.getOrThrow(Cause.failureOption(exit.cause)) : assert.fail("it succeeded")
