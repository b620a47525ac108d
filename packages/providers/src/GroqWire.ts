/**
 * What Groq's wire has besides OpenAI's: speech that is written down, and documents that are ranked.
 *
 * @see https://console.groq.com/docs/speech-to-text
 * @see https://console.groq.com/docs/api-reference
 * @since 0.1.0
 */
import type * as Rerank from "@spillway/core/Rerank"
import * as Either from "effect/Either"
import type * as HttpBackend from "./HttpBackend.js"
import * as Json from "./internal/json.js"
import * as Multipart from "./internal/multipart.js"
import * as OpenAiWire from "./OpenAiWire.js"

declare module "@spillway/core/Rerank" {
  interface ProviderOptions {
    /** What only Groq can be asked for. */
    readonly groq?: RerankOptions
  }
}

/**
 * What only Groq can be asked for, with one ranking.
 *
 * @since 0.1.0
 * @category models
 */
export interface RerankOptions {
  /** What the documents are ranked for, in words. @default the model's own */
  readonly instruction?: string
}

/**
 * Where speech comes from: a file's bytes, or an address that Groq fetches itself. By the end of its name Groq knows
 * what a file is: flac, mp3, mp4, mpeg, mpga, m4a, ogg, wav or webm.
 *
 * @since 0.1.0
 * @category models
 */
export type Audio =
  | { readonly _tag: "File"; readonly name: string; readonly content: Uint8Array; readonly mediaType?: string }
  | { readonly _tag: "Url"; readonly url: string }

/**
 * Speech that is to be written down, in the language in which it is spoken.
 *
 * @since 0.1.0
 * @category models
 */
export interface TranscriptionRequest {
  /** @default "whisper-large-v3-turbo" */
  readonly model?: string
  readonly audio: Audio
  /** The language that is spoken, in two letters (ISO 639-1). @default it is found out, which takes longer */
  readonly language?: string
  /** What was said before, or how names are spelt. */
  readonly prompt?: string
  /** Randomness, 0 to 1. @default 0 */
  readonly temperature?: number
  /** When each word or each segment was said. @default the text alone is told */
  readonly timestamps?: ReadonlyArray<"word" | "segment">
}

/**
 * Something that was said, and when: in seconds since the beginning.
 *
 * @since 0.1.0
 * @category models
 */
export interface Spoken {
  readonly text: string
  readonly start: number
  readonly end: number
}

/**
 * What was said. All but the text is there only where timestamps were asked for.
 *
 * @since 0.1.0
 * @category models
 */
export interface Transcription {
  readonly text: string
  /** The language that was spoken, as Groq calls it. */
  readonly language?: string
  /** How long it is, in seconds. */
  readonly duration?: number
  readonly words?: ReadonlyArray<Spoken>
  readonly segments?: ReadonlyArray<Spoken>
}

/**
 * The model that is asked where none is named.
 *
 * @since 0.1.0
 * @category constants
 */
export const model = "whisper-large-v3-turbo"

/**
 * How `POST /audio/transcriptions` is asked, and its answer read.
 *
 * @since 0.1.0
 * @category translations
 */
export const transcribe: HttpBackend.Operation<TranscriptionRequest, Transcription> = {
  request: (request) =>
    Either.right({
      method: "POST",
      path: "/openai/v1/audio/transcriptions",
      ...Multipart.encode(toFields(request))
    }),
  response: (body, exchange) => {
    const text = Json.string(Json.get(body, "text"))
    if (text === undefined) {
      return Either.left(
        OpenAiWire.isError(body) ? exchange.failure(body) : exchange.malformed("a transcription without text")
      )
    }
    return Either.right(Json.defined({
      text,
      language: Json.name(Json.get(body, "language")),
      duration: toSeconds(Json.get(body, "duration")),
      words: toSpoken(Json.get(body, "words"), "word"),
      segments: toSpoken(Json.get(body, "segments"), "text")
    }))
  }
}

const toFields = (
  { audio, language, model: named = model, prompt, temperature, timestamps = [] }: TranscriptionRequest
): ReadonlyArray<Multipart.Field> => [
  audio._tag === "Url"
    ? { name: "url", value: audio.url }
    : {
      name: "file",
      file: audio.name,
      mediaType: audio.mediaType ?? "application/octet-stream",
      content: audio.content
    },
  { name: "model", value: named },
  ...(language === undefined ? [] : [{ name: "language", value: language }]),
  ...(prompt === undefined ? [] : [{ name: "prompt", value: prompt }]),
  ...(temperature === undefined ? [] : [{ name: "temperature", value: temperature.toString() }]),
  { name: "response_format", value: timestamps.length === 0 ? "json" : "verbose_json" },
  ...timestamps.map((value) => ({ name: "timestamp_granularities[]", value }))
]

// a number, and in the documents a text
const toSeconds = (u: unknown): number | undefined =>
  Json.number(typeof u === "string" && u.trim() !== "" ? Number(u) : u)

const toSpoken = (spoken: unknown, name: string): ReadonlyArray<Spoken> | undefined =>
  Array.isArray(spoken)
    ? spoken.flatMap((one) => {
      const text = Json.string(Json.get(one, name))
      const start = toSeconds(Json.get(one, "start"))
      const end = toSeconds(Json.get(one, "end"))
      return text === undefined || start === undefined || end === undefined ? [] : [{ text, start, end }]
    })
    : undefined

/**
 * How `POST /reranking` is asked, and its answer read. The answer has the documents and not their places, so that of
 * documents that are the same the first comes first.
 *
 * @since 0.1.0
 * @category translations
 */
export const rerank: HttpBackend.Operation<Rerank.Request, Rerank.Ranking> = {
  request: ({ documents, model, providerOptions, query }) =>
    Either.right({
      method: "POST",
      path: "/openai/v1/reranking",
      body: { model, query, docs: documents, instruction: providerOptions?.groq?.instruction }
    }),
  response: (body, exchange) => {
    const ranked = Json.get(body, "results")
    if (!Array.isArray(ranked)) {
      return Either.left(
        OpenAiWire.isError(body) ? exchange.failure(body) : exchange.malformed("a ranking without results")
      )
    }
    const { documents, topN } = exchange.input
    const placed = new Set<number>()
    const results: Array<Rerank.Result> = []
    for (const one of ranked) {
      const document = Json.get(one, "doc")
      const score = Json.number(Json.get(one, "score"))
      const index = documents.findIndex((known, i) => known === document && !placed.has(i))
      if (index === -1 || score === undefined) {
        return Either.left(exchange.malformed("a ranking with a result that is no document of the request"))
      }
      placed.add(index)
      results.push({ index, score, document: documents[index]! })
    }
    return Either.right({
      ...OpenAiWire.identify(body, exchange.model),
      results: results.sort((a, b) => b.score - a.score || a.index - b.index).slice(0, topN),
      usage: OpenAiWire.toUsage(Json.get(body, "usage"))
    })
  }
}
