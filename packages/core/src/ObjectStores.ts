/**
 * Puts policies around a store of objects: what comes out is a store again. `layer` puts the standard ones around a
 * layer, in the order that `Resilience` gives them.
 *
 * Each single exchange is a call of its own, with its own place, attempts and timeout: one part of an upload, one page
 * of a listing. What an exchange holds it holds until its answer has ended, which for the content of an object is when
 * its last byte was read, or its scope closes.
 *
 * @since 0.1.0
 */
import * as Chunk from "effect/Chunk"
import type * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import { dual } from "effect/Function"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import type * as Held from "./Held.js"
import type * as InvalidOptions from "./InvalidOptions.js"
import type * as LlmError from "./LlmError.js"
import type * as ObjectBackend from "./ObjectBackend.js"
import type * as Objects from "./Objects.js"
import * as ObjectStore from "./ObjectStore.js"
import * as Policy from "./Policy.js"
import * as Resilience from "./Resilience.js"

/**
 * A store whose every exchange goes through the policy.
 *
 * @since 0.1.0
 * @category combinators
 */
export const protect: {
  (policy: Policy.Policy): (self: ObjectStore.Service) => ObjectStore.Service
  (self: ObjectStore.Service, policy: Policy.Policy): ObjectStore.Service
} = dual(2, ({ definition }: ObjectStore.Service, policy: Policy.Policy): ObjectStore.Service => {
  const { backend, exchanges } = definition
  const whole = <I extends ReadonlyArray<unknown>, A>(
    operation: ObjectBackend.Operation,
    exchange: (...input: I) => Effect.Effect<A, LlmError.LlmError>
  ) =>
  (...input: I): Effect.Effect<A, LlmError.LlmError> =>
    Effect.contextWithEffect((context: Context.Context<never>) => {
      const call = Policy.makeCall(context, backend, operation, "")
      return Effect.onExit(policy(() => exchange(...input))(call), call.held.close)
    })
  return ObjectStore.make({
    ...definition,
    exchanges: {
      put: whole("put", exchanges.put),
      get: (at, range) => streamed(backend, exchanges.get(at, range), policy),
      head: whole("head", exchanges.head),
      list: whole("list", exchanges.list),
      remove: whole("remove", exchanges.remove),
      removeMany: whole("removeMany", exchanges.removeMany),
      copy: whole("copy", exchanges.copy),
      begin: whole("begin", exchanges.begin),
      sendPart: whole("sendPart", exchanges.sendPart),
      copyPart: whole("copyPart", exchanges.copyPart),
      listParts: whole("listParts", exchanges.listParts),
      complete: whole("complete", exchanges.complete),
      abort: whole("abort", exchanges.abort),
      uploads: whole("uploads", exchanges.uploads),
      createBucket: whole("createBucket", exchanges.createBucket),
      deleteBucket: whole("deleteBucket", exchanges.deleteBucket),
      listBuckets: whole("listBuckets", exchanges.listBuckets)
    }
  })
})

/**
 * The standard policies around the store of a layer. Each time the layer is built, it has a queue and a circuit of its
 * own.
 *
 * @since 0.1.0
 * @category layers
 */
export const layer = (options: Resilience.Options = {}) =>
<E, R>(
  self: Layer.Layer<ObjectStore.ObjectStore, E, R>
): Layer.Layer<ObjectStore.ObjectStore, E | InvalidOptions.InvalidOptions, R> =>
  Layer.provide(
    Layer.scoped(
      ObjectStore.ObjectStore,
      Effect.flatMap(ObjectStore.ObjectStore, (store) =>
        Effect.map(Resilience.standard(store.backend, options), (policy) => protect(store, policy)))
    ),
    self
  )

// -----------------------------------------------------------------------------
// content
// -----------------------------------------------------------------------------

type Get = Effect.Effect<Objects.Content, LlmError.LlmError, Scope.Scope>

const streamed = (backend: string, get: Get, policy: Policy.Policy): Get =>
  Effect.contextWithEffect((context: Context.Context<Scope.Scope>) => {
    const call = Policy.makeCall(context, backend, "get", "")
    const held = call.held
    // what is held goes back the moment the content has ended, not when its consumer is done
    const end = (error: Option.Option<LlmError.LlmError>) =>
      Effect.zipRight(
        held.close(Option.match(error, { onNone: () => Exit.succeed(wasRead), onSome: Exit.fail })),
        Effect.fail(error)
      )
    const opened = Effect.flatMap(policy(open(get))(call), ({ content, first, pull }) =>
      Effect.map(held.watched(Effect.catchAll(pull, end)), (rest): Objects.Content => {
        let waiting = first
        const next = Effect.suspend(() => {
          const bytes = waiting
          waiting = Option.none()
          return Option.isSome(bytes) ? Effect.succeed(bytes.value) : rest
        })
        return { ...content, bytes: Stream.fromPull(Effect.succeed(next)) }
      }))
    return Effect.zipRight(
      // by then it has ended, or its reader has left early
      Effect.addFinalizer(() => held.close(Exit.void)),
      Effect.onError(opened, (cause) => held.close(Exit.failCause(cause)))
    )
  })

const wasRead = { wasRead: true }

interface Opened {
  readonly content: Objects.Content
  /** The first bytes; none of an empty object. */
  readonly first: Option.Option<Held.Parts<Uint8Array>>
  readonly pull: Held.Pull<Uint8Array>
}

/** Content has answered when its first bytes are there: until then it may be tried again. */
const open = (get: Get): Policy.Next<Opened, never> => (call) =>
  Effect.flatMap(Scope.make(), (scope) => {
    call.held.add((exit) => Scope.close(scope, exit))
    return Scope.extend(
      Effect.flatMap(get, (content) =>
        Effect.flatMap(Stream.toPull(content.bytes), (toPull) => {
          const pull: Held.Pull<Uint8Array> = Effect.flatMap(toPull, (bytes) =>
            Chunk.isEmpty(bytes) ? pull : Effect.succeed(bytes))
          return Effect.matchEffect(pull, {
            onSuccess: (first) => Effect.succeed<Opened>({ content, first: Option.some(first), pull }),
            onFailure: Option.match({
              onNone: () => Effect.succeed<Opened>({ content, first: Option.none(), pull }),
              onSome: Effect.fail
            })
          })
        })),
      scope
    )
  })
