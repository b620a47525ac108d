/**
 * Where the log goes: to standard error, readable at a terminal and as one JSON object a line anywhere else.
 *
 * @since 0.1.0
 */
import type * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"

/**
 * The logger of a command that serves.
 *
 * @since 0.1.0
 * @category layers
 */
export const layer: Layer.Layer<never> = Logger.replace(
  Logger.defaultLogger,
  process.stderr.isTTY === true
    ? Logger.prettyLogger({ stderr: true })
    : Logger.withConsoleError(Logger.jsonLogger)
)
