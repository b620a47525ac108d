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
import * as Effect from "effect/Effect"
import { dual } from "effect/Function"
import * as Layer from "effect/Layer"
import type * as InvalidOptions from "./InvalidOptions.js"
import * as ObjectStore from "./ObjectStore.js"
import type * as Policy from "./Policy.js"
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
} = dual(2, (self: ObjectStore.Service, policy: Policy.Policy): ObjectStore.Service =>
  Resilience.protectOwn(self, policy))

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
