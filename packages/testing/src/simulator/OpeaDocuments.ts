/**
 * What OPEA's dataprep takes in, and its retriever and reranker find again.
 *
 * @see https://github.com/opea-project/GenAIComps
 * @since 0.1.0
 */
import * as Either from "effect/Either"
import * as Fields from "./Fields.js"
import * as Vector from "./Vector.js"
import * as Wire from "./Wire.js"

/**
 * The files that were taken in, each with its text.
 *
 * @since 0.1.0
 * @category models
 */
export type Documents = Map<string, string>

type Answered = Either.Either<Wire.Answer, Wire.Failure>

const right = (content: unknown): Answered => Either.right(Wire.free(content))

const rejected = (status: number, message: string): Answered => Either.left(Wire.Failure.Rejected({ status, message }))

/**
 * The answer of `POST /v1/dataprep/ingest`: a form with one file, or a list of links, which are not fetched.
 *
 * @since 0.1.0
 * @category constructors
 */
export const ingest =
  (documents: Documents) =>
  ({ body, headers }: Wire.Call): Answered => {
    const form = body instanceof Uint8Array ? parts(headers["content-type"] ?? "", body) : []
    const file = form.findLast(({ name }) => name === "files")
    if (file !== undefined) {
      const name = file.file ?? "file"
      if (documents.has(name)) {
        return rejected(400, `Uploaded file ${name} already exists. Please change file name or index name.`)
      }
      documents.set(name, file.content)
      return right({ status: 200, message: "Data preparation succeeded" })
    }
    const list = form.find(({ name }) => name === "link_list")?.content
    if (list === undefined) return rejected(400, "Must provide either a file or a string list.")
    const links = Either.try((): unknown => JSON.parse(list))
    if (Either.isLeft(links)) return Either.left(Wire.Failure.ServerError())
    if (!Array.isArray(links.right)) return rejected(400, `Link_list ${list} should be a list.`)
    for (const link of links.right) documents.set(`${link}.txt`, `A page at ${link}.`)
    return right({ status: 200, message: "Data preparation succeeded" })
  }

interface Part {
  readonly name: string
  readonly file: string | undefined
  readonly content: string
}

const utf8 = new TextDecoder()

// Bytes are looked through as Latin-1, in which each of them is a character.
const parts = (contentType: string, body: Uint8Array): ReadonlyArray<Part> => {
  const boundary = /^multipart\/form-data;.*\bboundary="?([^";]+)/i.exec(contentType)?.[1]
  if (boundary === undefined) return []
  return Array.from(body, (byte) => String.fromCharCode(byte))
    .join("")
    .split(`--${boundary}`)
    .slice(1, -1)
    .map((part) => {
      const end = part.indexOf("\r\n\r\n")
      const head = text(part.slice(0, end))
      return {
        name: /\bname="([^"]*)"/.exec(head)?.[1] ?? "",
        file: /\bfilename="([^"]*)"/.exec(head)?.[1],
        content: text(part.slice(end + 4, -2))
      }
    })
}

const text = (latin1: string): string =>
  utf8.decode(Uint8Array.from(latin1, (character) => character.charCodeAt(0)))

/**
 * The answer of `POST /v1/dataprep/get`.
 *
 * @since 0.1.0
 * @category constructors
 */
export const list = (documents: Documents) => (): Answered =>
  right(Array.from(documents.keys(), (name) => ({ name, id: name, type: "File", parent: "" })))

/**
 * The answer of `POST /v1/dataprep/delete`.
 *
 * @since 0.1.0
 * @category constructors
 */
export const remove =
  (documents: Documents) =>
  (call: Wire.Call): Answered => {
    const body: Fields.Json = Fields.isJson(call.body) ? call.body : {}
    const violation = Fields.object({ file_path: Fields.string() }, { open: true })(body)
    if (violation !== undefined) return Either.left(Wire.Failure.Invalid({ violation, body }))
    const path = Fields.stringOf(body["file_path"])
    if (path === "all") documents.clear()
    else if (!documents.delete(path)) return rejected(404, `File ${path} not found.`)
    return right({ status: true })
  }

const pieces = (documents: Documents): ReadonlyArray<{ readonly source: string; readonly text: string }> =>
  Array.from(documents).flatMap(([source, content]) =>
    content
      .split(/\n{2,}/)
      .filter((piece) => piece.trim() !== "")
      .map((text) => ({ source, text: text.trim() }))
  )

const likeness = (left: ReadonlyArray<number>, right: Float32Array): number =>
  left.reduce((sum, value, index) => sum + value * (right[index] ?? 0), 0)

const search = {
  search_type: Fields.optional(Fields.string()),
  k: Fields.optional(Fields.integer({ min: 1 })),
  distance_threshold: Fields.nullish(Fields.number()),
  fetch_k: Fields.optional(Fields.integer({ min: 1 })),
  lambda_mult: Fields.optional(Fields.number({ min: 0 })),
  score_threshold: Fields.optional(Fields.number({ min: 0 }))
}

const retrieval = Fields.object(
  { ...search, input: Fields.nullish(Fields.string()), embedding: Fields.array(Fields.number()) },
  { open: true }
)

/**
 * The answer of `POST /v1/retrieval`.
 *
 * @since 0.1.0
 * @category constructors
 */
export const retrieve =
  (documents: Documents) =>
  (call: Wire.Call): Answered => {
    const body: Fields.Json = Fields.isJson(call.body) ? call.body : {}
    const violation = retrieval(body)
    if (violation !== undefined) return Either.left(Wire.Failure.Invalid({ violation, body }))
    const near = Array.isArray(body["embedding"]) ? body["embedding"].map(Number) : []
    const found = pieces(documents)
      .map((piece) => ({ piece, likeness: likeness(near, Vector.of(piece.text, Math.max(1, near.length))) }))
      .sort((one, other) => other.likeness - one.likeness)
      .slice(0, typeof body["k"] === "number" ? body["k"] : 4)
    return right({
      retrieved_docs: found.map(({ piece: { source, text } }) => ({ text, metadata: { source } }))
    })
  }

const ranking = Fields.object(
  {
    input: Fields.string(),
    retrieved_docs: Fields.array(Fields.either(Fields.string(), Fields.object({ text: Fields.string() }, { open: true }))),
    top_n: Fields.optional(Fields.integer({ min: 1 }))
  },
  { open: true }
)

/**
 * The answer of `POST /v1/reranking`: without scores, if it is asked in the words of the service before it.
 *
 * @since 0.1.0
 * @category constructors
 */
export const rerank = (call: Wire.Call): Answered => {
  const given: Fields.Json = Fields.isJson(call.body) ? call.body : {}
  const chained = typeof given["initial_query"] === "string"
  const body = chained ? { ...given, input: given["initial_query"] } : given
  const violation = ranking(body)
  if (violation !== undefined) return Either.left(Wire.Failure.Invalid({ violation, body: given }))
  const query = Array.from(Vector.of(Fields.stringOf(body["input"]), 256))
  const texts = Array.isArray(body["retrieved_docs"])
    ? body["retrieved_docs"].map((one) => (Fields.isJson(one) ? Fields.stringOf(one["text"]) : Fields.stringOf(one)))
    : []
  const ranked = texts
    .map((text) => ({ text, score: likeness(query, Vector.of(text, 256)) }))
    .sort((one, other) => other.score - one.score)
    .slice(0, typeof body["top_n"] === "number" ? body["top_n"] : 1)
  return right(
    chained ? { query: body["input"], documents: ranked.map(({ text }) => text) } : { reranked_docs: ranked }
  )
}
