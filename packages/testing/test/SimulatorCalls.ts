import type { HttpClientError, HttpClientResponse } from "@effect/platform"
import { HttpClientRequest } from "@effect/platform"
import { Effect } from "effect"
import type * as Simulator from "@spillway/testing/Simulator"

type Json = { readonly [key: string]: unknown }

/** Asks a simulator, with a good key unless the headers say otherwise (`authorization: ""` sends none). */
export const ask = (
  simulator: Simulator.Service,
  path: string,
  body?: unknown,
  headers: { readonly [name: string]: string } = {}
): Effect.Effect<HttpClientResponse.HttpClientResponse, HttpClientError.HttpClientError> => {
  const request =
    body === undefined
      ? HttpClientRequest.get(`http://simulator${path}`)
      : typeof body === "string"
        ? HttpClientRequest.post(`http://simulator${path}`).pipe(HttpClientRequest.bodyText(body, "application/json"))
        : HttpClientRequest.post(`http://simulator${path}`).pipe(HttpClientRequest.bodyUnsafeJson(body))
  const all = { authorization: "Bearer sim-key-1", "anthropic-version": "2023-06-01", ...headers }
  return simulator.client.execute(
    HttpClientRequest.setHeaders(request, Object.fromEntries(Object.entries(all).filter(([, value]) => value !== "")))
  )
}

/** The status and the parsed body of the answer. */
export const answer = (
  simulator: Simulator.Service,
  path: string,
  body?: unknown,
  headers?: { readonly [name: string]: string }
  // A test reads what it expects to be there; what is not there fails the test.
  // oxlint-disable-next-line typescript/no-explicit-any
): Effect.Effect<
  { readonly status: number; readonly body: any; readonly headers: { readonly [name: string]: string } },
  HttpClientError.HttpClientError
> =>
  Effect.flatMap(ask(simulator, path, body, headers), (response) =>
    Effect.map(response.json, (json) => ({ status: response.status, body: json, headers: response.headers }))
  )

/** The text of the answer. */
export const text = (
  simulator: Simulator.Service,
  path: string,
  body?: unknown,
  headers?: { readonly [name: string]: string }
) => Effect.flatMap(ask(simulator, path, body, headers), (response) => response.text)

/** The payloads of a stream of server-sent events, `[DONE]` included. */
export const events = (stream: string): ReadonlyArray<string> =>
  stream
    .replaceAll("\r\n", "\n")
    .split("\n\n")
    .filter((event) => event !== "")
    .map((event) =>
      event
        .split("\n")
        .filter((line) => line.startsWith("data: "))
        .map((line) => line.slice(6))
        .join("\n")
    )

/** A chat in OpenAI's words. */
export const chat = (content: string, more: Json = {}) => ({
  model: "sim-chat",
  messages: [{ role: "user", content }],
  ...more
})

export const openai = "/openai/v1/chat/completions"
export const groq = "/groq/openai/v1/chat/completions"
export const anthropic = "/anthropic/v1/messages"
export const ollama = "/ollama/api/chat"
