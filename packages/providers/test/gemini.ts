import * as FetchHttpClient from "@effect/platform/FetchHttpClient"
import * as Gemini from "@spillway/providers/Gemini"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"

/** A key that looks like one of Google's. */
export const secret = "a-key-of-google-0123456789abcdefghij"

/** An event as Gemini frames it, but for the line ends, which are CRLF there (see `crlf`). */
export const event = (answer: unknown): string => `data: ${JSON.stringify(answer)}\n\n`

/** A text with the line ends that Gemini has. */
export const crlf = (text: string): string => text.replaceAll("\n", "\r\n")

/** Gemini as a service, with the one key. */
export const make = (options: Partial<Gemini.Options> = {}) =>
  Gemini.make({ apiKeys: [Redacted.make(secret)], ...options })

/** The service that every backend is, for tests that ask for no more. */
export const llm = (options?: Partial<Gemini.Options>) => Effect.map(make(options), ({ llm }) => llm)

/** Runs a program of what only Gemini does, which speaks through this `fetch`. */
export const through = <A, E>(
  fetch: typeof globalThis.fetch,
  use: (made: Effect.Effect.Success<ReturnType<typeof make>>) => Effect.Effect<A, E>,
  options?: Partial<Gemini.Options>
) =>
  Effect.flatMap(Effect.orDie(make(options)), use).pipe(
    Effect.provide(FetchHttpClient.layer),
    Effect.provideService(FetchHttpClient.Fetch, fetch),
    Effect.scoped
  )
