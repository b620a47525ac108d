/**
 * A streamed answer, asked for once for all who want it while it is under way. Who joins reads it from its first part;
 * parts are asked for as fast as the fastest reads, and kept for the others, up to a number.
 */
import type * as Chunk from "effect/Chunk"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Option from "effect/Option"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import * as LlmError from "../LlmError.js"
import type * as Alarms from "./alarms.js"
import * as Caller from "./caller.js"
import * as Replay from "./replay.js"
import type { Asked, Settings } from "./sharedAnswer.js"
import * as SharedCalls from "./sharedCalls.js"

type Ended = Option.Option<LlmError.LlmError>
type Taken<A> = Effect.Effect<Chunk.Chunk<A>, Ended>

/** The answer, as far as it has come. */
interface Broadcast<A> {
  readonly replay: Replay.Replay<A>
  /** Why nothing more comes. */
  end: Exit.Exit<never, Ended> | undefined
  /** Has the next parts asked for. */
  want: (() => void) | undefined
}

interface Reader<A> {
  /** How far it has read. */
  place: number
  /** What it is told in place of the rest. */
  cut: LlmError.LlmError | undefined
  /** Where it waits for parts. */
  resume: ((taken: Taken<A>) => void) | undefined
  /** Rings at the caller's deadline. */
  alarm: Alarms.Alarm | undefined
}

export const make = <A>(
  { alarms, backend, counts }: Settings,
  maxParts: number
): (asked: Asked, parts: Stream.Stream<A, LlmError.LlmError>) => Stream.Stream<A, LlmError.LlmError> => {
  const calls = SharedCalls.make<Reader<A>, Broadcast<A>, never, Ended>(counts, ({ replay }) => replay.isWhole())

  const plan = (parts: Stream.Stream<A, LlmError.LlmError>) => (readers: ReadonlySet<Reader<A>>) => {
    const work: Broadcast<A> = { replay: Replay.make(maxParts), end: undefined, want: undefined }
    const wake = (taken: Taken<A>) => {
      for (const reader of readers) {
        const resume = reader.resume
        if (resume === undefined) continue
        reader.resume = undefined
        if (work.end === undefined) reader.place++
        resume(taken)
      }
    }
    const wanted = Effect.async<void>((resume) => {
      if (isWaitedFor(readers)) resume(Effect.void)
      else work.want = () => resume(Effect.void)
    })
    const pump = Effect.flatMap(Stream.toPull(parts), (pull) => {
      const step: Effect.Effect<never, Ended> = Effect.flatMap(Effect.zipRight(wanted, pull), (parts) => {
        if (parts.length > 0) {
          work.replay.put(parts)
          wake(Effect.succeed(parts))
        }
        return step
      })
      return step
    })
    return {
      work,
      effect: Effect.scoped(pump),
      ended: (exit: Exit.Exit<never, Ended>) => {
        work.end = exit
        wake(exit)
      }
    }
  }

  const read = (reader: Reader<A>, { end, replay }: Broadcast<A>, model: string): Taken<A> | undefined => {
    if (reader.cut !== undefined) return Effect.fail(Option.some(reader.cut))
    const parts = replay.at(reader.place)
    if (parts === "lost") return Effect.fail(Option.some(behind(model)))
    if (parts === undefined) return end
    reader.place++
    return Effect.succeed(parts)
  }

  const behind = (model: string) =>
    new LlmError.StreamInterrupted({
      backend,
      model,
      message: `the caller is more than ${maxParts} parts behind another who reads the same answer`
    })

  const open = (
    { key, model }: Asked,
    parts: Stream.Stream<A, LlmError.LlmError>,
    caller: Caller.Caller
  ): Effect.Effect<Taken<A>, never, Scope.Scope> => {
    const { deadline } = caller
    const late = (phase: LlmError.DeadlineExceeded["phase"]) => Caller.late(backend, model, phase)
    if (deadline <= alarms.now()) return Effect.succeed(Effect.fail(Option.some(late("queued"))))
    const reader: Reader<A> = { place: 0, cut: undefined, resume: undefined, alarm: undefined }
    const shared = calls.enter(key, caller, reader, plan(parts))
    const leave = () => {
      if (reader.alarm !== undefined) alarms.clear(reader.alarm)
      return calls.leave(shared, reader)
    }
    if (deadline < Infinity) {
      reader.alarm = alarms.set(deadline, () => {
        reader.cut = late("stream")
        reader.resume?.(Effect.fail(Option.some(reader.cut)))
        leave()
      })
    }
    const wait: Taken<A> = Effect.async((resume) => {
      reader.resume = resume
      const want = shared.work.want
      shared.work.want = undefined
      want?.()
      return Effect.sync(() => {
        reader.resume = undefined
      })
    })
    return Effect.as(
      Effect.addFinalizer(leave),
      Effect.suspend(() => read(reader, shared.work, model) ?? wait)
    )
  }

  return (asked, parts) =>
    Stream.fromPull(Effect.uninterruptible(
      Effect.withFiberRuntime((fiber, status) => open(asked, parts, Caller.of(fiber, status)))
    ))
}

const isWaitedFor = <A>(readers: ReadonlySet<Reader<A>>): boolean => {
  for (const { resume } of readers) if (resume !== undefined) return true
  return false
}
