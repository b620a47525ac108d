/**
 * From what a backend answered in place of an answer to an `LlmError`, once for all backends.
 *
 * Three steps: `read` finds code, type and message in whichever shape the body has them; a kind is chosen, by the
 * backend's own table if it knows better, else by `kindOf`; `toError` builds the error. A status alone decides little:
 * the same 429 says "wait" or "never", and an error within a stream has the status 200.
 */
import * as LlmError from "@spillway/core/LlmError"
import type * as Duration from "effect/Duration"
import * as Json from "./json.js"
import * as RetryAfter from "./retryAfter.js"

/** What a backend answered in place of an answer. */
export interface Failure {
  readonly backend: string
  readonly operation: string
  /** The model asked for; empty where the operation has none. */
  readonly model: string
  /** The HTTP status; 200 for an error within a stream. */
  readonly status: number
  /** The headers, their names in lower case. */
  readonly headers: { readonly [name: string]: string | undefined }
  /** The body as JSON; `undefined` when it is none. */
  readonly body: unknown
  /** The body as text. */
  readonly text: string
  /** The backend's code for it (`insufficient_quota`), if it gave one. */
  readonly code: string | undefined
  /** The backend's type of it (`rate_limit_error`), if it gave one. */
  readonly type: string | undefined
  /** The backend's words; its text, for a body of unknown shape. */
  readonly message: string
  /** The field of the request that is wrong, if it said so. */
  readonly field: string | undefined
  /** The wait that the headers ask for. */
  readonly retryAfter: Duration.Duration | undefined
  /** When the limits that are used up are full again. */
  readonly reset: Duration.Duration | undefined
  /** Whether trying again is of use, if the headers say so. */
  readonly shouldRetry: boolean | undefined
  readonly requestId: string | undefined
}

/** What a failure can be. */
export type Kind =
  | "RateLimited"
  | "QuotaExhausted"
  | "AuthenticationFailed"
  | "PermissionDenied"
  | "InvalidRequest"
  | "ModelNotFound"
  | "NotFound"
  | "Conflict"
  | "ContentFiltered"
  | "ServerFault"
  | "MalformedResponse"
  | "InvalidOutput"
  | "Unsupported"

/**
 * What a backend's own table says of a failure: its kind, the wait where the body tells of one, and what a person may
 * do about it, to be added to the backend's words.
 */
export type Refinement = Kind | {
  readonly kind: Kind
  readonly retryAfter?: Duration.Duration | undefined
  readonly advice?: string
}

// -----------------------------------------------------------------------------
// reading
// -----------------------------------------------------------------------------

/** Where the exchange stood that failed. */
export interface Context {
  readonly backend: string
  readonly operation: string
  readonly model: string
  readonly status: number
  readonly headers: { readonly [name: string]: string | undefined }
  readonly requestId: string | undefined
  /** In how many milliseconds the limits that are used up are full again, where a backend says so in its own way. */
  readonly resetMillis?: number | undefined
}

/**
 * Finds what a body says of the error. Known shapes: `{error: {message, type, code, param}}` (OpenAI, Anthropic,
 * Gemini), `{error: "text", error_type?}` (Ollama, TGI, TEI), `{message, type, code}` (vLLM), `{detail}` (FastAPI),
 * and any of them as the first of a list.
 */
export const read = (context: Context, text: string, now: number): Failure =>
  readBody(context, Json.parse(text), text, now)

/** Like `read`, of a body that has been parsed: an error within a stream. */
export const readBody = (context: Context, json: unknown, text: string, now: number): Failure => {
  const body = Array.isArray(json) ? json[0] : json
  const inner = Json.get(body, "error")
  const error = Json.isObject(inner) ? inner : body
  const type = Json.name(Json.get(error, "type")) ?? Json.name(Json.get(error, "status")) ??
    Json.name(Json.get(body, "error_type"))
  return {
    backend: context.backend,
    operation: context.operation,
    model: context.model,
    status: context.status,
    headers: context.headers,
    body,
    text,
    code: codeOf(Json.get(error, "code")) ?? codeOf(Json.get2(error, "details", "error_code")),
    type: type === "error" && error === body ? undefined : type,
    message: Json.name(inner) ?? Json.name(Json.get(error, "message")) ?? detailOf(Json.get(body, "detail")) ?? text,
    field: Json.name(Json.get(error, "param")),
    // on a success the header means something else, and some send it there
    retryAfter: isError(context.status) ? RetryAfter.fromHeaders(context.headers, now) : undefined,
    reset: isError(context.status)
      ? RetryAfter.fromMillis(context.resetMillis) ?? RetryAfter.fromReset(context.headers, now)
      : undefined,
    shouldRetry: isError(context.status) ? said.get(context.headers["x-should-retry"]) : undefined,
    requestId: context.requestId ?? Json.name(Json.get(body, "request_id"))
  }
}

// it comes from OpenAI and Anthropic, and their clients obey it before all else; so do ours
const said: ReadonlyMap<string | undefined, boolean> = new Map([["true", true], ["false", false]])

const isError = (status: number): boolean => status < 200 || status >= 300

const codeOf = (u: unknown): string | undefined => typeof u === "number" ? String(u) : Json.name(u)

const detailOf = (u: unknown): string | undefined => Json.name(u) ?? (Array.isArray(u) ? Json.stringify(u) : undefined)

// -----------------------------------------------------------------------------
// choosing
// -----------------------------------------------------------------------------

const byStatus: { readonly [status: number]: Kind } = {
  401: "AuthenticationFailed",
  402: "QuotaExhausted",
  403: "AuthenticationFailed",
  404: "ModelNotFound",
  405: "MalformedResponse",
  408: "ServerFault",
  425: "ServerFault",
  429: "RateLimited",
  501: "Unsupported"
}

// a map, since it is asked for the backend's own words: `constructor` may be one
const byType: ReadonlyMap<string | undefined, Kind> = new Map(Object.entries<Kind>({
  invalid_request_error: "InvalidRequest",
  request_too_large: "InvalidRequest",
  authentication_error: "AuthenticationFailed",
  permission_error: "AuthenticationFailed",
  billing_error: "QuotaExhausted",
  insufficient_quota: "QuotaExhausted",
  not_found_error: "ModelNotFound",
  rate_limit_error: "RateLimited",
  rate_limit_exceeded: "RateLimited",
  overloaded_error: "ServerFault",
  timeout_error: "ServerFault",
  api_error: "ServerFault",
  server_error: "ServerFault"
}))

/** What a failure is, for all that one knows without knowing the backend. */
export const kindOf = (failure: Failure): Kind => {
  if (!isError(failure.status)) {
    const status = innerStatus(failure)
    return byType.get(failure.code) ?? byType.get(failure.type) ??
      (status === undefined ? "ServerFault" : kindOf({ ...failure, status }))
  }
  // a page of another server: the address is wrong, not the model
  if (failure.status === 404 && (failure.body === undefined || failure.model === "")) return "MalformedResponse"
  const known = byStatus[failure.status]
  if (known !== undefined) return known
  return failure.status >= 500 ? "ServerFault" : failure.status >= 400 ? "InvalidRequest" : "MalformedResponse"
}

/** The status that an error within a stream would have had, where its body tells (Groq, TGI, Gemini). */
const innerStatus = (failure: Failure): number | undefined => {
  const error = Json.get(failure.body, "error")
  for (const u of [Json.get(error, "status_code"), Json.get(error, "http_status_code"), Json.get(error, "code")]) {
    const status = typeof u === "string" ? Number(u) : Json.number(u)
    if (status !== undefined && status >= 400 && status < 600) return status
  }
  return undefined
}

// -----------------------------------------------------------------------------
// building
// -----------------------------------------------------------------------------

/** What happened, in words that follow the backend's name. What they quote is still to be freed of the key. */
export const describe = (failure: Failure, refinement: Refinement = "ServerFault"): string =>
  typeof refinement === "string" || refinement.advice === undefined
    ? happened(failure)
    : `${happened(failure)}; ${refinement.advice}`

const happened = ({ code, headers, message, status, text, type }: Failure): string => {
  if (status >= 300 && status < 400) {
    const to = headers["location"]
    return `redirects (${status})${
      to !== undefined && URL.canParse(to) ? ` to ${new URL(to).origin}` : ""
    }, and keys are not sent on`
  }
  const said = message === text && /^\s*</.test(text) ? text.slice(0, 4096).replace(/<[^<>]*>|\s+/g, " ") : message
  const what = isError(status) ? `answered ${status}` : "broke off its answer"
  const which = code ?? type
  return `${what}${which === undefined ? "" : ` (${which})`}${said.trim() === "" ? "" : `: ${said}`}`
}

/** How the backend's words are freed of the key. */
export interface Words {
  /** What may be said to people: short, and on one line. */
  readonly say: (text: string) => string
  /** The text whole. */
  readonly hide: (text: string) => string
}

/** The error of a failure, once its kind is known. */
export const toError = (failure: Failure, refinement: Refinement, words: Words): LlmError.LlmError => {
  const { say } = words
  const kind = typeof refinement === "string" ? refinement : refinement.kind
  const named = typeof refinement === "string" ? undefined : refinement.retryAfter
  const retryAfter = named ?? failure.retryAfter ?? waitFor[kind]?.(failure)
  const code = failure.code ?? failure.type
  return build[kind](failure, {
    backend: failure.backend,
    message: say(`${failure.backend} ${describe(failure, refinement)}`),
    status: failure.status,
    ...(failure.model !== "" && { model: failure.model }),
    ...(code !== undefined && { code: say(code) }),
    ...(failure.requestId !== undefined && { requestId: say(failure.requestId) }),
    ...(failure.shouldRetry !== undefined && { shouldRetry: failure.shouldRetry })
  }, {
    ...(retryAfter !== undefined && { retryAfter })
  }, words)
}

/** The wait where neither the headers ask for one, nor the backend's own table knows one. */
const waitFor: { readonly [K in Kind]?: (failure: Failure) => Duration.Duration | undefined } = {
  RateLimited: (failure) => waitInDetails(failure) ?? failure.reset,
  ServerFault: (failure) => waitInDetails(failure)
}

const waitInDetails = ({ body }: Failure) => RetryAfter.fromDetails(Json.array(Json.get2(body, "error", "details")))

interface Fields {
  readonly backend: string
  readonly message: string
  readonly status: number
  readonly model?: string
  readonly code?: string | undefined
  readonly requestId?: string
  readonly shouldRetry?: boolean
}

type Wait = { readonly retryAfter?: Duration.Duration }

type Build = (failure: Failure, fields: Fields, wait: Wait, words: Words) => LlmError.LlmError

const build: { readonly [K in Kind]: Build } = {
  RateLimited: (_, fields, wait) => new LlmError.RateLimited({ ...fields, ...wait }),
  QuotaExhausted: (_, fields, wait) => new LlmError.QuotaExhausted({ ...fields, ...wait }),
  AuthenticationFailed: (_, fields) => new LlmError.AuthenticationFailed(fields),
  PermissionDenied: (_, fields) => new LlmError.PermissionDenied(fields),
  InvalidRequest: ({ field }, fields, _, { say }) =>
    new LlmError.InvalidRequest(field === undefined ? fields : { ...fields, field: say(field) }),
  ModelNotFound: (_, fields) => new LlmError.ModelNotFound(fields),
  NotFound: (_, fields) => new LlmError.NotFound(fields),
  Conflict: (_, fields) => new LlmError.Conflict(fields),
  ContentFiltered: (_, fields) => new LlmError.ContentFiltered(fields),
  ServerFault: (_, fields, wait) => new LlmError.ServerFault({ ...fields, ...wait }),
  MalformedResponse: (_, fields) => new LlmError.MalformedResponse(fields),
  InvalidOutput: ({ body }, { backend, message, model }, _, { hide }) =>
    new LlmError.InvalidOutput({
      backend,
      message,
      text: hide(Json.string(Json.get2(body, "error", "failed_generation")) ?? ""),
      ...(model !== undefined && { model })
    }),
  Unsupported: ({ operation }, { backend, message, model }) =>
    new LlmError.Unsupported({ backend, message, feature: operation, ...(model !== undefined && { model }) })
}
