/**
 * Layers whose `LlmService` is made into another.
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
import * as LlmService from "../LlmService.js"

/** The layer with what is made of its service in its place; what else it gives comes out as it is. */
export const map = <E1>(make: (service: LlmService.Service) => Effect.Effect<LlmService.Service, E1, Scope.Scope>) =>
<E, R, Own = never>(
  self: Layer.Layer<LlmService.LlmService | Own, E, R>
): Layer.Layer<LlmService.LlmService | Own, E | E1, R> =>
  Layer.flatMap(self, (services) =>
    Layer.scopedContext(
      Effect.map(make(Context.get(services, LlmService.LlmService)), (service) =>
        Context.add(services, LlmService.LlmService, service))
    ))
