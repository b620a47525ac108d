import * as FetchHttpClient from "@effect/platform/FetchHttpClient"
import type * as LlmError from "@spillway/core/LlmError"
import type * as ObjectStore from "@spillway/core/ObjectStore"
import * as S3 from "@spillway/providers/S3"
import { Effect, Redacted } from "effect"
import type { Answer } from "./fetching.js"

/** What a server was sent, its body as bytes. */
export interface Sent {
  readonly method: string
  /** With its query. */
  readonly path: string
  readonly host: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: Uint8Array
  readonly text: string
}

/** A `fetch` that keeps what it was sent, which need not be JSON; nor need what it answers. */
export const fetching = (answer: (sent: Sent, index: number) => Answer) => {
  const sent: Array<Sent> = []
  const fetch: typeof globalThis.fetch = async (input, init) => {
    const request = new Request(input, init)
    const url = new URL(request.url)
    const body = new Uint8Array(await request.arrayBuffer())
    const one: Sent = {
      method: request.method,
      path: url.pathname + url.search,
      host: url.host,
      headers: Object.fromEntries(request.headers),
      body,
      text: new TextDecoder().decode(body)
    }
    sent.push(one)
    const { body: answered, headers, status = 200 } = answer(one, sent.length - 1)
    const content = status === 204 || request.method === "HEAD" || answered === undefined ? null : answered as BodyInit
    return new Response(content, { status, headers: { ...headers } })
  }
  return { fetch, sent }
}

export const at = { bucket: "bucket", key: "a/b c" }
export const secret = "wJalrXUtnFEMI-K7MDENG-bPxRfiCYEXAMPLEKEY"
export const token = "FwoGZXIvYXdzEJr9Qm2kT7vXw3Lp8sYb5cNd1hGf6uRaOeZi"
export const endpoint: S3.Endpoint = {
  url: "http://s3.test:9000",
  accessKeyId: "AKIAIOSFODNN7EXAMPLE",
  secretAccessKey: Redacted.make(secret)
}

/** What becomes of one call, and what was sent for it. */
export const ask = <A, E>(
  answer: (index: number) => Answer,
  call: (store: ObjectStore.Service) => Effect.Effect<A, E>,
  options: Partial<S3.Options> = {}
) =>
  Effect.gen(function*() {
    const { fetch, sent } = fetching((_, index) => answer(index))
    const made = Effect.orDie(S3.make({ endpoints: [endpoint], ...options }))
    const exit = yield* Effect.flatMap(made, ({ store }) => Effect.exit(call(store))).pipe(
      Effect.provide(FetchHttpClient.layer),
      Effect.provideService(FetchHttpClient.Fetch, fetch),
      Effect.scoped
    )
    return { exit, sent }
  })

/** What can be asked of a store. */
export type Call = (store: ObjectStore.Service) => Effect.Effect<unknown, LlmError.LlmError>

/** The error that it ends with. */
export const failure = (answer: Answer, call: Call) =>
  Effect.flatMap(ask(() => answer, call), ({ exit }) => Effect.flip(exit))

/** The value that it ends with. */
export const value = <A, E>(answer: Answer, call: (store: ObjectStore.Service) => Effect.Effect<A, E>) =>
  Effect.flatMap(ask(() => answer, call), ({ exit }) => exit)

/** An error of S3. */
export const xml = (code: string, more = "") =>
  `<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>${code}</Code><Message>so it is</Message>${more}` +
  `<RequestId>REQ1</RequestId></Error>`
