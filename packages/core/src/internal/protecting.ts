/**
 * A policy as what stands around the operations of a backend: each is made a call, goes through the policy, and gives
 * back what it holds when its answer has ended.
 */
import * as Cause from "effect/Cause"
import * as Channel from "effect/Channel"
import * as Chunk from "effect/Chunk"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Option from "effect/Option"
import * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import type * as Held from "../Held.js"
import * as LlmError from "../LlmError.js"
import type * as Objects from "../Objects.js"
import * as Policy from "../Policy.js"
import type * as Protection from "../Protection.js"
import { onEnd } from "./ending.js"

/** Sends every operation of a backend through the policy. */
export const make = (backend: string, policy: Policy.Policy): Protection.Protection => ({
  whole: (asked, answer) => whole(backend, policy, asked, answer),
  streamed: (asked, parts) => streamed(backend, policy, asked, parts),
  opened: (asked, open) => opened(backend, policy, asked, open)
})

// -----------------------------------------------------------------------------
// whole answers
// -----------------------------------------------------------------------------

const whole = <A>(
  backend: string,
  policy: Policy.Policy,
  asked: Protection.Asked<A>,
  answer: Effect.Effect<A, LlmError.LlmError>
): Effect.Effect<A, LlmError.LlmError> => {
  const run = policy(() => answer)
  return Effect.contextWithEffect((context: Context.Context<never>) => {
    const call = Policy.makeCall(context, backend, asked, false)
    return onEnd(run(call), (exit) => call.held.close(tell(asked, exit)))
  })
}

const tell = <A>({ told }: Protection.Asked<A>, exit: Exit.Exit<A, LlmError.LlmError>) =>
  exit._tag === "Failure" ? exit : told === undefined ? Exit.void : Exit.succeed(told(exit.value))

// -----------------------------------------------------------------------------
// answers in parts
// -----------------------------------------------------------------------------

const streamed = <A>(
  backend: string,
  policy: Policy.Policy,
  asked: Protection.Asked<A>,
  parts: Stream.Stream<A, LlmError.LlmError>
): Stream.Stream<A, LlmError.LlmError> =>
  fromPull(
    Effect.contextWithEffect((context: Context.Context<Scope.Scope>) => {
      const call = Policy.makeCall(context, backend, asked, true)
      const held = call.held
      let finish: Protection.Told = {}
      const noted = (parts: Held.Parts<A>) => {
        finish = asked.told?.(Chunk.unsafeLast(parts)) ?? finish
        return parts
      }
      const end = ending(held, () => finish)
      let pull: Held.Pull<A> = policy(begin(parts, backend))(call).pipe(
        Effect.mapError(Option.some),
        Effect.flatMap(({ first, pull: others }) => {
          noted(first)
          return Effect.map(held.watched(Effect.catchAll(Effect.map(others, noted), end), first), (rest) => {
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

// what is held goes back the moment the answer has ended, not when its consumer is done
const ending = (held: Held.Held, told: () => Protection.Told) => (error: Option.Option<LlmError.LlmError>) =>
  Effect.zipRight(
    held.close(Option.match(error, { onNone: () => Exit.succeed(told()), onSome: Exit.fail })),
    Effect.fail(error)
  )

// like `Stream.fromPull`, at half the cost per part: the end is looked for once, not at each pull
const fromPull = <A>(pull: Effect.Effect<Held.Pull<A>, never, Scope.Scope>) =>
  Stream.fromChannel(Channel.unwrapScoped(Effect.map(pull, (pull) => {
    const step: Channel.Channel<Held.Parts<A>, unknown, Option.Option<LlmError.LlmError>, unknown, void> = Channel
      .flatMap(
        Channel.fromEffect(pull),
        (parts) => Channel.flatMap(Channel.write(parts), () => step)
      )
    return Channel.catchAll(step, Option.match({ onNone: () => Channel.void, onSome: Channel.fail }))
  })))

interface Begun<A> {
  readonly first: Held.Parts<A>
  readonly pull: Held.Pull<A>
}

/** A stream has answered when its first part is there: until then it may be tried again. */
const begin =
  <A>(parts: Stream.Stream<A, LlmError.LlmError>, backend: string): Policy.Next<Begun<A>, never> => (call) =>
    Effect.flatMap(Scope.make(), (scope) => {
      call.held.add((exit) => Scope.close(scope, exit))
      return Effect.flatMap(Scope.extend(Stream.toPull(parts), scope), (toPull) => {
        const pull = skipEmpty(toPull)
        return Effect.mapBoth(pull, {
          onSuccess: (first): Begun<A> => ({ first, pull }),
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

const skipEmpty = <A>(toPull: Held.Pull<A>): Held.Pull<A> => {
  const pull: Held.Pull<A> = Effect.flatMap(toPull, (parts) => Chunk.isEmpty(parts) ? pull : Effect.succeed(parts))
  return pull
}

// -----------------------------------------------------------------------------
// content
// -----------------------------------------------------------------------------

type Open = Effect.Effect<Objects.Content, LlmError.LlmError, Scope.Scope>

const opened = (backend: string, policy: Policy.Policy, asked: Protection.Asked<never>, open: Open): Open =>
  Effect.contextWithEffect((context: Context.Context<Scope.Scope>) => {
    const call = Policy.makeCall(context, backend, asked, true)
    const held = call.held
    const end = ending(held, () => wasRead)
    const within = Effect.flatMap(policy(read(open))(call), ({ content, first, pull }) =>
      Effect.map(held.watched(Effect.catchAll(pull, end), Option.getOrElse(first, Chunk.empty)), (rest): Objects.Content => {
        let waiting = first
        const next = Effect.suspend(() => {
          const bytes = waiting
          waiting = Option.none()
          return Option.isSome(bytes) ? Effect.succeed(bytes.value) : rest
        })
        return { ...content, bytes: Stream.fromPull(Effect.succeed(next)) }
      }))
    return Effect.zipRight(
      // by then it has ended, or its reader has left early
      Effect.addFinalizer(() => held.close(Exit.void)),
      Effect.onError(within, (cause) => held.close(Exit.failCause(cause)))
    )
  })

const wasRead: Protection.Told = {}

interface Readable {
  readonly content: Objects.Content
  /** The first bytes; none of an empty object. */
  readonly first: Option.Option<Held.Parts<Uint8Array>>
  readonly pull: Held.Pull<Uint8Array>
}

/** Content has answered when its first bytes are there. */
const read = (open: Open): Policy.Next<Readable, never> => (call) =>
  Effect.flatMap(Scope.make(), (scope) => {
    call.held.add((exit) => Scope.close(scope, exit))
    return Scope.extend(
      Effect.flatMap(open, (content) =>
        Effect.flatMap(Stream.toPull(content.bytes), (toPull) => {
          const pull = skipEmpty(toPull)
          return Effect.matchEffect(pull, {
            onSuccess: (first) => Effect.succeed<Readable>({ content, first: Option.some(first), pull }),
            onFailure: Option.match({
              onNone: () => Effect.succeed<Readable>({ content, first: Option.none(), pull }),
              onSome: Effect.fail
            })
          })
        })),
      scope
    )
  })
