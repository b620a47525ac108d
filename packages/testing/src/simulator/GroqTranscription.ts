/**
 * Speech written down, as Groq does it; what is said tells what was sent, since nobody listens.
 *
 * @see https://console.groq.com/docs/speech-to-text
 * @since 0.1.0
 */
import * as Either from "effect/Either"
import * as Form from "./Form.js"
import * as Models from "./Models.js"
import * as Wire from "./Wire.js"

/**
 * The models that listen.
 *
 * @since 0.1.0
 * @category constants
 */
export const models: ReadonlyArray<Models.Model> = [
  Models.make("whisper-large-v3-turbo", { owner: "OpenAI", created: 1_728_413_088, context: 448 }),
  Models.make("whisper-large-v3", { owner: "OpenAI", created: 1_693_721_698, context: 448 })
]

/**
 * The answer of `POST …/audio/transcriptions`.
 *
 * @since 0.1.0
 * @category constructors
 */
export const answer =
  (requestId: (id: number) => string) =>
  (call: Wire.Call): Either.Either<Wire.Answer, Wire.Failure> => {
    const contentType = call.headers["content-type"] ?? ""
    const fields = call.body instanceof Uint8Array ? Form.parse(contentType, call.body) : undefined
    if (fields === undefined) return Either.left(rejected("request Content-Type isn't multipart/form-data"))
    const name = Form.text(fields, "model") ?? ""
    const model = Wire.find(models, name)
    const wrong = firstWrong(fields)
    if (name === "") return Either.left(rejected("model: property 'model' is required"))
    if (model === undefined) return Either.left(Wire.Failure.NoModel({ model: name }))
    if (wrong !== undefined) return Either.left(rejected(wrong))
    return Either.right({ input: 0, output: 0, render: () => rendered(fields, model, requestId(call.id)) })
  }

const rejected = (message: string): Wire.Failure => Wire.Failure.Rejected({ message })

const extensions = ["flac", "mp3", "mp4", "mpeg", "mpga", "m4a", "ogg", "opus", "wav", "webm"]

const known = [
  "model",
  "file",
  "url",
  "language",
  "prompt",
  "response_format",
  "temperature",
  "timestamp_granularities[]"
]

const formats = ["json", "text", "verbose_json"]

const firstWrong = (fields: ReadonlyArray<Form.Field>): string | undefined => {
  const file = fields.find((field) => field.name === "file")
  const url = Form.text(fields, "url")
  const format = Form.text(fields, "response_format") ?? "json"
  const temperature = Number(Form.text(fields, "temperature") ?? 0)
  const granularities = fields.filter(({ name }) => name === "timestamp_granularities[]")
  const unknown = fields.find(({ name }) => !known.includes(name))
  if (unknown !== undefined) return `unknown param \`${unknown.name}\``
  if (file === undefined && url === undefined) return "one of file or url must be provided"
  if (file !== undefined && url !== undefined) return "only one of file or url must be provided"
  if (file !== undefined && !extensions.includes(/\.([^.]*)$/.exec(file.file ?? "")?.[1]?.toLowerCase() ?? "")) {
    return `file must be one of the following types: [${extensions.join(" ")}]`
  }
  if (file?.bytes.length === 0) return "file is empty"
  if (!formats.includes(format)) return `response_format must be one of [${formats.join(" ")}]`
  if (!(temperature >= 0 && temperature <= 1)) return "temperature must be between 0 and 1"
  return granularities.length > 0 && format !== "verbose_json"
    ? "response_format must be `verbose_json` to use timestamp_granularities"
    : undefined
}

const rendered = (fields: ReadonlyArray<Form.Field>, model: Models.Model, id: string): Wire.Body => {
  const text = `You sent me ${shown(fields)}. I am the Spillway simulator in the place of ${model.id}; no model was asked.`
  const format = Form.text(fields, "response_format") ?? "json"
  if (format === "text") return Wire.json(` ${text}`, "text/plain; charset=UTF-8")
  if (format === "json") return Wire.json({ text: ` ${text}`, x_groq: { id } })
  const granularities = fields.flatMap(({ bytes, name }) =>
    name === "timestamp_granularities[]" ? [new TextDecoder().decode(bytes)] : []
  )
  const words = text.split(" ").map((word, index) => ({ word, start: index / 4, end: (index + 1) / 4 }))
  const duration = words.length / 4
  return Wire.json({
    task: "transcribe",
    language: Form.text(fields, "language") ?? "English",
    duration,
    text: ` ${text}`,
    ...(granularities.includes("word") ? { words } : {}),
    ...(granularities.includes("segment") || granularities.length === 0 ? { segments: [segment(text, duration)] } : {}),
    x_groq: { id }
  })
}

const shown = (fields: ReadonlyArray<Form.Field>): string => {
  const file = fields.find(({ name }) => name === "file")
  return file === undefined
    ? "a sound by its address"
    : `a sound of ${file.bytes.length} bytes (${/[^.]*$/.exec(file.file ?? "")?.[0] ?? ""})`
}

const segment = (text: string, end: number) => ({
  id: 0,
  seek: 0,
  start: 0,
  end,
  text: ` ${text}`,
  tokens: [50_365],
  temperature: 0,
  avg_logprob: -0.25,
  compression_ratio: 1.5,
  no_speech_prob: 0
})
