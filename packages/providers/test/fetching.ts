import * as FetchHttpClient from "@effect/platform/FetchHttpClient"
import type * as HttpClient from "@effect/platform/HttpClient"
import type * as LlmError from "@spillway/core/LlmError"
import type * as LlmService from "@spillway/core/LlmService"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"

/** What a server was sent. */
export interface Sent {
  readonly method: string
  /** With its query. */
  readonly path: string
  readonly host: string
  readonly headers: Readonly<Record<string, string>>
  /** JSON, or a form with files in it. */
  readonly body: any
}

/** What it answers: a status, headers, and a body that is sent as it is if it is text or bytes, else as JSON. */
export interface Answer {
  readonly status?: number
  readonly headers?: Readonly<Record<string, string>>
  readonly body: unknown
}

/** A `fetch` that keeps what it was sent, for whoever speaks through it: our backends, and the vendors' own clients. */
export const fetching = (answer: (sent: Sent, index: number) => Answer) => {
  const sent: Array<Sent> = []
  const fetch: typeof globalThis.fetch = async (input, init) => {
    const request = new Request(input, init)
    const url = new URL(request.url)
    const isForm = request.headers.get("content-type")?.startsWith("multipart/") === true
    const form = isForm ? await request.formData() : undefined
    const text = form === undefined ? await request.text() : ""
    const one: Sent = {
      method: request.method,
      path: url.pathname + url.search,
      host: url.host,
      headers: Object.fromEntries(request.headers),
      body: form ?? (text === "" ? undefined : JSON.parse(text))
    }
    sent.push(one)
    const { body, headers, status = 200 } = answer(one, sent.length - 1)
    return typeof body === "string" || body instanceof Uint8Array || body instanceof ReadableStream
      ? new Response(body as BodyInit, { status, headers: { ...headers } })
      : Response.json(body, { status, headers: { ...headers } })
  }
  return { fetch, sent }
}

/** Bytes that arrive in these pieces. */
export const inPieces = (...pieces: ReadonlyArray<Uint8Array>): ReadableStream =>
  new ReadableStream({
    start(controller) {
      for (const piece of pieces) controller.enqueue(piece)
      controller.close()
    }
  })

/** Runs a program of a backend that speaks through this `fetch`. */
export const through = <B, A, E, R>(
  fetch: typeof globalThis.fetch,
  backend: Effect.Effect<B, unknown, HttpClient.HttpClient | Scope.Scope>,
  program: (backend: B) => Effect.Effect<A, E, R>
) =>
  Effect.flatMap(Effect.orDie(backend), program).pipe(
    Effect.provide(FetchHttpClient.layer),
    Effect.provideService(FetchHttpClient.Fetch, fetch),
    Effect.scoped
  )

/** The error of an answer of that status. */
export const refusal = (
  backend: Effect.Effect<LlmService.Service, unknown, HttpClient.HttpClient | Scope.Scope>,
  answer: Answer,
  model = "some-model"
): Effect.Effect<LlmError.LlmError> =>
  through(
    fetching(() => answer).fetch,
    backend,
    (service) => Effect.orDieWith(Effect.flip(service.generateText({ model, prompt: "hi" })), () => "it was answered")
  )
