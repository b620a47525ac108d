/**
 * Several services as one: chosen by the name of the model, or one after the other until one answers.
 *
 * **By name** (`make`, `layer`). `groq/llama-3.3-70b` goes to the service called `groq`, which is asked for
 * `llama-3.3-70b`. Only a first segment that is the name of a service is a prefix, so that names with slashes of their
 * own (`meta-llama/Llama-3`) stay whole. A name without a prefix goes to the first service whose catalogue has it.
 * Catalogues are read, all at once, when they are first needed, remembered for five minutes, and then read again in the
 * background; one that cannot be read within five seconds is passed over.
 *
 * **One after the other** (`failover`). The next service is asked when an error's verdict allows it, which is any but
 * `Never`, and for a stream only as long as no part of it has come. Each service is wrapped in its own policies, so
 * that what is tried again is tried there first.
 *
 * @since 0.1.0
 */
import * as Arr from "effect/Array"
import * as Cause from "effect/Cause"
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Deferred from "effect/Deferred"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as FiberId from "effect/FiberId"
import { dual } from "effect/Function"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import type * as Completion from "./Completion.js"
import * as LlmError from "./LlmError.js"
import * as LlmService from "./LlmService.js"
import type * as Model from "./Model.js"
import * as Policy from "./Policy.js"

// -----------------------------------------------------------------------------
// by name
// -----------------------------------------------------------------------------

/**
 * Several services, chosen by the name of the model. The keys are the prefixes; where several catalogues have a bare
 * name, the first in the record's order gets the call.
 *
 * `listModels` gives all models under their prefixed names. A service that cannot list its models hides only its own;
 * when none can, it fails with the first one's error.
 *
 * @since 0.1.0
 * @category constructors
 * @example
 * ```ts
 * import { Completion, LlmService, Prompt, Router } from "@spillway/core"
 * import * as Effect from "effect/Effect"
 * import * as assert from "node:assert"
 *
 * const says = (name: string) =>
 *   LlmService.make(name, {
 *     generateText: ({ model }) =>
 *       Effect.succeed(Completion.make({
 *         model,
 *         content: [Prompt.text(`${name} as ${model}`)],
 *         finishReason: "stop",
 *         usage: {}
 *       }))
 *   })
 * const router = Router.make({ groq: says("groq"), claude: says("claude") })
 * const answer = Effect.runSync(router.generateText({ model: "groq/meta-llama/Llama-3", prompt: "hi" }))
 * assert.strictEqual(answer.text, "groq as meta-llama/Llama-3")
 * ```
 */
export const make = (backends: { readonly [name: string]: LlmService.Service }): LlmService.Service => {
  const routes = new Map(Object.entries(backends).map(([name, service]) => [name, makeRoute(name, service)]))
  const all = [...routes.values()]

  const prefixed = <Request extends { readonly model: string }>(request: Request) => {
    const slash = request.model.indexOf("/")
    const route = slash > 0 ? routes.get(request.model.slice(0, slash)) : undefined
    return route && { service: route.service, request: { ...request, model: request.model.slice(slash + 1) } }
  }
  const whole = <Request extends { readonly model: string }, A>(
    request: Request,
    use: (service: LlmService.Service, request: Request) => Effect.Effect<A, LlmError.LlmError>
  ): Effect.Effect<A, LlmError.LlmError> => {
    const there = prefixed(request)
    return there === undefined
      ? Effect.flatMap(find(all, request.model), (service) => use(service, request))
      : use(there.service, there.request)
  }

  return {
    backend: "router",
    operations: unionOf(all.map(({ service }) => service)),
    generateText: (request) => whole(request, (service, request) => service.generateText(request)),
    streamText: (request) => {
      const there = prefixed(request)
      return there === undefined
        ? Stream.unwrap(Effect.map(find(all, request.model), (service) => service.streamText(request)))
        : there.service.streamText(there.request)
    },
    embed: (request) => whole(request, (service, request) => service.embed(request)),
    rerank: (request) => whole(request, (service, request) => service.rerank(request)),
    infer: (request) => whole(request, (service, request) => service.infer(request)),
    listModels: listAll(all),
    health: anyHealthy(all.map(({ service }) => service))
  }
}

/**
 * Like `make`, from layers; each is built on its own, with its own queue, circuit and keys.
 *
 * @since 0.1.0
 * @category layers
 */
export const layer = <Backends extends { readonly [name: string]: Layer.Layer<LlmService.LlmService, any, any> }>(
  backends: Backends
): Layer.Layer<
  LlmService.LlmService,
  Layer.Layer.Error<Backends[keyof Backends]>,
  Layer.Layer.Context<Backends[keyof Backends]>
> =>
  Layer.scoped(
    LlmService.LlmService,
    Effect.map(
      Effect.forEach(
        // a record's entries lose what the record says of each
        Object.entries(backends) as Array<[string, Backends[keyof Backends]]>,
        ([name, layer]) =>
          Effect.map(Layer.build(layer), (context) => [name, Context.get(context, LlmService.LlmService)] as const)
      ),
      (services) => make(Object.fromEntries(services))
    )
  )

// -----------------------------------------------------------------------------
// one after the other
// -----------------------------------------------------------------------------

/**
 * Asks the first service, and each of the others in turn when those before it failed with an error that another
 * backend may help against. The error that comes out is the last one's, or one that nobody can help against
 * (`Never`). Who lacks the operation is passed over, as what it would say hides why the others could not. A stream that
 * has begun is never begun anew elsewhere.
 *
 * Backends name their models differently: give each its own with `withModel`.
 *
 * @since 0.1.0
 * @category combinators
 * @example
 * ```ts
 * import { LlmService, Router } from "@spillway/core"
 *
 * const groq = LlmService.make("groq", {})
 * const claude = LlmService.make("claude", {})
 * const chain = Router.failover(
 *   Router.withModel(groq, "llama-3.3-70b-versatile"),
 *   Router.withModel(claude, "claude-sonnet-4-5")
 * )
 * ```
 */
export const failover = (
  first: LlmService.Service,
  ...others: ReadonlyArray<LlmService.Service>
): LlmService.Service => {
  /** Those that have the operation; where nobody has, the first may say so. */
  const able = (operation: LlmService.Operation): Arr.NonEmptyReadonlyArray<LlmService.Service> => {
    const [head, ...tail] = [first, ...others].filter(({ operations }) => operations.has(operation))
    return head === undefined ? [first] : [head, ...tail]
  }
  const whole = <A>(
    operation: LlmService.Operation,
    use: (service: LlmService.Service) => Effect.Effect<A, LlmError.LlmError>
  ) => {
    const [first, ...others] = able(operation)
    return others.reduce((tried, service) => Effect.catchIf(tried, mayHelp, () => use(service)), use(first))
  }
  const streamed = (use: (service: LlmService.Service) => Stream.Stream<Completion.Part, LlmError.LlmError>) =>
    Stream.suspend(() => {
      const [first, ...others] = able("streamText")
      let hasBegun = false
      const begin = (service: LlmService.Service) =>
        Stream.mapChunks(use(service), (parts) => {
          hasBegun ||= parts.length > 0
          return parts
        })
      return others.reduce(
        (tried, service) =>
          Stream.catchAll(tried, (error) => !hasBegun && mayHelp(error) ? begin(service) : Stream.fail(error)),
        begin(first)
      )
    })
  return {
    backend: first.backend,
    operations: unionOf([first, ...others]),
    generateText: (request) => whole("generateText", (service) => service.generateText(request)),
    streamText: (request) => streamed((service) => service.streamText(request)),
    embed: (request) => whole("embed", (service) => service.embed(request)),
    rerank: (request) => whole("rerank", (service) => service.rerank(request)),
    infer: (request) => whole("infer", (service) => service.infer(request)),
    listModels: whole("listModels", (service) => service.listModels),
    health: whole("health", (service) => service.health)
  }
}

const mayHelp = (error: LlmError.LlmError): boolean => LlmError.retriability(error) !== "Never"

/**
 * A service that is always asked for this model, whatever the request says.
 *
 * @since 0.1.0
 * @category combinators
 */
export const withModel: {
  (model: string): (self: LlmService.Service) => LlmService.Service
  (self: LlmService.Service, model: string): LlmService.Service
} = dual(2, (self: LlmService.Service, model: string): LlmService.Service => ({
  ...self,
  generateText: (request) => self.generateText({ ...request, model }),
  streamText: (request) => self.streamText({ ...request, model }),
  embed: (request) => self.embed({ ...request, model }),
  rerank: (request) => self.rerank({ ...request, model }),
  infer: (request) => self.infer({ ...request, model })
}))

/**
 * Gives models other names: each stands for one model, or for several to be tried in turn like the services of
 * `failover`. They are listed with the models that there are.
 *
 * @since 0.1.0
 * @category combinators
 * @example
 * ```ts
 * import { LlmService, Router } from "@spillway/core"
 *
 * const router = Router.make({ groq: LlmService.make("groq", {}), openai: LlmService.make("openai", {}) })
 * const service = Router.withNames(router, { fast: ["groq/llama-3.1-8b-instant", "openai/gpt-4o-mini"] })
 * ```
 */
export const withNames: {
  (names: Names): (self: LlmService.Service) => LlmService.Service
  (self: LlmService.Service, names: Names): LlmService.Service
} = dual(2, (self: LlmService.Service, names: Names): LlmService.Service => {
  const chains = new Map(Object.entries(names).map(([name, [first, ...others]]) => [
    name,
    failover(withModel(self, first), ...others.map((model) => withModel(self, model)))
  ]))
  const of = (name: string) => chains.get(name) ?? self
  return {
    ...self,
    generateText: (request) => of(request.model).generateText(request),
    streamText: (request) => of(request.model).streamText(request),
    embed: (request) => of(request.model).embed(request),
    rerank: (request) => of(request.model).rerank(request),
    infer: (request) => of(request.model).infer(request),
    listModels: Effect.map(self.listModels, (models) => [...Object.keys(names).map((id) => ({ id })), ...models])
  }
})

/**
 * Names of models, each with those to try, in order.
 *
 * @since 0.1.0
 * @category models
 */
export type Names = Readonly<Record<string, Arr.NonEmptyReadonlyArray<string>>>

/** All are asked at once: one that is up is enough. */
const anyHealthy = (services: ReadonlyArray<LlmService.Service>): LlmService.Service["health"] =>
  Effect.mapError(
    Effect.validateFirst(services, ({ health }) => health, { concurrency: "unbounded" }),
    ([first]) =>
      first ?? new LlmError.Unsupported({ backend: "router", feature: "health", message: "there are no backends" })
  )

const unionOf = (services: ReadonlyArray<LlmService.Service>): ReadonlySet<LlmService.Operation> =>
  new Set(services.flatMap(({ operations }) => [...operations]))

// -----------------------------------------------------------------------------
// catalogues
// -----------------------------------------------------------------------------

interface Route {
  readonly name: string
  readonly service: LlmService.Service
  /** Whether its catalogue had the model when it was last read. */
  readonly has: (model: string) => boolean
  /** Reads the catalogue, unless that was done lately. */
  readonly read: Effect.Effect<void, LlmError.LlmError>
  /** The same in the background. */
  readonly revisit: Effect.Effect<void>
  /** Reads the catalogue now. */
  readonly list: Effect.Effect<ReadonlyArray<Model.Model>, LlmError.LlmError>
}

const rememberedMillis = { Success: 300_000, Failure: 10_000 } as const

const makeRoute = (name: string, service: LlmService.Service): Route => {
  let models: ReadonlySet<string> = new Set()
  let last: { readonly exit: Exit.Exit<void, LlmError.LlmError>; readonly until: number } | undefined
  let reading: Deferred.Deferred<void, LlmError.LlmError> | undefined

  const list = Effect.onExit(service.listModels, (exit) =>
    Effect.map(Clock.currentTimeMillis, (now) => {
      if (Exit.isInterrupted(exit)) return
      // while it cannot be read, what it said before stands
      if (Exit.isSuccess(exit)) models = new Set(exit.value.map(({ id }) => id))
      last = { exit: Exit.asVoid(exit), until: now + rememberedMillis[exit._tag] }
    }))

  // it is read for all who wait, so not in the name of the first
  const shared = list.pipe(
    Effect.asVoid,
    Effect.ensuring(Effect.sync(() => {
      reading = undefined
    })),
    Effect.provideService(Policy.CurrentDeadline, Option.none()),
    Effect.provideService(Policy.CurrentPriority, "normal"),
    Effect.provideService(Policy.CurrentTenant, "")
  )
  const read = Effect.uninterruptibleMask((restore) =>
    Effect.flatMap(Clock.currentTimeMillis, (now) => {
      if (last !== undefined && now < last.until) return last.exit
      if (reading !== undefined) return restore(Deferred.await(reading))
      const mine = Deferred.unsafeMake<void, LlmError.LlmError>(FiberId.none)
      reading = mine
      return Effect.zipRight(
        Effect.forkDaemon(Effect.intoDeferred(Effect.interruptible(shared), mine)),
        restore(Deferred.await(mine))
      )
    })
  )
  const revisit = Effect.flatMap(Clock.currentTimeMillis, (now) =>
    last !== undefined && now < last.until ? Effect.void : Effect.asVoid(Effect.forkDaemon(read)))
  return { name, service, has: (model) => models.has(model), read, revisit, list }
}

// nobody waits longer for a catalogue than this: one dead backend would hold up all the others
const patience = Duration.seconds(5)

const patiently = <A>(name: string, effect: Effect.Effect<A, LlmError.LlmError>) =>
  Effect.timeoutFail(effect, {
    duration: patience,
    onTimeout: () =>
      new LlmError.TimedOut({
        backend: name,
        after: patience,
        message: `${name} did not list its models within ${Duration.format(patience)}`
      })
  })

/** Who knows it already is asked at once, and looks in the background whether that is still so. */
const find = (
  routes: ReadonlyArray<Route>,
  model: string
): Effect.Effect<LlmService.Service, LlmError.ModelNotFound> =>
  Effect.suspend(() => {
    const known = routes.find(({ has }) => has(model))
    if (known !== undefined) return Effect.as(known.revisit, known.service)
    const unread: Array<string> = []
    const search = ({ has, name, read, service }: Route) =>
      Effect.matchCauseEffect(patiently(name, read), {
        onFailure: (cause) => {
          unread.push(`${name} (${Option.match(Cause.failureOption(cause), { onNone: () => "a bug", onSome: _tag })})`)
          return Effect.fail("unread")
        },
        onSuccess: () => has(model) ? Effect.succeed(service) : Effect.fail("unknown")
      })
    // all are read at once, but the first in order has the first word
    return Effect.flatMap(Effect.forEach(routes, (route) => Effect.fork(search(route))), (searches) =>
      searches.reduceRight(
        (others, search) => Effect.catchAll(Fiber.join(search), () => others),
        Effect.suspend((): Effect.Effect<LlmService.Service, LlmError.ModelNotFound> =>
          Effect.fail(notFound(routes, unread, model))
        )
      ))
  })

const _tag = (error: LlmError.LlmError): LlmError.Tag => error._tag

const notFound = (routes: ReadonlyArray<Route>, unread: ReadonlyArray<string>, model: string) =>
  new LlmError.ModelNotFound({
    backend: "router",
    model,
    message: `no backend has a model "${model.length > 100 ? `${model.slice(0, 100)}…` : model}"; ${
      routes.length === 0 ? "there are no backends" : `looked at ${routes.map(({ name }) => name).join(", ")}`
    }${unread.length === 0 ? "" : `, but could not read the models of ${unread.join(", ")}`}`
  })

const listAll = (routes: ReadonlyArray<Route>): LlmService.Service["listModels"] =>
  Effect.flatMap(
    Effect.forEach(routes, ({ list, name }) =>
      Effect.either(Effect.map(patiently(name, list), (models) => models.map((model) => ({ ...model, id: `${name}/${model.id}` })))), {
      concurrency: "unbounded"
    }),
    (lists) => {
      const [failed, listed] = Arr.separate(lists)
      return listed.length === 0 && failed[0] !== undefined
        ? Effect.fail(failed[0])
        : Effect.succeed(listed.flat())
    }
  )
