/**
 * What a key may do now and what it must wait for: what is set of it, what the backend's headers say, and what its
 * refusals have taught, of the whole key and of each model. All of it must have room at once, and all of it is taken at
 * once: who waits for one of them holds nothing of the others.
 */
import type * as Monitor from "../Monitor.js"
import * as Bucket from "./keyBucket.js"
import type * as Lease from "./keyLease.js"
import * as Pace from "./keyPace.js"
import * as Quota from "./keyQuota.js"
import * as Reported from "./keyReported.js"
import type * as Sends from "./keySends.js"
import type * as Period from "./period.js"

/** What is set of a key. */
export interface Settings extends Quota.Settings {
  readonly requestsPerMinute?: number | undefined
  readonly tokensPerMinute?: number | undefined
  /** Most requests at once. */
  readonly burst?: number | undefined
}

/** What a key may do. */
export interface Allowance {
  readonly requests: Bucket.Bucket | undefined
  readonly tokens: Bucket.Bucket | undefined
  readonly quota: Quota.Quota | undefined
  /** What has been found out of a model. */
  readonly models: Map<string, OfModel>
  readonly pacing: Pace.Settings
}

interface OfModel {
  pace: Pace.Pace | undefined
  requests: Reported.Reported | undefined
  tokens: Reported.Reported | undefined
}

/** What was taken for one request, to be settled when it has ended. */
export interface Reservation {
  readonly allowance: Allowance
  readonly model: OfModel | undefined
  readonly tokens: number
}

export const make = (settings: Settings, calendar: Period.Calendar, pacing: Pace.Settings): Allowance => {
  const { burst, requestsPerMinute, tokensPerMinute } = settings
  return {
    requests: requestsPerMinute === undefined
      ? undefined
      : Bucket.make(requestsPerMinute, burst ?? requestsPerMinute),
    tokens: tokensPerMinute === undefined ? undefined : Bucket.make(tokensPerMinute, tokensPerMinute),
    quota: Quota.make(settings, calendar),
    models: new Map(),
    pacing
  }
}

/** Whether it takes more than a look to know that a key may be used. */
export const isLimited = ({ models, quota, requests, tokens }: Allowance): boolean =>
  requests !== undefined || tokens !== undefined || quota !== undefined || models.size > 0

/** Whether it matters how many tokens a request takes. */
export const countsTokens = ({ models, tokens }: Allowance, model: string): boolean =>
  tokens !== undefined || models.get(model)?.tokens !== undefined

/** Whether its refusals have taught at what pace it may be used with a model. */
export const isPaced = ({ models }: Allowance, model: string): boolean => models.get(model)?.pace !== undefined

// -----------------------------------------------------------------------------
// use
// -----------------------------------------------------------------------------

/** When a request of so many tokens may go: now, or later. */
export const readyAt = (allowance: Allowance, model: string, tokens: number, now: number): number => {
  const own = sharedReadyAt(allowance, tokens, now)
  const found = allowance.models.get(model)
  return found === undefined ? own : Math.max(
    own,
    found.pace === undefined ? now : Pace.readyAt(found.pace, now),
    found.requests === undefined ? now : Reported.readyAt(found.requests, 1, now),
    found.tokens === undefined ? now : Reported.readyAt(found.tokens, tokens, now)
  )
}

/** The same, as far as it does not depend on the model. */
export const sharedReadyAt = ({ requests, tokens: ofTokens }: Allowance, tokens: number, now: number): number =>
  Math.max(
    requests === undefined ? now : Bucket.readyAt(requests, 1, now),
    ofTokens === undefined ? now : Bucket.readyAt(ofTokens, tokens, now)
  )

/** Requests in a millisecond that it gives in the long run; infinite where nothing is known to limit them. */
export const rate = ({ models, requests }: Allowance, model: string): number => {
  const found = models.get(model)
  return Math.min(
    requests?.rate ?? Infinity,
    found?.pace?.bucket.rate ?? Infinity,
    found?.requests === undefined ? Infinity : Reported.rate(found.requests)
  )
}

/** A request goes that was found to be ready. */
export const take = (allowance: Allowance, model: string, tokens: number, now: number): Reservation => {
  const found = current(allowance, model, now)
  if (allowance.requests !== undefined) Bucket.take(allowance.requests, 1)
  if (allowance.tokens !== undefined) Bucket.take(allowance.tokens, tokens)
  if (allowance.quota !== undefined) Quota.count(allowance.quota, now)
  if (found?.pace !== undefined) Pace.take(found.pace, now)
  if (found?.requests !== undefined) Bucket.take(found.requests.bucket, 1)
  if (found?.tokens !== undefined) Bucket.take(found.tokens.bucket, tokens)
  return { allowance, model: found, tokens }
}

/** It has used so many tokens. */
export const settle = ({ allowance, tokens }: Reservation, used: number): void => {
  // what the headers say of tokens has been corrected by the backend itself
  if (allowance.tokens !== undefined) Bucket.give(allowance.tokens, tokens - used)
}

/** It was not made after all, which was to be at a time. */
export const undo = (reservation: Reservation, sentAt: number, now: number): void => {
  const { model, tokens } = reservation
  giveBack(reservation, now)
  if (model?.requests !== undefined) Bucket.give(model.requests.bucket, 1)
  if (model?.tokens !== undefined) Bucket.give(model.tokens.bucket, tokens)
  if (model?.pace !== undefined) Pace.undo(model.pace, sentAt)
}

/** It was refused, and used nothing. */
export const giveBack = ({ allowance, tokens }: Reservation, now: number): void => {
  if (allowance.requests !== undefined) Bucket.give(allowance.requests, 1)
  if (allowance.tokens !== undefined) Bucket.give(allowance.tokens, tokens)
  if (allowance.quota !== undefined) Quota.uncount(allowance.quota, now)
}

// -----------------------------------------------------------------------------
// finding out
// -----------------------------------------------------------------------------

const mostModels = 64

const current = ({ models }: Allowance, model: string, now: number): OfModel | undefined => {
  const found = models.get(model)
  if (found?.pace !== undefined && Pace.isForgotten(found.pace, now)) found.pace = undefined
  return found
}

const ofModel = (allowance: Allowance, model: string, now: number): OfModel => {
  const { models } = allowance
  const found = current(allowance, model, now)
  if (found !== undefined) return found
  const [oldest] = models.keys()
  if (oldest !== undefined && models.size >= mostModels) models.delete(oldest)
  const made: OfModel = { pace: undefined, requests: undefined, tokens: undefined }
  models.set(model, made)
  return made
}

/** An answer told of limits, to the lease of a turn, while so much else was under way. */
export const observe = (
  allowance: Allowance,
  model: string,
  { requests, tokens }: Lease.Limits,
  turn: number,
  underWay: { readonly requests: number; readonly tokens: number },
  now: number
): void => {
  if (requests?.remaining === undefined && tokens?.remaining === undefined) return
  const found = ofModel(allowance, model, now)
  if (requests !== undefined) {
    found.requests = Reported.observe(found.requests, { limit: requests, turn, underWay: underWay.requests }, now)
  }
  if (tokens !== undefined) {
    found.tokens = Reported.observe(found.tokens, { limit: tokens, turn, underWay: underWay.tokens }, now)
  }
}

/** A request that was sent at a time was refused, and told to wait so long, if anything. */
export const refused = (
  allowance: Allowance,
  model: string,
  history: Sends.Sends,
  sentAt: number,
  now: number,
  said: number | undefined
): void => {
  const found = ofModel(allowance, model, now)
  const isExplained = found.requests !== undefined && Reported.explains(found.requests, said, now) ||
    found.tokens !== undefined && Reported.explains(found.tokens, undefined, now)
  // what the headers say is better than what could be guessed
  if (isExplained) found.pace = undefined
  else if (found.pace === undefined) found.pace = Pace.make(history, allowance.pacing, sentAt, now, said)
  else Pace.refused(found.pace, allowance.pacing, sentAt, now, said)
}

/** Forgets what has been found out and used up. */
export const restore = ({ models, quota }: Allowance): void => {
  models.clear()
  if (quota !== undefined) Quota.restore(quota)
}

/** Until when it is left alone because of a refusal, with any model; a moment that may have passed. */
export const refusedUntil = ({ models }: Allowance, now: number): number => {
  let until = 0
  for (const { pace } of models.values()) if (pace !== undefined) until = Math.max(until, Pace.refusedUntil(pace, now))
  return until
}

// -----------------------------------------------------------------------------
// what there is to see
// -----------------------------------------------------------------------------

/** How much of what is known to limit it is left, from 0 to 1. */
export const headroom = (allowance: Allowance, model: string, now: number): number => {
  const found = allowance.models.get(model)
  return Math.min(own(allowance, now), found === undefined ? 1 : ofFound(found, now))
}

const own = ({ quota, requests, tokens }: Allowance, now: number): number =>
  Math.min(
    requests === undefined ? 1 : Bucket.share(requests, now),
    tokens === undefined ? 1 : Bucket.share(tokens, now),
    quota === undefined ? 1 : Quota.share(quota, now)
  )

const ofFound = ({ pace, requests, tokens }: OfModel, now: number): number =>
  Math.min(
    pace === undefined ? 1 : Pace.share(pace, now),
    requests === undefined ? 1 : Bucket.share(requests.bucket, now),
    tokens === undefined ? 1 : Bucket.share(tokens.bucket, now)
  )

/** Every limit that is known. */
export const toMonitor = (allowance: Allowance, now: number): Pick<Monitor.Key, "limits" | "headroom"> => {
  const limits: Array<Monitor.KeyLimit> = []
  const add = (
    limit: Pick<Monitor.KeyLimit, "model" | "of" | "source">,
    bucket: Bucket.Bucket | undefined,
    share: number
  ) => {
    if (bucket === undefined) return
    const { capacity, rate } = bucket
    limits.push({ ...limit, perMinute: rate * Bucket.minute, atOnce: capacity, remaining: share * capacity })
  }
  const addBucket = (limit: Pick<Monitor.KeyLimit, "model" | "of" | "source">, bucket: Bucket.Bucket | undefined) =>
    add(limit, bucket, bucket === undefined ? 0 : Bucket.share(bucket, now))
  addBucket({ of: "requests", source: "config" }, allowance.requests)
  addBucket({ of: "tokens", source: "config" }, allowance.tokens)
  let least = own(allowance, now)
  for (const [model, found] of allowance.models) {
    const named = model === "" ? {} : { model }
    least = Math.min(least, ofFound(found, now))
    addBucket({ ...named, of: "requests", source: "headers" }, found.requests?.bucket)
    addBucket({ ...named, of: "tokens", source: "headers" }, found.tokens?.bucket)
    if (found.pace !== undefined) {
      add({ ...named, of: "requests", source: "learned" }, found.pace.bucket, Pace.share(found.pace, now))
    }
  }
  return limits.length === 0 && allowance.quota === undefined ? {} : { limits, headroom: least }
}
