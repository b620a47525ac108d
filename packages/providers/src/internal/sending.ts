/**
 * Requests that carry a key, and the client that may send them.
 */
import * as FetchHttpClient from "@effect/platform/FetchHttpClient"
import * as Headers from "@effect/platform/Headers"
import * as HttpBody from "@effect/platform/HttpBody"
import * as HttpClient from "@effect/platform/HttpClient"
import type * as HttpClientError from "@effect/platform/HttpClientError"
import * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import type * as HttpClientResponse from "@effect/platform/HttpClientResponse"
import type * as HttpMethod from "@effect/platform/HttpMethod"
import * as TraceContext from "@spillway/core/TraceContext"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"

/** Sends one request. */
export type Execute = (
  request: HttpClientRequest.HttpClientRequest
) => Effect.Effect<HttpClientResponse.HttpClientResponse, HttpClientError.HttpClientError>

/**
 * The client of the environment, so that a key goes to the backend alone: redirects are not followed (fetch would take
 * `x-api-key` along), no trace is handed to a third party unless that is wanted (`TraceContext`), and what carries a key
 * is hidden from the client's own log.
 */
export const executor = (options: {
  readonly spans: boolean
  readonly keyHeaders: ReadonlyArray<string>
}): Effect.Effect<Execute, never, HttpClient.HttpClient> =>
  Effect.zipWith(
    HttpClient.HttpClient,
    Effect.serviceOption(FetchHttpClient.RequestInit),
    (client, init): Execute => {
      const manual: RequestInit = { ...Option.getOrUndefined(init), redirect: "manual" }
      // a span of the client's own would be told of the request and of every header of the answer
      const silent = HttpClient.withTracerDisabledWhen(client, () => true)
      const send: Execute = isPlain(client) ? client.execute : (request) =>
        Effect.provideService(silent.execute(request), FetchHttpClient.RequestInit, manual)
      const plain: Execute = (request) =>
        Effect.withFiberRuntime((fiber) => {
          const trace = TraceContext.ofFiber(fiber)
          return send(trace === undefined ? request : HttpClientRequest.setHeaders(request, trace))
        })
      const names = options.keyHeaders.filter((name) => !hiddenAnyway.has(name))
      const execute: Execute = names.length === 0 || isPlain(client) ? plain : (request) =>
        Effect.locallyWith(plain(request), Headers.currentRedactedNames, (known) => [...known, ...names])
      return options.spans ? traced(execute) : execute
    }
  )

/** Whether a client says of itself that it sends what it is given: it follows no redirect, has no span and no log. */
const isPlain = (client: HttpClient.HttpClient): boolean => keepsToItself in client

const keepsToItself = Symbol.for("@spillway/node/UndiciClient/keepsToItself")

/** What `Headers.currentRedactedNames` has from the start. */
const hiddenAnyway: ReadonlySet<string> = new Set(["authorization", "x-api-key"])

/**
 * Each request as a span, which is told where the request went and what became of it, and neither of what was sent nor
 * of what came.
 */
const traced = (execute: Execute): Execute => (request) =>
  Effect.suspend(() => {
    let exit: Exit.Exit<HttpClientResponse.HttpClientResponse, HttpClientError.HttpClientError> | undefined
    const span = Effect.useSpan(
      `http.client ${request.method}`,
      { kind: "client", captureStackTrace: false, attributes: attributesOf(request) },
      (span) =>
        Effect.matchCauseEffect(execute(request), {
          onSuccess: (response) => {
            exit = Exit.succeed(response)
            span.attribute("http.response.status_code", response.status)
            return Effect.void
          },
          onFailure: (cause) => {
            exit = Exit.failCause(cause)
            if (Cause.isInterruptedOnly(cause)) return Effect.interrupt
            const reason = Option.match(Cause.failureOption(cause), { onNone: () => "Defect", onSome: ({ reason }) => reason })
            span.attribute("error.type", reason)
            return Effect.fail(reason)
          }
        })
    )
    return Effect.catchAllCause(Effect.flatMap(span, () => exit!), (cause) => exit ?? Effect.failCause(Cause.stripFailures(cause)))
  })

const attributesOf = (request: HttpClientRequest.HttpClientRequest) => {
  const { hostname, origin, pathname, port, protocol } = new URL(request.url)
  return {
    "http.request.method": request.method,
    "server.address": hostname,
    "server.port": port !== "" ? Number(port) : protocol === "https:" ? 443 : 80,
    "url.full": origin + pathname,
    "url.path": pathname,
    "url.scheme": protocol.slice(0, -1)
  }
}

/** Makes requests that show a key. */
export interface Requests {
  /** `undefined` when the key has characters that no header can carry. */
  readonly make: (
    key: Redacted.Redacted,
    method: HttpMethod.HttpMethod,
    url: string,
    body: string | Uint8Array | undefined,
    headers: Readonly<Record<string, string>> | undefined
  ) => HttpClientRequest.HttpClientRequest | undefined
}

/** What all requests with one key have in common is built once for each key. */
export const requests = (
  headers: Readonly<Record<string, string>> | undefined,
  authenticate: (key: Redacted.Redacted) => Readonly<Record<string, string>>
): Requests => {
  const built = new WeakMap<Redacted.Redacted, { readonly common: HttpClientRequest.HttpClientRequest | undefined }>()

  const build = (key: Redacted.Redacted): HttpClientRequest.HttpClientRequest | undefined => {
    const credentials = Redacted.value(key) === "" ? {} : authenticate(key)
    // every client refuses a header with such a value, and some quote it in their error
    if (Object.values(credentials).some((value) => !/^[\x20-\x7e]*$/.test(value))) return undefined
    return HttpClientRequest.post("", {
      headers: { accept: "application/json", "user-agent": "spillway", ...headers, ...credentials }
    })
  }

  return {
    make(key, method, url, body, extra) {
      let known = built.get(key)
      if (known === undefined) built.set(key, known = { common: build(key) })
      if (known.common === undefined) return undefined
      let request = HttpClientRequest.setUrl(known.common, url)
      if (method !== "POST") request = HttpClientRequest.setMethod(request, method)
      if (body !== undefined) request = HttpClientRequest.setBody(request, toHttpBody(body))
      return extra === undefined ? request : HttpClientRequest.setHeaders(request, extra)
    }
  }
}

const toHttpBody = (body: string | Uint8Array): HttpBody.HttpBody =>
  typeof body === "string"
    ? HttpBody.text(body, "application/json")
    : HttpBody.uint8Array(body, "application/octet-stream")

/** Why a transport failed, in its own shortest word: `ECONNREFUSED` lies at the end of a chain of causes. */
export const reasonOf = (error: HttpClientError.HttpClientError): string => {
  let cause: unknown = error.cause
  let reason: string = error.description ?? error.reason
  for (let depth = 0; depth < 5 && typeof cause === "object" && cause !== null; depth++) {
    if ("code" in cause && typeof cause.code === "string") return cause.code
    if ("message" in cause && typeof cause.message === "string" && cause.message !== "") reason = cause.message
    cause = "cause" in cause ? cause.cause : undefined
  }
  return reason
}
