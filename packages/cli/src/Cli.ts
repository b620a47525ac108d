/**
 * The command `spillway`.
 *
 * @since 0.1.0
 */
import * as CliConfig from "@effect/cli/CliConfig"
import * as Command from "@effect/cli/Command"
import * as Arr from "effect/Array"
import * as Effect from "effect/Effect"
import * as Bench from "./commands/Bench.js"
import * as Chat from "./commands/Chat.js"
import * as Check from "./commands/Check.js"
import * as Completions from "./commands/Completions.js"
import * as Config from "./commands/Config.js"
import * as Keys from "./commands/Keys.js"
import * as Models from "./commands/Models.js"
import * as Pull from "./commands/Pull.js"
import * as Run from "./commands/Run.js"
import * as Serve from "./commands/Serve.js"
import * as Simulate from "./commands/Simulate.js"
import * as Top from "./commands/Top.js"
import * as Terminal from "./Terminal.js"
import * as Version from "./Version.js"

const name = "spillway"

const spillway = Command.make(name).pipe(
  Command.withDescription(
    "Keeps programs talking to language models through rate limits, outages, full queues and many API keys"
  )
)

const commands = [
  Serve.command,
  Chat.command,
  Run.command,
  Models.command,
  Keys.command,
  Top.command,
  Check.command,
  Bench.command,
  Config.command,
  Pull.command,
  Simulate.command
] as const

const whole = Command.withSubcommands(spillway, [
  ...commands,
  Completions.command(Command.withSubcommands(spillway, commands), name)
])

const parse = Command.run(whole, { name, version: Version.version })

/**
 * Runs the command line `argv` (the first two words are the programs that run it).
 *
 * @since 0.1.0
 * @category combinators
 */
export const run = (argv: ReadonlyArray<string>) =>
  Terminal.colourless(
    Effect.provide(parse(logLevelFirst(helpFirst(eachNamed(argv)))), CliConfig.layer({ showBuiltIns: false, finalCheckBuiltIn: false }))
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

/** The parser wants an option before each of several words, people write it before the first: `--apis openai groq`. */
const eachNamed = (argv: ReadonlyArray<string>): ReadonlyArray<string> => {
  let option: string | undefined
  return argv.flatMap((word, at) => {
    if (word.startsWith("-")) option = Check.several.find((name) => word === name)
    return option === undefined || word === option || argv[at - 1] === option ? [word] : [option, word]
  })
}
