/**
 * What vLLM does with a model that pools: scores, classes, and vectors of each token; and the tokens of any model.
 *
 * @see https://docs.vllm.ai/en/latest/models/pooling_models/
 * @since 0.1.0
 */
import * as Either from "effect/Either"
import * as Fields from "./Fields.js"
import * as Models from "./Models.js"
import * as Request from "./OpenAiRequest.js"
import * as Ranking from "./Ranking.js"
import * as Seed from "./Seed.js"
import * as Tokens from "./Tokens.js"
import * as Vector from "./Vector.js"
import * as Wire from "./Wire.js"

const open = { open: true } as const

const string = Fields.string()

const texts = Fields.either(string, Fields.array(string, { min: 1 }))

const requests = {
  score: Fields.object({ model: Fields.nullish(string), text_1: texts, text_2: texts }, open),
  pooling: Fields.object({ model: Fields.nullish(string), input: texts }, open),
  tokenize: Fields.object({ prompt: string, return_token_strs: Fields.nullish(Fields.boolean) }, open),
  tokenizeChat: Fields.object({ messages: Fields.array(Fields.record, { min: 1 }) }, open),
  detokenize: Fields.object({ tokens: Fields.array(Fields.integer({ min: 0 })) }, open)
}

const listOf = (value: unknown): ReadonlyArray<string> =>
  Array.isArray(value) ? value.map(Fields.stringOf) : [Fields.stringOf(value)]

const count = (texts: ReadonlyArray<string>): number =>
  texts.reduce((sum, text) => sum + Math.max(1, Tokens.estimate(text.length)), 0)

/** A request of this form, for a model that pools. */
const read = (models: ReadonlyArray<Models.Model>, check: Fields.Check, call: Wire.Call) =>
  Either.gen(function* () {
    const body: Fields.Json = Fields.isJson(call.body) ? call.body : {}
    const model = yield* Request.model(models, body, "embedding")
    const violation = check(body)
    return violation === undefined
      ? { body, model }
      : yield* Either.left(Wire.Failure.Invalid({ violation, body }))
  })

const listed = (
  prefix: string,
  model: Models.Model,
  texts: ReadonlyArray<string>,
  call: Wire.Call,
  data: () => ReadonlyArray<Fields.Json>
): Wire.Answer => {
  const tokens = count(texts)
  return {
    input: tokens,
    output: 0,
    render: () =>
      Wire.json({
        id: `${prefix}-${Seed.identifier(call.id, 32, Seed.hexadecimal)}`,
        object: "list",
        created: Math.floor(call.now / 1000),
        model: model.snapshot,
        data: data().map((one, index) => ({ index, ...one })),
        usage: { prompt_tokens: tokens, total_tokens: tokens, completion_tokens: 0, prompt_tokens_details: null }
      })
  }
}

/**
 * The answer of `/score`: one text with many, or the first with the first and so on.
 *
 * @since 0.1.0
 * @category constructors
 */
export const score =
  (models: ReadonlyArray<Models.Model>): Wire.Route["answer"] =>
  (call) =>
    Either.gen(function* () {
      const { body, model } = yield* read(models, requests.score, call)
      const [queries, documents] = [listOf(body["text_1"]), listOf(body["text_2"])]
      if (queries.length !== 1 && queries.length !== documents.length) {
        return yield* Either.left(Wire.Failure.Rejected({ message: "Input lengths must be either 1:1, 1:N or N:N" }))
      }
      return listed("score", model, [...queries, ...documents], call, () =>
        documents.map((document, index) => ({
          object: "score",
          score: Ranking.score(queries[queries.length === 1 ? 0 : index] ?? "", document, model)
        }))
      )
    })

const labels = ["negative", "positive"]

/**
 * The answer of `/classify`.
 *
 * @since 0.1.0
 * @category constructors
 */
export const classify =
  (models: ReadonlyArray<Models.Model>): Wire.Route["answer"] =>
  (call) =>
    Either.map(read(models, requests.pooling, call), ({ body, model }) =>
      listed("classify", model, listOf(body["input"]), call, () =>
        listOf(body["input"]).map((text) => {
          const first = Seed.fraction(Seed.of(text))
          const probs = [first, 1 - first]
          return { label: labels[first > 0.5 ? 0 : 1], probs, num_classes: labels.length }
        })
      )
    )

/**
 * The answer of `/pooling`: the vector of each token.
 *
 * @since 0.1.0
 * @category constructors
 */
export const pooling =
  (models: ReadonlyArray<Models.Model>): Wire.Route["answer"] =>
  (call) =>
    Either.map(read(models, requests.pooling, call), ({ body, model }) =>
      listed("pool", model, listOf(body["input"]), call, () =>
        listOf(body["input"]).map((text) => ({
          object: "pooling",
          data: Tokens.cut(text).map((token) => Array.from(Vector.of(token, model.dimensions)))
        }))
      )
    )

/**
 * Numbers for tokens, which lead back to their text.
 *
 * @since 0.1.0
 * @category models
 */
export interface Vocabulary {
  readonly idOf: (token: string) => number
  readonly tokenOf: (id: number) => string | undefined
}

/**
 * A vocabulary that learns as it is asked.
 *
 * @since 0.1.0
 * @category constructors
 */
export const vocabulary = (): Vocabulary => {
  const tokens = new Map<number, string>()
  return {
    idOf: (token) => {
      let id = (Seed.of(token) >>> 0) % 150_000
      while ((tokens.get(id) ?? token) !== token) id++
      tokens.set(id, token)
      return id
    },
    tokenOf: (id) => tokens.get(id)
  }
}

const begin = "<|begin|>"

/**
 * The answer of `/tokenize`, for a text or a chat.
 *
 * @since 0.1.0
 * @category constructors
 */
export const tokenize =
  (models: ReadonlyArray<Models.Model>, { idOf }: Vocabulary): Wire.Route["answer"] =>
  ({ body: given }) =>
    Either.gen(function* () {
      const body: Fields.Json = Fields.isJson(given) ? given : {}
      const model = yield* named(models, body)
      const isChat = "messages" in body
      const violation = (isChat ? requests.tokenizeChat : requests.tokenize)(body)
      if (violation !== undefined) return yield* Either.left(Wire.Failure.Invalid({ violation, body }))
      const text = isChat
        ? Fields.objects(body["messages"])
            .map(({ content, role }) => `<|${Fields.stringOf(role)}|>${Fields.stringOf(content)}`)
            .join("\n")
        : Fields.stringOf(body["prompt"])
      const special = body["add_special_tokens"] ?? !isChat
      const tokens = [...(special === true ? [begin] : []), ...Tokens.cut(text)]
      return Wire.free({
        count: tokens.length,
        max_model_len: model.context,
        tokens: tokens.map(idOf),
        token_strs: body["return_token_strs"] === true ? tokens : null
      })
    })

/**
 * The answer of `/detokenize`.
 *
 * @since 0.1.0
 * @category constructors
 */
export const detokenize =
  (models: ReadonlyArray<Models.Model>, { tokenOf }: Vocabulary): Wire.Route["answer"] =>
  ({ body: given }) =>
    Either.gen(function* () {
      const body: Fields.Json = Fields.isJson(given) ? given : {}
      yield* named(models, body)
      const violation = requests.detokenize(body)
      if (violation !== undefined) return yield* Either.left(Wire.Failure.Invalid({ violation, body }))
      const ids: ReadonlyArray<number> = Array.isArray(body["tokens"]) ? body["tokens"] : []
      const tokens = ids.map(tokenOf)
      return tokens.includes(undefined)
        ? yield* Either.left(Wire.Failure.Rejected({ message: "Token id out of vocabulary" }))
        : Wire.free({ prompt: tokens.filter((token) => token !== begin).join("") })
    })

/** The model that is named, of any kind; the first where none is. */
const named = (models: ReadonlyArray<Models.Model>, body: Fields.Json): Either.Either<Models.Model, Wire.Failure> => {
  const name = body["model"]
  const model = typeof name === "string" ? Wire.find(models, name) : models[0]
  return Either.fromNullable(model, () => Wire.Failure.NoModel({ model: Fields.stringOf(name) }))
}
