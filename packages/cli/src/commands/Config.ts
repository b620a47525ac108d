/**
 * `spillway config check FILE`: whether a configuration file is as it must be, without starting anything;
 * `spillway config schema`: what may stand in one, for an editor; and `spillway config key`: a new key for a client of
 * the gateway, and the hash of it that the file needs.
 *
 * @since 0.1.0
 */
import * as Args from "@effect/cli/Args"
import * as Command from "@effect/cli/Command"
import * as Options from "@effect/cli/Options"
import * as FileSystem from "@effect/platform/FileSystem"
import * as AccessKey from "@spillway/gateway/AccessKey"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import * as Url from "node:url"
import * as ConfigFile from "../ConfigFile.js"
import * as ConfigSchema from "../ConfigSchema.js"
import * as Log from "../Log.js"
import * as Report from "../Report.js"

const check = Command.make("check", { file: Args.text({ name: "file" }) }, ({ file }) =>
  Effect.gen(function*() {
    const { backends, budget, gateway, models } = yield* ConfigFile.load(file, (name) => process.env[name])
    const found = [
      backends.map(({ keys, name }) => `${name} with ${count(keys.length, "key")}`).join(", "),
      `${count(Object.keys(models).length, "name")} for models`,
      ...(budget === undefined ? [] : [count(budget.limits.length, "limit")]),
      ...(gateway.access === undefined ? [] : [count(gateway.access.keys.length, "client")])
    ]
    yield* Console.log(`${file} is right: ${found.join("; ")}`)
  }).pipe(Report.guard, Effect.provide(Log.layer))).pipe(
    Command.withDescription("Say what is wrong with a configuration file, by line and field")
  )

const count = (n: number, what: string) => `${n} ${what}${n === 1 ? "" : "s"}`

const schema = Command.make("schema", {}, () =>
  Effect.flatMap(FileSystem.FileSystem, (files) => files.readFileString(Url.fileURLToPath(ConfigSchema.published))).pipe(
    Effect.orDie,
    Effect.flatMap((text) => Console.log(text.trimEnd()))
  )).pipe(
  Command.withDescription("Print the JSON Schema of the configuration file, for an editor")
)

const json = Options.boolean("json").pipe(Options.withDescription("Write JSON"))

const key = Command.make("key", { json }, ({ json }) =>
  Effect.suspend(() => {
    const made = AccessKey.fromBytes(crypto.getRandomValues(new Uint8Array(32)))
    const shown = { key: Redacted.value(made.key), hash: made.hash }
    return Console.log(
      json
        ? JSON.stringify(shown)
        : `${shown.key}\n${shown.hash}\n\nThe first is for the client, and kept nowhere; the second for gateway.access.keys.`
    )
  })).pipe(Command.withDescription("Make a key for a client of the gateway"))

/**
 * The command.
 *
 * @since 0.1.0
 * @category commands
 */
export const command = Command.make("config").pipe(
  Command.withDescription("What concerns the configuration file, and the gateway's own keys"),
  Command.withSubcommands([check, schema, key])
)
