/**
 * What the simulated model says to a conversation, before any vendor's wire puts it into words of its own. The same
 * conversation gets the same reply, and the reply says that no model was asked.
 *
 * @since 0.1.0
 */
import * as Instance from "./Instance.js"
import * as Seed from "./Seed.js"
import * as Tokens from "./Tokens.js"

/**
 * One message, reduced to what the reply depends on.
 *
 * @since 0.1.0
 * @category models
 */
export interface Turn {
  readonly role: "system" | "user" | "assistant" | "tool"
  readonly text: string
  /** What was shown besides text: "image/png", "an image by URL", "a document". */
  readonly shown: ReadonlyArray<string>
  /** The tool whose result this is, where the wire tells. */
  readonly tool?: string | undefined
}

/**
 * A function the model may call.
 *
 * @since 0.1.0
 * @category models
 */
export interface Tool {
  readonly name: string
  readonly parameters: unknown
}

/**
 * What was asked of the model.
 *
 * @since 0.1.0
 * @category models
 */
export interface Conversation {
  readonly model: string
  readonly turns: ReadonlyArray<Turn>
  readonly tools: ReadonlyArray<Tool>
  readonly choice: "auto" | "none" | "required" | { readonly name: string }
  /** Whether two tools may be called at once. */
  readonly parallel: boolean
  readonly format: "text" | "json" | { readonly schema: unknown } | { readonly literal: string }
  readonly reasoning: boolean
  /** Counts everything generated: reasoning, text, arguments. */
  readonly maxTokens: number
  readonly stop: ReadonlyArray<string>
  /** How many tokens an answer of plain text is filled up to. */
  readonly length: number
  /** Which of several alternative answers this is: the first is 0. */
  readonly variant: number
}

/**
 * A call of a tool: its arguments as a value, as text, and as the fragments in which they are streamed.
 *
 * @since 0.1.0
 * @category models
 */
export interface ToolCall {
  readonly name: string
  readonly fragments: ReadonlyArray<string>
}

/**
 * What the model says: tokens of reasoning, then of text, then calls of tools.
 *
 * @since 0.1.0
 * @category models
 */
export interface Reply {
  readonly reasoning: ReadonlyArray<string>
  readonly text: ReadonlyArray<string>
  readonly calls: ReadonlyArray<ToolCall>
  readonly finish: "stop" | "length" | "tools"
  /** The stop sequence that was met. */
  readonly stopped?: string
  readonly usage: Usage
}

/**
 * Tokens in and out; reasoning is part of the output.
 *
 * @since 0.1.0
 * @category models
 */
export interface Usage {
  readonly input: number
  readonly output: number
  readonly reasoning: number
}

/**
 * The reply to a conversation.
 *
 * @since 0.1.0
 * @category constructors
 */
export const to = (conversation: Conversation): Reply => {
  const said = lastSaid(conversation)
  const seed = Seed.at(Seed.of(`${conversation.model}\n${said}`), conversation.variant)
  const budget: Budget = { left: Math.max(1, conversation.maxTokens), exceeded: false }
  const reasoning = conversation.reasoning ? spend(budget, Tokens.cut(thought(said))) : []
  const tools = called(conversation, said)
  const stopped: { sequence?: string } = {}
  const text = tools.length > 0 ? [] : spend(budget, words(conversation, said, seed, stopped))
  const calls = tools
    .map((tool, index) => call(tool, said, Seed.at(seed, index)))
    .filter(() => !budget.exceeded)
    .map(({ fragments, name }) => ({ name, fragments: spend(budget, fragments) }))
  const output = reasoning.length + text.length + calls.reduce((sum, { fragments }) => sum + fragments.length, 0)
  return {
    reasoning,
    text,
    calls,
    finish: budget.exceeded ? "length" : calls.length > 0 ? "tools" : "stop",
    ...(stopped.sequence !== undefined && !budget.exceeded ? { stopped: stopped.sequence } : {}),
    usage: { input: input(conversation), output, reasoning: reasoning.length }
  }
}

/**
 * How many tokens a conversation is worth before anything is said to it.
 *
 * @since 0.1.0
 * @category accessors
 */
export const input = (conversation: Pick<Conversation, "turns" | "tools">): number => {
  let characters = 0
  let fixed = 3
  for (const turn of conversation.turns) {
    characters += turn.text.length
    fixed += 4 + 85 * turn.shown.length
  }
  for (const tool of conversation.tools) {
    characters += tool.name.length + JSON.stringify(tool.parameters ?? null).length
    fixed += 8
  }
  return fixed + Tokens.estimate(characters)
}

interface Budget {
  left: number
  exceeded: boolean
}

const spend = (budget: Budget, tokens: ReadonlyArray<string>): ReadonlyArray<string> => {
  if (tokens.length <= budget.left) {
    budget.left -= tokens.length
    return tokens
  }
  budget.exceeded = true
  const affordable = tokens.slice(0, budget.left)
  budget.left = 0
  return affordable
}

const lastSaid = (conversation: Conversation): string =>
  conversation.turns.findLast((turn) => turn.role === "user")?.text ?? conversation.turns.at(-1)?.text ?? ""

const thought = (said: string): string =>
  `The user said “${excerpt(said, 60)}”. I am a simulator, so I answer by rule and think no further.`

const excerpt = (text: string, characters: number): string => {
  const line = text.replace(/\s+/g, " ").trim()
  const points = Array.from(line.slice(0, 2 * characters + 2))
  return points.length > characters ? `${points.slice(0, characters).join("")}…` : line
}

// Tools are called when the user has just spoken, or when the caller insists; a result is answered in words.
const called = ({ choice, parallel, tools, turns }: Conversation, said: string): ReadonlyArray<Tool> => {
  const [first, second = first] = tools
  if (choice === "none" || first === undefined || second === undefined) return []
  if (typeof choice === "object") return tools.filter((tool) => tool.name === choice.name).slice(0, 1)
  if (choice === "auto" && turns.at(-1)?.role !== "user") return []
  return parallel && /\b(both|parallel)\b/i.test(said) ? [first, second] : [first]
}

const call = (tool: Tool, said: string, seed: number): ToolCall => ({
  name: tool.name,
  fragments: Tokens.cutAwkwardly(
    JSON.stringify(objectOf(Instance.of(tool.parameters ?? { type: "object" }, said))),
    seed
  )
})

const objectOf = (value: unknown): unknown => (typeof value === "object" && value !== null ? value : {})

const words = (
  conversation: Conversation,
  said: string,
  seed: number,
  stopped: { sequence?: string }
): ReadonlyArray<string> => {
  const { format } = conversation
  const structured =
    format === "json"
      ? JSON.stringify({ said: excerpt(said, 200), simulated: true })
      : format === "text"
        ? undefined
        : "literal" in format
          ? format.literal
          : JSON.stringify(Instance.of(format.schema, said))
  if (structured !== undefined) return Tokens.cutAwkwardly(structured, seed)
  const spoken = Tokens.cut(sentences(conversation, said))
  const wanted = /\bendless\b/i.test(said) ? Math.min(conversation.maxTokens + 1, endless) : conversation.length
  const tokens = spoken.length >= wanted ? spoken : filled(spoken, wanted, seed)
  const whole = tokens.join("")
  const sequence = conversation.stop
    .filter((stop) => stop !== "" && whole.includes(stop))
    .sort((left, right) => whole.indexOf(left) - whole.indexOf(right))[0]
  if (sequence === undefined) return tokens
  stopped.sequence = sequence
  return Tokens.cut(whole.slice(0, whole.indexOf(sequence)))
}

// "Endless" talk ends after all, so that a caller who forgets to stop it gets an answer.
const endless = 10_000

const sentences = ({ model, turns, variant }: Conversation, said: string): string => {
  const results = turns.slice(turns.findLastIndex((turn) => turn.role !== "tool") + 1)
  const shown = turns.flatMap((turn) => turn.shown)
  return [
    ...results.map(
      ({ text, tool }) => `The tool${tool === undefined ? "" : ` ${tool}`} returned: ${excerpt(text, 400)}.`
    ),
    results.length > 0 ? "" : `You said: “${excerpt(said, 200)}”.`,
    shown.length === 0 ? "" : `You showed me ${shown.join(", ")}.`,
    variant === 0 ? "" : `This is alternative ${variant + 1}.`,
    `I am the Spillway simulator in the place of ${model}; no model was asked.`
  ]
    .filter((sentence) => sentence !== "")
    .join(" ")
}

// What an answer is filled up with.
const passages = [
  "Water that finds no way through goes over.",
  "A spillway does not stop the river; it gives the flood a place to go.",
  "What is too much for one channel runs down another.",
  "Behind the wall the lake stays as high as it was.",
  "Nobody below hears more than a steady sound.",
  "When the rain ends, the gates close one by one.",
  "The keeper reads the gauge and writes the number down.",
  "Snow in the hills is the water of next month.",
  "A dry year is remembered for longer than a wet one.",
  "The fish take the ladder, step by step.",
  "At night the turbines turn for the lamps of three towns.",
  "In spring the overflow is louder than the road."
].map((passage) => Tokens.cut(` ${passage}`))

const filled = (spoken: ReadonlyArray<string>, length: number, seed: number): ReadonlyArray<string> => {
  const tokens = [...spoken]
  for (let i = seed >>> 0; tokens.length < length; i++) tokens.push(...(passages[i % passages.length] ?? []))
  if (tokens.length === length) return tokens
  const cut = tokens.slice(0, length - 1)
  return [...cut, cut.at(-1)?.endsWith(".") === true ? " …" : "."]
}
