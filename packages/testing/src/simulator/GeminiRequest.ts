/**
 * What Gemini takes for a request, and how it says what is wrong with one: in the names of its protocol buffers.
 *
 * @see https://ai.google.dev/api/generate-content
 * @since 0.1.0
 */
import * as Fields from "./Fields.js"

const string = Fields.string()

const optional = Fields.nullish

const strings = optional(Fields.array(string))

const part = Fields.object({
  text: optional(string),
  thought: optional(Fields.boolean),
  thoughtSignature: optional(string),
  inlineData: optional(Fields.object({ mimeType: optional(string), data: optional(string) })),
  fileData: optional(Fields.object({ mimeType: optional(string), fileUri: optional(string) })),
  functionCall: optional(
    Fields.object({ id: optional(string), name: optional(string), args: optional(Fields.record) })
  ),
  functionResponse: optional(
    Fields.object({ id: optional(string), name: optional(string), response: optional(Fields.record) }, { open: true })
  ),
  executableCode: optional(Fields.record),
  codeExecutionResult: optional(Fields.record),
  videoMetadata: optional(Fields.record),
  mediaResolution: optional(Fields.record),
  partMetadata: optional(Fields.record)
})

const content = Fields.object({ role: optional(string), parts: optional(Fields.array(part)) })

const declaration = Fields.object({
  name: optional(string),
  description: optional(string),
  parameters: optional(Fields.record),
  parametersJsonSchema: optional(Fields.any),
  response: optional(Fields.record),
  responseJsonSchema: optional(Fields.any),
  behavior: optional(string)
})

const tool = Fields.object({
  functionDeclarations: optional(Fields.array(declaration)),
  googleSearch: optional(Fields.record),
  googleSearchRetrieval: optional(Fields.record),
  googleMaps: optional(Fields.record),
  urlContext: optional(Fields.record),
  codeExecution: optional(Fields.record),
  computerUse: optional(Fields.record),
  fileSearch: optional(Fields.record)
})

const modes = ["MODE_UNSPECIFIED", "AUTO", "ANY", "NONE", "VALIDATED"]

const toolConfig = Fields.object({
  functionCallingConfig: optional(
    Fields.object({ mode: optional(Fields.oneOf(...modes)), allowedFunctionNames: strings })
  ),
  retrievalConfig: optional(Fields.record),
  includeServerSideToolInvocations: optional(Fields.boolean)
})

const levels = ["MINIMAL", "LOW", "MEDIUM", "HIGH"]

const generationConfig = Fields.object({
  candidateCount: optional(Fields.integer()),
  stopSequences: strings,
  maxOutputTokens: optional(Fields.integer()),
  temperature: optional(Fields.number()),
  topP: optional(Fields.number()),
  topK: optional(Fields.number()),
  seed: optional(Fields.integer()),
  responseMimeType: optional(string),
  responseSchema: optional(Fields.record),
  responseJsonSchema: optional(Fields.any),
  presencePenalty: optional(Fields.number()),
  frequencyPenalty: optional(Fields.number()),
  responseLogprobs: optional(Fields.boolean),
  logprobs: optional(Fields.integer()),
  enableEnhancedCivicAnswers: optional(Fields.boolean),
  responseModalities: strings,
  speechConfig: optional(Fields.record),
  imageConfig: optional(Fields.record),
  mediaResolution: optional(string),
  thinkingConfig: optional(
    Fields.object({
      includeThoughts: optional(Fields.boolean),
      thinkingBudget: optional(Fields.integer()),
      thinkingLevel: optional(Fields.oneOf(...levels, ...levels.map((level) => level.toLowerCase())))
    })
  )
})

const generate = {
  contents: optional(Fields.array(content)),
  systemInstruction: optional(content),
  tools: optional(Fields.array(tool)),
  toolConfig: optional(toolConfig),
  safetySettings: optional(Fields.array(Fields.object({ category: optional(string), threshold: optional(string) }))),
  generationConfig: optional(generationConfig),
  cachedContent: optional(string),
  serviceTier: optional(string)
}

const embed = Fields.object({
  model: optional(string),
  content: optional(content),
  taskType: optional(string),
  title: optional(string),
  outputDimensionality: optional(Fields.integer())
})

/**
 * The form of the requests. What it does not know, Gemini refuses.
 *
 * @since 0.1.0
 * @category constructors
 */
export const requests = {
  generateContent: Fields.object({ ...generate, model: optional(string) }),
  countTokens: Fields.object({
    contents: generate.contents,
    generateContentRequest: optional(Fields.object({ ...generate, model: optional(string) }))
  }),
  embedContent: embed,
  batchEmbedContents: Fields.object({ requests: optional(Fields.array(embed)) }),
  createCache: Fields.object({
    model: optional(string),
    displayName: optional(string),
    contents: generate.contents,
    systemInstruction: generate.systemInstruction,
    tools: generate.tools,
    toolConfig: generate.toolConfig,
    ttl: optional(string),
    expireTime: optional(string)
  }),
  updateCache: Fields.object({ ttl: optional(string), expireTime: optional(string) })
}

// What the caller's own fields are called is the caller's business.
const opaque = new Set([
  "args",
  "response",
  "parameters",
  "parametersJsonSchema",
  "responseSchema",
  "responseJsonSchema",
  "partMetadata"
])

/**
 * A request with all its names in camel case: Gemini takes them in snake case too.
 *
 * @since 0.1.0
 * @category conversions
 */
export const camel = (value: unknown): unknown =>
  Array.isArray(value)
    ? value.map(camel)
    : Fields.isJson(value)
      ? Object.fromEntries(
          Object.entries(value).map(([key, one]) => {
            const name = key.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase())
            return [name, opaque.has(name) ? one : camel(one)]
          })
        )
      : value

const types: { readonly [K in Fields.Kind]: string } = {
  string: "TYPE_STRING",
  number: "TYPE_FLOAT",
  integer: "TYPE_INT32",
  boolean: "TYPE_BOOL",
  array: "list",
  object: "object",
  null: "null"
}

const snake = (name: string): string => name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)

/**
 * A path into a request, in the names of the protocol buffers: `generation_config.top_p`.
 *
 * @since 0.1.0
 * @category conversions
 */
export const place = (path: ReadonlyArray<string | number>): string =>
  path.reduce<string>(
    (text, step) => (typeof step === "number" ? `${text}[${step}]` : `${text}${text === "" ? "" : "."}${snake(step)}`),
    ""
  )

/**
 * What is wrong with a field, as the service says it, and the field.
 *
 * @since 0.1.0
 * @category conversions
 */
export const explained = ({ expected, got, path, problem }: Fields.Violation) => {
  const at = place(path)
  if (problem === "Unknown") {
    const parent = place(path.slice(0, -1))
    const where = parent === "" ? "" : ` at '${parent}'`
    const message = `Invalid JSON payload received. Unknown name "${String(path.at(-1))}"${where}: Cannot find field.`
    return { message, field: parent }
  }
  const [kind] = expected
  const type = problem === "Value" ? "TYPE_ENUM" : (types[(kind ?? "string") as Fields.Kind] ?? kind)
  return { message: `Invalid value at '${at}' (${type}), ${JSON.stringify(got)}`, field: at }
}
