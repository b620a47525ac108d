/**
 * What stands around the operations of a backend, as those see it who have the operations: they say what is asked, and
 * hand over how it is done. Whether it waits, is tried again or counted is the business of policies, of which nothing
 * is known here.
 *
 * Every backend gives an `LlmService`, whose operations everybody knows. What only one backend does (`Tei.Tei`,
 * `Ollama.Ollama`, a store of objects) has other operations in each, so such a service is made by a function that is
 * given the protection (`own`), and can thus be made anew within another (`within`). `Resilience.layer` does that with
 * every service of a layer: all that is asked of a backend waits in one queue, and is watched by one circuit.
 *
 * @since 0.1.0
 */
import type * as Effect from "effect/Effect"
import { dual, identity } from "effect/Function"
import type * as Scope from "effect/Scope"
import type * as Stream from "effect/Stream"
import type * as Completion from "./Completion.js"
import type { LlmError } from "./LlmError.js"
import type * as LlmService from "./LlmService.js"
import type * as ObjectBackend from "./ObjectBackend.js"
import type * as Objects from "./Objects.js"

// -----------------------------------------------------------------------------
// models
// -----------------------------------------------------------------------------

/**
 * An operation that only one backend has: the backend's name, a dot, and what the backend's module calls it. Metrics
 * have a series for each, so nothing of a request may stand in it.
 *
 * @since 0.1.0
 * @category models
 */
export type OwnOperation = `${string}.${string}`

/**
 * What is asked of a backend: of a model, of a store of objects, or what only that backend does.
 *
 * @since 0.1.0
 * @category models
 */
export type Operation = LlmService.Operation | ObjectBackend.Operation | OwnOperation

/**
 * What is asked, and what those around it hear of an answer that ended well.
 *
 * @since 0.1.0
 * @category models
 */
export interface Asked<A = unknown> {
  readonly operation: Operation
  /** The model asked for; empty where the operation has none. */
  readonly model: string
  /** What is asked; absent where it is none of the requests that everybody knows. */
  readonly request?: LlmService.Request
  /** What an answer, or the last part of one, tells of itself. @default nothing */
  readonly told?: (answer: A) => Told | undefined
}

/**
 * What an answer tells of itself.
 *
 * @since 0.1.0
 * @category models
 */
export interface Told extends Partial<Pick<Completion.Completion, "id" | "model" | "finishReason" | "usage">> {}

/**
 * Stands around operations: what comes out is the same operation, done with more care.
 *
 * @since 0.1.0
 * @category models
 */
export interface Protection {
  /** One whose answer comes whole. */
  readonly whole: <A>(asked: Asked<A>, answer: Effect.Effect<A, LlmError>) => Effect.Effect<A, LlmError>
  /** One whose answer comes in parts, and lasts until the last of them. */
  readonly streamed: <A>(asked: Asked<A>, parts: Stream.Stream<A, LlmError>) => Stream.Stream<A, LlmError>
  /** One that opens what is then read, and lasts until it has been read. */
  readonly opened: (asked: Asked, open: Open) => Open
}

type Open = Effect.Effect<Objects.Content, LlmError, Scope.Scope>

// -----------------------------------------------------------------------------
// constructors
// -----------------------------------------------------------------------------

/**
 * Does nothing.
 *
 * @since 0.1.0
 * @category constructors
 */
export const none: Protection = {
  whole: (_, answer) => answer,
  streamed: (_, parts) => parts,
  opened: (_, open) => open
}

/**
 * A service of what only one backend does, unprotected, from how it is made within a protection. Whatever `make` makes
 * of it must go through that protection once: what an operation needs in its midst is asked for without. A copy of the
 * service (`{ ...service }`) is a service like any other, and has no protection.
 *
 * @since 0.1.0
 * @category constructors
 * @example
 * ```ts
 * import { Protection, Resilience } from "@spillway/core"
 * import { Effect } from "effect"
 * import * as assert from "node:assert"
 *
 * const clock = Protection.own("clock", ({ whole }) => ({
 *   time: whole({ operation: "clock.time", model: "" }, Effect.succeed("half past two"))
 * }))
 * const seen: Array<string> = []
 * const watched = Resilience.protectOwn(clock, (next) => (call) => {
 *   seen.push(call.operation)
 *   return next(call)
 * })
 *
 * assert.strictEqual(Effect.runSync(watched.time), "half past two")
 * assert.deepStrictEqual(seen, ["clock.time"])
 * ```
 */
export const own = <S extends object>(backend: string, make: (protection: Protection) => S): S => {
  const origin: Origin<S> = { backend, make }
  return Object.defineProperty(make(none), from, { value: origin })
}

const from = Symbol.for("@spillway/core/Protection/from")

interface Origin<S> {
  readonly backend: string
  readonly make: (protection: Protection) => S
}

const originOf = <S extends object>(service: S): Origin<S> | undefined =>
  // whoever has the property has it from `own`
  (service as { readonly [from]?: Origin<S> })[from]

// -----------------------------------------------------------------------------
// combinators
// -----------------------------------------------------------------------------

/**
 * A service that `own` made, within one protection more; it is told for which backend. Any other service comes back as
 * it is.
 *
 * @since 0.1.0
 * @category combinators
 */
export const within: {
  (protection: (backend: string) => Protection): <S extends object>(self: S) => S
  <S extends object>(self: S, protection: (backend: string) => Protection): S
} = dual(2, <S extends object>(self: S, protection: (backend: string) => Protection): S => {
  const origin = originOf(self)
  if (origin === undefined) return self
  const inner = protection(origin.backend)
  return own(origin.backend, (outer) => origin.make(outer === none ? inner : both(outer, inner)))
})

const both = (outer: Protection, inner: Protection): Protection => ({
  whole: (asked, answer) => outer.whole(asked, inner.whole(asked, answer)),
  streamed: (asked, parts) => outer.streamed(asked, inner.streamed(asked, parts)),
  opened: (asked, open) => outer.opened(asked, inner.opened(asked, open))
})

/**
 * The service that every backend gives, its every operation within the protection.
 *
 * @since 0.1.0
 * @category combinators
 */
export const llm: {
  (protection: Protection): (self: LlmService.Service) => LlmService.Service
  (self: LlmService.Service, protection: Protection): LlmService.Service
} = dual(2, (self: LlmService.Service, { streamed, whole }: Protection): LlmService.Service => ({
  ...self,
  generateText: (request) => whole(askedOf("generateText", request), self.generateText(request)),
  streamText: (request) =>
    streamed({ operation: "streamText", model: request.model, request, told: finish }, self.streamText(request)),
  embed: (request) => whole(askedOf("embed", request), self.embed(request)),
  rerank: (request) => whole(askedOf("rerank", request), self.rerank(request)),
  infer: (request) => whole(askedOf("infer", request), self.infer(request)),
  listModels: whole({ operation: "listModels", model: "" }, self.listModels),
  health: whole({ operation: "health", model: "" }, self.health)
}))

const askedOf = (operation: LlmService.Operation, request: LlmService.Request): Asked<Told> => ({
  operation,
  model: request.model,
  request,
  told: identity
})

const finish = (part: Completion.Part): Told | undefined => part._tag === "Finish" ? part : undefined
