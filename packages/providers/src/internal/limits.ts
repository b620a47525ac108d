/**
 * What the headers of an answer say of a key's limits, in the form that OpenAI began and most have copied:
 * `x-ratelimit-{limit,remaining,reset}-{requests,tokens}`, the reset as a Go duration. Some leave parts out (Azure has
 * no reset), and some count more than we know of; both are fine.
 */
import type * as KeyPool from "@spillway/core/KeyPool"
import * as Json from "./json.js"
import * as RetryAfter from "./retryAfter.js"

type Headers = { readonly [name: string]: string | undefined }

/** One limit from its three texts; `undefined` when none of them says anything. */
export const limit = (
  limit: string | undefined,
  remaining: string | undefined,
  resetMillis: number | undefined
): KeyPool.Limit | undefined => {
  const max = Json.digits(limit)
  const left = Json.digits(remaining)
  return max === undefined && left === undefined && resetMillis === undefined ? undefined : {
    ...(max !== undefined && { limit: max }),
    ...(left !== undefined && { remaining: left }),
    ...(resetMillis !== undefined && { resetMillis })
  }
}

/** Limits from headers in OpenAI's form, where requests and tokens go by these names. */
export const named = (ofRequests: string, ofTokens: string) => (headers: Headers): KeyPool.Limits | undefined => {
  const requests = dimension(headers, ofRequests)
  const tokens = dimension(headers, ofTokens)
  return requests === undefined && tokens === undefined ? undefined : {
    ...(requests !== undefined && { requests }),
    ...(tokens !== undefined && { tokens })
  }
}

/** Limits from the headers in OpenAI's form. */
export const fromHeaders = named("requests", "tokens")

/** In how many milliseconds all those are full again that are used up; `undefined` when none is. */
export const resetMillis = (limits: KeyPool.Limits | undefined): number | undefined => {
  const spent = Object.values<KeyPool.Limit | undefined>({ ...limits }).flatMap((limit) =>
    limit?.remaining === 0 && limit.resetMillis !== undefined ? [limit.resetMillis] : []
  )
  return spent.length === 0 ? undefined : Math.max(...spent)
}

const dimension = (headers: Headers, name: string) =>
  limit(
    headers[`x-ratelimit-limit-${name}`],
    headers[`x-ratelimit-remaining-${name}`],
    RetryAfter.goMillis(headers[`x-ratelimit-reset-${name}`])
  )
