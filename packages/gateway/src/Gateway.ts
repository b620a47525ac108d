/**
 * The gateway: one HTTP app that serves an `LlmService` (in practice a router over protected backends) to the clients of
 * OpenAI, of Anthropic and of Ollama, and itself to those who operate it.
 *
 * It takes the service once, when it is made; a request builds no layer and no span of its own. It is an `HttpApp`, so
 * any server of `@effect/platform` runs it, and a test calls it with a `Request` and reads a `Response`.
 *
 * @since 0.1.0
 */
import type * as HttpApp from "@effect/platform/HttpApp"
import * as HttpMiddleware from "@effect/platform/HttpMiddleware"
import * as HttpServer from "@effect/platform/HttpServer"
import * as HttpServerRequest from "@effect/platform/HttpServerRequest"
import * as HttpServerResponse from "@effect/platform/HttpServerResponse"
import * as InvalidOptions from "@spillway/core/InvalidOptions"
import * as LlmService from "@spillway/core/LlmService"
import * as Monitor from "@spillway/core/Monitor"
import * as Policy from "@spillway/core/Policy"
import * as Cause from "effect/Cause"
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import type * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Random from "effect/Random"
import * as Schema from "effect/Schema"
import * as Scope from "effect/Scope"
import * as Access from "./Access.js"
import * as Admin from "./Admin.js"
import * as Allowance from "./Allowance.js"
import * as AnthropicApi from "./AnthropicApi.js"
import * as CallHeaders from "./CallHeaders.js"
import * as ClientLimits from "./ClientLimits.js"
import * as Dashboard from "./Dashboard.js"
import * as Dialect from "./Dialect.js"
import * as Drain from "./Drain.js"
import { accessOf, type Exchange, type Failure, type Route } from "./Exchange.js"
import * as Fault from "./Fault.js"
import * as Host from "./Host.js"
import * as Moderation from "./Moderation.js"
import * as OllamaApi from "./OllamaApi.js"
import * as OpenAiApi from "./OpenAiApi.js"
import * as OpenStreams from "./OpenStreams.js"
import * as Origin from "./Origin.js"
import { Refusal } from "./Refusal.js"
import * as Status from "./Status.js"
import * as StatusEvents from "./StatusEvents.js"
import * as Tracing from "./Tracing.js"

// -----------------------------------------------------------------------------
// models
// -----------------------------------------------------------------------------

/**
 * A gateway, ready to be served.
 *
 * @since 0.1.0
 * @category models
 */
export interface Service {
  /** What a server runs. */
  readonly app: HttpApp.Default<never, Scope.Scope>
  /**
   * Shuts down: new calls are refused with 503, those in flight end, and what outlasts the grace is cut. Succeeds when
   * no call is left; the server may be closed then.
   */
  readonly drain: Effect.Effect<Drain.Drained>
  /** How many calls are being answered. */
  readonly inFlight: Effect.Effect<number>
  /**
   * Who may use it from now on, with limits of which nothing is used yet. One that was made without `access` is as open as
   * before.
   */
  readonly setAccess: (access: Access.Options) => Effect.Effect<void, InvalidOptions.InvalidOptions>
}

/**
 * The tag under which a program finds the gateway that it serves.
 *
 * @since 0.1.0
 * @category tags
 */
export class Gateway extends Context.Tag("@spillway/gateway/Gateway")<Gateway, Service>() {}

/**
 * How a gateway is set up.
 *
 * @since 0.1.0
 * @category models
 */
export interface Options {
  /** Who may use it. @default whoever reaches it, which must be nobody from elsewhere */
  readonly access?: Access.Options
  /** Most bytes of a request's body, from 1 KiB to 1 GiB. @default 10485760 (10 MiB) */
  readonly bodyLimit?: number
  /** How long calls in flight may go on once it drains. @default 30 seconds */
  readonly grace?: Duration.DurationInput
  /**
   * After how long without a part a stream sends a sign of life, in the way of its wire; from 1 second, or
   * `Duration.infinity`.
   *
   * @default 15 seconds
   */
  readonly heartbeat?: Duration.DurationInput
  /**
   * After how long without taking what was written the client of a stream is cut; from 1 second, or
   * `Duration.infinity`.
   *
   * @default 30 seconds
   */
  readonly stall?: Duration.DurationInput
  /**
   * The names under which it may be asked, without a port (`localhost`). A gateway on loopback that has no keys needs it:
   * otherwise a page whose name leads to this machine speaks as though from here.
   *
   * @default any
   */
  readonly hosts?: ReadonlyArray<string>
  /** What `/status.json` gives as the version. @default not told */
  readonly version?: string
}

/**
 * The options as a schema, for who reads them from a file.
 *
 * @since 0.1.0
 * @category schemas
 */
export const Settings = Schema.Struct({
  access: Schema.optionalWith(Access.Settings, { exact: true }),
  bodyLimit: Schema.optionalWith(InvalidOptions.whole({ atLeast: 1024, atMost: 1024 ** 3 }), {
    default: () => 10 * 1024 ** 2
  }),
  grace: Schema.optionalWith(InvalidOptions.duration(), { default: () => Duration.seconds(30) }),
  heartbeat: Schema.optionalWith(InvalidOptions.duration({ atLeast: 1000 }), { default: () => Duration.seconds(15) }),
  stall: Schema.optionalWith(InvalidOptions.duration({ atLeast: 1000 }), { default: () => Duration.seconds(30) }),
  hosts: Schema.optionalWith(Schema.Array(InvalidOptions.name), { exact: true }),
  version: Schema.optionalWith(InvalidOptions.name, { exact: true })
})

const validate = InvalidOptions.validate("Gateway", Settings)

// -----------------------------------------------------------------------------
// constructors
// -----------------------------------------------------------------------------

/**
 * A gateway before the `LlmService` of the environment (and its `Moderation`, where there is one), showing what the
 * current monitor sees.
 *
 * @since 0.1.0
 * @category constructors
 * @example
 * ```ts
 * import * as HttpApp from "@effect/platform/HttpApp"
 * import { LlmService } from "@spillway/core"
 * import { Gateway } from "@spillway/gateway"
 * import * as Effect from "effect/Effect"
 * import * as assert from "node:assert"
 *
 * const catalogue = LlmService.make("catalogue", { listModels: Effect.succeed([{ id: "parrot" }]) })
 *
 * const program = Effect.gen(function*() {
 *   const gateway = yield* Gateway.make({ bodyLimit: 1_000_000 })
 *   const answer = HttpApp.toWebHandler(gateway.app)
 *   const response = yield* Effect.promise(() => answer(new Request("http://localhost/v1/models/parrot")))
 *   assert.strictEqual(response.status, 200)
 *   assert.deepStrictEqual(yield* gateway.drain, { ended: 0, cut: 0 })
 * })
 * await Effect.runPromise(Effect.provideService(program, LlmService.LlmService, catalogue))
 * ```
 */
export const make = (
  options: Options = {}
): Effect.Effect<Service, InvalidOptions.InvalidOptions, LlmService.LlmService> =>
  Effect.gen(function*() {
    const settings = yield* validate(options)
    const given = yield* LlmService.LlmService
    let access = settings.access === undefined ? undefined : Access.make(settings.access)
    const service = access === undefined ? given : ClientLimits.protect(given)
    const moderators = Option.getOrElse(yield* Effect.serviceOption(Moderation.Moderation), () => Moderation.none)
    const moderation = access === undefined ? moderators : ClientLimits.protectModeration(moderators)
    const monitor = yield* Monitor.CurrentMonitor
    const streams = yield* OpenStreams.make(settings)
    const drain = yield* Drain.make(settings.grace, streams.cut)
    const requests = Status.makeRequests()
    const startedAt = yield* Clock.currentTimeMillis
    const sources = { monitor, drain, requests, startedAt, version: settings.version }
    const routes = [
      ...OpenAiApi.routes(service, moderation, settings),
      ...AnthropicApi.routes(service, settings),
      ...OllamaApi.routes(service, settings),
      ...Status.routes(sources),
      ...StatusEvents.routes(sources),
      ...Admin.routes(yield* Admin.handles(monitor)),
      ...Dashboard.routes
    ]
    const find = finder([...routes, Status.inventory(settings.version, routes)])
    // random for the process and counted within it: unlike any other, without a draw for each request
    const prefix = `req-${(yield* Random.nextIntBetween(0, 36 ** 6)).toString(36)}-${startedAt.toString(36)}`
    let made = 0
    const makeId = () => `${prefix}-${(++made).toString(36)}`
    return {
      app: answering({ find, isForUs: Host.check(settings.hosts), access: () => access, drain, streams, requests, makeId }),
      drain: drain.drain,
      inFlight: Effect.sync(drain.inFlight),
      setAccess: (options) =>
        Effect.map(validate({ access: options }), ({ access: next }) => {
          if (access !== undefined && next !== undefined) access = Access.make(next)
        })
    }
  })

/**
 * A gateway, for a program that serves it in its own way.
 *
 * @since 0.1.0
 * @category layers
 */
export const layer = (
  options: Options = {}
): Layer.Layer<Gateway, InvalidOptions.InvalidOptions, LlmService.LlmService> => Layer.effect(Gateway, make(options))

/**
 * A gateway, served by the server of the environment for as long as the layer lives. When it ends, the gateway drains
 * first, and the server closes after that.
 *
 * @since 0.1.0
 * @category layers
 */
export const serve = (
  options: Options = {}
): Layer.Layer<Gateway, InvalidOptions.InvalidOptions, LlmService.LlmService | HttpServer.HttpServer> =>
  Layer.scoped(
    Gateway,
    Effect.gen(function*() {
      const gateway = yield* make(options)
      // a span of the server's own would be told of every header, and made where nobody listens
      yield* Effect.locally(HttpServer.serveEffect(gateway.app), HttpMiddleware.currentTracerDisabledWhen, () => true)
      yield* Effect.addFinalizer(() => gateway.drain)
      return gateway
    })
  )

// -----------------------------------------------------------------------------
// routes
// -----------------------------------------------------------------------------

const finder = (routes: ReadonlyArray<Route>) => {
  const prefixes = routes.filter((route) => route.prefix)
  const exact = new Map<string, ReadonlyArray<Route>>()
  for (const route of routes) {
    if (!route.prefix) exact.set(route.path, [...exact.get(route.path) ?? [], route])
  }
  return ({ headers, method }: HttpServerRequest.HttpServerRequest, path: string): Either.Either<Route, Refusal> => {
    const here = exact.get(path) ?? prefixes.filter((route) => path.startsWith(route.path))
    const wanted = method === "HEAD" ? "GET" : method
    const routes = here.filter((route) => route.method === wanted)
    const route = routes.find(({ header }) => header !== undefined && headers[header] !== undefined) ??
      routes.find(({ header }) => header === undefined)
    if (route !== undefined) return Either.right(route)
    const allow = [...new Set(here.map((route) => route.method))].join(", ")
    return Either.left(
      here.length === 0
        ? new Refusal({ reason: "UnknownRoute", message: "There is nothing under this path" })
        : new Refusal({ reason: "MethodNotAllowed", message: `This path takes ${allow}`, allow })
    )
  }
}

// -----------------------------------------------------------------------------
// answering
// -----------------------------------------------------------------------------

interface Rooms {
  readonly find: (request: HttpServerRequest.HttpServerRequest, path: string) => Either.Either<Route, Refusal>
  readonly isForUs: (host: string | undefined) => boolean
  readonly access: () => Access.Access | undefined
  readonly drain: Drain.Drain
  readonly streams: OpenStreams.OpenStreams
  readonly requests: Status.Requests
  readonly makeId: () => string
}

const answering = (rooms: Rooms): HttpApp.Default<never, Scope.Scope> =>
  Effect.withFiberRuntime<
    HttpServerResponse.HttpServerResponse,
    never,
    HttpServerRequest.HttpServerRequest | Scope.Scope
  >((fiber) => {
    const request = Context.unsafeGet(fiber.currentContext, HttpServerRequest.HttpServerRequest)
    const scope = Context.unsafeGet(fiber.currentContext, Scope.Scope)
    return Effect.clockWith((clock) => answer(rooms, request, scope, fiber, clock))
  })

const answer = (
  { access, find, isForUs, drain, streams, requests, makeId }: Rooms,
  request: HttpServerRequest.HttpServerRequest,
  scope: Scope.Scope,
  fiber: Fiber.RuntimeFiber<unknown, unknown>,
  clock: Clock.Clock
): Effect.Effect<HttpServerResponse.HttpServerResponse, never, Scope.Scope> => {
  const arrived = clock.unsafeCurrentTimeMillis()
  const path = request.url.split("?", 1)[0]!
  const found = find(request, path)
  const isCall = Either.isRight(found) && found.right.kind === "call"
  const principal = Either.flatMap(found, (route) =>
    route.access === "open" || isForUs(request.headers["host"])
      ? identify(access(), route, request, arrived)
      : Either.left(Host.refusal))
  const given = Either.flatMap(principal, (principal) =>
    isCall ? admit(drain, request, principal, arrived) : Either.right(undefined))
  const isCounted = isCall && Either.isRight(given)
  const running = isCounted ? drain.enter(fiber) : { fiber }
  const exchange: Exchange = {
    id: CallHeaders.requestId(request.headers) ?? makeId(),
    request,
    path,
    arrived,
    scope,
    principal: Either.getOrElse(principal, () => undefined),
    given: Either.getOrElse(given, () => undefined),
    running,
    streams,
    isCut: () => drain.state() === "closing",
    span: undefined,
    status: clientClosed,
    model: "",
    failure: undefined,
    leftEarly: false
  }
  const label = Either.match(found, { onLeft: () => "unknown", onRight: (route) => `${route.method} ${route.path}` })
  const end = Effect.suspend(() => {
    if (isCounted) {
      drain.leave(running)
      if (exchange.principal !== undefined) Allowance.leave(exchange.principal.allowances)
    }
    requests.count(label, exchange.status)
    Tracing.end(exchange, clock)
    const isProbe = Either.isRight(found) && found.right.kind === "probe"
    return log(exchange, label, isProbe ? Effect.logDebug : Effect.logInfo, clock.unsafeCurrentTimeMillis())
  })
  const refuse = (failure: Failure) => {
    exchange.failure = Fault.nameOf(failure)
    return (Either.isRight(found) ? found.right.refuse : Dialect.refuseOf(request))(failure, exchange)
  }
  const handled = Either.match(Either.flatMap(found, (route) => Either.map(given, () => route)), {
    onLeft: (refusal) => Effect.succeed(refuse(refusal)),
    onRight: (route) => {
      const handling = Effect.matchCauseEffect(Effect.interruptible(Effect.suspend(() => route.handle(exchange))), {
        onSuccess: Effect.succeed,
        onFailure: (cause) => Effect.map(failureOf(cause, exchange), refuse)
      })
      return isCall ? Tracing.within(exchange, label, fiber, handling) : handling
    }
  })
  return Effect.zipRight(
    Scope.addFinalizer(scope, end),
    Effect.map(handled, (response) => {
      exchange.status = response.status
      return HttpServerResponse.setHeader(response, "x-request-id", exchange.id)
    })
  )
}

// what an exchange ends with whose client did not wait for the answer
const clientClosed = 499

const identify = (
  access: Access.Access | undefined,
  route: Route,
  request: HttpServerRequest.HttpServerRequest,
  now: number
): Either.Either<Access.Principal | undefined, Refusal> => {
  const needs = accessOf(route)
  return access === undefined || needs === "open" ? Either.right(undefined) : access.check(request, needs, now)
}

const admit = (
  drain: Drain.Drain,
  request: HttpServerRequest.HttpServerRequest,
  principal: Access.Principal | undefined,
  now: number
): Either.Either<Context.Context<never> | undefined, Refusal> => {
  if (drain.state() !== "accepting") return Either.left(draining)
  // a page in the operator's browser must not spend the operator's money
  if (Origin.isForeign(request.headers)) return Either.left(Origin.refusal)
  const said = CallHeaders.read(request.headers, now)
  return principal === undefined ? said : Either.flatMap(said, (said) => Access.enter(principal, said, now))
}

const draining = new Refusal({
  reason: "Draining",
  message: "The gateway is shutting down",
  retryAfter: Duration.seconds(1)
})

const failureOf = (cause: Cause.Cause<Failure>, exchange: Exchange): Effect.Effect<Failure> => {
  const failure = Cause.failureOption(cause)
  if (Option.isSome(failure)) return Effect.succeed(ClientLimits.refusalOf(failure.value))
  if (Cause.isInterruptedOnly(cause)) {
    return exchange.isCut() ? Effect.succeed(draining) : Effect.failCause(Cause.stripFailures(cause))
  }
  return Effect.as(
    Effect.annotateLogs(Effect.logError("a bug broke off a request", cause), { requestId: exchange.id }),
    new Refusal({ reason: "InternalError", message: `The gateway has a bug; its log tells more under ${exchange.id}` })
  )
}

const log = (exchange: Exchange, route: string, at: typeof Effect.logInfo, now: number): Effect.Effect<void> =>
  Effect.annotateLogs(at("request"), {
    requestId: exchange.id,
    route,
    status: exchange.status,
    millis: now - exchange.arrived,
    ...(exchange.principal !== undefined && { client: exchange.principal.name }),
    ...(exchange.given !== undefined && tenantOf(exchange.given)),
    ...(exchange.model !== "" && { model: printable(exchange.model) }),
    ...(exchange.failure !== undefined && { error: exchange.failure }),
    ...(exchange.leftEarly && { leftEarly: true }),
    ...(exchange.span !== undefined && { traceId: exchange.span.traceId })
  })

const tenantOf = (given: Context.Context<never>) => {
  const tenant = Context.get(given, Policy.CurrentTenant)
  return tenant !== "" && { tenant }
}

// a client names the model as it likes; a terminal that shows the log takes no orders from it
const printable = (model: string) => model.slice(0, 128).replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, "\ufffd")
