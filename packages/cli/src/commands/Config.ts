/**
 * `spillway config check FILE`: whether a configuration file is as it must be, without starting anything.
 *
 * @since 0.1.0
 */
import * as Args from "@effect/cli/Args"
import * as Command from "@effect/cli/Command"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as ConfigFile from "../ConfigFile.js"
import * as Log from "../Log.js"
import * as Report from "../Report.js"

const check = Command.make("check", { file: Args.text({ name: "file" }) }, ({ file }) =>
  Effect.gen(function*() {
    const { backends, models } = yield* ConfigFile.load(file, (name) => process.env[name])
    const found = backends.map(({ keys, name }) => `${name} with ${count(keys.length, "key")}`)
    yield* Console.log(`${file} is right: ${found.join(", ")}; ${count(Object.keys(models).length, "name")} for models`)
  }).pipe(Report.guard, Effect.provide(Log.layer))).pipe(
    Command.withDescription("Say what is wrong with a configuration file, by line and field")
  )

const count = (n: number, what: string) => `${n} ${what}${n === 1 ? "" : "s"}`

/**
 * The command.
 *
 * @since 0.1.0
 * @category commands
 */
export const command = Command.make("config").pipe(
  Command.withDescription("What concerns the configuration file"),
  Command.withSubcommands([check])
)
