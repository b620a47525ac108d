/**
 * What TEI takes for a request: the form of its fields, and the limits that it keeps.
 *
 * @see https://huggingface.github.io/text-embeddings-inference/
 * @since 0.1.0
 */
import * as Either from "effect/Either"
import * as Fields from "./Fields.js"
import * as Tokens from "./Tokens.js"
import * as Wire from "./Wire.js"

const string = Fields.string()
const strings = Fields.array(string)
const ids = Fields.array(Fields.integer({ min: 0 }))
const flag = Fields.optional(Fields.boolean)
const text = Fields.nullish(string)
const dimensions = Fields.nullish(Fields.integer({ min: 0 }))
const open = { open: true } as const

const truncation = {
  truncate: Fields.nullish(Fields.boolean),
  truncation_direction: Fields.optional(Fields.oneOf("Left", "Right", "left", "right"))
}

// One text, or the tokens of one, or a list of such.
const input = Fields.either(string, Fields.array(Fields.either(string, Fields.integer({ min: 0 }), ids)))

/**
 * The form of the requests. Members that it does not know, TEI passes over.
 *
 * @since 0.1.0
 * @category constructors
 */
export const requests = {
  embed: Fields.object({ inputs: input, ...truncation, prompt_name: text, normalize: flag, dimensions }, open),
  embedAll: Fields.object({ inputs: input, ...truncation, prompt_name: text }, open),
  openAi: Fields.object(
    {
      input,
      model: text,
      user: text,
      encoding_format: Fields.optional(Fields.oneOf("float", "base64")),
      dimensions
    },
    open
  ),
  rerank: Fields.object({ query: string, texts: strings, ...truncation, raw_scores: flag, return_text: flag }, open),
  predict: Fields.object(
    { inputs: Fields.either(string, Fields.array(Fields.either(string, strings))), ...truncation, raw_scores: flag },
    open
  ),
  similarity: Fields.object(
    {
      inputs: Fields.object({ source_sentence: string, sentences: strings }, open),
      parameters: Fields.nullish(Fields.object({ ...truncation, prompt_name: text }, open))
    },
    open
  ),
  tokenize: Fields.object(
    { inputs: Fields.either(string, strings), add_special_tokens: flag, prompt_name: text },
    open
  ),
  decode: Fields.object(
    { ids: Fields.array(Fields.either(Fields.integer({ min: 0 }), ids)), skip_special_tokens: flag },
    open
  )
}

/**
 * What the server says of itself, which is also what it is held to.
 *
 * @since 0.1.0
 * @category constants
 */
export const limits = {
  max_concurrent_requests: 512,
  max_input_length: 512,
  max_batch_tokens: 16_384,
  max_batch_requests: null,
  max_client_batch_size: 32,
  auto_truncate: false,
  tokenization_workers: 2
}

/**
 * The prompts that the model has of its own.
 *
 * @since 0.1.0
 * @category constants
 */
export const prompts: ReadonlyMap<string, string> = new Map([
  ["query", "query: "],
  ["passage", "passage: "]
])

/**
 * The body of a request that has the form.
 *
 * @since 0.1.0
 * @category accessors
 */
export const read = (check: Fields.Check, call: Wire.Call): Either.Either<Fields.Json, Wire.Failure> => {
  const body: Fields.Json = Fields.isJson(call.body) ? call.body : {}
  const violation = check(body)
  return violation === undefined ? Either.right(body) : Either.left(Wire.Failure.Invalid({ violation, body }))
}

/**
 * A refusal in TEI's words; `type` is large, as the server writes it.
 *
 * @since 0.1.0
 * @category constructors
 */
export const refused = (status: number, type: string, message: string): Wire.Failure =>
  Wire.Failure.Rejected({ status, code: type, message })

/**
 * Texts that are not too many, nor none at all.
 *
 * @since 0.1.0
 * @category accessors
 */
export const batch = <A>(
  name: string,
  all: ReadonlyArray<A>,
  reserved = 0
): Either.Either<ReadonlyArray<A>, Wire.Failure> => {
  const size = all.length + reserved
  return all.length === 0
    ? Either.left(refused(400, "Empty", `\`${name}\` cannot be empty`))
    : size > limits.max_client_batch_size
      ? Either.left(
          refused(
            422,
            "Validation",
            `batch size ${size} > maximum allowed batch size ${limits.max_client_batch_size}`
          )
        )
      : Either.right(all)
}

/** Tokens in place of a text are a text of their numbers. */
const textOf = (one: unknown): string => (Array.isArray(one) ? one.join(" ") : Fields.stringOf(one))

/**
 * The texts of a request, whatever form they have: one, a list, or tokens in their place.
 *
 * @since 0.1.0
 * @category conversions
 */
export const texts = (name: string, given: unknown): Either.Either<ReadonlyArray<string>, Wire.Failure> =>
  typeof given === "string"
    ? Either.right([given])
    : !Array.isArray(given)
      ? Either.right([])
      : typeof given[0] === "number"
        ? Either.right([given.join(" ")])
        : batch(name, given.map(textOf))

/**
 * A text as the model gets it: after its prompt, and cut where it is too long and may be.
 *
 * @since 0.1.0
 * @category conversions
 */
export const prepared = (text: string, how: Fields.Json): Either.Either<string, Wire.Failure> => {
  const name = how["prompt_name"]
  const prompt = typeof name === "string" ? prompts.get(name) : ""
  if (prompt === undefined) {
    return Either.left(
      refused(
        422,
        "Validation",
        `Input validation error: \`default-prompt-name\` is set to \`${Fields.stringOf(name)}\` but it was not found in ` +
          `the Sentence Transformers prompts. Available prompts: ${JSON.stringify([...prompts.keys()])}`
      )
    )
  }
  const whole = prompt + text
  if (whole === "") return Either.left(refused(400, "Empty", "Input validation error: `inputs` cannot be empty"))
  const tokens = Tokens.estimate(whole.length)
  if (tokens <= limits.max_input_length) return Either.right(whole)
  if (how["truncate"] !== true) {
    return Either.left(
      refused(
        422,
        "Validation",
        `Input validation error: \`inputs\` must have less than ${limits.max_input_length} tokens. Given: ${tokens}`
      )
    )
  }
  const most = limits.max_input_length * 4
  return Either.right(
    Fields.stringOf(how["truncation_direction"]).toLowerCase() === "left" ? whole.slice(-most) : whole.slice(0, most)
  )
}
