/**
 * Whatever goes wrong, as one readable line on standard error, and exit code 1. With `--log-level debug` the whole
 * cause follows.
 *
 * @since 0.1.0
 */
import type * as HttpServerError from "@effect/platform/HttpServerError"
import type * as InvalidOptions from "@spillway/core/InvalidOptions"
import type * as LlmError from "@spillway/core/LlmError"
import * as Cause from "effect/Cause"
import * as ConfigError from "effect/ConfigError"
import * as Console from "effect/Console"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as FiberRef from "effect/FiberRef"
import * as LogLevel from "effect/LogLevel"

/**
 * What a command may fail with.
 *
 * @since 0.1.0
 * @category models
 */
export type Failure =
  | LlmError.LlmError
  | InvalidOptions.InvalidOptions
  | ConfigError.ConfigError
  | HttpServerError.ServeError
  | Refused

/**
 * The command cannot do what was asked of it; `message` says why, and what to do.
 *
 * @since 0.1.0
 * @category errors
 */
export class Refused extends Data.TaggedError("Refused")<{ readonly message: string }> {}

/**
 * The command failed, and has said so.
 *
 * @since 0.1.0
 * @category errors
 */
export class Reported extends Data.TaggedError("Reported") {}

/**
 * Says what went wrong and ends the command.
 *
 * @since 0.1.0
 * @category combinators
 */
export const guard = <A, R>(self: Effect.Effect<A, Failure, R>): Effect.Effect<A, Reported, R> =>
  Effect.catchAllCause(self, (cause) => {
    if (Cause.isInterruptedOnly(cause)) return Effect.interrupt
    const failure = Cause.squash(cause)
    return Effect.flatMap(FiberRef.get(FiberRef.currentMinimumLogLevel), (level) =>
      Effect.zipRight(
        Console.error(
          LogLevel.lessThanEqual(level, LogLevel.Debug)
            ? `spillway: ${explain(failure)}\n${Cause.pretty(cause, { renderErrorCause: true })}`
            : `spillway: ${explain(failure)}`
        ),
        new Reported()
      ))
  })

/**
 * Ends the process with a code of its own, unless something goes wrong besides.
 *
 * @since 0.1.0
 * @category combinators
 */
export const endWith = (code: number): Effect.Effect<void> =>
  Effect.sync(() => {
    process.exitCode = code
  })

/**
 * What went wrong, in one line; in several where the command itself found several things.
 *
 * @since 0.1.0
 * @category conversions
 */
export const explain = (failure: unknown): string =>
  failure instanceof Refused ? failure.message : oneLine(message(failure as Failure | Error))

const message = (failure: Failure | Error): string => {
  if (ConfigError.isConfigError(failure)) return config(failure).join("; ")
  if ("_tag" in failure) {
    switch (failure._tag) {
      case "ServeError":
        return serving(failure.cause)
      case "Refused":
      case "InvalidOptions":
        return failure.message
      default:
        // the verdict table knows every error by its tag; people know them by their message and origin
        return `${failure.backend}: ${failure.message} (${failure._tag})`
    }
  }
  return `a bug in spillway: ${failure instanceof Error ? failure.message : String(failure)}`
}

const config = (error: ConfigError.ConfigError): ReadonlyArray<string> => {
  switch (error._op) {
    case "And":
    case "Or":
      return [...config(error.left), ...config(error.right)]
    case "MissingData":
      return [`${error.path.join("_")} is not set`]
    default:
      return [`${error.path.join("_")}: ${error.message}`]
  }
}

const serving = (cause: unknown): string => {
  const { code, address, port, message } = cause as NodeJS.ErrnoException & { address?: string; port?: number }
  switch (code) {
    case "EADDRINUSE":
      return `port ${port} on ${address} is in use; choose another with --port`
    case "EACCES":
      return `port ${port} on ${address} may not be opened by this user; choose another with --port`
    case "EADDRNOTAVAIL":
    case "ENOTFOUND":
      return `${address ?? "this address"} is no address of this machine; choose another with --host`
    default:
      return `the server could not start: ${message}`
  }
}

const oneLine = (text: string): string => text.replace(/\s*[\r\n]+\s*/g, " ")
