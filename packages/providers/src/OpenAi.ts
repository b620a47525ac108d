/**
 * OpenAI, over its chat completions.
 *
 * How it differs: it is what the wire is named after, so only in what it has and others have not: files and audio in
 * messages, `max_completion_tokens`, and the options below. Reasoning is done out of sight: only its tokens are told.
 *
 * @see https://platform.openai.com/docs/api-reference/chat
 * @see https://platform.openai.com/docs/guides/error-codes
 * @see https://platform.openai.com/docs/guides/rate-limits
 * @since 0.1.0
 */
import type { HttpClient } from "@effect/platform/HttpClient"
import type { InvalidOptions } from "@spillway/core/InvalidOptions"
import * as LlmService from "@spillway/core/LlmService"
import * as Config from "effect/Config"
import type { ConfigError } from "effect/ConfigError"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import type { Scope } from "effect/Scope"
import * as OpenAiCompat from "./OpenAiCompat.js"

declare module "@spillway/core/Completion" {
  interface ProviderOptions {
    /** What only OpenAI can be asked for. */
    readonly openai?: RequestOptions
  }
}

/**
 * What only OpenAI can be asked for, with one request.
 *
 * @since 0.1.0
 * @category models
 */
export interface RequestOptions {
  /** At which price and speed. @default "auto" */
  readonly serviceTier?: "auto" | "default" | "flex" | "scale" | "priority"
  /** How long-winded the answer is. @default "medium" */
  readonly verbosity?: "low" | "medium" | "high"
  /** Whether OpenAI keeps the answer. @default false */
  readonly store?: boolean
  /** At most 16 pairs of text, kept with a stored answer. */
  readonly metadata?: Readonly<Record<string, string>>
  /** Likelihood of tokens (by their number in the model's tokenizer), from -100 to 100. */
  readonly logitBias?: Readonly<Record<string, number>>
  /** What requests with the same long beginning have in common, so that they meet the same cache. */
  readonly promptCacheKey?: string
  /** A hash of the end user, for OpenAI's detection of misuse. */
  readonly safetyIdentifier?: string
}

/**
 * What there is to set.
 *
 * @since 0.1.0
 * @category models
 */
export interface Options extends OpenAiCompat.Options {
  /** The organization that is billed, for keys of several. */
  readonly organization?: string
  /** The project that is billed, for keys of several. */
  readonly project?: string
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
  }
}

/**
 * OpenAI, as a service. The pool of its keys is watched by the monitor until the scope closes.
 *
 * @since 0.1.0
 * @category constructors
 */
export const make = ({
  headers,
  organization,
  project,
  ...options
}: Options): Effect.Effect<LlmService.Service, InvalidOptions, HttpClient | Scope> =>
  OpenAiCompat.make(profile, {
    ...options,
    headers: {
      ...(organization !== undefined && { "openai-organization": organization }),
      ...(project !== undefined && { "openai-project": project }),
      ...headers
    }
  })

/**
 * OpenAI, from options.
 *
 * @since 0.1.0
 * @category layers
 */
export const layer = (options: Options): Layer.Layer<LlmService.LlmService, InvalidOptions, HttpClient> =>
  Layer.scoped(LlmService.LlmService, make(options))

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
 * OpenAI, as the environment says.
 *
 * @since 0.1.0
 * @category layers
 */
export const layerConfig: Layer.Layer<LlmService.LlmService, ConfigError | InvalidOptions, HttpClient> = Layer
  .unwrapEffect(Effect.map(config, layer))
