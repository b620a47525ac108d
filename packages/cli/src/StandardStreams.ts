/**
 * Standard input and output as effects.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
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
