/**
 * `spillway chat`: one question, its answer streamed to the terminal.
 *
 * @since 0.1.0
 */
import * as Args from "@effect/cli/Args"
import * as Command from "@effect/cli/Command"
import * as Options from "@effect/cli/Options"
import type * as Completion from "@spillway/core/Completion"
import * as LlmService from "@spillway/core/LlmService"
import * as Prompt from "@spillway/core/Prompt"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import * as Notice from "../Notice.js"
import * as Report from "../Report.js"
import * as Settings from "../Settings.js"
import * as StandardStreams from "../StandardStreams.js"

const model = Options.text("model").pipe(
  Options.withAlias("m"),
  Options.withDescription("Which model to ask, as backend/model; see `spillway models`. Default: the first that chats"),
  Options.optional
)

const system = Options.text("system").pipe(
  Options.withDescription("Standing instructions to the model"),
  Options.optional
)

const maxTokens = Options.integer("max-tokens").pipe(
  Options.withDescription("Most tokens to generate"),
  Options.optional
)

const words = Args.text({ name: "prompt" }).pipe(
  Args.withDescription("What to say; without it, or with `-`, standard input is read"),
  Args.repeated
)

/**
 * The command.
 *
 * @since 0.1.0
 * @category commands
 */
export const command = Command.make("chat", { model, system, maxTokens, words }, (given) =>
  Effect.gen(function*() {
    const question = given.words.length === 0 || given.words.join(" ") === "-"
      ? yield* StandardStreams.readInput
      : given.words.join(" ")
    if (question.trim() === "") {
      return yield* new Report.Refused({ message: "nothing to say: give a prompt, or write it to standard input" })
    }
    const backends = yield* Settings.backends(Settings.impatient)
    yield* Notice.simulated(backends)
    yield* Effect.gen(function*() {
      const asked = yield* Option.match(given.model, { onSome: Effect.succeed, onNone: () => anyModel })
      const request: Completion.Request = {
        model: asked,
        prompt: [
          ...Option.match(given.system, { onNone: () => [], onSome: (text) => [Prompt.system(text)] }),
          Prompt.user(question)
        ],
        ...Option.match(given.maxTokens, { onNone: () => ({}), onSome: (maxTokens) => ({ maxTokens }) })
      }
      yield* Stream.runForEachChunk(LlmService.streamText(request), (parts) => StandardStreams.write(textOf(parts)))
      yield* StandardStreams.write("\n")
    }).pipe(Effect.provide(backends.layer))
  }).pipe(Effect.scoped, Report.guard)).pipe(
    Command.withDescription("Ask a model, and stream its answer to the terminal")
  )

const textOf = (parts: Iterable<Completion.Part>): string => {
  let text = ""
  for (const part of parts) if (part._tag === "TextDelta") text += part.text
  return text
}

const anyModel = Effect.flatMap(LlmService.listModels, (models) => {
  const first = models.find(({ id }) => !notForChat.test(id))
  return first === undefined
    ? new Report.Refused({ message: "no backend lists a model that chats; name one with --model" })
    : Effect.succeed(first.id)
})

/** Catalogues do not say what a model is for, its name does. */
const notForChat = /embed|whisper|tts|dall-e|moderation|guard|rerank|image|audio/i
