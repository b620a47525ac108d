/**
 * What the codes of OpenAI's wire mean, where a status does not say: the same 429 is "wait" and "never".
 *
 * @see https://platform.openai.com/docs/guides/error-codes
 */
import type * as Duration from "effect/Duration"
import type { Failure, Kind, Refinement } from "./httpFailure.js"
import * as RetryAfter from "./retryAfter.js"

// a map, since it is asked for the backend's own words: `constructor` may be one
const kinds: ReadonlyMap<string | undefined, Kind> = new Map(Object.entries<Kind>({
  insufficient_quota: "QuotaExhausted",
  credit_balance_exhausted: "QuotaExhausted",
  organization_spend_limit_exceeded: "QuotaExhausted",
  project_spend_limit_exceeded: "QuotaExhausted",
  organization_usage_limit_exceeded: "QuotaExhausted",
  billing_hard_limit_reached: "QuotaExhausted",
  billing_not_active: "QuotaExhausted",
  invalid_api_key: "AuthenticationFailed",
  account_deactivated: "AuthenticationFailed",
  // no key of this account would do better from here
  unsupported_country_region_territory: "Unsupported",
  model_not_found: "ModelNotFound",
  context_length_exceeded: "InvalidRequest",
  unsupported_parameter: "InvalidRequest",
  unsupported_value: "InvalidRequest",
  content_filter: "ContentFiltered",
  content_policy_violation: "ContentFiltered",
  moderation_blocked: "ContentFiltered",
  image_content_policy_violation: "ContentFiltered",
  bio_policy: "ContentFiltered",
  // these come with a response that failed, without a status of their own
  rate_limit_exceeded: "RateLimited",
  invalid_prompt: "InvalidRequest",
  data_residency_mismatch: "InvalidRequest",
  invalid_image: "InvalidRequest",
  invalid_image_format: "InvalidRequest",
  invalid_base64_image: "InvalidRequest",
  invalid_image_url: "InvalidRequest",
  invalid_image_mode: "InvalidRequest",
  image_too_large: "InvalidRequest",
  image_too_small: "InvalidRequest",
  image_parse_error: "InvalidRequest",
  image_file_too_large: "InvalidRequest",
  image_file_not_found: "InvalidRequest",
  unsupported_image_media_type: "InvalidRequest",
  empty_image_file: "InvalidRequest",
  failed_to_download_image: "InvalidRequest",
  vector_store_timeout: "ServerFault",
  server_error: "ServerFault",
  server_is_overloaded: "ServerFault"
}))

/** What a failure is by its code, or by its type where there is no code. */
export const refine = (failure: Failure): Refinement | undefined => {
  const { code, retryAfter, status, type } = failure
  const kind = kinds.get(code) ?? kinds.get(type) ?? (status === 429 ? "RateLimited" : undefined)
  return kind === "RateLimited" ? { kind, retryAfter: retryAfter ?? waitIn(failure.message) } : kind
}

/** The wait that a message names in its text ("Please try again in 9m38.016s"), for want of a header. */
export const waitIn = (message: string): Duration.Duration | undefined =>
  RetryAfter.fromMillis(RetryAfter.goMillis(/try again in ((?:\d+(?:\.\d+)?[a-zµ]+)+)/.exec(message)?.[1]))
