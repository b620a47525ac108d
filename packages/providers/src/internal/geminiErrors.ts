/**
 * What Gemini means by a failure. Its status says little: a wrong key is a 400, a 429 is for a minute or for a day, and
 * a 403 may be a file that is gone. The status by name (`RESOURCE_EXHAUSTED`) says more, within a stream too, and the
 * details the rest.
 *
 * @see https://ai.google.dev/gemini-api/docs/troubleshooting
 * @see https://github.com/googleapis/googleapis/blob/master/google/rpc/error_details.proto
 */
import type * as Duration from "effect/Duration"
import type * as HttpBackend from "../HttpBackend.js"
import * as Json from "./json.js"
import * as RetryAfter from "./retryAfter.js"

/** What a failure is. */
export const refine = (failure: HttpBackend.Failure): HttpBackend.Refinement | undefined => {
  const details = Json.array(Json.get2(failure.body, "error", "details"))
  if (details.some(isAboutKey)) return "AuthenticationFailed"
  switch (failure.type) {
    case "RESOURCE_EXHAUSTED":
      return usedUp(failure, details)
        ? "QuotaExhausted"
        : { kind: "RateLimited", retryAfter: waitOf(failure, details) }
    case "FAILED_PRECONDITION":
      // without billing, the API is not to be had in some places, and in others not at all; else a file is not ready
      return /billing/i.test(failure.message)
        ? "AuthenticationFailed"
        : /location|country|region/i.test(failure.message)
        ? "PermissionDenied"
        : "InvalidRequest"
    case "PERMISSION_DENIED":
      // what is kept for another, or for nobody any more, is not this key's to see: no reason to give the key up
      return kept.test(failure.message)
        ? "NotFound"
        : tuned.test(failure.message)
        ? "ModelNotFound"
        : "AuthenticationFailed"
    case "NOT_FOUND":
      return failure.model === "" || kept.test(failure.message) ? "NotFound" : "ModelNotFound"
    case "INTERNAL":
    case "UNAVAILABLE":
      return { kind: "ServerFault", retryAfter: waitOf(failure, details) }
    default:
      return failure.type === undefined ? undefined : kinds.get(failure.type)
  }
}

/** @see https://github.com/googleapis/googleapis/blob/master/google/rpc/code.proto */
const kinds: ReadonlyMap<string, HttpBackend.Refinement> = new Map(Object.entries<HttpBackend.Refinement>({
  INVALID_ARGUMENT: "InvalidRequest",
  OUT_OF_RANGE: "InvalidRequest",
  UNAUTHENTICATED: "AuthenticationFailed",
  ALREADY_EXISTS: "Conflict",
  UNIMPLEMENTED: "Unsupported",
  // who cancelled it was not us: we should not be here
  CANCELLED: "ServerFault",
  ABORTED: "ServerFault",
  DEADLINE_EXCEEDED: "ServerFault",
  DATA_LOSS: "ServerFault",
  UNKNOWN: "ServerFault"
}))

const isAboutKey = (detail: unknown): boolean =>
  Json.string(Json.get(detail, "reason"))?.startsWith("API_KEY_") === true

const kept = /^CachedContent\b|\bFile \S+ (or it may not exist|.*not found)/i

const tuned = /\btuned ?model/i

// -----------------------------------------------------------------------------
// quotas
// -----------------------------------------------------------------------------

const quotas = (details: ReadonlyArray<unknown>): ReadonlyArray<{ readonly id: string; readonly value: unknown }> =>
  details.flatMap((detail) => [
    ...Json.array(Json.get(detail, "violations")).map((violation) => ({
      id: Json.string(Json.get(violation, "quotaId")) ?? "",
      value: Json.get(violation, "quotaValue")
    })),
    ...(Json.get2(detail, "metadata", "quota_limit") === undefined ? [] : [{
      id: Json.string(Json.get2(detail, "metadata", "quota_limit")) ?? "",
      value: Json.get2(detail, "metadata", "quota_limit_value")
    }])
  ])

/** For today, or altogether: a quota of nothing comes back at no time. */
const usedUp = ({ message }: HttpBackend.Failure, details: ReadonlyArray<unknown>): boolean =>
  quotas(details).some(({ id, value }) => /PerDay/i.test(id) || value === "0" || value === 0)
  || /\blimit: 0\b/.test(message)

/** The wait that the details ask for, or the words, where there are no details. */
const waitOf = ({ message }: HttpBackend.Failure, details: ReadonlyArray<unknown>): Duration.Duration | undefined =>
  RetryAfter.fromDetails(details)
    ?? RetryAfter.fromMillis(RetryAfter.goMillis(/\bretry in ([\d.]+m?s)\b/.exec(message)?.[1]))
