/**
 * `spillway top`: how a running gateway is doing, written over and over.
 *
 * @since 0.1.0
 */
import * as Command from "@effect/cli/Command"
import * as Options from "@effect/cli/Options"
import * as Console from "effect/Console"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Report from "../Report.js"
import * as RunningGateway from "../RunningGateway.js"
import * as StatusText from "../StatusText.js"
import * as Terminal from "../Terminal.js"

const once = Options.boolean("once").pipe(
  Options.withDescription("Write it once, and end; so it is where there is no terminal")
)

const json = Options.boolean("json").pipe(Options.withDescription("Write it once, as JSON"))

const every = Options.float("every").pipe(
  Options.withDescription("After how many seconds to look again (default 1)"),
  Options.withDefault(1)
)

/**
 * The command.
 *
 * @since 0.1.0
 * @category commands
 */
export const command = Command.make("top", { url: RunningGateway.url, once, json, every }, ({ every, json, once, url }) =>
  Effect.gen(function*() {
    if (!(every > 0)) return yield* new Report.Refused({ message: `--every must be more than 0, not ${every}` })
    const status = RunningGateway.status(url)
    if (json) return yield* Console.log(JSON.stringify(yield* status, null, 2))
    const lines = Effect.map(status, (status) => StatusText.lines(status, url))
    if (once || !Terminal.isTerminal()) return yield* Console.log((yield* lines).join("\n"))
    // one that cannot be reached at first never could; one that could may come back
    yield* lines
    const lasting = Effect.catchTag(lines, "Refused", ({ message }) => Effect.succeed([message]))
    yield* Effect.scoped(Effect.zipRight(
      Terminal.screen,
      Effect.forever(Effect.zipRight(Effect.flatMap(lasting, Terminal.show), Effect.sleep(Duration.seconds(every))))
    ))
  }).pipe(Report.guard)).pipe(
    Command.withDescription("Watch a running gateway: its backends, their queues, circuits and keys")
  )
