/**
 * The backends that a command is told of: by `--config`, a file; without it, by the environment.
 *
 * @since 0.1.0
 */
import * as Options from "@effect/cli/Options"
import type * as FileSystem from "@effect/platform/FileSystem"
import type * as Resilience from "@spillway/core/Resilience"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type * as Scope from "effect/Scope"
import * as ConfigFile from "./ConfigFile.js"
import type * as Report from "./Report.js"
import * as Settings from "./Settings.js"

/**
 * `--config`.
 *
 * @since 0.1.0
 * @category options
 */
export const config: Options.Options<Option.Option<string>> = Options.text("config").pipe(
  Options.withAlias("c"),
  Options.withDescription("A file that says which backends there are (default: the environment does)"),
  Options.optional
)

/**
 * The backends of the file, under the policies that it gives them, or those of the environment, under these.
 *
 * @since 0.1.0
 * @category constructors
 */
export const backends = (
  config: Option.Option<string>,
  options: Resilience.Options = {}
): Effect.Effect<Settings.Backends, Report.Failure, FileSystem.FileSystem | Scope.Scope> =>
  Option.match(config, {
    onNone: () => Settings.backends(options),
    onSome: (file) =>
      Effect.map(ConfigFile.load(file, (name) => process.env[name]), (found) => Settings.fromFile(found, process.env))
  })
