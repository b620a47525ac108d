/**
 * What the simulator remembers: the latest requests, one by one, and counts for each key. Keys are told apart by
 * their names; what was presented as a key is never kept.
 *
 * @since 0.1.0
 */
import type { Fault } from "./Fault.js"

/**
 * One request and what became of it.
 *
 * @since 0.1.0
 * @category models
 */
export interface Exchange {
  /** The first request is 1. */
  readonly ordinal: number
  /** When it came and when it ended, in milliseconds of the `Clock`. */
  readonly startedAt: number
  readonly endedAt: number | undefined
  /** The vendor it was for; none if its path belongs to nobody. */
  readonly wire: string | undefined
  readonly method: string
  /** As it was asked for, the query included, without what looks like a key. */
  readonly url: string
  /** With every header that carries a credential shown as `<redacted>`. */
  readonly headers: { readonly [name: string]: string }
  /** Parsed, or the text where it is not JSON; `undefined` where there was none or it was not read. */
  readonly body: unknown
  /** The name of the key (`sim-key-2`, or `key-2` if it was given), `unknown` for another, none if there was none. */
  readonly key: string | undefined
  /** The status that was sent. */
  readonly status: number | undefined
  /** What went wrong on purpose. */
  readonly fault: Fault | "outage" | undefined
  /**
   * `Open`: under way, or hanging. `Answered`: the whole answer was sent. `Aborted`: the client went away before.
   * `Broken`: the simulator broke the connection or cut the answer short.
   */
  readonly outcome: "Open" | "Answered" | "Aborted" | "Broken"
  /** How many tokens were sent, when the answer is a stream. */
  readonly streamed: number
}

/**
 * What a key has been through on one wire.
 *
 * @since 0.1.0
 * @category models
 */
export interface KeyStats {
  readonly wire: string
  readonly key: string
  /** Requests of every outcome. */
  readonly requests: number
  /** Answers with a status below 300. */
  readonly succeeded: number
  /** Answers with status 429. */
  readonly refused: number
  /** Answers with any other status from 300 on. */
  readonly failed: number
  readonly aborted: number
  readonly broken: number
  readonly inFlight: number
  readonly inputTokens: number
  readonly outputTokens: number
  /** What is left in its minute; infinite where there is no limit. */
  readonly remainingRequests: number
  readonly remainingTokens: number
}

/**
 * An exchange that is still being written.
 *
 * @since 0.1.0
 * @category models
 */
export type Entry = { -readonly [K in Exclude<keyof Exchange, "headers">]: Exchange[K] } & {
  readonly received: ReceivedHeaders
  counts: Counts | undefined
}

type ReceivedHeaders = { readonly [name: string]: string | undefined }

/**
 * The counts of a key on one wire, which change in place.
 *
 * @since 0.1.0
 * @category models
 */
export interface Counts {
  requests: number
  succeeded: number
  refused: number
  failed: number
  aborted: number
  broken: number
  inFlight: number
  inputTokens: number
  outputTokens: number
}

/**
 * Counts of nothing.
 *
 * @since 0.1.0
 * @category constructors
 */
export const counts = (): Counts => ({
  requests: 0,
  succeeded: 0,
  refused: 0,
  failed: 0,
  aborted: 0,
  broken: 0,
  inFlight: 0,
  inputTokens: 0,
  outputTokens: 0
})

/**
 * A bounded memory of exchanges.
 *
 * @since 0.1.0
 * @category models
 */
export interface Journal {
  readonly open: (
    request: { readonly method: string; readonly url: string; readonly headers: ReceivedHeaders },
    now: number
  ) => Entry
  /** Ends an exchange; what has ended stays as it ended. */
  readonly close: (entry: Entry, outcome: "Answered" | "Aborted" | "Broken", now: number) => void
  readonly read: () => ReadonlyArray<Exchange>
  readonly total: () => number
  readonly clear: () => void
}

/**
 * An empty journal that remembers the latest `capacity` exchanges.
 *
 * @since 0.1.0
 * @category constructors
 */
export const make = (capacity: number): Journal => {
  let ordinal = 0
  let entries: Array<Entry> = []
  return {
    open: ({ headers, method, url }, now) => {
      const entry: Entry = {
        ordinal: ++ordinal,
        startedAt: now,
        endedAt: undefined,
        wire: undefined,
        method,
        url,
        received: headers,
        body: undefined,
        key: undefined,
        status: undefined,
        fault: undefined,
        outcome: "Open",
        streamed: 0,
        counts: undefined
      }
      // Cut to size now and then, not at every request: an array that loses its first element is copied whole.
      if (capacity > 0) {
        if (entries.length >= 2 * capacity) entries = entries.slice(-capacity + 1)
        entries.push(entry)
      }
      return entry
    },
    close: (entry, outcome, now) => {
      if (entry.outcome !== "Open") return
      entry.outcome = outcome
      entry.endedAt = now
      const counts = entry.counts
      if (counts === undefined) return
      counts.inFlight--
      counts[tally(outcome, entry.status)]++
    },
    read: () => (capacity === 0 ? [] : entries.slice(-capacity).map(exchange)),
    total: () => ordinal,
    clear: () => {
      ordinal = 0
      entries = []
    }
  }
}

const tally = (
  outcome: "Answered" | "Aborted" | "Broken",
  status = 0
): "succeeded" | "refused" | "failed" | "aborted" | "broken" =>
  outcome === "Aborted"
    ? "aborted"
    : outcome === "Broken"
      ? "broken"
      : status < 300
        ? "succeeded"
        : status === 429
          ? "refused"
          : "failed"

const secret = new Set([
  "authorization",
  "proxy-authorization",
  "x-api-key",
  "api-key",
  "x-goog-api-key",
  "x-amz-security-token",
  "cookie"
])

const exchange = (entry: Entry): Exchange => {
  const { counts: _, received, ...known } = entry
  return {
    ...known,
    url: entry.url.replace(/([?&](?:api[-_]?key|key|token|X-Amz-Signature|X-Amz-Security-Token)=)[^&]*/gi, "$1<redacted>"),
    headers: Object.fromEntries(
      Object.entries(received).flatMap(([name, value]) =>
        value === undefined ? [] : [[name, secret.has(name) ? "<redacted>" : value]]
      )
    )
  }
}
