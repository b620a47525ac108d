/**
 * What a queue says to the calls that it sends away.
 */
import * as Duration from "effect/Duration"
import * as LlmError from "../LlmError.js"
import type * as Monitor from "../Monitor.js"
import type * as Policy from "../Policy.js"

/** What is so in that moment. */
export interface Facts {
  readonly backend: string
  readonly maxWait: Duration.Duration
  /** Most that may wait, and those who do; of the call's tenant where he has too many. */
  readonly capacity: number
  readonly waiting: number
  /** In how many milliseconds all who wait now will have been let in, and one more; absent when it is not known. */
  readonly retryAfter: number | undefined
}

type Refuse = (call: Policy.Call, facts: Facts) => LlmError.QueueFull | LlmError.DeadlineExceeded
type Says = (queue: string, facts: Facts) => string

const full = (says: Says): Refuse => ({ model }, facts) =>
  new LlmError.QueueFull({
    backend: facts.backend,
    model,
    capacity: facts.capacity,
    waiting: facts.waiting,
    ...(facts.retryAfter !== undefined && { retryAfter: Duration.millis(Math.ceil(facts.retryAfter)) }),
    message: says(`${facts.backend}'s queue`, facts)
  })

// nothing says when it would help to come back
const closed = (says: Says): Refuse => (call, facts) => full(says)(call, { ...facts, retryAfter: undefined })

const late = (says: Says): Refuse => ({ model }, facts) =>
  new LlmError.DeadlineExceeded({
    backend: facts.backend,
    model,
    phase: "queued",
    message: says(`${facts.backend}'s queue`, facts)
  })

/** The error for each reason. */
export const errors: { readonly [R in Monitor.QueueRefusal]: Refuse } = {
  full: full((queue, { capacity }) => `${queue} is full: no more than ${capacity} calls may wait`),
  "tenant-full": full((queue, { capacity }) => `${queue} is full: no more than ${capacity} calls of a tenant may wait`),
  displaced: full((queue) => `${queue} is full, and the call was displaced by a more urgent one`),
  late: late((queue) => `the call's deadline will have passed before ${queue} has a place for it`),
  expired: late((queue) => `the call's deadline passed before ${queue} had a place for it`),
  "waited-too-long": closed((queue, { maxWait }) =>
    `the call waited ${Duration.format(maxWait)} in ${queue}, the longest that a call may`
  ),
  draining: closed((queue) => `${queue} is draining and takes no more calls`),
  shut: closed((queue) => `${queue} is shut down`)
}
