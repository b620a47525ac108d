/**
 * Reasoning as an item of OpenAI's responses: what is told of it as a summary, which is what every client of that API
 * shows, and what proves it sealed in `encrypted_content`, which every client sends back as it came.
 *
 * Backends prove reasoning in ways of their own (Anthropic signs a thought or seals it, OpenAI names and seals it, Gemini
 * signs the call that a thought led to), so what is sealed says which it was. A seal that is not of this gateway is
 * OpenAI's, from a conversation that began elsewhere.
 *
 * @since 0.1.0
 */
import type * as Prompt from "@spillway/core/Prompt"
import * as Option from "effect/Option"
import { isNotNullable } from "effect/Predicate"
import * as Schema from "effect/Schema"

/**
 * An item as it comes.
 *
 * @since 0.1.0
 * @category models
 */
export interface Item {
  readonly id?: string | null
  readonly summary: ReadonlyArray<{ readonly text: string }>
  readonly content?: ReadonlyArray<{ readonly text: string }> | null
  readonly encrypted_content?: string | null
}

/**
 * What proves the call of a tool that comes next.
 *
 * @since 0.1.0
 * @category models
 */
export interface Proof {
  readonly _tag: "Proof"
  readonly signature: string
}

const Seal = Schema.parseJson(Schema.Union(
  Schema.Struct({ call: Schema.String }),
  Schema.Struct({ signature: Schema.optional(Schema.String), redacted: Schema.optional(Schema.String) })
))

const read = Schema.decodeOption(Seal)

/**
 * A thought as an item.
 *
 * @since 0.1.0
 * @category conversions
 */
export const toItem = (
  { redacted, signature, text }: Pick<Prompt.ReasoningPart, "text"> & {
    readonly signature?: string | undefined
    readonly redacted?: string | undefined
  },
  id: string
) => ({
  type: "reasoning" as const,
  id,
  summary: text === "" ? [] : [{ type: "summary_text" as const, text }],
  ...((signature !== undefined || redacted !== undefined) && {
    encrypted_content: JSON.stringify({ signature, redacted })
  })
})

/**
 * What proves the call of a tool, as an item that comes before that call.
 *
 * @since 0.1.0
 * @category conversions
 */
export const fromProof = (signature: string, id: string) => ({
  type: "reasoning" as const,
  id,
  summary: [],
  encrypted_content: JSON.stringify({ call: signature })
})

/**
 * A thought, or what proves a call, from an item.
 *
 * @since 0.1.0
 * @category conversions
 */
export const fromItem = (item: Item): Prompt.ReasoningPart | Proof => {
  const { content, encrypted_content: sealed, id, summary } = item
  const text = [...content ?? [], ...summary].map((part) => part.text).join("\n\n")
  if (!isNotNullable(sealed)) return { _tag: "Reasoning", text }
  const seal = Option.getOrUndefined(read(sealed))
  if (seal === undefined) {
    return { _tag: "Reasoning", text, redacted: sealed, ...(isNotNullable(id) && { signature: id }) }
  }
  if ("call" in seal) return { _tag: "Proof", signature: seal.call }
  const { redacted, signature } = seal
  return {
    _tag: "Reasoning",
    text,
    ...(signature !== undefined && { signature }),
    ...(redacted !== undefined && { redacted })
  }
}
