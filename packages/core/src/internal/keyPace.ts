/**
 * How often a key may be used with a model, learned from being refused.
 *
 * **What a refusal says.** The backend's bucket was empty. So between two refusals it gave out what was not refused, and
 * their number through the time between them is its rate: exactly so where it says to the millisecond how long to wait,
 * as it then had one again at a known moment, and up to one request where it does not. Where it asks for a long wait its
 * bucket overflows in the meantime, so what was sent since counts too, less what it may have held by then.
 *
 * **What is done with it.** At the first refusal nothing is known but how many were let through in the last second, and
 * how long to wait. From there the rate doubles quickly until the second, which measures. From then on it keeps just
 * below what was measured, then rises above it, slowly at first and ever faster, as TCP does after a loss (CUBIC): so the
 * limit is found again after a while, as it is, or where it has gone. How long that while is, is weighed: a refusal that
 * costs a second of waiting is to be as rare as to cost a hundredth of the time at most; a rate that no second measure
 * has confirmed, or that was measured over few requests, is measured again sooner. Time in which there was nothing to be
 * sent does not count.
 *
 * What a program that is held up measures is too low: what it did not send in time was not let through either. So a rate
 * falls no further at once than what can be told for sure.
 *
 * A refusal with nothing let through since the last one says that the rate is not what is wrong: the key is left alone,
 * four times longer each time, and goes on as before.
 */
import * as Bucket from "./keyBucket.js"
import * as Sends from "./keySends.js"

/** A pace. It changes in place. */
export interface Pace {
  /** One may go when there is one in it. */
  readonly bucket: Bucket.Bucket
  readonly sends: Sends.Sends
  known: Known
  /** The last refusal: what it taught may have to be learned again, as others were under way. */
  refusal: Refusal
  /** When it was heard of, and until when nothing goes because of it. */
  heardAt: number
  restsUntil: number
  /** Since then: sent and not refused; and for how long it was the pace alone that held back what was to be sent. */
  sent: number
  tested: number
  /** When the last one was sent, and how full the bucket was after it. */
  lastSent: number
  left: number
}

/** What has been learned; times are milliseconds, a rate is requests in one. */
interface Known {
  readonly rate: number
  /** Whether the rate is one that was measured; otherwise it is being searched for. */
  readonly isMeasured: boolean
  /** What it begins with, for how long it is kept below the rate, and how much it has risen above it after twice that. */
  readonly from: number
  readonly hold: number
  readonly climb: number
  /** Whether the last measure was much lower than the one before, which has been kept. */
  readonly isDoubted: boolean
  /** Most at once. */
  readonly burst: number
  /** Refusals since anything was let through. */
  readonly row: number
  /** Since when what is let through is counted, and when the backend's bucket had one again after that, at the latest. */
  readonly since: number
  readonly oneAt: number
  readonly oneBy: number
}

interface Refusal {
  readonly sentAt: number
  readonly heardAt: number
  /** How long to wait, as the backend said. */
  readonly said: number | undefined
  /** As things were before it. */
  readonly before: Known | undefined
  readonly rate: number
  readonly restedAt: number
  readonly tested: number
  /** Let through since the last refusal, as far as it is known by now. */
  sent: number
}

/** Of the keys of a pool each has its own, lest they all find their limits at the same time: from 0.85 to 1.15. */
export const spreadOf = (nth: number): number => 0.85 + 0.3 * ((nth * 0.618) % 1)

/** What all refusals of one pace have in common. */
export interface Settings {
  /** Longest time that a key is left alone without being told to. */
  readonly cooldown: number
  /** See `spreadOf`. */
  readonly spread: number
}

/** Begins with the first refusal, of one that was sent at a time, where these were sent that were not refused. */
export const make = (
  history: Sends.Sends,
  settings: Settings,
  sentAt: number,
  now: number,
  said: number | undefined
): Pace => {
  const sends = Sends.copy(history)
  const refusal: Refusal = {
    sentAt,
    heardAt: now,
    said,
    before: undefined,
    rate: 0,
    restedAt: 0,
    tested: 0,
    sent: letThrough(sends, sentAt)
  }
  const pace: Pace = {
    bucket: { rate: 0, capacity: 1, level: 0, at: now },
    sends,
    known: first(refusal, sends),
    refusal,
    heardAt: now,
    restsUntil: now + (said ?? 0),
    sent: 0,
    tested: 0,
    lastSent: now,
    left: 0
  }
  restart(pace, settings, now)
  return pace
}

/** How many of these were let through within the second before one that was refused. */
export const letThrough = (sends: Sends.Sends, sentAt: number): number =>
  Sends.between(sends, sentAt - second, sentAt)

const second = 1000

// -----------------------------------------------------------------------------
// sending
// -----------------------------------------------------------------------------

/** When the next one may go. */
export const readyAt = (pace: Pace, now: number): number =>
  Bucket.readyAt(pace.bucket, 1, Math.max(now, pace.restsUntil))

/** One goes. */
export const take = (pace: Pace, now: number): void => {
  const { bucket, sends } = pace
  const held = pace.left >= 1 ? 0 : (1 - pace.left) / bucket.rate
  rise(pace, Math.min(held, Math.max(0, now - Math.max(pace.lastSent, pace.restsUntil))))
  Bucket.fill(bucket, now)
  Bucket.take(bucket, 1)
  Sends.note(sends, now)
  pace.sent++
  pace.lastSent = now
  pace.left = bucket.level
}

/** One that was to go at a time did not, after all. */
export const undo = (pace: Pace, sentAt: number): void => {
  Sends.forget(pace.sends, sentAt)
  Bucket.give(pace.bucket, 1)
  pace.sent = Math.max(0, pace.sent - 1)
}

// how much lower than measured the rate is at first, and how much higher after twice the time, once it is confirmed
const dip = 0.005
const doubling = 100
const steepest = 1.6

const rise = (pace: Pace, tested: number): void => {
  const { bucket, known: { climb, from, hold, isMeasured, rate } } = pace
  if (tested === 0) return
  pace.tested += tested
  const beyond = (pace.tested - hold) / hold
  bucket.rate = isMeasured
    ? beyond < 0 ? rate - (rate - from) * beyond ** 4 : rate * (1 + climb * beyond ** 4)
    : bucket.rate * Math.min(steepest, 2 ** (tested / doubling))
}

/** Until when nothing goes because of the last refusal; a moment that has passed once something has gone. */
export const refusedUntil = (pace: Pace, now: number): number => pace.lastSent > pace.heardAt ? 0 : readyAt(pace, now)

/** How much of what may go at once may go now, from 0 to 1. */
export const share = ({ bucket, restsUntil }: Pace, now: number): number =>
  now < restsUntil ? 0 : Bucket.share(bucket, now)

/** Whether there is nothing left of it that matters. */
export const isForgotten = (pace: Pace, now: number): boolean => now - Math.max(pace.lastSent, pace.restsUntil) > memory

const memory = 10 * Bucket.minute

// -----------------------------------------------------------------------------
// learning
// -----------------------------------------------------------------------------

/** One that was sent at a time was refused. */
export const refused = (pace: Pace, settings: Settings, sentAt: number, now: number, said: number | undefined): void => {
  const { bucket, refusal, sends } = pace
  if (sentAt > pace.heardAt) {
    const after = Sends.between(sends, sentAt, now)
    Sends.forget(sends, sentAt)
    pace.refusal = {
      sentAt,
      heardAt: now,
      said,
      before: pace.known,
      rate: bucket.rate,
      restedAt: pace.restsUntil,
      tested: pace.tested,
      sent: pace.sent - 1 - after
    }
    pace.heardAt = now
    pace.restsUntil = now + (said ?? 0)
    return restart(pace, settings, now)
  }
  // one of those that were under way with the last: what it taught was not quite so
  Sends.forget(sends, sentAt)
  if (sentAt <= refusal.sentAt) refusal.sent--
  if (refusal.before === undefined && (said ?? 0) > (refusal.said ?? 0)) pace.refusal = { ...refusal, said }
  pace.restsUntil = Math.max(pace.restsUntil, now + (said ?? 0))
  restart(pace, settings, now)
}

/** Goes by what the last refusal teaches. */
const restart = (pace: Pace, { cooldown, spread }: Settings, now: number): void => {
  const { bucket, refusal, sends } = pace
  const { before, said, sent, sentAt } = refusal
  const known = pace.known = before === undefined ? first(refusal, sends) : learn(refusal, before, sends, spread)
  const after = Sends.between(sends, sentAt, now)
  pace.sent = after + (known.row > 0 ? sent : 0)
  pace.tested = 0
  bucket.rate = known.row > 0 ? refusal.rate : known.from
  bucket.capacity = known.burst < 1.5 ? 1 : Math.max(1.25, known.burst - 1)
  if (known.row > 0) {
    pace.restsUntil = Math.max(pace.restsUntil, pace.heardAt + Math.min(cooldown, 4 ** known.row / bucket.rate))
  }
  // when it said that it would have one again, it has
  bucket.level = (said === undefined ? Math.min(1, bucket.rate * (pace.restsUntil - sentAt)) : 1) - after
  bucket.at = Math.max(now, pace.restsUntil)
  pace.lastSent = now
  pace.left = bucket.level
}

const first = ({ heardAt, said = 0, sent, sentAt }: Refusal, sends: Sends.Sends): Known => {
  const rate = Math.max(sent, 1, said > 0 && said < second ? second / said : 0) / second
  return {
    rate,
    isMeasured: false,
    climb: dip,
    from: rate,
    hold: 0,
    isDoubted: false,
    burst: Sends.burst(sends, rate, sentAt),
    row: 0,
    since: sentAt,
    oneAt: sentAt + said,
    oneBy: heardAt + said
  }
}

const learn = (refusal: Refusal, before: Known, sends: Sends.Sends, spread: number): Known => {
  const { heardAt, rate, restedAt, said = 0, sent, sentAt, tested } = refusal
  if (sent <= 0) return { ...before, row: before.row + 1 }
  const oneAt = sentAt + said
  const uncertain = uncertaintyOf(refusal)
  const held = Math.min(before.burst, rate * (restedAt - before.since))
  const measured = Math.max(
    through(sent + uncertain, oneAt - before.oneAt),
    through(sent + uncertain - held, sentAt - restedAt),
    Sends.rate(sends, before.burst, restedAt, sentAt)
  )
  // the less time there was between two refusals, the more it matters when the backend decided on them
  const atMost = through(sent + uncertain, Math.max(1, oneAt - before.oneBy))
  // where little was to be sent, little was let through; and what was refused may have been too much at once
  const wasTested = tested >= (sentAt - restedAt) / 2
  const atOnce = wasTested ? before.burst : Sends.burst(sends, rate, sentAt)
  const isBurst = atOnce < before.burst - 0.5
  const floor = wasTested ? Math.min(atMost, 0.7 * rate) : isBurst ? rate : 0.7 * rate
  const next = Math.max(slowest, Math.min(rate * 0.998, Math.max(measured, floor)))
  const burst = isBurst ? atOnce : before.burst
  const isDoubted = before.isMeasured && !before.isDoubted && next < 0.9 * before.rate
  const isConfirmed = before.isMeasured && Math.abs(next / before.rate - 1) < 0.1
  const learned = { isMeasured: true, climb: isConfirmed ? dip : 10 * dip, isDoubted, burst, row: 0, since: sentAt, oneAt, oneBy: heardAt + said }
  if (isDoubted) return { ...learned, rate: before.rate, from: next, hold: Math.max(2 * second, 20 / next) }
  const cost = Math.max(0, said - burst / next)
  const longest = Math.max(10 * second, Math.min(Bucket.minute, 40 / next), Math.min(5 * Bucket.minute, 100 * cost))
  return {
    ...learned,
    rate: next,
    from: next * (1 - dip),
    hold: spread * (isConfirmed ? Math.min(longest, Math.max(10, 5 * sent) / next) : Math.max(5 / next, 3 * cost))
  }
}

/** What part of a request may have been in the bucket; one that says when it has one more in whole seconds rounds up. */
const uncertaintyOf = ({ rate, said }: Refusal): number =>
  said === undefined ? 0.5 : said % second !== 0 ? 0 : Math.min(0.5, rate * second / 2)

const through = (n: number, millis: number): number => millis > 0 ? n / millis : 0

// one in ten minutes
const slowest = 1 / (10 * Bucket.minute)
