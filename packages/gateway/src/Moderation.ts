/**
 * Who looks at texts and pictures for what is forbidden. It is no operation of `LlmService`, since few backends have it:
 * a program that has such a backend puts this service beside the gateway's, and a gateway without it answers
 * `Unsupported`.
 *
 * @since 0.1.0
 */
import * as LlmError from "@spillway/core/LlmError"
import type * as OpenAiModerationWire from "@spillway/providers/OpenAiModerationWire"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"

/**
 * Looks at what a request holds, as `OpenAi`'s own service does.
 *
 * @since 0.1.0
 * @category models
 */
export type Moderate = (
  request: OpenAiModerationWire.Request
) => Effect.Effect<OpenAiModerationWire.Moderation, LlmError.LlmError>

/**
 * What it is called where a backend lacks it.
 *
 * @since 0.1.0
 * @category constants
 */
export const operation = "moderate"

/**
 * What the gateway asks.
 *
 * @since 0.1.0
 * @category models
 */
export interface Service {
  readonly moderate: Moderate
}

/**
 * The tag under which the gateway finds the service, where there is one.
 *
 * @since 0.1.0
 * @category tags
 */
export class Moderation extends Context.Tag("@spillway/gateway/Moderation")<Moderation, Service>() {}

/**
 * Several backends, chosen by the prefix of the model as a router does (`openai/omni-moderation-latest`); a model without
 * a prefix, or none at all, goes to the first. A prefix that none of them has is a backend that cannot do it.
 *
 * @since 0.1.0
 * @category constructors
 * @example
 * ```ts
 * import { Moderation } from "@spillway/gateway"
 * import { Effect } from "effect"
 * import * as assert from "node:assert"
 *
 * const { moderate } = Moderation.make({
 *   openai: ({ model = "latest" }) => Effect.succeed({ model, findings: [] })
 * })
 * const { model } = Effect.runSync(moderate({ model: "openai/omni", input: "hello" }))
 * assert.strictEqual(model, "omni")
 * const error = Effect.runSync(Effect.flip(moderate({ model: "groq/any", input: "hello" })))
 * assert.strictEqual(error._tag, "Unsupported")
 * ```
 */
export const make = (backends: { readonly [name: string]: Moderate }): Service => {
  const known = new Map(Object.entries(backends))
  const [first] = known.values()
  return {
    moderate: (request) => {
      const slash = request.model?.indexOf("/") ?? -1
      const backend = request.model?.slice(0, Math.max(slash, 0)) ?? ""
      const moderate = backend === "" ? first : known.get(backend)
      if (moderate === undefined) return Effect.fail(unsupported(backend === "" ? "gateway" : backend))
      return moderate(request.model === undefined ? request : { ...request, model: request.model.slice(slash + 1) })
    }
  }
}

/**
 * No backend at all.
 *
 * @since 0.1.0
 * @category constructors
 */
export const none: Service = make({})

const unsupported = (backend: string) =>
  new LlmError.Unsupported({ backend, feature: operation, message: `${backend} has no moderation` })
