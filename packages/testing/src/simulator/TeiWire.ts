/**
 * Hugging Face's TEI, started with a key: a server of one model, whatever name a request gives it. A real one either
 * embeds, ranks or classifies; this one does all of it.
 *
 * @see https://huggingface.co/docs/text-embeddings-inference
 * @since 0.1.0
 */
import * as Either from "effect/Either"
import * as Fields from "./Fields.js"
import * as HuggingFace from "./HuggingFace.js"
import * as Models from "./Models.js"
import * as Seed from "./Seed.js"
import * as Refusal from "./TeiRefusal.js"
import * as Request from "./TeiRequest.js"
import * as Tokens from "./Tokens.js"
import * as Vector from "./Vector.js"
import * as Wire from "./Wire.js"

/**
 * The wire. It has one model, which answers to every name.
 *
 * @since 0.1.0
 * @category constructors
 */
export const make = (): Wire.Wire => ({
  ...HuggingFace.server,
  name: "tei",
  baseUrl: "/tei",
  variables: { baseUrl: "TEI_BASE_URL", key: HuggingFace.key },
  refuse: Refusal.refuse,
  // nothing here is streamed
  streamError: () => "",
  routes: [
    HuggingFace.post("/embed", embed),
    HuggingFace.post("/embed_all", embedAll),
    HuggingFace.post("/embed_sparse", embedSparse),
    HuggingFace.post("/v1/embeddings", openAi),
    HuggingFace.post("/embeddings", openAi),
    HuggingFace.post("/rerank", rerank),
    HuggingFace.post("/predict", predict),
    HuggingFace.post("/similarity", similarity),
    { method: "POST", path: "/tokenize", answer: tokenize },
    { method: "POST", path: "/decode", answer: decode },
    { method: "GET", path: "/info", answer: () => Either.right(Wire.free(info)) },
    ...HuggingFace.health
  ]
})

const model = Models.make("BAAI/bge-small-en-v1.5", { kind: "embedding", owner: "BAAI", context: 512, dimensions: 384 })

const labels = ["LABEL_0", "LABEL_1"]

const info = {
  model_id: model.id,
  model_sha: null,
  model_dtype: "float32",
  served_model_name: model.id,
  model_type: { embedding: { pooling: "cls" } },
  ...Request.limits,
  version: "1.9.3",
  sha: null,
  docker_label: "simulator"
}

const count = (texts: ReadonlyArray<string>): number =>
  texts.reduce((sum, text) => sum + Math.max(1, Tokens.estimate(text.length)), 0)

/** An answer, with the headers in which it tells what it took. */
const told = (texts: ReadonlyArray<string>, call: Wire.Call, render: () => string): Wire.Answer => {
  const tokens = count(texts)
  return {
    input: tokens,
    output: 0,
    render: () => ({
      _tag: "Whole",
      contentType: "application/json",
      content: render(),
      headers: {
        "x-compute-type": "simulator",
        "x-compute-time": call.latencyMillis.toString(),
        "x-compute-characters": texts.reduce((sum, text) => sum + text.length, 0).toString(),
        "x-compute-tokens": tokens.toString()
      }
    })
  }
}

/** The texts of a request as the model gets them, and what it makes of each. */
const each = (
  check: Fields.Check,
  member: "inputs" | "input",
  make: (text: string, body: Fields.Json, index: number) => string,
  around = (list: string, _texts: ReadonlyArray<string>): string => `[${list}]`
): Wire.Route["answer"] => (call) =>
  Either.gen(function* () {
    const body = yield* Request.read(check, call)
    const given = yield* Request.texts(member, body[member])
    const texts = yield* Either.all(given.map((text) => Request.prepared(text, body)))
    return told(texts, call, () => around(texts.map((text, index) => make(text, body, index)).join(","), texts))
  })

const dimensionsOf = (body: Fields.Json): number =>
  typeof body["dimensions"] === "number" && body["dimensions"] > 0
    ? Math.min(body["dimensions"], model.dimensions)
    : model.dimensions

const embed = each(Request.requests.embed, "inputs", (text, body) => {
  const vector = Vector.of(text, dimensionsOf(body))
  return Vector.toJson(body["normalize"] === false ? vector.map((value) => 3 * value) : vector)
})

const embedAll = each(
  Request.requests.embedAll,
  "inputs",
  (text) =>
    `[${["[CLS]", ...Tokens.cut(text)].map((one) => Vector.toJson(Vector.of(one, model.dimensions))).join(",")}]`
)

const embedSparse = each(Request.requests.embedAll, "inputs", (text) =>
  JSON.stringify(
    [...new Set(text.toLowerCase().match(/[\p{L}\p{N}]+/gu) ?? [])]
      .map((word) => ({ index: (Seed.of(word) >>> 0) % 30_522, value: 0.5 + Seed.fraction(Seed.of(word)) }))
      .toSorted((one, other) => one.index - other.index)
  )
)

const openAi = each(
  Request.requests.openAi,
  "input",
  (text, body, index) => {
    const vector = Vector.of(text, dimensionsOf(body))
    const written = body["encoding_format"] === "base64" ? `"${Vector.toBase64(vector)}"` : Vector.toJson(vector)
    return `{"object":"embedding","embedding":${written},"index":${index}}`
  },
  (list, texts) => {
    const tokens = count(texts)
    const usage = JSON.stringify({ prompt_tokens: tokens, total_tokens: tokens })
    return `{"object":"list","data":[${list}],"model":${JSON.stringify(model.id)},"usage":${usage}}`
  }
)

const likeness = (one: string, other: string): number =>
  Vector.cosine(Vector.of(one, model.dimensions), Vector.of(other, model.dimensions))

const sigmoid = (value: number): number => 1 / (1 + Math.exp(-value))

// A ranking model gives a number of any size, and is asked for one between 0 and 1.
const scoreOf = (raw: number, body: Fields.Json): number => (body["raw_scores"] === true ? raw : sigmoid(raw))

const rerank: Wire.Route["answer"] = (call) =>
  Either.gen(function* () {
    const body = yield* Request.read(Request.requests.rerank, call)
    const query = Fields.stringOf(body["query"])
    const given = yield* Request.batch("texts", Array.isArray(body["texts"]) ? body["texts"].map(Fields.stringOf) : [])
    const texts = yield* Either.all(given.map((text) => Request.prepared(`${query} ${text}`, body)))
    return told(texts, call, () =>
      JSON.stringify(
        given
          .map((text, index) => ({
            index,
            ...(body["return_text"] === true ? { text } : {}),
            score: scoreOf(10 * likeness(query, text) - 5, body)
          }))
          .toSorted((one, other) => other.score - one.score)
      )
    )
  })

type Sequence = string | readonly [string, string]

const sequences = (inputs: unknown): Either.Either<ReadonlyArray<Sequence>, Wire.Failure> => {
  if (typeof inputs === "string") return Either.right([inputs])
  const all: ReadonlyArray<unknown> = Array.isArray(inputs) ? inputs : []
  // a list of texts is one text, or a pair; only a list of lists is a batch
  const single = all.every((one) => typeof one === "string")
  const read = (single ? [all] : all).map((one): Sequence | undefined => {
    const [first, second, third] = Array.isArray(one) ? one.map(Fields.stringOf) : []
    return first === undefined || third !== undefined ? undefined : second === undefined ? first : [first, second]
  })
  const known = read.filter((one) => one !== undefined)
  return known.length < read.length || all.length === 0
    ? Either.left(
        Wire.Failure.Invalid({
          violation: {
            path: ["inputs"],
            problem: "Type",
            expected: ["a string, a pair of strings or a batch of mixed strings and pairs"],
            got: inputs
          },
          body: inputs
        })
      )
    : single
      ? Either.right(known)
      : Request.batch("inputs", known)
}

const predict: Wire.Route["answer"] = (call) =>
  Either.gen(function* () {
    const body = yield* Request.read(Request.requests.predict, call)
    const given = yield* sequences(body["inputs"])
    const texts = yield* Either.all(
      given.map((one) => Request.prepared(typeof one === "string" ? one : one.join(" "), body))
    )
    const isBatch = Array.isArray(body["inputs"]) && Array.isArray(body["inputs"][0])
    return told(texts, call, () => {
      const predictions = texts.map((text) => {
        const raw = labels.map((label) => ({ label, raw: 4 * Seed.fraction(Seed.of(`${label} ${text}`)) }))
        const sum = raw.reduce((sum, one) => sum + Math.exp(one.raw), 0)
        return raw
          .map(({ label, raw }) => ({ score: body["raw_scores"] === true ? raw : Math.exp(raw) / sum, label }))
          .toSorted((one, other) => other.score - one.score)
      })
      return JSON.stringify(isBatch ? predictions : predictions[0])
    })
  })

const similarity: Wire.Route["answer"] = (call) =>
  Either.gen(function* () {
    const body = yield* Request.read(Request.requests.similarity, call)
    const { sentences, source_sentence }: Fields.Json = Fields.isJson(body["inputs"]) ? body["inputs"] : {}
    const how = Fields.isJson(body["parameters"]) ? body["parameters"] : {}
    const all = Array.isArray(sentences) ? sentences.map(Fields.stringOf) : []
    const given = yield* Request.batch("inputs.sentences", all, 1)
    const source = yield* Request.prepared(Fields.stringOf(source_sentence), how)
    const texts = yield* Either.all(given.map((text) => Request.prepared(text, how)))
    return told([source, ...texts], call, () => JSON.stringify(texts.map((text) => likeness(source, text))))
  })

// Every character is a token, whose number tells it again.
const first = 1000

const mark = (id: number, text: string) => ({ id, text, special: true, start: null, stop: null })

const marks: ReadonlyMap<number, string> = new Map([
  [101, "[CLS]"],
  [102, "[SEP]"]
])

const tokenize: Wire.Route["answer"] = (call) =>
  Either.gen(function* () {
    const body = yield* Request.read(Request.requests.tokenize, call)
    const given = yield* Request.texts("inputs", body["inputs"])
    const marked = body["add_special_tokens"] !== false
    return Wire.free(
      given.map((text) => {
        const tokens = Array.from(text, (character, start) => ({
          id: first + (character.codePointAt(0) ?? 0),
          text: character,
          special: false,
          start,
          stop: start + 1
        }))
        return marked ? [mark(101, "[CLS]"), ...tokens, mark(102, "[SEP]")] : tokens
      })
    )
  })

const decode: Wire.Route["answer"] = (call) =>
  Either.gen(function* () {
    const body = yield* Request.read(Request.requests.decode, call)
    const ids: ReadonlyArray<unknown> = Array.isArray(body["ids"]) ? body["ids"] : []
    const given = typeof ids[0] === "number" ? [ids] : yield* Request.batch("ids", ids)
    const skips = body["skip_special_tokens"] !== false
    return Wire.free(
      given.map((list) =>
        (Array.isArray(list) ? list : [])
          .map((id) =>
            id >= first && id < first + 0x110000
              ? String.fromCodePoint(id - first)
              : skips
                ? ""
                : (marks.get(id) ?? "[UNK]")
          )
          .join("")
      )
    )
  })
