/**
 * `spillway chat`: a question, its answer streamed to the terminal; or a conversation, a line at a time.
 *
 * @since 0.1.0
 */
import * as Args from "@effect/cli/Args"
import * as Command from "@effect/cli/Command"
import * as Options from "@effect/cli/Options"
import * as LlmService from "@spillway/core/LlmService"
import * as Prompt from "@spillway/core/Prompt"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Chosen from "../Chosen.js"
import * as Conversation from "../Conversation.js"
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
  Args.withDescription("What to say. With `-` it is all of standard input; without it, every line of standard input is something to say, " +
      "with all that was said before (/help tells more)"),
  Args.repeated
)

/**
 * The command.
 *
 * @since 0.1.0
 * @category commands
 */
export const command = Command.make("chat", { model, system, maxTokens, config: Chosen.config, words }, (given) =>
  Effect.gen(function*() {
    const words = given.words.join(" ")
    const question = words === "-" ? yield* StandardStreams.readInput : words
    const isConversation = given.words.length === 0
    if (!isConversation && question.trim() === "") {
      return yield* new Report.Refused({ message: "nothing to say: give a prompt, or write it to standard input" })
    }
    const backends = yield* Chosen.backends(given.config, Settings.impatient)
    yield* Notice.simulated(backends)
    yield* Effect.gen(function*() {
      const model = yield* Option.match(given.model, { onSome: Effect.succeed, onNone: () => anyModel })
      const system = Option.match(given.system, { onNone: () => [], onSome: (text) => [Prompt.system(text)] })
      const settings = Option.match(given.maxTokens, { onNone: () => ({}), onSome: (maxTokens) => ({ maxTokens }) })
      yield* isConversation
        ? Conversation.talk({ model, system, settings })
        : Conversation.ask({ ...settings, model, prompt: [...system, Prompt.user(question)] })
    }).pipe(Effect.provide(backends.layer))
  }).pipe(Effect.scoped, Report.guard)).pipe(
    Command.withDescription("Ask a model, or talk with it, its answers streamed to the terminal")
  )

const anyModel = Effect.flatMap(LlmService.listModels, (models) => {
  const first = models.find(({ id }) => !notForChat.test(id))
  return first === undefined
    ? new Report.Refused({ message: "no backend lists a model that chats; name one with --model" })
    : Effect.succeed(first.id)
})

/** Catalogues do not say what a model is for, its name does. */
const notForChat = /embed|whisper|tts|dall-e|moderation|guard|rerank|image|audio/i
