/**
 * Standard input and output as effects.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import * as Readline from "node:readline"
import { Refused } from "./Report.js"

/**
 * Everything that standard input holds, as text; nothing when it is a terminal.
 *
 * @since 0.1.0
 * @category combinators
 */
export const readInput: Effect.Effect<string, Refused> = Effect.suspend(() =>
  process.stdin.isTTY === true ? Effect.succeed("") : Effect.tryPromise({
    try: async () => {
      process.stdin.setEncoding("utf8")
      let text = ""
      for await (const chunk of process.stdin) text += chunk
      return text
    },
    catch: (error) => new Refused({ message: `standard input cannot be read: ${String(error)}` })
  })
)

/**
 * Writes text to standard output, and waits as long as its reader is behind. A reader that is gone (`| head`) ends the
 * program quietly.
 *
 * @since 0.1.0
 * @category combinators
 */
export const write = (text: string): Effect.Effect<void> =>
  text === "" ? Effect.void : Effect.async<void>((resume) => {
    process.stdout.write(text, (error) => resume(error == null ? Effect.void : Effect.interrupt))
  })

/**
 * Whether a person types at standard input.
 *
 * @since 0.1.0
 * @category guards
 */
export const isAttended = (): boolean => process.stdin.isTTY === true

/**
 * The lines of standard input, one after the other. A person is asked for each with these words, and finds those before
 * with the arrow keys.
 *
 * @since 0.1.0
 * @category combinators
 */
export const lines = (asking: string): Stream.Stream<string, Refused> =>
  Stream.unwrapScoped(Effect.map(
    Effect.acquireRelease(
      Effect.sync(() => Readline.createInterface({ input: process.stdin, output: process.stderr, terminal: isAttended() })),
      (reader) => Effect.sync(() => reader.close())
    ),
    (reader) => {
      const ask = Effect.sync(() => {
        if (!isAttended()) return
        reader.setPrompt(asking)
        reader.prompt()
      })
      // Ctrl-C ends it as Ctrl-D does
      reader.on("SIGINT", () => reader.close())
      const lines = reader[Symbol.asyncIterator]()
      return Stream.repeatEffectOption(Effect.zipRight(ask, next(lines)))
    }
  ))

const next = (lines: AsyncIterator<string>): Effect.Effect<string, Option.Option<Refused>> =>
  Effect.tryPromise({
    try: () => lines.next(),
    catch: (error) => Option.some(new Refused({ message: `standard input cannot be read: ${String(error)}` }))
  }).pipe(Effect.flatMap(({ done, value }) => done === true ? Effect.fail(Option.none()) : Effect.succeed(value)))
