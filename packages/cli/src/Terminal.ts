/**
 * What a terminal can do and a file cannot: be written over, and be coloured.
 *
 * @since 0.1.0
 */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import * as Util from "node:util"

/**
 * How wide the terminal behind standard error is; absent where it is none.
 *
 * @since 0.1.0
 * @category destructors
 */
export const errorColumns = (): number | undefined => process.stderr.isTTY === true ? process.stderr.columns : undefined

/**
 * Whether what is written to standard output may be coloured: at a terminal, unless `NO_COLOR` is set to anything.
 *
 * @see https://no-color.org
 * @since 0.1.0
 * @category guards
 */
export const isColourful = (): boolean => process.stdout.isTTY === true && (process.env["NO_COLOR"] ?? "") === ""

/**
 * Takes the colours from what an effect writes to the console, where there are to be none.
 *
 * @since 0.1.0
 * @category combinators
 */
export const colourless = <A, E, R>(self: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
  isColourful() ? self : Effect.consoleWith((console) => {
    const bare = (args: ReadonlyArray<unknown>) =>
      args.map((arg) => typeof arg === "string" ? Util.stripVTControlCharacters(arg) : arg)
    return Effect.withConsole(self, {
      ...console,
      log: (...args) => console.log(...bare(args)),
      error: (...args) => console.error(...bare(args))
    })
  })

/**
 * Keeps a line on standard error until the scope closes: at a terminal always the same one, anywhere else a new one now
 * and then.
 *
 * @since 0.1.0
 * @category combinators
 */
export const keepLine = (
  line: (columns: number | undefined) => Effect.Effect<string>
): Effect.Effect<void, never, Scope.Scope> =>
  errorColumns() === undefined
    ? keep(Effect.zipRight(Effect.sleep(nowAndThen), Effect.flatMap(line(undefined), (line) => write(`${line}\n`))))
    : Effect.zipRight(
      Effect.addFinalizer(() => write(clear)),
      keep(Effect.suspend(() =>
        Effect.zipRight(Effect.flatMap(line(errorColumns()), (line) => write(`${clear}${line}`)), Effect.sleep(atOnce))
      ))
    )

const keep = (step: Effect.Effect<void>) => Effect.asVoid(Effect.forkScoped(Effect.forever(step)))

const nowAndThen = Duration.seconds(10)

const atOnce = Duration.millis(200)

/** To the first column, with nothing on the line. */
const clear = "\r\x1b[2K"

const write = (text: string): Effect.Effect<void> => Effect.sync(() => void process.stderr.write(text))
