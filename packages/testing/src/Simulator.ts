/**
 * The providers without the providers: an HTTP application that speaks their real wires, with keys, limits per key,
 * true headers, delays, and a share of faults that is the same again for the same seed.
 *
 * One `make`, two doors: `app` to be served on a port, `client` to be called in the same process, where everything
 * that waits waits on the `Clock` of its caller. Each vendor has its own base path, so that one port serves all.
 *
 * @since 0.1.0
 */
import type * as HttpApp from "@effect/platform/HttpApp"
import * as HttpClient from "@effect/platform/HttpClient"
import * as HttpServerRequest from "@effect/platform/HttpServerRequest"
import * as HttpServerResponse from "@effect/platform/HttpServerResponse"
import type * as InvalidOptions from "@spillway/core/InvalidOptions"
import * as Arr from "effect/Array"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import * as Account from "./simulator/Account.js"
import * as AnthropicWire from "./simulator/AnthropicWire.js"
import * as Exchanges from "./simulator/Exchange.js"
import * as Faults from "./simulator/Fault.js"
import * as GeminiWire from "./simulator/GeminiWire.js"
import * as GroqWire from "./simulator/GroqWire.js"
import * as InProcess from "./simulator/InProcess.js"
import * as Journal from "./simulator/Journal.js"
import * as Limit from "./simulator/Limit.js"
import * as LlvmWire from "./simulator/LlvmWire.js"
import * as OllamaWire from "./simulator/OllamaWire.js"
import * as OpeaWire from "./simulator/OpeaWire.js"
import * as OpenAiWire from "./simulator/OpenAiWire.js"
import * as OvmsWire from "./simulator/OvmsWire.js"
import * as S3Wire from "./simulator/S3Wire.js"
import * as Settings from "./simulator/Settings.js"
import * as TeiWire from "./simulator/TeiWire.js"
import * as TgiWire from "./simulator/TgiWire.js"
import * as VllmWire from "./simulator/VllmWire.js"
import type * as Wire from "./simulator/Wire.js"
import * as World from "./simulator/World.js"

// Every wire that is spoken: a new one is a file and a line here.
const wires: ReadonlyArray<(further: ReadonlyArray<string>) => Wire.Wire> = [
  OpenAiWire.make,
  AnthropicWire.make,
  GroqWire.make,
  OllamaWire.make,
  GeminiWire.make,
  OpeaWire.make,
  TgiWire.make,
  TeiWire.make,
  VllmWire.make,
  OvmsWire.make,
  LlvmWire.make,
  S3Wire.make
]

/**
 * What can be set.
 *
 * @since 0.1.0
 * @category models
 */
export type Options = Settings.Options

/**
 * What can be set while it runs.
 *
 * @since 0.1.0
 * @category models
 */
export type LiveOptions = Pick<
  Options,
  | "answerTokens"
  | "burst"
  | "faults"
  | "jitter"
  | "latency"
  | "requestsPerDay"
  | "requestsPerMinute"
  | "retryAfter"
  | "tokenDelay"
  | "tokensPerMinute"
>

/**
 * Something that goes wrong on purpose.
 *
 * - `connectionReset`: the connection breaks before a byte of the answer.
 * - `serverError`: the vendor's internal error, a 500.
 * - `overloaded`: the vendor's word for it, a 503 or 529.
 * - `rateLimited`: a 429 though the key is within its limits.
 * - `hang`: no answer at all, until the client goes away.
 * - `malformed`: a 200 whose JSON does not parse: the body, or one event of the stream.
 * - `streamError`: the vendor's error inside of a stream that began well. Concerns streams only, as do the next three.
 * - `streamStall`: a stream that says no more, and does not end.
 * - `streamCut`: a stream that ends without its end marker.
 * - `streamReset`: a stream whose connection breaks.
 *
 * @since 0.1.0
 * @category models
 */
export type Fault = Faults.Fault

/**
 * All faults, by name.
 *
 * @since 0.1.0
 * @category constants
 */
export const faults: ReadonlyArray<Fault> = Faults.all

/**
 * Which share of the requests meets which fault; what is left meets none.
 *
 * @since 0.1.0
 * @category models
 */
export type Shares = Faults.Shares

/**
 * How a vendor is down: it closes each connection, answers each request with its error for being overloaded, or
 * accepts the request and never answers.
 *
 * @since 0.1.0
 * @category models
 */
export type Outage = Settings.Outage

/**
 * In which form a 429 says how long to wait; `vendor` leaves it to each vendor's habit.
 *
 * @since 0.1.0
 * @category models
 */
export type RetryAfter = Settings.RetryAfter

/**
 * What a vendor thinks of a key: `good`, `revoked` (it is answered as an unknown one), or `exhausted` (out of quota).
 *
 * @since 0.1.0
 * @category models
 */
export type Standing = Account.Standing

/**
 * One request and what became of it.
 *
 * @since 0.1.0
 * @category models
 */
export type Exchange = Journal.Exchange

/**
 * What a key has been through on one wire.
 *
 * @since 0.1.0
 * @category models
 */
export type KeyStats = Journal.KeyStats

/**
 * A simulator: two doors, and the desk from which it is watched and meddled with.
 *
 * @since 0.1.0
 * @category models
 */
export interface Service {
  /** To be served on a port; a client that goes away interrupts it. */
  readonly app: HttpApp.Default<never, Scope.Scope>
  /** To be called in this process, at any host. A broken connection is a `RequestError` with reason `Transport`. */
  readonly client: HttpClient.HttpClient
  /** The vendors that it speaks for: "openai" and so on. */
  readonly wires: ReadonlyArray<string>
  /** The keys that are good from the start. */
  readonly keys: Arr.NonEmptyReadonlyArray<Redacted.Redacted>
  /** The latest requests, oldest first. */
  readonly requests: Effect.Effect<ReadonlyArray<Exchange>>
  /** How many requests there were in all. */
  readonly total: Effect.Effect<number>
  /** What each key was asked on each wire where it was asked anything. */
  readonly stats: Effect.Effect<ReadonlyArray<KeyStats>>
  /**
   * Forgets all requests and counts, fills all limits, and begins the sequence of faults again. Standings and outages
   * stay as they are.
   */
  readonly reset: Effect.Effect<void>
  /** Changes some options and keeps the others. Limits that change start full. */
  readonly update: (options: LiveOptions) => Effect.Effect<void, InvalidOptions.InvalidOptions>
  /** Changes the faults, all of them: what is not named no longer happens. */
  readonly setFaults: (faults: Shares) => Effect.Effect<void, InvalidOptions.InvalidOptions>
  /** The next requests meet these, one each, whatever the seed says. */
  readonly inject: (...faults: ReadonlyArray<Fault | "none">) => Effect.Effect<void>
  /** Takes a vendor down, or all of them. Defaults to refusing connections. */
  readonly down: (how?: Outage, wire?: string) => Effect.Effect<void>
  /** Brings a vendor back, or all of them. Requests that hang go on hanging. */
  readonly up: (wire?: string) => Effect.Effect<void>
  /** Breaks the connections of all requests that hang, for whom a server that closes would wait for ever. */
  readonly hangUp: Effect.Effect<void>
  /** Changes what a vendor thinks of the key at this position (the first is 0), or what all of them do. */
  readonly setKey: (position: number, standing: Standing, wire?: string) => Effect.Effect<void>
  /** The vendors' variables that lead a program to this simulator served at `origin`, keys numbered from 1. */
  readonly environment: (origin: string) => ReadonlyMap<string, string>
}

/**
 * The simulator of a test or a program.
 *
 * @since 0.1.0
 * @category tags
 */
export class Simulator extends Context.Tag("@spillway/testing/Simulator")<Simulator, Service>() {}

/**
 * What a person who tries things out should meet: a pause before the first token, words that come one by one, limits
 * that can be reached by hand, and a few faults of each kind that a caller can get over.
 *
 * @since 0.1.0
 * @category constants
 */
export const demo: Options = {
  requestsPerMinute: 30,
  burst: 10,
  latency: "250 millis",
  jitter: 0.4,
  tokenDelay: "20 millis",
  faults: { serverError: 0.03, overloaded: 0.02, rateLimited: 0.02, connectionReset: 0.02 }
}

/**
 * A simulator. An option that cannot be is an error that names it.
 *
 * @example
 * import * as Simulator from "@spillway/testing/Simulator"
 * import * as Effect from "effect/Effect"
 *
 * const program = Effect.gen(function*() {
 *   const simulator = yield* Simulator.make({ keys: 2, requestsPerMinute: 60 })
 *   const response = yield* simulator.client.get("http://simulator/ollama/api/tags")
 *   return response.status
 * })
 *
 * @since 0.1.0
 * @category constructors
 */
export const make = (options: Options = {}): Effect.Effect<Service, InvalidOptions.InvalidOptions> =>
  Effect.flatMap(Settings.from(options), (settings) =>
    Effect.clockWith((clock) => Effect.sync(() => start(options, settings, clock.unsafeCurrentTimeMillis())))
  )

const start = (options: Options, settings: Settings.Settings, now: number): Service => {
  const world: World.World = {
    settings,
    wires: spoken(settings),
    accounts: new Map(),
    journal: Journal.make(settings.log),
    injected: [],
    outages: new Map(settings.outage === "none" ? [] : [["*", settings.outage]]),
    hanging: new Set()
  }
  for (const wire of world.wires.values()) world.accounts.set(wire.name, accounts(settings, wire, now))
  let current = options
  const at = <A>(f: (now: number) => A) =>
    Effect.clockWith((clock) => Effect.sync(() => f(clock.unsafeCurrentTimeMillis())))
  const each = (wire: string | undefined, f: (account: Account.Account, wire: Wire.Wire, position: number) => void) => {
    for (const one of world.wires.values()) {
      if (wire !== undefined && one.name !== wire) continue
      Array.from(world.accounts.get(one.name)?.values() ?? []).forEach((account, position) => f(account, one, position))
    }
  }
  const fill = (now: number) =>
    each(undefined, (account, wire) => (account.limits = Account.limits(world.settings, wire, now)))
  const change = (changed: Options): Effect.Effect<void, InvalidOptions.InvalidOptions> =>
    Effect.flatMap(Settings.from(changed), (settings) =>
      at((now) => {
        current = changed
        const limited = limits.some((name) => settings[name] !== world.settings[name])
        world.settings = settings
        if (limited) fill(now)
      })
    )
  return {
    app: app(world),
    client: InProcess.client(world),
    wires: Array.from(world.wires.keys()),
    keys: Arr.map(settings.keys, (key) => Redacted.make(key)),
    requests: Effect.sync(world.journal.read),
    total: Effect.sync(world.journal.total),
    stats: at((now) => {
      const stats: Array<KeyStats> = []
      each(undefined, ({ counts, limits, name }, wire) => {
        if (counts.requests === 0) return
        stats.push({
          wire: wire.name,
          key: name,
          ...counts,
          remainingRequests: limits.requests === undefined ? Infinity : Limit.remaining(limits.requests, now),
          remainingTokens: limits.tokens === undefined ? Infinity : Limit.remaining(limits.tokens, now)
        })
      })
      return stats
    }),
    reset: at((now) => {
      world.journal.clear()
      world.injected = []
      world.wires = spoken(world.settings)
      each(undefined, (account) => Object.assign(account.counts, Journal.counts()))
      fill(now)
    }),
    update: (changes) => Effect.suspend(() => change({ ...current, ...changes })),
    setFaults: (faults) => Effect.suspend(() => change({ ...current, faults })),
    inject: (...faults) =>
      Effect.sync(() => {
        world.injected = [...world.injected, ...faults]
      }),
    down: (how = "refuse", wire = "*") => Effect.sync(() => void world.outages.set(wire, how)),
    up: (wire) => Effect.sync(() => (wire === undefined ? world.outages.clear() : void world.outages.delete(wire))),
    hangUp: Effect.sync(() => world.hanging.forEach((hangUp) => hangUp())),
    setKey: (position, standing, wire) =>
      Effect.sync(() =>
        each(wire, (account, _, at) => {
          if (at === position) account.standing = standing
        })
      ),
    environment: (origin) =>
      new Map(
        Array.from(world.wires.values()).flatMap(({ baseUrl, variables }) => [
          [variables.baseUrl, origin.replace(/\/$/, "") + baseUrl] as const,
          ...(variables.key === undefined
            ? []
            : settings.keys.map((key, index) => [`${variables.key}_${index + 1}`, key] as const)),
          ...Object.entries(variables.more?.(settings.keys) ?? {})
        ])
      )
  }
}

const limits = ["requestsPerMinute", "tokensPerMinute", "requestsPerDay", "burst"] as const

const spoken = (settings: Settings.Settings): ReadonlyMap<string, Wire.Wire> =>
  new Map(wires.map((make) => make(settings.models)).map((wire) => [wire.name, wire]))

const accounts = (settings: Settings.Settings, wire: Wire.Wire, now: number): Map<string, Account.Account> =>
  new Map(
    settings.keys.map((key, index) => {
      const name = key === `sim-key-${index + 1}` ? key : `key-${index + 1}`
      return [key, Account.make(name, Account.limits(settings, wire, now))]
    })
  )

const app = (world: World.World): HttpApp.Default<never, Scope.Scope> =>
  Effect.flatMap(HttpServerRequest.HttpServerRequest, (request) =>
    Effect.clockWith((clock) => {
      const exchange = World.open(
        world,
        {
          method: request.method,
          url: request.url,
          headers: request.headers,
          bytes: Effect.map(request.arrayBuffer, (buffer) => new Uint8Array(buffer)),
          cut: cut(request)
        },
        clock
      )
      const answered = Effect.catchAll(
        Effect.interruptible(Exchanges.answer(exchange)),
        // Who serves this app has no socket to break; a body that breaks is the nearest to it.
        (reset) => Effect.succeed(HttpServerResponse.stream(Stream.fail(reset)))
      )
      return Effect.zipRight(
        Effect.addFinalizer(() => Effect.sync(() => World.abandon(exchange))),
        answered
      )
    })
  )

// Node's request knows its socket; a reset tells the client more than a polite end would.
const cut = (request: HttpServerRequest.HttpServerRequest): Effect.Effect<never, World.ConnectionReset> =>
  Effect.suspend(() => {
    const socket = socketOf(request.source)
    if (socket === undefined) return Effect.fail(new World.ConnectionReset())
    if (socket.resetAndDestroy === undefined) socket.destroy()
    else socket.resetAndDestroy()
    return Effect.never
  })

interface Socket {
  readonly destroy: () => void
  readonly resetAndDestroy?: () => void
}

const socketOf = (source: unknown): Socket | undefined =>
  typeof source === "object" && source !== null && "socket" in source && isSocket(source.socket)
    ? source.socket
    : undefined

const isSocket = (value: unknown): value is Socket =>
  typeof value === "object" && value !== null && "destroy" in value && typeof value.destroy === "function"

/**
 * A simulator as a service.
 *
 * @since 0.1.0
 * @category layers
 */
export const layer = (options?: Options): Layer.Layer<Simulator, InvalidOptions.InvalidOptions> =>
  Layer.effect(Simulator, make(options))

/**
 * The `HttpClient` that leads to the simulator of the environment, without a socket.
 *
 * @since 0.1.0
 * @category layers
 */
export const layerHttpClient: Layer.Layer<HttpClient.HttpClient, never, Simulator> = Layer.effect(
  HttpClient.HttpClient,
  Effect.map(Simulator, ({ client }) => client)
)

/**
 * A simulator, and the `HttpClient` that leads to it: what a test of a backend wants.
 *
 * @since 0.1.0
 * @category layers
 */
export const layerTest = (options?: Options): Layer.Layer<Simulator | HttpClient.HttpClient, InvalidOptions.InvalidOptions> =>
  Layer.provideMerge(layerHttpClient, layer(options))
