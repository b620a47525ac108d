/**
 * Fibers that are begun from synchronous code, in the context of the one for whom they work.
 */
import * as Effect from "effect/Effect"
import type * as Exit from "effect/Exit"
import type * as Fiber from "effect/Fiber"
import type * as FiberStatus from "effect/FiberStatus"
import * as Runtime from "effect/Runtime"
import * as RuntimeFlags from "effect/RuntimeFlags"

/** All that a fiber has about it, to run something else with; what runs so can be interrupted. */
export const runtimeOf = <R>(
  fiber: Fiber.RuntimeFiber<unknown, unknown>,
  status: FiberStatus.Running
): Runtime.Runtime<R> =>
  Runtime.make({
    // what the fiber runs was given R, so its context has it
    context: fiber.currentContext as Runtime.Runtime<R>["context"],
    fiberRefs: fiber.getFiberRefs(),
    runtimeFlags: RuntimeFlags.enable(status.runtimeFlags, RuntimeFlags.Interruption)
  })

/**
 * Runs an effect in a fiber of its own, `immediate`ly up to where it waits for something. Its error is the exit's
 * value: whoever began it handles it, and a fiber that failed would be logged as one that nobody handled.
 */
export const start = <A, E, R>(
  runtime: Runtime.Runtime<R>,
  effect: Effect.Effect<A, E, R>,
  immediate: boolean
): Fiber.RuntimeFiber<Exit.Exit<A, E>> => Runtime.runFork(runtime)(Effect.exit(effect), { immediate })
