/**
 * Who waits for an answer that others may wait for too, and how one effect is run for all of them.
 */
import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import type * as Fiber from "effect/Fiber"
import type * as FiberStatus from "effect/FiberStatus"
import * as Option from "effect/Option"
import * as Runtime from "effect/Runtime"
import * as LlmError from "../LlmError.js"
import * as Policy from "../Policy.js"
import * as Child from "./child.js"
import * as Deadline from "./deadline.js"

/** Someone who waits, with what he said of his call. */
export interface Caller {
  readonly runtime: Runtime.Runtime<never>
  /** 0 (most urgent) to 2. */
  readonly level: number
  /** Milliseconds on the `Clock`; `Infinity` where there is none. */
  readonly deadline: number
  readonly tenant: string
  readonly id: Option.Option<string>
}

export const of = (fiber: Fiber.RuntimeFiber<unknown, unknown>, status: FiberStatus.Running): Caller => {
  const runtime = Child.runtimeOf<never>(fiber, status)
  const context = runtime.context
  return {
    runtime,
    level: Policy.toLevel(Context.get(context, Policy.CurrentPriority)),
    deadline: Deadline.toMillis(Context.get(context, Policy.CurrentDeadline)),
    tenant: Context.get(context, Policy.CurrentTenant),
    id: Context.get(context, Policy.CurrentCallId)
  }
}

/** Begins an effect for a caller, in whose context it runs, but with these words in place of his. */
export const start = <A, E>(
  { runtime }: Caller,
  { deadline, id, level }: Pick<Caller, "level" | "deadline" | "id">,
  effect: Effect.Effect<A, E>
) =>
  Child.start(
    Runtime.updateContext(runtime, (context) =>
      context.pipe(
        Context.add(Policy.CurrentPriority, level),
        Context.add(Policy.CurrentDeadline, deadline === Infinity ? Option.none() : Option.some(deadline)),
        Context.add(Policy.CurrentCallId, id)
      )),
    effect,
    false
  )

/** The caller's deadline has passed; that of others may not have. */
export const late = (
  backend: string,
  model: string,
  phase: LlmError.DeadlineExceeded["phase"]
): LlmError.DeadlineExceeded =>
  new LlmError.DeadlineExceeded({
    backend,
    ...(model !== "" && { model }),
    phase,
    message: `the call's deadline passed before ${backend} ${phase === "stream" ? "had ended its answer" : "answered"}`
  })
