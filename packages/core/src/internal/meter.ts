/**
 * What one call costs: the most, before it is sent, and what it has cost when it has ended. That goes by the backend's
 * own count; where it gives none, as when a stream was left early, by ours of what was said and of what has come.
 */
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import type * as Exit from "effect/Exit"
import * as Option from "effect/Option"
import type * as Completion from "../Completion.js"
import type * as Held from "../Held.js"
import type * as LlmService from "../LlmService.js"
import * as PriceBook from "../PriceBook.js"
import type * as Protection from "../Protection.js"
import * as Tokens from "../Tokens.js"

/** A call of a model. */
export interface Metered {
  readonly backend: string
  readonly model: string
  readonly request: LlmService.Request
}

/** By which prices. */
export interface Settings {
  readonly book: PriceBook.PriceBook
  /** The price of what the book does not know. */
  readonly otherwise: Option.Option<PriceBook.Price>
  /**
   * How many tokens a model is taken to generate where the request sets no bound. Without it a whole answer that tells
   * no count has no cost, rather than the most that it may have.
   */
  readonly output: number | undefined
}

export type Cost = Either.Either<number, PriceBook.Unknown>

/** Reads one call. */
export interface Meter {
  /** The most that the call costs. */
  readonly most: () => Cost
  /** Reads a streamed answer as it comes. */
  readonly watch: Held.Watch
  /** What it has cost, now that it has ended so. What failed, or was interrupted, before anything came costs nothing. */
  readonly read: (exit: Exit.Exit<unknown, unknown>) => Cost
}

/** A meter for a call that is sent at a time (milliseconds since 1970). */
export const make = (call: Metered, at: number, { book, otherwise, output }: Settings): Meter => {
  const asked = book.price(call.backend, call.model, at)
  const come: Come = { began: false, text: "" }
  let estimate: Tokens.Estimate | undefined
  const estimated = () => estimate ??= Tokens.estimate(call.request)

  const priced = (model: string | undefined) =>
    Option.orElse(
      // the model that answers may be another than the one that was asked for
      model === undefined || model === call.model ? asked : Option.orElse(book.price(call.backend, model, at), () => asked),
      () => otherwise
    )
  const bound = () => {
    const { output: most = output } = estimated()
    return output === undefined && most !== 0 ? undefined : most
  }
  const filled = (usage: Completion.Usage): Completion.Usage => {
    const outputTokens = usage.outputTokens ?? (come.began ? Tokens.ofText(come.text) : bound())
    return {
      ...usage,
      inputTokens: usage.inputTokens ?? estimated().input,
      ...(outputTokens !== undefined && { outputTokens })
    }
  }

  return {
    most: () =>
      Option.match(priced(undefined), {
        onNone: (): Cost => Either.left("PriceUnknown"),
        onSome: (price) => most(price, estimated().input, bound())
      }),
    watch: (rest, _, first) => {
      note(come, first)
      return Effect.succeed(Effect.map(rest, (parts) => {
        note(come, parts)
        return parts
      }))
    },
    read(exit) {
      if (exit._tag === "Failure" && !come.began) return Either.right(0)
      const told = exit._tag === "Success" ? exit.value as Protection.Told | undefined : undefined
      const usage = told?.usage ?? come.usage ?? {}
      return Option.match(priced(told?.model ?? come.model), {
        onNone: (): Cost => Either.left("PriceUnknown"),
        onSome: (price) =>
          Either.orElse(PriceBook.cost(price, filled(usage)), (unknown) =>
            unknown === "UsageInvalid" ? PriceBook.cost(price, filled({})) : Either.left(unknown))
      })
    }
  }
}

// nothing is taken for cached, and all that is generated for the dearer kind
const most = (price: PriceBook.Price, inputTokens: number, outputTokens = 0): Cost =>
  Either.zipWith(
    PriceBook.cost(price, { inputTokens, outputTokens }),
    PriceBook.cost(price, { inputTokens, outputTokens, reasoningTokens: outputTokens }),
    Math.max
  )

/** What has come of a streamed answer. */
interface Come {
  began: boolean
  model?: string
  text: string
  usage?: Completion.Usage
}

const note = <A>(come: Come, parts: Held.Parts<A>): void => {
  come.began = true
  // only streams of text are metered, and they consist of these
  for (const part of parts as Held.Parts as Iterable<Completion.Part>) {
    switch (part._tag) {
      case "Start":
        come.model = part.model
        break
      case "TextDelta":
      case "ReasoningDelta":
        come.text += part.text
        break
      case "ToolCallStart":
        come.text += part.name
        break
      case "ToolCallDelta":
        come.text += part.arguments
        break
      case "Finish":
        come.usage = part.usage
    }
  }
}
