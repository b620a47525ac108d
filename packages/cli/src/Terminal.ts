/**
 * What a terminal can do and a file cannot: be written over, and be coloured.
 *
 * @since 0.1.0
 */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"

/**
 * How wide the terminal behind standard error is; absent where it is none.
 *
 * @since 0.1.0
 * @category destructors
 */
export const errorColumns = (): number | undefined => process.stderr.isTTY === true ? process.stderr.columns : undefined

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
