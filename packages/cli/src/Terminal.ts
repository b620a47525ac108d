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
export const isColourful = (): boolean => isTerminal() && (process.env["NO_COLOR"] ?? "") === ""

/**
 * Whether standard output is a terminal.
 *
 * @since 0.1.0
 * @category guards
 */
export const isTerminal = (): boolean => process.stdout.isTTY === true

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

/**
 * A screen of its own on the terminal until the scope closes, when what was there before is there again.
 *
 * @since 0.1.0
 * @category combinators
 */
export const screen: Effect.Effect<void, never, Scope.Scope> = Effect.acquireRelease(
  Effect.sync(() => void process.stdout.write("\x1b[?1049h\x1b[?25l")),
  () => Effect.sync(() => void process.stdout.write("\x1b[?25h\x1b[?1049l"))
)

/**
 * Shows these lines in the place of those before, as far as there is room for them.
 *
 * @since 0.1.0
 * @category combinators
 */
export const show = (lines: ReadonlyArray<string>): Effect.Effect<void> =>
  Effect.sync(() => {
    const { columns = 80, rows = 24 } = process.stdout
    const seen = lines.slice(0, rows - 1).map((line) => `${line.slice(0, columns)}\x1b[K\n`)
    process.stdout.write(`\x1b[H${seen.join("")}\x1b[J`)
  })

const keep = (step: Effect.Effect<void>) => Effect.asVoid(Effect.forkScoped(Effect.forever(step)))

const nowAndThen = Duration.seconds(10)

const atOnce = Duration.millis(200)

/** To the first column, with nothing on the line. */
const clear = "\r\x1b[2K"

const write = (text: string): Effect.Effect<void> => Effect.sync(() => void process.stderr.write(text))
