/**
 * One exchange under one leased key, and how what goes wrong in it becomes an `LlmError` of which the pool has heard.
 */
import type * as Headers from "@effect/platform/Headers"
import type * as HttpClientError from "@effect/platform/HttpClientError"
import type * as HttpClientResponse from "@effect/platform/HttpClientResponse"
import type * as KeyPool from "@spillway/core/KeyPool"
import * as LlmError from "@spillway/core/LlmError"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import { readText } from "./body.js"
import * as HttpFailure from "./httpFailure.js"
import * as Json from "./json.js"
import * as Limits from "./limits.js"
import { hide, scrub } from "./scrub.js"
import { reasonOf } from "./sending.js"

/** What judging an answer takes of a backend's definition. */
export interface Judge {
  readonly backend: string
  readonly limits?: (headers: Headers.Headers, now: number) => KeyPool.Limits | undefined
  readonly refineError?: (failure: HttpFailure.Failure) => HttpFailure.Refinement | undefined
}

/** An exchange that is under way. */
export interface Attempt {
  readonly judge: Judge
  readonly operation: string
  /** Empty where the operation has none. */
  readonly model: string
  /** Where it goes, without the query. */
  readonly address: string
  readonly lease: KeyPool.Lease
}

/** A model as a field of an error; none for the empty name. */
export const named = (model: string): { readonly model?: string } => model === "" ? {} : { model }

/** Fails with what the pool makes of the error. */
export const failWith = ({ lease }: Attempt, error: LlmError.LlmError): Effect.Effect<never, LlmError.LlmError> =>
  Effect.suspend(() => Effect.fail(lease.failed(error)))

/** Tells the pool what the headers say of the key's limits. */
export const observe = (
  { judge, lease }: Attempt,
  headers: Headers.Headers,
  now: number
): KeyPool.Limits | undefined => {
  const limits = judge.limits?.(headers, now)
  if (limits !== undefined) lease.observed(limits)
  return limits
}

/** The backend's id of the request. */
export const requestIdOf = (headers: Headers.Headers): string | undefined =>
  headers["x-request-id"] ?? headers["request-id"]

// -----------------------------------------------------------------------------
// what can go wrong
// -----------------------------------------------------------------------------

/** The key cannot stand in a header. */
export const unspeakableKey = ({ judge, lease, model }: Attempt): LlmError.AuthenticationFailed =>
  new LlmError.AuthenticationFailed({
    backend: judge.backend,
    message: `${judge.backend}: the key ${lease.id} has characters that no header can carry`,
    ...named(model)
  })

/** No answer came, or it broke off; `what` says which. */
export const networkFailure = (
  { address, judge, lease, model }: Attempt,
  what: string,
  error: HttpClientError.HttpClientError
): LlmError.NetworkFailure =>
  new LlmError.NetworkFailure({
    backend: judge.backend,
    message: said(lease, `${judge.backend} ${what} at ${address}: ${reasonOf(error)}`),
    ...named(model)
  })

/** The answer is not the backend's wire; `what` says what is wrong with it, and quotes nothing of it. */
export const malformed = (
  { judge, lease, model }: Attempt,
  status: number,
  headers: Headers.Headers,
  what: string
): LlmError.MalformedResponse =>
  new LlmError.MalformedResponse({
    backend: judge.backend,
    message: said(lease, `${judge.backend}: ${what}`),
    ...common(lease, model, status, headers)
  })

/** A stream ended before its end marker. */
export const interrupted = (
  { judge, lease, model }: Attempt,
  status: number,
  headers: Headers.Headers,
  what: string
): LlmError.StreamInterrupted =>
  new LlmError.StreamInterrupted({
    backend: judge.backend,
    message: said(lease, `${judge.backend} ${what}`),
    ...common(lease, model, status, headers)
  })

/** The answer is an error: its body is read (so that the connection can be used again), and says which. */
export const refused = (
  attempt: Attempt,
  response: HttpClientResponse.HttpClientResponse
): Effect.Effect<never, LlmError.LlmError> =>
  Effect.suspend(() => {
    const headers = response.headers
    return Effect.flatMap(
      Effect.zip(
        Effect.orElseSucceed(readText(response, headers, maxErrorBytes), () => ""),
        Clock.currentTimeMillis
      ),
      ([text, now]) => {
        const resetMillis = Limits.resetMillis(observe(attempt, headers, now))
        const failure = HttpFailure.read({ ...contextOf(attempt, response.status, headers), resetMillis }, text, now)
        return failWith(attempt, classify(attempt, failure))
      }
    )
  })

const maxErrorBytes = 64 * 1024

/** The error that a body within a success describes. */
export const failureWithin = (
  attempt: Attempt,
  status: number,
  headers: Headers.Headers,
  body: unknown
): LlmError.LlmError =>
  classify(
    attempt,
    HttpFailure.readBody(contextOf(attempt, status, headers), body, Json.stringify(body) ?? "", 0)
  )

const classify = ({ judge, lease }: Attempt, failure: HttpFailure.Failure): LlmError.LlmError => {
  const refinement = judge.refineError?.(failure) ?? HttpFailure.kindOf(failure)
  return HttpFailure.toError(failure, refinement, {
    say: (text) => said(lease, text),
    hide: (text) => hide(text, Redacted.value(lease.key))
  })
}

const contextOf = ({ judge, model, operation }: Attempt, status: number, headers: Headers.Headers) => ({
  backend: judge.backend,
  operation,
  model,
  status,
  headers,
  requestId: requestIdOf(headers)
})

const common = (lease: KeyPool.Lease, model: string, status: number, headers: Headers.Headers) => {
  const requestId = requestIdOf(headers)
  return { status, ...named(model), ...(requestId !== undefined && { requestId: said(lease, requestId) }) }
}

/** What may stand in an error of an exchange under this lease. */
const said = (lease: KeyPool.Lease, text: string): string => scrub(text, Redacted.value(lease.key))
