/**
 * Follows a stream for a reader who must hear something now and then: the next parts when they are there, or that there
 * are none yet.
 *
 * The backend is asked when the reader asks, and not before: of what it says nothing is kept but what it was asked for,
 * so a slow reader makes a slow backend. Asking goes on in a fiber of its own, so that a heartbeat breaks off nothing.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Scope from "effect/Scope"
import type * as OpenStreams from "./OpenStreams.js"

/**
 * What follows a stream.
 *
 * @since 0.1.0
 * @category models
 */
export interface Following<A, E> {
  /** The next parts; `undefined` where there are none, and it is time to say something. */
  readonly next: Effect.Effect<A | undefined, E>
}

/**
 * Follows a stream until the scope closes.
 *
 * @since 0.1.0
 * @category constructors
 */
export const make = <A, E>(
  pull: Effect.Effect<A, E>,
  scope: Scope.Scope,
  streams: OpenStreams.OpenStreams,
  options: {
    /** Whether there is something to say where there are no parts. */
    readonly hasHeartbeat: boolean
    /** What happens to a reader who takes nothing more. */
    readonly stalled: () => void
  }
): Effect.Effect<Following<A, E>> => {
  const heartbeat = options.hasHeartbeat ? streams.heartbeat : Infinity
  // since when the backend has been waited for, or, when it has not, the reader
  let since = streams.now()
  let isStalled = false
  let reader: ((parts: Effect.Effect<A | undefined, E>) => void) | undefined
  let ready: Exit.Exit<A, E> | undefined
  let isAsked = false
  let ask: (() => void) | undefined

  const hand = (parts: Effect.Effect<A | undefined, E>) => {
    const resume = reader!
    reader = undefined
    since = streams.now()
    resume(parts)
  }
  const put = (parts: Exit.Exit<A, E>): Effect.Effect<void> => {
    isAsked = false
    if (reader === undefined) ready = parts
    else hand(parts)
    return Exit.isSuccess(parts) ? asking : Effect.void
  }
  const asking: Effect.Effect<void> = Effect.flatMap(
    Effect.zipRight(
      Effect.async<void>((resume) => {
        if (isAsked) return resume(Effect.void)
        ask = () => resume(Effect.void)
      }),
      Effect.exit(pull)
    ),
    put
  )
  const next = Effect.async<A | undefined, E>((resume) => {
    since = streams.now()
    if (ready !== undefined) {
      const parts = ready
      ready = undefined
      return resume(parts)
    }
    reader = resume
    if (!isAsked) {
      isAsked = true
      ask?.()
      ask = undefined
    }
    return Effect.sync(() => {
      if (reader === resume) reader = undefined
    })
  })
  const stream: OpenStreams.OpenStream = {
    look(now) {
      if (reader !== undefined) {
        if (now < since + heartbeat) return since + heartbeat
        hand(Effect.succeed(undefined))
      }
      if (now >= since + streams.stall && !isStalled) {
        isStalled = true
        options.stalled()
      }
      return isStalled ? Infinity : since + streams.stall
    },
    cut() {
      if (reader !== undefined) hand(Effect.succeed(undefined))
    }
  }
  return Effect.zipRight(
    Scope.addFinalizer(scope, Effect.sync(() => streams.leave(stream))),
    Effect.map(Effect.forkIn(asking, scope), () => {
      streams.enter(stream)
      return { next }
    })
  )
}
