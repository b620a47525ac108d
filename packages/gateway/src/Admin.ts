/**
 * What an admin may do while the gateway runs: pause a backend, open its circuit, take a key out of use, change how
 * many calls may be under way. Nothing is lost by any of it: calls under way end as they would have.
 *
 * | `POST` | body | does |
 * |---|---|---|
 * | `/admin/queue/pause` | `backend` | lets nobody through; newcomers wait |
 * | `/admin/queue/resume` | `backend` | lets calls through again |
 * | `/admin/queue/limits` | `backend`, `concurrency`, `capacity` | changes how many calls may be under way, and may wait |
 * | `/admin/circuit/open` | `backend`, `seconds` | refuses every call, for so long, or until it is closed |
 * | `/admin/circuit/close` | `backend` | closes it, with nothing remembered |
 * | `/admin/circuit/disable` | `backend` | takes it out of use: everything goes through, and nothing is counted |
 * | `/admin/circuit/enable` | `backend` | takes it into use again |
 * | `/admin/key/disable` | `backend`, `key` | takes a key out of use |
 * | `/admin/key/enable` | `backend`, `key` | takes it back, as it was |
 * | `/admin/key/restore` | `backend`, `key` | takes back one that was retired, cools or is out of quota |
 * | `/admin/key/validate` | `backend`, `key` | asks the backend whether it accepts the key |
 *
 * A key is named as the monitor names it; none is ever read or shown. The answer tells what has become of the queue, the
 * circuit or the key. Each action is a line in the log, with who did it and on what.
 *
 * A page of another origin can do none of this: its origin is refused, and so is every body that is not said to be
 * JSON, which a form cannot send.
 *
 * @since 0.1.0
 */
import * as HttpServerResponse from "@effect/platform/HttpServerResponse"
import * as CircuitBreaker from "@spillway/core/CircuitBreaker"
import type * as InvalidOptions from "@spillway/core/InvalidOptions"
import * as KeyPool from "@spillway/core/KeyPool"
import type * as Monitor from "@spillway/core/Monitor"
import * as RequestQueue from "@spillway/core/RequestQueue"
import * as Arr from "effect/Array"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import type { Exchange, Route } from "./Exchange.js"
import * as Fields from "./Fields.js"
import * as JsonBody from "./JsonBody.js"
import * as OpenAiFault from "./OpenAiFault.js"
import * as Origin from "./Origin.js"
import { field, Refusal } from "./Refusal.js"

// -----------------------------------------------------------------------------
// what is worked
// -----------------------------------------------------------------------------

/**
 * What an admin has in hand: the queues, circuits and pools of the program, and the monitor that shows what becomes of
 * them.
 *
 * @since 0.1.0
 * @category models
 */
export interface Handles {
  readonly queues: Iterable<RequestQueue.RequestQueue>
  readonly breakers: Iterable<CircuitBreaker.CircuitBreaker>
  readonly pools: Iterable<KeyPool.KeyPool>
  readonly monitor: Monitor.Monitor
}

/**
 * Those of the current lists: what is made later is among them as well.
 *
 * @since 0.1.0
 * @category constructors
 */
export const handles = (monitor: Monitor.Monitor): Effect.Effect<Handles> =>
  Effect.all({
    queues: RequestQueue.CurrentQueues,
    breakers: CircuitBreaker.CurrentBreakers,
    pools: KeyPool.CurrentPools,
    monitor: Effect.succeed(monitor)
  })

// a backend may have several queues, circuits or pools: each layer of it has its own
const allOf = <A extends { readonly backend: string }>(
  all: Iterable<A>,
  what: string,
  backend: string
): Effect.Effect<Arr.NonEmptyArray<A>, Refusal> => {
  const there = Arr.fromIterable(all)
  const found = there.filter((one) => one.backend === backend)
  if (Arr.isNonEmptyArray(found)) return Effect.succeed(found)
  const others = [...new Set(there.map((one) => one.backend))].sort()
  return Effect.fail(
    field("backend", others.length === 0 ? `is in vain: none has a ${what}` : `must be one with a ${what}: ${others.join(", ")}`)
  )
}

// -----------------------------------------------------------------------------
// actions
// -----------------------------------------------------------------------------

interface Action<Asked> {
  readonly path: string
  readonly body: Schema.Schema<Asked, any>
  /** Does it, and says what it has become. */
  readonly run: (handles: Handles, asked: Asked) => Effect.Effect<object, Refusal>
}

const name = Schema.String.pipe(Schema.minLength(1), Schema.maxLength(200), Fields.saying("must be a name"))
const whole = (least: number) =>
  Fields.optional(
    Schema.Number.pipe(
      Schema.int(),
      Schema.between(least, 100_000),
      Fields.saying(`must be a whole number from ${least} to 100000`)
    )
  )
const OfBackend = Schema.Struct({ backend: name })
const OfKey = Schema.Struct({ backend: name, key: name })
const Limits = Schema.Struct({ backend: name, concurrency: whole(1), capacity: whole(0) })
const day = 86_400
const OpenFor = Schema.Struct({
  backend: name,
  seconds: Fields.optional(
    Schema.Number.pipe(Schema.between(0.001, day), Fields.saying(`must be a number of seconds up to ${day}`))
  )
})

const seen = (monitor: Monitor.Monitor, backend: string): Effect.Effect<Monitor.Backend> =>
  Effect.map(monitor.snapshot, ({ backends }) => backends.find((one) => one.backend === backend) ?? { backend })

const onQueue = <Asked extends { readonly backend: string }>(
  path: string,
  body: Schema.Schema<Asked, any>,
  change: (queue: RequestQueue.RequestQueue, asked: Asked) => Effect.Effect<void, InvalidOptions.InvalidOptions>
): Action<Asked> => ({
  path: `/admin/queue/${path}`,
  body,
  run: ({ monitor, queues }, asked) =>
    allOf(queues, "queue", asked.backend).pipe(
      Effect.flatMap(Effect.forEach((queue) => Effect.mapError(change(queue, asked), toRefusal), { discard: true })),
      Effect.zipRight(seen(monitor, asked.backend)),
      Effect.map(({ backend, queue }) => ({ backend, queue }))
    )
})

const onCircuit = <Asked extends { readonly backend: string }>(
  path: string,
  body: Schema.Schema<Asked, any>,
  change: (breaker: CircuitBreaker.CircuitBreaker, asked: Asked) => Effect.Effect<void, InvalidOptions.InvalidOptions>
): Action<Asked> => ({
  path: `/admin/circuit/${path}`,
  body,
  run: ({ breakers, monitor }, asked) =>
    allOf(breakers, "circuit", asked.backend).pipe(
      Effect.flatMap(Effect.forEach((breaker) => Effect.mapError(change(breaker, asked), toRefusal), { discard: true })),
      Effect.zipRight(seen(monitor, asked.backend)),
      Effect.map(({ backend, circuit }) => ({ backend, circuit }))
    )
})

/** `change` says what it found out, and nothing where there is no such key. */
const onKey = (
  path: string,
  change: (pool: KeyPool.KeyPool, key: string) => Effect.Effect<Option.Option<object>>
): Action<typeof OfKey.Type> => ({
  path: `/admin/key/${path}`,
  body: OfKey,
  run: ({ monitor, pools }, { backend, key }) =>
    allOf(pools, "pool of keys", backend).pipe(
      Effect.flatMap(Effect.forEach((pool) => change(pool, key))),
      Effect.map(Arr.getSomes),
      Effect.filterOrFail(Arr.isNonEmptyArray, () => field("key", `must be the name of a key of ${backend}`)),
      Effect.zipWith(seen(monitor, backend), ([found], { keys = [] }) => ({
        backend,
        key: keys.find(({ id }) => id === key),
        ...found
      }))
    )
})

const whetherFound = (isFound: boolean): Option.Option<object> => isFound ? Option.some({}) : Option.none()

// the names of the options are those of the fields
const toRefusal = ({ field, message }: InvalidOptions.InvalidOptions): Refusal =>
  new Refusal({ reason: "InvalidRequest", message, field })

const actions = {
  pause: onQueue("pause", OfBackend, (queue) => queue.pause),
  resume: onQueue("resume", OfBackend, (queue) => queue.resume),
  limits: onQueue("limits", Limits, (queue, { capacity, concurrency }) =>
    Effect.zipRight(
      concurrency == null ? Effect.void : queue.setConcurrency(concurrency),
      capacity == null ? Effect.void : queue.setCapacity(capacity)
    )),
  open: onCircuit("open", OpenFor, (breaker, { seconds }) =>
    seconds == null ? breaker.open : breaker.openFor(Duration.seconds(seconds))),
  close: onCircuit("close", OfBackend, (breaker) => breaker.close),
  disableCircuit: onCircuit("disable", OfBackend, (breaker) => breaker.disable),
  enableCircuit: onCircuit("enable", OfBackend, (breaker) => breaker.enable),
  disable: onKey("disable", (pool, key) => Effect.map(pool.disable(key), whetherFound)),
  enable: onKey("enable", (pool, key) => Effect.map(pool.enable(key), whetherFound)),
  restore: onKey("restore", (pool, key) => Effect.map(pool.revalidate(key), whetherFound)),
  // what the backend said may hold anything: only the name of the error is told
  validate: onKey("validate", (pool, key) =>
    Effect.map(
      pool.validate(key),
      Option.map(({ error, verdict }) => ({ verdict, ...(error !== undefined && { error: error._tag }) }))
    ))
}

// -----------------------------------------------------------------------------
// routes
// -----------------------------------------------------------------------------

/**
 * The routes of this module.
 *
 * @since 0.1.0
 * @category constructors
 */
export const routes = (handles: Handles): ReadonlyArray<Route> => {
  const route = <Asked extends { readonly backend: string }>({ body, path, run }: Action<Asked>): Route => {
    const decode = Fields.decode(body)
    return {
      method: "POST",
      path,
      kind: "probe",
      access: "admin",
      refuse: OpenAiFault.toResponse,
      handle: (exchange) =>
        Effect.gen(function*() {
          if (Origin.isForeign(exchange.request.headers)) return yield* Origin.refusal
          if (!isJson(exchange)) return yield* field("content-type", "must be application/json")
          const asked = yield* Effect.flatMap(JsonBody.read(exchange.request, bodyLimit), decode)
          const result = yield* Effect.tapError(
            run(handles, asked),
            ({ message }) => log(exchange, path, { ...asked, refused: message })
          )
          yield* log(exchange, path, asked)
          return HttpServerResponse.text(JSON.stringify(result), {
            contentType: "application/json",
            headers: { "cache-control": "no-store" }
          })
        })
    }
  }
  return [
    route(actions.pause),
    route(actions.resume),
    route(actions.limits),
    route(actions.open),
    route(actions.close),
    route(actions.disableCircuit),
    route(actions.enableCircuit),
    route(actions.disable),
    route(actions.enable),
    route(actions.restore),
    route(actions.validate)
  ]
}

const bodyLimit = 4096

const isJson = ({ request }: Exchange): boolean =>
  /^application\/json\s*(;|$)/i.test(request.headers["content-type"] ?? "")

// names are those of the monitor, or what an admin took for one: no key is among them
const log = (exchange: Exchange, path: string, asked: object): Effect.Effect<void> =>
  Effect.annotateLogs(Effect.logInfo("admin"), {
    requestId: exchange.id,
    by: exchange.principal?.name ?? "whoever reaches the gateway",
    action: path.slice("/admin/".length),
    ...asked
  })
