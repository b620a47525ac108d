/**
 * What is said to a model: messages made of parts, in words that belong to no backend.
 *
 * A prompt is read left to right. Each message has a `role`; what it holds is a list of tagged parts, so
 * that a backend's translation is a table over `_tag`. Bytes travel as base64 text, as every wire has them.
 *
 * @since 0.1.0
 */
import * as Encoding from "effect/Encoding"
import { dual } from "effect/Function"

/**
 * Plain text.
 *
 * @since 0.1.0
 * @category models
 */
export interface TextPart {
  readonly _tag: "Text"
  readonly text: string
  /** An opaque proof some backends attach to text and want back unchanged (Gemini's thought signature). */
  readonly signature?: string
}

/**
 * Where bytes come from: inline (base64, with their media type), or an address that the backend fetches itself.
 *
 * @since 0.1.0
 * @category models
 */
export type Source =
  | { readonly _tag: "Base64"; readonly mediaType: string; readonly data: string }
  | { readonly _tag: "Url"; readonly url: string }

/**
 * A picture in a user message.
 *
 * @since 0.1.0
 * @category models
 */
export interface ImagePart {
  readonly _tag: "Image"
  readonly source: Source
  /** How closely the model should look, where the backend lets one say so. */
  readonly detail?: "auto" | "low" | "high"
}

/**
 * A document or another file in a user message (PDF, audio, text), for backends that read files.
 *
 * @since 0.1.0
 * @category models
 */
export interface FilePart {
  readonly _tag: "File"
  readonly source: Source
  readonly name?: string
}

/**
 * A model's wish to have a tool run. `arguments` is the JSON text exactly as the model wrote it, which may be
 * malformed: decode it with the tool's own schema (`ToolLoop` does).
 *
 * @since 0.1.0
 * @category models
 */
export interface ToolCallPart {
  readonly _tag: "ToolCall"
  readonly id: string
  readonly name: string
  readonly arguments: string
  /** An opaque proof some backends attach to a call and want back unchanged (Gemini's thought signature). */
  readonly signature?: string
}

/**
 * What a tool answered to the call with the same `id`.
 *
 * @since 0.1.0
 * @category models
 */
export interface ToolResultPart {
  readonly _tag: "ToolResult"
  readonly id: string
  readonly name: string
  /** The result as text; JSON text for structured results. */
  readonly result: string
  /** Whether the tool failed; backends that can say so tell the model. */
  readonly isError?: boolean
}

/**
 * A model's reasoning. Send it back unchanged in the next turn: backends that sign it (`signature`) or seal it
 * (`redacted`, opaque data in place of text) refuse a conversation in which it was altered.
 *
 * @since 0.1.0
 * @category models
 */
export interface ReasoningPart {
  readonly _tag: "Reasoning"
  readonly text: string
  readonly signature?: string
  readonly redacted?: string
}

/**
 * What the user may say.
 *
 * @since 0.1.0
 * @category models
 */
export type UserPart = TextPart | ImagePart | FilePart

/**
 * What the model may have said.
 *
 * @since 0.1.0
 * @category models
 */
export type AssistantPart = TextPart | ReasoningPart | ToolCallPart

/**
 * Standing instructions to the model.
 *
 * @since 0.1.0
 * @category models
 */
export interface SystemMessage {
  readonly role: "system"
  readonly content: string
}

/**
 * A turn of the user.
 *
 * @since 0.1.0
 * @category models
 */
export interface UserMessage {
  readonly role: "user"
  readonly content: ReadonlyArray<UserPart>
}

/**
 * A turn of the model.
 *
 * @since 0.1.0
 * @category models
 */
export interface AssistantMessage {
  readonly role: "assistant"
  readonly content: ReadonlyArray<AssistantPart>
}

/**
 * The results of the tool calls of the assistant message before it.
 *
 * @since 0.1.0
 * @category models
 */
export interface ToolMessage {
  readonly role: "tool"
  readonly content: ReadonlyArray<ToolResultPart>
}

/**
 * One message of a prompt.
 *
 * @since 0.1.0
 * @category models
 */
export type Message = SystemMessage | UserMessage | AssistantMessage | ToolMessage

/**
 * A whole prompt: messages in the order in which they were said.
 *
 * @since 0.1.0
 * @category models
 */
export type Prompt = ReadonlyArray<Message>

/**
 * What a request accepts as its prompt: a plain string is one user message.
 *
 * @since 0.1.0
 * @category models
 */
export type Input = string | Message | Prompt

/**
 * A text part.
 *
 * @since 0.1.0
 * @category constructors
 */
export const text = (text: string): TextPart => ({ _tag: "Text", text })

/**
 * An image that the backend fetches from `url` (a `data:` URL is taken apart into its bytes).
 *
 * @since 0.1.0
 * @category constructors
 */
export const imageUrl = (url: string): ImagePart => ({ _tag: "Image", source: fromUrl(url) })

/**
 * An image from bytes in memory, or from base64 text.
 *
 * @since 0.1.0
 * @category constructors
 */
export const image = (data: Uint8Array | string, mediaType: string): ImagePart => ({
  _tag: "Image",
  source: fromBytes(data, mediaType)
})

/**
 * A file from bytes in memory, or from base64 text.
 *
 * @since 0.1.0
 * @category constructors
 */
export const file = (data: Uint8Array | string, mediaType: string, name?: string): FilePart => ({
  _tag: "File",
  source: fromBytes(data, mediaType),
  ...(name === undefined ? {} : { name })
})

/**
 * A system message.
 *
 * @since 0.1.0
 * @category constructors
 */
export const system = (content: string): SystemMessage => ({ role: "system", content })

/**
 * A user message, from plain text or from parts.
 *
 * @since 0.1.0
 * @category constructors
 */
export const user = (content: string | ReadonlyArray<UserPart>): UserMessage => ({
  role: "user",
  content: typeof content === "string" ? [text(content)] : content
})

/**
 * An assistant message, from plain text or from parts (a completion's `content` as it is).
 *
 * @since 0.1.0
 * @category constructors
 */
export const assistant = (content: string | ReadonlyArray<AssistantPart>): AssistantMessage => ({
  role: "assistant",
  content: typeof content === "string" ? [text(content)] : content
})

/**
 * A tool message: one result for each call of the assistant message before it.
 *
 * @since 0.1.0
 * @category constructors
 */
export const tool = (content: ReadonlyArray<ToolResultPart>): ToolMessage => ({ role: "tool", content })

/**
 * A prompt from whatever a request accepts.
 *
 * @since 0.1.0
 * @category constructors
 */
export const make = (input: Input): Prompt =>
  typeof input === "string" ? [user(input)] : isMessage(input) ? [input] : input

/**
 * Whether an input is a single message.
 *
 * @since 0.1.0
 * @category guards
 */
export const isMessage = (input: Input): input is Message => typeof input === "object" && "role" in input

/**
 * Adds what was said next to a prompt.
 *
 * @since 0.1.0
 * @category combinators
 */
export const append: {
  (next: Input): (self: Input) => Prompt
  (self: Input, next: Input): Prompt
} = dual(2, (self: Input, next: Input): Prompt => [...make(self), ...make(next)])

/**
 * A source from an address; a base64 `data:` URL becomes inline bytes, since several backends take no `data:` URL.
 *
 * @since 0.1.0
 * @category constructors
 */
export const fromUrl = (url: string): Source => {
  const inline = /^data:([^;,]+);base64,/i.exec(url)
  return inline === null
    ? { _tag: "Url", url }
    : { _tag: "Base64", mediaType: inline[1]!, data: url.slice(inline[0].length) }
}

/**
 * The address of a source: its URL, or a `data:` URL of its bytes.
 *
 * @since 0.1.0
 * @category destructors
 */
export const toUrl = (source: Source): string =>
  source._tag === "Url" ? source.url : `data:${source.mediaType};base64,${source.data}`

const fromBytes = (data: Uint8Array | string, mediaType: string): Source => ({
  _tag: "Base64",
  mediaType,
  data: typeof data === "string" ? data : Encoding.encodeBase64(data)
})
