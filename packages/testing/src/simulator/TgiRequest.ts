/**
 * What TGI takes for a request: the form of its fields, and its rules beyond that.
 *
 * @see https://huggingface.github.io/text-generation-inference/
 * @since 0.1.0
 */
import * as Either from "effect/Either"
import * as Fields from "./Fields.js"
import * as Tokens from "./Tokens.js"
import * as Wire from "./Wire.js"

const string = Fields.string()
const text = Fields.nullish(string)
const number = Fields.nullish(Fields.number())
const whole = Fields.nullish(Fields.integer({ min: 0 }))
const flag = Fields.nullish(Fields.boolean)

const open = { open: true } as const

const grammar = Fields.nullish(
  Fields.tagged("type", {
    json: Fields.object({ type: Fields.any, value: Fields.either(string, Fields.record) }, open),
    json_object: Fields.object({ type: Fields.any, value: Fields.either(string, Fields.record) }, open),
    regex: Fields.object({ type: Fields.any, value: string }, open),
    json_schema: Fields.object(
      { type: Fields.any, value: Fields.object({ name: text, schema: Fields.record }, open) },
      open
    )
  })
)

const part = Fields.tagged("type", {
  text: Fields.object({ type: Fields.any, text: string }, open),
  image_url: Fields.object({ type: Fields.any, image_url: Fields.object({ url: string }, open) }, open)
})

const toolCall = Fields.object(
  {
    id: string,
    type: string,
    function: Fields.object({ name: string, arguments: Fields.any, description: text }, open)
  },
  open
)

const message = Fields.object(
  {
    role: string,
    name: text,
    content: Fields.nullish(Fields.either(string, Fields.array(part))),
    tool_calls: Fields.nullish(Fields.array(toolCall))
  },
  open
)

const parameters = Fields.object(
  {
    best_of: whole,
    temperature: number,
    repetition_penalty: number,
    frequency_penalty: number,
    top_k: Fields.nullish(Fields.integer()),
    top_p: number,
    typical_p: number,
    do_sample: Fields.optional(Fields.boolean),
    max_new_tokens: whole,
    return_full_text: flag,
    stop: Fields.optional(Fields.array(string)),
    truncate: whole,
    watermark: Fields.optional(Fields.boolean),
    details: Fields.optional(Fields.boolean),
    decoder_input_details: Fields.optional(Fields.boolean),
    seed: whole,
    top_n_tokens: whole,
    grammar,
    adapter_id: text
  },
  open
)

/**
 * The form of the requests. Members that it does not know, TGI passes over.
 *
 * @since 0.1.0
 * @category constructors
 */
export const requests = {
  chat: Fields.object(
    {
      model: text,
      messages: Fields.array(message),
      frequency_penalty: number,
      presence_penalty: number,
      logprobs: flag,
      top_logprobs: whole,
      max_tokens: whole,
      n: whole,
      stop: Fields.nullish(Fields.array(string)),
      stream: Fields.optional(Fields.boolean),
      stream_options: Fields.nullish(Fields.object({ include_usage: Fields.optional(Fields.boolean) }, open)),
      seed: whole,
      temperature: number,
      top_p: number,
      tools: Fields.nullish(
        Fields.array(
          Fields.object({ type: string, function: Fields.object({ name: string, description: text }, open) }, open)
        )
      ),
      tool_choice: Fields.nullish(
        Fields.either(string, Fields.object({ function: Fields.object({ name: string }, open) }, open))
      ),
      tool_prompt: text,
      response_format: grammar
    },
    open
  ),
  generate: Fields.object({ inputs: string, parameters: Fields.optional(parameters) }, open)
}

/**
 * What the server says of itself, which is also what it is held to.
 *
 * @since 0.1.0
 * @category constants
 */
export const limits = {
  max_concurrent_requests: 128,
  max_best_of: 2,
  max_stop_sequences: 4,
  max_input_tokens: 8191,
  max_total_tokens: 8192,
  validation_workers: 2,
  max_client_batch_size: 4
}

const refused = (type: string, message: string) => Wire.Failure.Rejected({ status: 422, code: type, message })

const invalid = (message: string) => refused("validation", `Input validation error: ${message}`)

/**
 * What stands in a chat's way before it is templated: these errors have a true status also where a stream was wanted.
 *
 * @since 0.1.0
 * @category conversions
 */
export const untemplated = (body: Fields.Json): Wire.Failure | undefined => {
  const tools = Fields.objects(body["tools"])
  if (Fields.isJson(body["response_format"]) && Array.isArray(body["tools"])) {
    return refused("tool_error", "Tool error: Grammar and tools are mutually exclusive")
  }
  const choice = chosen(body["tool_choice"])
  const names = tools.map((tool) => (Fields.isJson(tool["function"]) ? tool["function"]["name"] : undefined))
  return choice === undefined || tools.length === 0 || names.includes(choice)
    ? undefined
    : refused("tool_error", `Tool error: Tool with name ${choice} not found`)
}

const words = ["auto", "none", "required"]

/**
 * The tool that must be called, if there is one; any other word than three is the name of one.
 *
 * @since 0.1.0
 * @category accessors
 */
export const chosen = (choice: unknown): string | undefined => {
  const named = Fields.isJson(choice) ? choice["function"] : undefined
  return Fields.isJson(named)
    ? Fields.stringOf(named["name"])
    : typeof choice === "string" && !words.includes(choice)
      ? choice
      : undefined
}

/**
 * What is wrong with how a text is to be generated. `given` are the parameters as `/generate` names them.
 *
 * @since 0.1.0
 * @category conversions
 */
export const broken = (inputs: string, given: Fields.Json, streamed: boolean): Wire.Failure | undefined => {
  const value = (name: string) => (typeof given[name] === "number" ? given[name] : undefined)
  const bestOf = value("best_of") ?? 1
  if (streamed && bestOf !== 1) return invalid("`best_of` != 1 is not supported when streaming tokens")
  if (streamed && given["decoder_input_details"] === true) {
    return invalid("`decoder_input_details` == true is not supported when streaming tokens")
  }
  if (bestOf > limits.max_best_of || bestOf === 0) {
    return invalid(`\`best_of\` must be > 0 and <= ${limits.max_best_of}. Given: ${bestOf}`)
  }
  const samples = ["temperature", "top_k", "top_p", "typical_p"].some((name) => value(name) !== undefined)
  if (bestOf > 1 && given["do_sample"] !== true && !samples) {
    return invalid("you must use sampling when `best_of` is > 1")
  }
  if (bestOf > 1 && value("seed") !== undefined) return invalid("`seed` must not be set when `best_of` > 1")
  const range = ranges.find(([name, fits]) => !fits(value(name) ?? 1))
  if (range !== undefined) return invalid(range[2])
  if (Math.abs(value("frequency_penalty") ?? 0) > 2) return invalid("`frequency_penalty` must be >= -2.0 and <= 2.0")
  const stop = Array.isArray(given["stop"]) ? given["stop"].length : 0
  if (stop > limits.max_stop_sequences) {
    return invalid(`\`stop\` supports up to ${limits.max_stop_sequences} stop sequences. Given: ${stop}`)
  }
  if (inputs === "") return invalid("`inputs` cannot be empty")
  return tooLong(inputs, value("truncate"), value("max_new_tokens")) ?? grammatical(given["grammar"])
}

const between = (value: number) => value > 0 && value <= 1

const ranges: ReadonlyArray<readonly [string, (value: number) => boolean, string]> = [
  ["temperature", (value) => value > 0, "`temperature` must be strictly positive"],
  ["repetition_penalty", (value) => value > 0, "`repetition_penalty` must be strictly positive"],
  ["top_p", between, "`top_p` must be > 0.0 and < 1.0"],
  ["typical_p", between, "`typical_p` must be > 0.0 and < 1.0"],
  ["top_k", (value) => value > 0, "`top_k` must be strictly positive"],
  ["max_new_tokens", (value) => value > 0, "`max_new_tokens` must be strictly positive"]
]

const tooLong = (
  inputs: string,
  truncate: number | undefined,
  wanted: number | undefined
): Wire.Failure | undefined => {
  const tokens = Math.min(Tokens.estimate(inputs.length), truncate ?? Infinity)
  if (tokens > limits.max_input_tokens) {
    return invalid(`\`inputs\` must have less than ${limits.max_input_tokens} tokens. Given: ${tokens}`)
  }
  return tokens + (wanted ?? 0) > limits.max_total_tokens
    ? invalid(
        `\`inputs\` tokens + \`max_new_tokens\` must be <= ${limits.max_total_tokens}. ` +
          `Given: ${tokens} \`inputs\` tokens and ${wanted} \`max_new_tokens\``
      )
    : undefined
}

const grammatical = (given: unknown): Wire.Failure | undefined => {
  const kept = form(given)
  if (kept === undefined) return undefined
  if (kept._tag === "Regex") {
    return match(kept.pattern) === undefined
      ? invalid("grammar is not valid: the simulator knows no text that matches it")
      : undefined
  }
  return Fields.isJson(kept.schema) && "properties" in kept.schema
    ? undefined
    : invalid("grammar is not valid: Grammar must have a 'properties' field")
}

/**
 * The form that an answer must have.
 *
 * @since 0.1.0
 * @category models
 */
export type Form =
  | { readonly _tag: "Json"; readonly schema: unknown }
  | { readonly _tag: "Regex"; readonly pattern: string }

/**
 * The form that a grammar asks for. A schema may be written as a text.
 *
 * @since 0.1.0
 * @category conversions
 */
export const form = (given: unknown): Form | undefined => {
  if (!Fields.isJson(given)) return undefined
  const value = given["value"]
  if (given["type"] === "regex") return { _tag: "Regex", pattern: Fields.stringOf(value) }
  if (given["type"] === "json_schema") {
    return { _tag: "Json", schema: Fields.isJson(value) ? value["schema"] : undefined }
  }
  return { _tag: "Json", schema: typeof value === "string" ? parsed(value) : value }
}

const parsed = (text: string): unknown => Either.getOrUndefined(Either.try((): unknown => JSON.parse(text)))

// No text is made from a pattern: one of these is found that it matches.
const samples = [
  ...["yes", "no", "42", "7", "3.14", "2026-11-24", "12:30"],
  ...["127.0.0.1", "#00ff00", "a@example.com", "word", "A"]
]

/**
 * A text that matches a regular expression, if one is known.
 *
 * @since 0.1.0
 * @category conversions
 */
export const match = (pattern: string): string | undefined => {
  const whole = Either.try(() => new RegExp(`^(?:${pattern})$`))
  return Either.isLeft(whole) ? undefined : samples.find((sample) => whole.right.test(sample))
}
