/**
 * Hugging Face's router: OpenAI's wire, in the dialect of whoever serves the model.
 *
 * A model that nobody serves (or nobody whom the account has enabled) is a 400; credits that are used up are a 402.
 */
import type * as LlmError from "@spillway/core/LlmError"
import type * as Model from "@spillway/core/Model"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as HttpBackend from "../HttpBackend.js"
import * as OpenAiCompat from "../OpenAiCompat.js"
import * as OpenAiWire from "../OpenAiWire.js"
import * as Json from "./json.js"
import * as SelfHosted from "./selfHosted.js"

const host = "router.huggingface.co"

/** Whether an address is the router's. */
export const isRouter = (baseUrl: string): boolean => URL.canParse(baseUrl) && new URL(baseUrl).hostname === host

const profile: OpenAiCompat.Profile = {
  backend: "huggingface",
  baseUrl: `https://${host}`,
  baseUrlVariable: "TGI_BASE_URL",
  keyVariable: "HF_API_TOKEN",
  path: "/v1",
  operations: ["generateText", "streamText", "listModels", "health"],
  refineError: ({ code, message, status }) =>
    code === "model_not_supported" || status === 400 && /\bnot supported by (any )?provider\b/.test(message)
      ? "ModelNotFound"
      : undefined
}

/** The router as a service; it may stand somewhere else, for a test or behind a proxy. */
export const make = (options: SelfHosted.Options & { readonly billTo?: string }) => {
  const { baseUrl = profile.baseUrl, billTo, headers, http } = options
  const definition = OpenAiCompat.toDefinition(profile, {
    // both forms of its address are about
    baseUrl: baseUrl.replace(/\/+$/, "").replace(/\/v1$/, ""),
    headers: { ...(billTo !== undefined && { "x-hf-bill-to": billTo }), ...headers }
  })
  return Effect.flatMap(
    SelfHosted.pool(profile.backend, options),
    (pool) =>
      Effect.map(
        HttpBackend.make({ ...definition, listModels }, pool, http),
        ({ service }) => service
      )
  )
}

/** Any provider of a model may be the one that answers, so that its context is the smallest of theirs. */
const toModels = (
  body: unknown,
  exchange: HttpBackend.Exchange<void>
): Either.Either<ReadonlyArray<Model.Model>, LlmError.LlmError> => {
  const windows = new Map<string, number>()
  for (const model of Json.array(Json.get(body, "data"))) {
    const lengths = Json.array(Json.get(model, "providers"))
      .filter((provider) => (Json.get(provider, "status") ?? "live") === "live")
      .flatMap((provider) => Json.count(Json.get(provider, "context_length")) ?? [])
    const id = Json.name(Json.get(model, "id"))
    if (id !== undefined && lengths.length > 0) windows.set(id, Math.min(...lengths))
  }
  return Either.map(OpenAiWire.toModels(body, exchange), (models) =>
    models.map((model) => {
      const contextWindow = model.contextWindow ?? windows.get(model.id)
      return contextWindow === undefined ? model : { ...model, contextWindow }
    }))
}

const listModels: HttpBackend.Definition["listModels"] & {} = {
  request: () => Either.right({ method: "GET", path: "/v1/models" }),
  response: toModels
}
