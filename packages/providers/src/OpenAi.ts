/**
 * OpenAI, over its chat completions or its newer Responses.
 *
 * How it differs: it is what the wire is named after, so only in what it has and others have not. Over chat completions
 * reasoning is done out of sight, and only its tokens are told. Over Responses (`api: "responses"`) it is told as far
 * as `reasoningSummary` asks, and comes sealed, so that the model goes on with its own thoughts after a tool was called;
 * an unknown model is a 400 there, and `stop` has no word. Chat completions are the default, since whatever stands at
 * `OPENAI_BASE_URL` speaks them.
 *
 * @see https://platform.openai.com/docs/api-reference/chat
 * @see https://platform.openai.com/docs/api-reference/responses
 * @see https://platform.openai.com/docs/guides/error-codes
 * @see https://platform.openai.com/docs/guides/rate-limits
 * @since 0.1.0
 */
import type { HttpClient } from "@effect/platform/HttpClient"
import type * as Completion from "@spillway/core/Completion"
import * as InvalidOptions from "@spillway/core/InvalidOptions"
import * as KeyPool from "@spillway/core/KeyPool"
import type * as LlmError from "@spillway/core/LlmError"
import * as LlmService from "@spillway/core/LlmService"
import * as Protection from "@spillway/core/Protection"
import * as Config from "effect/Config"
import type { ConfigError } from "effect/ConfigError"
import * as Context from "effect/Context"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import type { Scope } from "effect/Scope"
import * as HttpBackend from "./HttpBackend.js"
import * as Responses from "./internal/openAiResponses.js"
import * as OpenAiCompat from "./OpenAiCompat.js"
import * as OpenAiModerationWire from "./OpenAiModerationWire.js"
import type * as OpenAiResponsesWire from "./OpenAiResponsesWire.js"

/**
 * What only OpenAI can be asked for, with one request.
 *
 * @since 0.1.0
 * @category models
 */
export type RequestOptions = OpenAiResponsesWire.RequestOptions

/**
 * What there is to set.
 *
 * @since 0.1.0
 * @category models
 */
export interface Options extends OpenAiCompat.Options {
  /** Over which of its wires text is generated. @default "chat-completions" */
  readonly api?: "chat-completions" | "responses"
  /** The organization that is billed, for keys of several. */
  readonly organization?: string
  /** The project that is billed, for keys of several. */
  readonly project?: string
}

/**
 * What OpenAI does that no other backend does. A response that is kept is known to the organization of the key that
 * asked for it: with keys of several, it may not be found again.
 *
 * @since 0.1.0
 * @category models
 */
export interface Service {
  /** Whether texts and pictures are of a kind that OpenAI's rules forbid. It costs nothing. */
  readonly moderate: (
    request: OpenAiModerationWire.Request
  ) => Effect.Effect<OpenAiModerationWire.Moderation, LlmError.LlmError>
  /** How many tokens a request has, before it is made. */
  readonly countInputTokens: (request: Completion.Request) => Effect.Effect<number, LlmError.LlmError>
  /** Begins to generate text in the background, over Responses; it is kept there, whatever `store` says. */
  readonly startResponse: (request: Completion.Request) => Effect.Effect<OpenAiResponsesWire.Kept, LlmError.LlmError>
  /** How far a response is. */
  readonly retrieveResponse: (id: string) => Effect.Effect<OpenAiResponsesWire.Kept, LlmError.LlmError>
  /** Ends a response that is under way in the background. One that is done stays as it is. */
  readonly cancelResponse: (id: string) => Effect.Effect<OpenAiResponsesWire.Kept, LlmError.LlmError>
  /** Waits for a response, asking `every` so often how far it is. @default "2 seconds" */
  readonly awaitResponse: (
    id: string,
    every?: Duration.DurationInput
  ) => Effect.Effect<Completion.Completion, LlmError.LlmError>
}

/**
 * The tag under which a program finds what is only OpenAI's.
 *
 * @since 0.1.0
 * @category tags
 */
export class OpenAi extends Context.Tag("@spillway/providers/OpenAi")<OpenAi, Service>() {}

/**
 * OpenAI by both its services.
 *
 * @since 0.1.0
 * @category models
 */
export interface Backend {
  readonly llm: LlmService.Service
  readonly openai: Service
}

/**
 * How OpenAI speaks its own wire.
 *
 * @since 0.1.0
 * @category profile
 */
export const profile: OpenAiCompat.Profile = {
  backend: "openai",
  baseUrl: "https://api.openai.com/v1",
  baseUrlVariable: "OPENAI_BASE_URL",
  keyVariable: "OPENAI_API_KEY",
  maxTokensField: "max_completion_tokens",
  embeddingEncoding: "base64",
  files: true,
  extraFields: ({ providerOptions }) => {
    const options = providerOptions?.openai
    return options && {
      service_tier: options.serviceTier,
      verbosity: options.verbosity,
      store: options.store,
      metadata: options.metadata,
      logit_bias: options.logitBias,
      prompt_cache_key: options.promptCacheKey,
      safety_identifier: options.safetyIdentifier
    }
  },
  refineError: ({ operation, status }) => status === 404 && Responses.isKept(operation) ? "NotFound" : undefined
}

/**
 * OpenAI, as its two services. The pool of its keys is watched by the monitor until the scope closes.
 *
 * @since 0.1.0
 * @category constructors
 */
export const make = ({
  api,
  apiKeys,
  headers,
  http,
  keys,
  organization,
  project,
  ...options
}: Options): Effect.Effect<Backend, InvalidOptions.InvalidOptions, HttpClient | Scope> =>
  Effect.gen(function*() {
    const { api: chosen } = yield* validate({ api })
    const pool = yield* KeyPool.make({ ...keys, backend: profile.backend, keys: apiKeys })
    const definition = OpenAiCompat.toDefinition(profile, {
      ...options,
      headers: {
        ...(organization !== undefined && { "openai-organization": organization }),
        ...(project !== undefined && { "openai-project": project }),
        ...headers
      }
    })
    const { generateText, streamText, ...own } = Responses.operations(profile.backend)
    const { service, within } = yield* HttpBackend.make(
      chosen === "responses" ? { ...definition, generateText, streamText } : definition,
      pool,
      http
    )
    return { llm: service, openai: Protection.own(profile.backend, (protection) => serve(own, within(protection))) }
  })

type Own = Omit<ReturnType<typeof Responses.operations>, "generateText" | "streamText">

const serve = (own: Own, { run }: HttpBackend.Exchanges): Service => {
  const retrieveResponse = (id: string) => run(Responses.names.retrieve, own.retrieve, id, "")
  // each look is a call of its own: what waits between them holds no place
  const awaitResponse: Service["awaitResponse"] = (id, every = "2 seconds") =>
    Effect.flatMap(
      retrieveResponse(id),
      ({ outcome }) => outcome ?? Effect.delay(Effect.suspend(() => awaitResponse(id, every)), every)
    )
  return {
    moderate: (request) =>
      run("moderate", OpenAiModerationWire.moderate, request, request.model ?? OpenAiModerationWire.model),
    countInputTokens: (request) => run("countInputTokens", own.countInputTokens, request, request.model),
    startResponse: (request) => run(Responses.names.start, own.start, request, request.model),
    retrieveResponse,
    cancelResponse: (id) => run(Responses.names.cancel, own.cancel, id, ""),
    awaitResponse
  }
}

const validate = InvalidOptions.validate(
  "OpenAi",
  Schema.Struct({
    api: Schema.optionalWith(InvalidOptions.oneOf("chat-completions", "responses"), {
      default: () => "chat-completions"
    })
  })
)

/**
 * OpenAI, from options.
 *
 * @since 0.1.0
 * @category layers
 */
export const layer = (
  options: Options
): Layer.Layer<LlmService.LlmService | OpenAi, InvalidOptions.InvalidOptions, HttpClient> =>
  Layer.scopedContext(
    Effect.map(make(options), ({ llm, openai }) =>
      Context.make(LlmService.LlmService, llm).pipe(Context.add(OpenAi, openai)))
  )

/**
 * What the environment says: `OPENAI_API_KEY`, `OPENAI_API_KEY_1` …, `OPENAI_BASE_URL` (with its `/v1`),
 * `OPENAI_ORG_ID`, `OPENAI_PROJECT_ID`.
 *
 * @since 0.1.0
 * @category config
 */
export const config: Config.Config<Options> = Config.map(
  Config.all({
    options: OpenAiCompat.config(profile),
    organization: Config.option(Config.nonEmptyString("OPENAI_ORG_ID")),
    project: Config.option(Config.nonEmptyString("OPENAI_PROJECT_ID"))
  }),
  ({ options, organization, project }) => ({
    ...options,
    ...(Option.isSome(organization) && { organization: organization.value }),
    ...(Option.isSome(project) && { project: project.value })
  })
)

/**
 * OpenAI, as the environment says, over chat completions.
 *
 * @since 0.1.0
 * @category layers
 * @example
 * ```ts
 * import { OpenAi } from "@spillway/providers"
 * import { Effect, Layer } from "effect"
 *
 * // what the environment does not say
 * const Responses = Layer.unwrapEffect(
 *   Effect.map(OpenAi.config, (options) => OpenAi.layer({ ...options, api: "responses" }))
 * )
 * ```
 */
export const layerConfig: Layer.Layer<
  LlmService.LlmService | OpenAi,
  ConfigError | InvalidOptions.InvalidOptions,
  HttpClient
> = Layer.unwrapEffect(Effect.map(config, layer))
