/**
 * One request on its way through the simulator: outage, route, key, body, limits, fault, delay, answer.
 *
 * @since 0.1.0
 */
import * as HttpServerResponse from "@effect/platform/HttpServerResponse"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Account from "./Account.js"
import * as Delivery from "./Delivery.js"
import * as Fault from "./Fault.js"
import * as Fields from "./Fields.js"
import * as Seed from "./Seed.js"
import type { Outage, Settings } from "./Settings.js"
import * as Wire from "./Wire.js"
import * as World from "./World.js"

/**
 * The answer to a request. A stream in it is sent as it is read.
 *
 * @since 0.1.0
 * @category conversions
 */
export const answer = (exchange: World.Exchange): Delivery.Response =>
  Effect.onInterrupt(
    Effect.suspend(() => enter(exchange)),
    () => Effect.sync(() => World.abandon(exchange))
  )

// The largest body that vendors take is about this.
const largestBody = 32 * 1024 * 1024

const enter = (exchange: World.Exchange): Delivery.Response => {
  const { entry, received, world } = exchange
  const query = received.url.indexOf("?")
  const path = query < 0 ? received.url : received.url.slice(0, query)
  const end = path.indexOf("/", 1)
  const wire = world.wires.get(path.slice(1, end < 0 ? undefined : end))
  if (wire === undefined) return nobody(exchange, path)
  entry.wire = wire.name
  const outage = world.outages.get(wire.name) ?? world.outages.get("*")
  const drawn = drawFault(world, entry.ordinal)
  const below = end < 0 ? "/" : path.slice(end)
  const visit: World.Visit = {
    exchange,
    wire,
    path: below,
    query: query < 0 ? "" : received.url.slice(query),
    account: undefined,
    fault: drawn
  }
  if (outage !== undefined) {
    entry.fault = "outage"
    return outages[outage](visit)
  }
  if (drawn === "connectionReset") {
    entry.fault = drawn
    return Delivery.broken(exchange)
  }
  const found = route(wire, received.method, below)
  if (Either.isLeft(found)) return Delivery.refuse(visit, found.left)
  const presented = wire.credential(received.headers, visit.query)
  const account = presented === undefined ? undefined : world.accounts.get(wire.name)?.get(presented)
  entry.key = account?.name ?? (presented === undefined ? undefined : "unknown")
  if (account !== undefined) {
    entry.counts = account.counts
    account.counts.requests++
    account.counts.inFlight++
  }
  const barred = wire.keyed && found.right.open !== true ? bar(presented, account) : undefined
  return barred === undefined ? read({ ...visit, account }, found.right) : Delivery.refuse(visit, barred)
}

const drawFault = (world: World.World, ordinal: number): Fault.Fault | undefined => {
  const [first, ...rest] = world.injected
  if (first === undefined) return Fault.of(world.settings.faults, world.settings.seed, ordinal)
  world.injected = rest
  return first === "none" ? undefined : first
}

const outages: { readonly [O in Outage]: (visit: World.Visit) => Delivery.Response } = {
  refuse: ({ exchange }) => Delivery.broken(exchange),
  error: (visit) => Delivery.refuse(visit, Wire.Failure.Overloaded()),
  hang: ({ exchange }) => Delivery.hang(exchange)
}

const nobody = (exchange: World.Exchange, path: string): Delivery.Response => {
  const wires = Array.from(exchange.world.wires.values(), ({ baseUrl, name, variables }) => ({
    name,
    [variables.baseUrl]: baseUrl
  }))
  const status = path === "/" ? 200 : 404
  return Delivery.send(exchange, status, HttpServerResponse.unsafeJson({ spillway: "simulator", wires }, { status }))
}

const route = (wire: Wire.Wire, method: string, path: string): Either.Either<Wire.Route, Wire.Failure> => {
  const here = wire.routes.filter((one) => matches(one.path, path))
  const asked = method === "HEAD" ? "GET" : method
  const found = here.find((one) => one.method === asked)
  if (found !== undefined) return Either.right(found)
  return Either.left(
    here.length > 0
      ? Wire.Failure.WrongMethod({ method, path, allowed: here.map((one) => one.method).join(", ") })
      : Wire.Failure.NoRoute({ method, path })
  )
}

const matches = (pattern: string, path: string): boolean =>
  pattern.endsWith("/*") ? path.startsWith(pattern.slice(0, -1)) && path.length >= pattern.length : pattern === path

const bar = (presented: string | undefined, account: Account.Account | undefined): Wire.Failure | undefined => {
  if (presented === undefined) return Wire.Failure.NoKey()
  if (account === undefined || account.standing === "revoked") return Wire.Failure.UnknownKey({ presented })
  return account.standing === "exhausted" ? Wire.Failure.KeyExhausted() : undefined
}

const read = (visit: World.Visit, route: Wire.Route): Delivery.Response => {
  const { entry, received } = visit.exchange
  if (route.method === "GET") return serve(visit, route, undefined)
  if (Number(received.headers["content-length"] ?? 0) > largestBody) {
    return Delivery.refuse(visit, Wire.Failure.BodyTooLarge())
  }
  const contentType = received.headers["content-type"] ?? ""
  if (visit.wire.demandsJson && route.raw !== true && !contentType.includes("json")) {
    return Delivery.refuse(visit, Wire.Failure.WrongContentType({ contentType }))
  }
  return Effect.matchEffect(received.bytes, {
    onFailure: () => Delivery.refuse(visit, Wire.Failure.NotJson({ reason: "unexpected EOF", empty: false })),
    onSuccess: (bytes) => {
      const text = decoder.decode(bytes)
      if (text === "" && route.method === "DELETE") return serve(visit, route, undefined)
      if (route.raw === true) {
        entry.body = bytes.length > largestRemembered ? `(${bytes.length} bytes)` : text
        return serve(visit, route, bytes)
      }
      const parsed = Either.try({ try: (): unknown => JSON.parse(text), catch: String })
      entry.body = Either.getOrElse(parsed, () => text)
      if (Either.isLeft(parsed)) {
        return Delivery.refuse(
          visit,
          Wire.Failure.NotJson({ reason: parsed.left.replace(/^SyntaxError: /, ""), empty: text === "" })
        )
      }
      if (!Fields.isJson(parsed.right)) {
        return Delivery.refuse(visit, Wire.Failure.NotJson({ reason: "the body must be an object", empty: false }))
      }
      return serve(visit, route, parsed.right)
    }
  })
}

const decoder = new TextDecoder()

// What is no JSON may be a file; the journal holds no thousand of those.
const largestRemembered = 64 * 1024

const serve = (
  visit: World.Visit,
  route: Wire.Route,
  body: Fields.Json | Uint8Array | undefined
): Delivery.Response => {
  const { account, exchange, path, query } = visit
  const {
    clock,
    entry,
    received,
    world: { settings }
  } = exchange
  const now = clock.unsafeCurrentTimeMillis()
  const model = body instanceof Uint8Array ? "" : Fields.stringOf(body?.["model"])
  const limited =
    account !== undefined && route.metered === true ? Account.refusesRequest(account, model, now) : undefined
  if (limited !== undefined) return Delivery.refuse(visit, limited)
  const latencyMillis = latency(settings, entry.ordinal)
  const answered = route.answer({
    id: Seed.at(settings.seed, entry.ordinal),
    now,
    method: received.method,
    url: received.url,
    path,
    rest: route.path.endsWith("/*") ? decoded(path.slice(route.path.length - 1)) : "",
    query: new URLSearchParams(query),
    headers: received.headers,
    body,
    answerTokens: settings.answerTokens,
    latencyMillis,
    tokenDelayMillis: settings.tokenDelayMillis,
    seed: settings.seed
  })
  if (Either.isLeft(answered)) return Delivery.refuse(visit, answered.left)
  const { input, output, render } = answered.right
  if (account !== undefined && route.metered === true) {
    const tokens = Account.refusesTokens(account, input + output, model, now)
    if (tokens !== undefined) return Delivery.refuse(visit, tokens)
    Account.charge(account, input, output, now)
  }
  const failure = visit.fault === undefined ? undefined : failures[visit.fault]
  if (failure !== undefined) entry.fault = visit.fault
  if (failure === "hang") return Delivery.hang(exchange)
  if (failure !== undefined) return Delivery.refuse(visit, failure(model))
  return Delivery.after(latencyMillis, () => {
    const rendered = render()
    return Delivery.after(rendered._tag === "Whole" ? settings.tokenDelayMillis * output : 0, () =>
      Delivery.deliver(visit, rendered, latencyMillis)
    )
  })
}

const decoded = (text: string): string =>
  Either.getOrElse(
    Either.try(() => decodeURIComponent(text)),
    () => text
  )

const latency = ({ jitter, latencyMillis, seed }: Settings, ordinal: number): number =>
  jitter === 0
    ? latencyMillis
    : Math.round(latencyMillis * (1 + jitter * (2 * Seed.fraction(Seed.at(~seed, ordinal)) - 1)))

const failures: { readonly [F in Fault.Fault]?: ((model: string) => Wire.Failure) | "hang" } = {
  serverError: () => Wire.Failure.ServerError(),
  overloaded: () => Wire.Failure.Overloaded(),
  rateLimited: (model) =>
    Wire.Failure.RateLimited({ of: "requests", limit: 1, used: 1, wanted: 1, waitMillis: Delivery.aWhile, model }),
  hang: "hang"
}
