/**
 * A chat that goes on: each line from standard input is said to the model, with all that was said before.
 *
 * @since 0.1.0
 */
import * as FileSystem from "@effect/platform/FileSystem"
import type * as Completion from "@spillway/core/Completion"
import type * as LlmError from "@spillway/core/LlmError"
import * as LlmService from "@spillway/core/LlmService"
import * as Prompt from "@spillway/core/Prompt"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import * as Report from "./Report.js"
import * as Spoken from "./Spoken.js"
import * as StandardStreams from "./StandardStreams.js"

/**
 * How a chat begins.
 *
 * @since 0.1.0
 * @category models
 */
export interface Options {
  readonly model: string
  /** What is said before everything. */
  readonly system: ReadonlyArray<Prompt.SystemMessage>
  /** What else each request has. */
  readonly settings: Pick<Completion.Request, "maxTokens">
}

/**
 * Talks until the input ends or somebody quits. At a terminal what goes wrong is told, and the chat goes on; anywhere
 * else it ends with that, as nobody is there to say it again.
 *
 * @since 0.1.0
 * @category combinators
 */
export const talk = (
  options: Options
): Turn =>
  Effect.suspend((): Turn => {
    let model = options.model
    let said: ReadonlyArray<Prompt.Message> = options.system
    let images: ReadonlyArray<Prompt.ImagePart> = []
    let turns = 0
    const isAttended = StandardStreams.isAttended()

    const say = (text: string) =>
      Effect.gen(function*() {
        const prompt = [...said, Prompt.user(images.length === 0 ? text : [...images, Prompt.text(text)])]
        turns++
        const answer = yield* ask({ ...options.settings, model, prompt })
        said = [...prompt, Prompt.assistant(answer)]
        images = []
      })
    const reply = (line: string): Turn => {
      const spoken = Spoken.parse(line)
      switch (spoken._tag) {
        case "Say":
          return say(spoken.text)
        case "Model":
          if (spoken.model !== "") model = spoken.model
          return Console.error(`asking ${model}`)
        case "Image":
          return Effect.map(picture(spoken.file), (image) => {
            images = [...images, image]
          })
        case "Forget":
          said = options.system
          images = []
          return Effect.void
        case "Unknown":
          return Console.error(`there is no ${spoken.command}\n${Spoken.help}`)
        case "Help":
          return Console.error(Spoken.help)
        case "Nothing":
        case "Quit":
          return Effect.void
      }
    }
    const survive = (turn: Turn) => Effect.catchAll(turn, (error) => Console.error(Report.explain(error)))
    return StandardStreams.lines("> ").pipe(
      Stream.takeWhile((line) => Spoken.parse(line)._tag !== "Quit"),
      Stream.runForEach((line) => isAttended ? survive(reply(line)) : reply(line)),
      Effect.zipRight(Effect.suspend(() =>
        turns === 0 && !isAttended
          ? new Report.Refused({ message: "nothing to say: give a prompt, or write it to standard input" })
          : Effect.void
      ))
    )
  })

type Turn = Effect.Effect<void, LlmError.LlmError | Report.Refused, LlmService.LlmService | FileSystem.FileSystem>

/**
 * Asks, and writes the answer to standard output as it comes.
 *
 * @since 0.1.0
 * @category combinators
 */
export const ask = (
  request: Completion.Request
): Effect.Effect<string, LlmError.LlmError, LlmService.LlmService> =>
  Effect.suspend(() => {
    let answer = ""
    return Stream.runForEachChunk(LlmService.streamText(request), (parts) => {
      let text = ""
      for (const part of parts) if (part._tag === "TextDelta") text += part.text
      answer += text
      return StandardStreams.write(text)
    }).pipe(Effect.zipRight(StandardStreams.write("\n")), Effect.map(() => answer))
  })

const picture = (file: string): Effect.Effect<Prompt.ImagePart, Report.Refused, FileSystem.FileSystem> => {
  const mediaType = Spoken.mediaType(file)
  return mediaType === undefined
    ? new Report.Refused({ message: `${file} is no picture that models take: png, jpeg, gif or webp` })
    : Effect.flatMap(FileSystem.FileSystem, (files) => files.readFile(file)).pipe(
      Effect.mapBoth({
        onFailure: (error) => new Report.Refused({ message: `${file} cannot be read: ${error.message}` }),
        onSuccess: (bytes) => Prompt.image(bytes, mediaType)
      })
    )
}
