/**
 * Requests that are sent together: each waits in a batch, travels with the others of it, and is told its own part of
 * the answer; or its own error, where one of them is at fault and it has to be found out which.
 */
import type * as Arr from "effect/Array"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import type * as Completion from "../Completion.js"
import * as LlmError from "../LlmError.js"
import type * as LlmService from "../LlmService.js"
import * as Tokens from "../Tokens.js"
import type * as Alarms from "./alarms.js"
import * as BatchRoom from "./batchRoom.js"
import type * as BatchTally from "./batchTally.js"
import * as Caller from "./caller.js"
import type * as Joining from "./joining.js"
import * as Shares from "./shares.js"

/** What batches are like, and who is told of them. */
export interface Settings {
  readonly backend: string
  readonly maxItems: number
  readonly maxTokens: number
  /** In milliseconds. */
  readonly maxDelay: number
  readonly alarms: Alarms.Alarms
  readonly tally: BatchTally.Tally
}

/** Sends requests, each by itself. */
export type Send<Request, Answer> = (request: Request) => Effect.Effect<Answer, LlmError.LlmError>

interface Entry<Request, Answer> extends BatchRoom.Item {
  readonly request: Request
  readonly caller: Caller.Caller
  readonly since: number
  readonly resume: (answer: Effect.Effect<Answer, LlmError.LlmError>) => void
  /** Rings at the caller's deadline. */
  alarm: Alarms.Alarm | undefined
  /** What it travels in, once it has been sent. */
  journey: Journey<Request, Answer> | undefined
}

/** One request on its way for those entries. */
interface Journey<Request, Answer> {
  /** Who still waits for it. */
  readonly entries: Set<Entry<Request, Answer>>
  readonly fiber: Fiber.Fiber<unknown>
}

export const make = <Request extends LlmService.Request, Answer extends { readonly usage: Completion.Usage }>(
  joining: Joining.Joining<Request, Answer>,
  send: Send<Request, Answer>,
  { alarms, backend, maxDelay, maxItems, maxTokens, tally }: Settings
): Send<Request, Answer> => {
  type E = Entry<Request, Answer>
  const room = BatchRoom.make<E>(maxItems, maxTokens)
  const departures = new Map<BatchRoom.Batch<E>, Alarms.Alarm>()
  tally.watch(room.waiting)

  // ---------------------------------------------------------------------------
  // waiting
  // ---------------------------------------------------------------------------

  const ask: Send<Request, Answer> = (request) => {
    const kind = joining.kind(request)
    const size = joining.size(request)
    if (kind === undefined || size === 0) return send(request)
    const tokens = Tokens.estimate(request).input
    return Effect.withFiberRuntime((fiber, status) => {
      const caller = Caller.of(fiber, status)
      return Effect.async<Answer, LlmError.LlmError>((resume) => {
        const since = alarms.now()
        if (caller.deadline <= since) return resume(Effect.fail(Caller.late(backend, request.model, "queued")))
        const entry: E = { request, size, tokens, caller, since, resume, alarm: undefined, journey: undefined }
        const { batch, left } = room.add(JSON.stringify([caller.tenant, kind]), entry)
        if (caller.deadline < Infinity) {
          entry.alarm = alarms.set(caller.deadline, () => {
            const phase = entry.journey === undefined ? "queued" : "attempt"
            resume(Effect.zipRight(leave(batch, entry), Effect.fail(Caller.late(backend, request.model, phase))))
          })
        }
        left.forEach(depart)
        if (!left.includes(batch)) wait(batch, caller.deadline, since)
        return Effect.suspend(() => leave(batch, entry))
      })
    })
  }

  const wait = (batch: BatchRoom.Batch<E>, deadline: number, now: number) => {
    if (deadline <= now + maxDelay && room.take(batch)) depart(batch)
    else if (batch.items.size === 1) departures.set(batch, alarms.set(now + maxDelay, () => room.take(batch) && depart(batch)))
  }

  /** An entry whose caller has gone: it is not sent, and what was sent for nobody else is given up. */
  const leave = (batch: BatchRoom.Batch<E>, entry: E): Effect.Effect<void> => {
    disarm(entry)
    const { journey } = entry
    if (journey === undefined) {
      room.remove(batch, entry)
      if (batch.items.size === 0) forget(batch)
      return Effect.void
    }
    return journey.entries.delete(entry) && journey.entries.size === 0 ? Fiber.interrupt(journey.fiber) : Effect.void
  }

  const disarm = (entry: E) => {
    if (entry.alarm !== undefined) alarms.clear(entry.alarm)
  }

  const forget = (batch: BatchRoom.Batch<E>) => {
    const alarm = departures.get(batch)
    if (alarm === undefined) return
    departures.delete(batch)
    alarms.clear(alarm)
  }

  // ---------------------------------------------------------------------------
  // travelling
  // ---------------------------------------------------------------------------

  const depart = (batch: BatchRoom.Batch<E>) => {
    forget(batch)
    const entries = [...batch.items]
    const now = alarms.now()
    for (const { since } of entries) tally.waited(now - since)
    travel(entries)
  }

  const travel = (travellers: ReadonlyArray<E>) => {
    const [first] = travellers
    if (first === undefined) return
    let sent: Arr.NonEmptyReadonlyArray<E> = [first]
    const entries = new Set(travellers)
    const fiber = Caller.start(
      first.caller,
      {
        level: Math.min(...travellers.map(({ caller }) => caller.level)),
        deadline: Math.max(...travellers.map(({ caller }) => caller.deadline)),
        id: travellers.length === 1 ? first.caller.id : Option.none()
      },
      Effect.suspend(() => {
        const [first, ...others] = entries
        // it is interrupted before it begins when nobody is left
        if (first === undefined) return Effect.interrupt
        sent = [first, ...others]
        tally.sent(sent.length, sizeOf(sent))
        return send(sent.length === 1 ? first.request : joining.join(requestsOf(sent)))
      })
    )
    const journey = { entries, fiber }
    for (const entry of travellers) entry.journey = journey
    fiber.addObserver((exit) => arrive(sent, entries, Exit.flatten(exit)))
  }

  const arrive = (
    sent: Arr.NonEmptyReadonlyArray<E>,
    waiting: ReadonlySet<E>,
    exit: Exit.Exit<Answer, LlmError.LlmError>
  ) => {
    const tell = (answer: (nth: number) => Effect.Effect<Answer, LlmError.LlmError>) =>
      sent.forEach((entry, nth) => {
        if (!waiting.has(entry)) return
        disarm(entry)
        entry.resume(answer(nth))
      })
    if (Exit.isFailure(exit)) {
      if (sent.length === 1 || !Option.exists(Cause.failureOption(exit.cause), mayBeOfOne)) return tell(() => exit)
      const rest = sent.filter((entry) => waiting.has(entry))
      const half = Math.ceil(rest.length / 2)
      tally.parted()
      travel(rest.slice(0, half))
      return travel(rest.slice(half))
    }
    if (sent.length === 1) return tell(() => exit)
    const parts = joining.split(exit.value, requestsOf(sent))
    const shares = Shares.shareOut(exit.value.usage, sent.map(({ tokens }) => tokens))
    return tell((nth) => {
      const part = parts?.[nth]
      return part === undefined ? Effect.fail(mismatch(sent)) : Effect.succeed({ ...part, usage: shares[nth] ?? {} })
    })
  }

  const mismatch = (sent: Arr.NonEmptyReadonlyArray<E>) =>
    new LlmError.MalformedResponse({
      backend,
      model: sent[0].request.model,
      message: `${backend} did not give one result for each of the ${sizeOf(sent)} items that were sent together`
    })

  return ask
}

// the rest is the fault of no item, and is not helped by asking in other company
const mayBeOfOne = ({ _tag }: LlmError.LlmError): boolean => _tag === "InvalidRequest" || _tag === "ContentFiltered"

const requestsOf = <Request>([first, ...others]: Arr.NonEmptyReadonlyArray<{ readonly request: Request }>) =>
  [first.request, ...others.map(({ request }) => request)] as const

const sizeOf = (items: ReadonlyArray<BatchRoom.Item>): number => items.reduce((sum, { size }) => sum + size, 0)
