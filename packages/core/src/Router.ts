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
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import { dual } from "effect/Function"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import type * as Completion from "./Completion.js"
import * as Catalogues from "./internal/catalogues.js"
import * as WeightedTurns from "./internal/weightedTurns.js"
import * as InvalidOptions from "./InvalidOptions.js"
import * as LlmError from "./LlmError.js"
import * as LlmService from "./LlmService.js"

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
  const routes = new Map(Object.entries(backends).map(([name, service]) => [name, Catalogues.make(name, service)]))
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
      ? Effect.flatMap(Catalogues.find(all, request.model), (service) => use(service, request))
      : use(there.service, there.request)
  }

  return {
    backend: "router",
    operations: unionOf(all.map(({ service }) => service)),
    generateText: (request) => whole(request, (service, request) => service.generateText(request)),
    streamText: (request) => {
      const there = prefixed(request)
      return there === undefined
        ? Stream.unwrap(Effect.map(Catalogues.find(all, request.model), (service) => service.streamText(request)))
        : there.service.streamText(there.request)
    },
    embed: (request) => whole(request, (service, request) => service.embed(request)),
    rerank: (request) => whole(request, (service, request) => service.rerank(request)),
    infer: (request) => whole(request, (service, request) => service.infer(request)),
    listModels: Catalogues.listAll(all),
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
 * `failover`. Where some have weights, calls begin with one of those, each as often as its weight says, evenly
 * interleaved, and go on with the others in their order. They are listed with the models that there are.
 *
 * @since 0.1.0
 * @category combinators
 * @example
 * ```ts
 * import { LlmService, Router } from "@spillway/core"
 *
 * const router = Router.make({ groq: LlmService.make("groq", {}), openai: LlmService.make("openai", {}) })
 * const service = Router.withNames(router, {
 *   fast: ["groq/llama-3.1-8b-instant", "openai/gpt-4o-mini"],
 *   shared: [{ model: "groq/llama-3.3-70b-versatile", weight: 3 }, { model: "openai/gpt-4o", weight: 1 }]
 * })
 * ```
 */
export const withNames: {
  (names: Names): (self: LlmService.Service) => LlmService.Service
  (self: LlmService.Service, names: Names): LlmService.Service
} = dual(2, (self: LlmService.Service, names: Names): LlmService.Service => {
  const chains = new Map(Object.entries(names).map(([name, choices]) => [name, toChain(self, choices)]))
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
export type Names = Readonly<Record<string, Arr.NonEmptyReadonlyArray<string | Choice>>>

/**
 * One of the models that a name stands for.
 *
 * @since 0.1.0
 * @category models
 */
export interface Choice {
  readonly model: string
  /**
   * How many calls begin with it, next to the other weights; 0.001 to 1,000.
   *
   * @default none begins with it where another has a weight
   */
  readonly weight?: number | undefined
}

/**
 * Names of models as a schema, for who reads them from a file.
 *
 * @since 0.1.0
 * @category schemas
 */
export const Names = Schema.Record({
  key: InvalidOptions.name,
  value: Schema.NonEmptyArray(Schema.Union(
    InvalidOptions.name,
    Schema.Struct({
      model: InvalidOptions.name,
      weight: Schema.optional(InvalidOptions.number({ atLeast: 0.001, atMost: 1000 }))
    })
  ))
})

const toChain = (self: LlmService.Service, choices: Names[string]): LlmService.Service => {
  const services = Arr.map(choices, (choice) => withModel(self, typeof choice === "string" ? choice : choice.model))
  const weights = choices.map((choice) => typeof choice === "string" ? 0 : choice.weight ?? 0)
  if (weights.every((weight) => weight === 0)) return failover(...services)
  const chains = services.map((service, place) => failover(service, ...services.filter((_, other) => other !== place)))
  const turn = WeightedTurns.make(weights)
  const next = () => chains[turn()]!
  return {
    ...self,
    generateText: (request) => Effect.suspend(() => next().generateText(request)),
    streamText: (request) => Stream.suspend(() => next().streamText(request)),
    embed: (request) => Effect.suspend(() => next().embed(request)),
    rerank: (request) => Effect.suspend(() => next().rerank(request)),
    infer: (request) => Effect.suspend(() => next().infer(request))
  }
}

/** All are asked at once: one that is up is enough. */
const anyHealthy = (services: ReadonlyArray<LlmService.Service>): LlmService.Service["health"] =>
  Effect.mapError(
    Effect.validateFirst(services, ({ health }) => health, { concurrency: "unbounded" }),
    ([first]) =>
      first ?? new LlmError.Unsupported({ backend: "router", feature: "health", message: "there are no backends" })
  )

const unionOf = (services: ReadonlyArray<LlmService.Service>): ReadonlySet<LlmService.Operation> =>
  new Set(services.flatMap(({ operations }) => [...operations]))
