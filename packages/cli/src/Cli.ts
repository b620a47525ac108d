/**
 * The command `spillway`.
 *
 * @since 0.1.0
 */
import * as CliConfig from "@effect/cli/CliConfig"
import * as Command from "@effect/cli/Command"
import * as Arr from "effect/Array"
import * as Effect from "effect/Effect"
import * as Chat from "./commands/Chat.js"
import * as Check from "./commands/Check.js"
import * as Config from "./commands/Config.js"
import * as Models from "./commands/Models.js"
import * as Run from "./commands/Run.js"
import * as Serve from "./commands/Serve.js"
import * as Simulate from "./commands/Simulate.js"
import * as Terminal from "./Terminal.js"
import * as Version from "./Version.js"

const spillway = Command.make("spillway").pipe(
  Command.withDescription(
    "Keeps programs talking to language models through rate limits, outages, full queues and many API keys"
  ),
  Command.withSubcommands([Serve.command, Chat.command, Run.command, Models.command, Check.command, Config.command, Simulate.command])
)

const parse = Command.run(spillway, { name: "spillway", version: Version.version })

/**
 * Runs the command line `argv` (the first two words are the programs that run it).
 *
 * @since 0.1.0
 * @category combinators
 */
export const run = (argv: ReadonlyArray<string>) =>
  Terminal.colourless(
    Effect.provide(parse(logLevelFirst(helpFirst(argv))), CliConfig.layer({ showBuiltIns: false, finalCheckBuiltIn: false }))
  )

/** The parser knows `--log-level` before a command's own options only, people write it anywhere. */
const logLevelFirst = (argv: ReadonlyArray<string>): ReadonlyArray<string> => {
  const at = argv.findIndex((word) => /^--log-level(=|$)/.test(word))
  if (at < 0) return argv
  const count = argv[at] === "--log-level" ? 2 : 1
  const rest = [...argv]
  const option = rest.splice(at, count)
  return [...rest.slice(0, 2), ...option, ...rest.slice(2)]
}

/** The parser knows `--help` before a command's own options only, people ask for it when they have begun to write some. */
const helpFirst = (argv: ReadonlyArray<string>): ReadonlyArray<string> =>
  argv.includes("--help") || argv.includes("-h") ? [...Arr.takeWhile(argv, (word) => !word.startsWith("-")), "--help"] : argv
