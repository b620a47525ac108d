/**
 * What the gateway has told so far, as far back as the charts go: counts become rates here.
 */
import type * as Monitor from "@spillway/core/Monitor"
import type { Status } from "./gateway.js"

/** What was so of one backend at one moment; rates are per second, since the moment before. */
export interface Sample {
  readonly calls: number
  readonly errors: { readonly [tag: string]: number }
  readonly retries: { readonly [tag: string]: number }
  readonly latency: Monitor.Percentiles | undefined
  readonly firstPart: Monitor.Percentiles | undefined
  readonly waiting: number
  readonly inFlight: number
}

export interface Moment {
  /** Seconds since 1970. */
  readonly at: number
  readonly samples: ReadonlyMap<string, Sample>
}

export const longest = 600

type Counts = { readonly [tag: string]: number | undefined }

export const sum = (counts: Counts): number => Object.values(counts).reduce<number>((sum, count) => sum + (count ?? 0), 0)

export const ended = ({ died, failed, interrupted, succeeded }: Monitor.Calls): number =>
  succeeded + interrupted + died + sum(failed)

const none: Monitor.Percentiles = { p50: 0, p95: 0, p99: 0 }
const known = (percentiles: Monitor.Percentiles = none) => percentiles.p99 > 0 ? percentiles : undefined

const rates = (before: Counts, now: Counts, seconds: number): { readonly [tag: string]: number } =>
  Object.fromEntries(
    Object.entries(now).map(([tag, count]) => [tag, Math.max((count ?? 0) - (before[tag] ?? 0), 0) / seconds])
  )

export interface History {
  readonly add: (status: Status) => void
  readonly moments: () => ReadonlyArray<Moment>
}

export const make = (): History => {
  const moments: Array<Moment> = []
  let before: Status | undefined
  return {
    moments: () => moments,
    add(status) {
      if (before !== undefined && (before.startedAt !== status.startedAt || status.at <= before.at)) {
        // another process, which counts anew
        if (before.startedAt !== status.startedAt) moments.length = 0
        before = undefined
      }
      const seconds = before === undefined ? Infinity : (status.at - before.at) / 1000
      const samples = new Map(status.backends.map(({ backend, calls, queue }): [string, Sample] => {
        const old = before?.backends.find((one) => one.backend === backend)?.calls
        const began = calls !== undefined && old !== undefined
        return [backend, {
          calls: began ? (ended(calls) - ended(old)) / seconds : 0,
          errors: rates(old?.failed ?? {}, began ? calls.failed : {}, seconds),
          retries: rates(old?.retries ?? {}, began ? calls.retries : {}, seconds),
          latency: known(calls?.latencyMillis),
          firstPart: known(calls?.firstPartMillis),
          waiting: queue?.waiting ?? 0,
          inFlight: queue?.inFlight ?? 0
        }]
      }))
      if (before !== undefined) moments.push({ at: status.at / 1000, samples })
      before = status
      const oldest = status.at / 1000 - longest
      while (moments.length > 0 && moments[0]!.at < oldest) moments.shift()
    }
  }
}
