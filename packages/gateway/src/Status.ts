/**
 * What operators ask: whether the gateway lives, whether it is ready for calls, how it is doing, and its metrics.
 *
 * | path | for | answers |
 * |---|---|---|
 * | `/healthz` | everybody | 200 as long as it can answer at all |
 * | `/readyz` | everybody | 200 when a call would get somewhere, else 503 and why not |
 * | `/status.json` | admins | every queue, circuit, key pool and count of calls, now |
 * | `/metrics` | admins | all of it, and the program's metrics, for Prometheus |
 * | `/version` | admins | what runs here, and every path that it answers under |
 *
 * @since 0.1.0
 */
import * as HttpServerResponse from "@effect/platform/HttpServerResponse"
import type * as Monitor from "@spillway/core/Monitor"
import * as Effect from "effect/Effect"
import * as Metric from "effect/Metric"
import type * as Drain from "./Drain.js"
import * as Exchange from "./Exchange.js"
import * as MonitorMetrics from "./MonitorMetrics.js"
import * as OpenAiFault from "./OpenAiFault.js"
import * as Prometheus from "./Prometheus.js"

/**
 * Where the answers are read from.
 *
 * @since 0.1.0
 * @category models
 */
export interface Sources {
  readonly monitor: Monitor.Monitor
  readonly drain: Drain.Drain
  readonly requests: Requests
  /** When the gateway was made, in milliseconds since 1970. */
  readonly startedAt: number
  readonly version: string | undefined
}

/**
 * The requests that were answered, counted by route and status.
 *
 * @since 0.1.0
 * @category models
 */
export interface Requests {
  readonly count: (route: string, status: number) => void
  readonly read: () => ReadonlyArray<{ readonly route: string; readonly status: number; readonly count: number }>
}

/**
 * No requests yet.
 *
 * @since 0.1.0
 * @category constructors
 */
export const makeRequests = (): Requests => {
  const counts = new Map<string, { readonly route: string; readonly status: number; count: number }>()
  return {
    count: (route, status) => {
      const key = `${status} ${route}`
      const counted = counts.get(key)
      if (counted === undefined) counts.set(key, { route, status, count: 1 })
      else counted.count++
    },
    read: () => [...counts.values()]
  }
}

/**
 * Why a call would get nowhere now; `undefined` when one would get somewhere. A backend serves unless its circuit is
 * open or isolated, its queue is full or lets nobody through, or none of its keys can be used any more; one that serves
 * is enough, and where nothing is known of any, the gateway takes calls. It does so too once a circuit's open time is
 * over: nothing but a call can find out whether the backend is back.
 *
 * @since 0.1.0
 * @category combinators
 */
export const unready = (state: Drain.State, { at, backends }: Monitor.Snapshot): string | undefined =>
  state !== "accepting"
    ? "draining"
    : backends.length === 0 || backends.some((backend) => serves(backend, at))
    ? undefined
    : "no backend can serve"

const serves = ({ queue, circuit, keys }: Monitor.Backend, now: number): boolean =>
  (circuit === undefined || letsThrough(circuit, now)) &&
  (queue === undefined || takes(queue)) &&
  (keys === undefined || keys.some((key) => key.state === "ready" || key.state === "cooling"))

const takes = ({ capacity, mode = "open", waiting }: Monitor.Queue): boolean => mode === "open" && waiting < capacity

const letsThrough = ({ openUntil = Infinity, state }: Monitor.Circuit, now: number): boolean =>
  state !== "isolated" && (state !== "open" || openUntil <= now)

/**
 * All that there is to see, now.
 *
 * @since 0.1.0
 * @category models
 */
export interface Status extends Monitor.Snapshot {
  readonly version?: string
  readonly state: Drain.State
  readonly startedAt: number
  readonly uptimeMillis: number
  readonly inFlight: number
  readonly requests: ReturnType<Requests["read"]>
}

/**
 * Reads all of it.
 *
 * @since 0.1.0
 * @category combinators
 */
export const read = ({ drain, monitor, requests, startedAt, version }: Sources): Effect.Effect<Status> =>
  Effect.map(monitor.snapshot, (snapshot) => ({
    ...(version !== undefined && { version }),
    state: drain.state(),
    startedAt,
    uptimeMillis: snapshot.at - startedAt,
    inFlight: drain.inFlight(),
    requests: requests.read(),
    ...snapshot
  }))

/**
 * The routes of this module.
 *
 * @since 0.1.0
 * @category constructors
 */
export const routes = (sources: Sources): ReadonlyArray<Exchange.Route> => {
  const { monitor, drain, requests, startedAt } = sources
  const probe = (path: string, access: "open" | "admin", handle: Exchange.Route["handle"]): Exchange.Route => ({
    method: "GET",
    path,
    kind: "probe",
    access,
    handle,
    refuse: OpenAiFault.toResponse
  })
  return [
    probe("/healthz", "open", () => Effect.succeed(json({ status: "ok" }))),
    probe("/readyz", "open", () =>
      Effect.map(monitor.snapshot, (snapshot) => {
        const reason = unready(drain.state(), snapshot)
        return reason === undefined ? json({ status: "ready" }) : json({ status: "unready", reason }, 503)
      })),
    probe("/status.json", "admin", () => Effect.map(read(sources), (status) => json(status))),
    probe("/metrics", "admin", () =>
      Effect.zipWith(monitor.snapshot, Metric.snapshot, (snapshot, metrics) =>
        HttpServerResponse.text(
          Prometheus.toText([
            {
              name: "spillway_http_requests_total",
              type: "counter",
              help: "Requests that the gateway answered",
              samples: requests.read().map(({ route, status, count }) => ({
                labels: { route, status: String(status) },
                value: count
              }))
            },
            {
              name: "spillway_http_in_flight",
              type: "gauge",
              help: "Calls that the gateway is answering",
              samples: [{ value: drain.inFlight() }]
            },
            {
              name: "spillway_uptime_seconds",
              type: "gauge",
              help: "How long the gateway has been running",
              samples: [{ value: (snapshot.at - startedAt) / 1000 }]
            },
            ...MonitorMetrics.fromSnapshot(snapshot),
            ...Prometheus.fromMetrics(metrics)
          ]),
          { contentType: Prometheus.contentType, headers: uncached }
        )))
  ]
}

/**
 * The route that tells of all routes, itself included.
 *
 * @since 0.1.0
 * @category constructors
 */
export const inventory = (version: string | undefined, routes: ReadonlyArray<Exchange.Route>): Exchange.Route => {
  const self: Exchange.Route = {
    method: "GET",
    path: "/version",
    kind: "probe",
    handle: () => Effect.succeed(json({ ...(version !== undefined && { version }), routes: listed })),
    refuse: OpenAiFault.toResponse
  }
  const listed = [...routes, self].map((route) => ({
    method: route.method,
    path: route.prefix === true ? `${route.path}*` : route.path,
    access: Exchange.accessOf(route)
  }))
  return self
}

const uncached = { "cache-control": "no-store" }

const json = (body: unknown, status = 200) =>
  HttpServerResponse.text(JSON.stringify(body), { status, contentType: "application/json", headers: uncached })
