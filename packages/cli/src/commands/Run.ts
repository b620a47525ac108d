/**
 * `spillway run`: bulk work, which can be killed at any moment and started again.
 *
 * @since 0.1.0
 */
import * as Args from "@effect/cli/Args"
import * as Command from "@effect/cli/Command"
import * as Options from "@effect/cli/Options"
import * as Monitor from "@spillway/core/Monitor"
import * as Policy from "@spillway/core/Policy"
import * as PriceBook from "@spillway/core/PriceBook"
import * as Clock from "effect/Clock"
import * as Console from "effect/Console"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import * as Backends from "../bulk/Backends.js"
import * as Bulk from "../bulk/Bulk.js"
import * as Progress from "../Progress.js"
import * as Spending from "../bulk/Spending.js"
import * as Summary from "../bulk/Summary.js"
import * as Chosen from "../Chosen.js"
import * as ConfigFile from "../ConfigFile.js"
import * as Log from "../Log.js"
import * as Notice from "../Notice.js"
import * as Report from "../Report.js"
import * as Terminal from "../Terminal.js"

const input = Args.text({ name: "prompts.jsonl" }).pipe(
  Args.withDescription(
    "A JSON object a line: {\"prompt\": \"…\"}, {\"messages\": […]} with any field of a chat request, or a line of an " +
      "OpenAI batch"
  )
)

const out = Options.text("out").pipe(
  Options.withAlias("o"),
  Options.withDescription("Where the answers go, a JSON object a line")
)

const order = Options.choice("order", ["input", "done"]).pipe(
  Options.withDescription("Answers in the order of the input, written at the end, or as they come (default input)"),
  Options.withDefault("input" as const)
)

const concurrency = Options.integer("concurrency").pipe(
  Options.withDescription(`How many calls each backend has at once (default ${Backends.usual})`),
  Options.optional
)

const deadline = Options.text("deadline").pipe(
  Options.withDescription("For how long at most, such as \"2 hours\"; what is left then can be taken up again"),
  Options.optional
)

const budget = Options.float("budget").pipe(
  Options.withDescription("How many dollars it may cost in all, starts before this one included"),
  Options.optional
)

const priority = Options.choice("priority", ["high", "normal", "low"]).pipe(
  Options.withDescription("How urgent it is beside other calls (default low)"),
  Options.withDefault("low" as const)
)

const model = Options.text("model").pipe(
  Options.withAlias("m"),
  Options.withDescription("Which model to ask where a line names none, as backend/model"),
  Options.optional
)

const patience = Options.text("patience").pipe(
  Options.withDescription("After how long without anything going on it stops (default \"10 minutes\")"),
  Options.withDefault("10 minutes")
)

const restart = Options.boolean("restart").pipe(
  Options.withDescription("Throw away the answers of starts before this one")
)

const json = Options.boolean("json").pipe(Options.withDescription("Say at the end what came of it as JSON, and nothing else"))

const quiet = Options.boolean("quiet").pipe(
  Options.withAlias("q"),
  Options.withDescription("Say nothing, unless something is wrong")
)

/**
 * The command.
 *
 * @since 0.1.0
 * @category commands
 */
export const command = Command.make(
  "run",
  { input, out, order, concurrency, deadline, budget, priority, model, config: Chosen.config, patience, restart, json, quiet },
  (given) =>
    Effect.gen(function*() {
      // until there is something to tell, all that can end it quietly is Ctrl-C
      yield* Report.endWith(Summary.interrupted)
      const began = yield* Clock.currentTimeMillis
      const standstill = yield* duration("patience", given.patience)
      const limit = yield* Effect.transposeMapOption(given.deadline, (text) => duration("deadline", text))
      const concurrency = yield* positive("concurrency", given.concurrency)
      const dollars = yield* positive("budget", given.budget)
      const file = yield* Effect.transposeMapOption(given.config, (file) => ConfigFile.load(file, (name) => process.env[name]))
      const atOnce = Backends.atOnce(concurrency, file)
      const work = yield* Bulk.open({
        input: given.input,
        out: given.out,
        order: given.order,
        inFlight: Backends.inFlight(atOnce),
        model: Option.getOrUndefined(given.model),
        standstill,
        restart: given.restart
      })
      const { budget, prices, spent } = yield* Spending.make(dollars, work.found.spent, file)
      const backends = yield* Backends.make(atOnce, budget, file, process.env)
      if (!given.quiet && !given.json) yield* Notice.simulated(backends)

      const standing = Effect.zipWith(spent, Effect.flatMap(Monitor.CurrentMonitor, ({ snapshot }) => snapshot), stand(work))
      const pace = Progress.pace(30_000, yield* Clock.currentTimeMillis)
      const line = (columns: number | undefined) =>
        Effect.zipWith(standing, Clock.currentTimeMillis, (standing, now) =>
          Progress.line(standing, pace.perSecond(now, standing.answered + standing.failed), columns))
      const asking = work.run(spent).pipe(
        Effect.provide(backends.layer),
        Effect.provideService(PriceBook.CurrentPriceBook, prices),
        Policy.withPriority(given.priority)
      )
      const timely = Option.isSome(limit) ? Policy.withDeadline(asking, limit.value) : asking
      const run = given.quiet || given.json ? timely : Effect.scoped(Effect.zipRight(Terminal.keepLine(line), timely))
      // Ctrl-C lets the calls under way end, and what they have cost be told
      yield* Effect.uninterruptibleMask((restore) =>
        Effect.gen(function*() {
          // a fiber's own children are interrupted with it
          const running = yield* Effect.forkScoped(Effect.interruptible(run))
          const exit = yield* Effect.exit(restore(Fiber.join(running)))
          if (Exit.isInterrupted(exit)) {
            if (!given.quiet) yield* Console.error("letting the calls under way end; Ctrl-C again ends at once")
            yield* work.patience.stop("interrupted")
          }
          yield* Fiber.join(running)
          const summary = toSummary(work, yield* standing, (yield* Clock.currentTimeMillis) - began)
          if (given.json) yield* Console.log(JSON.stringify(Summary.toJson(summary), null, 2))
          else if (!given.quiet) yield* Console.log(Summary.toText(summary))
          yield* Report.endWith(Summary.exitCode(summary))
        })
      )
    }).pipe(Effect.scoped, Report.guard, Effect.provide(Log.layer))
).pipe(
  Command.withDescription("Ask every line of a file, through the queue and all keys; stopped at any moment, it goes on from there")
)

const duration = (option: string, text: string): Effect.Effect<Duration.Duration, Report.Refused> =>
  Option.match(Duration.decodeUnknown(text), {
    onNone: () => new Report.Refused({ message: `--${option}: "${text}" is no time; say it as "10 minutes"` }),
    onSome: Effect.succeed
  })

const positive = (option: string, given: Option.Option<number>): Effect.Effect<Option.Option<number>, Report.Refused> =>
  Option.isSome(given) && given.value <= 0
    ? new Report.Refused({ message: `--${option} must be more than 0, not ${given.value}` })
    : Effect.succeed(given)

const stand = ({ done, found, lines, patience }: Bulk.Work) => (spent: number, { backends }: Monitor.Snapshot): Progress.Standing => {
  const { answered, failed } = done()
  const retries = backends.flatMap(({ calls }) => Object.values(calls?.retries ?? {}))
  return {
    lines,
    before: found.answers,
    answered,
    failed,
    retries: sum(retries),
    spent,
    unpriced: sum(backends.map(({ spend }) => spend?.unknown ?? 0)),
    held: patience.held()
  }
}

const sum = (numbers: ReadonlyArray<number>) => numbers.reduce((sum, n) => sum + n, 0)

const toSummary = ({ done, files, found, patience }: Bulk.Work, standing: Progress.Standing, millis: number): Summary.Summary => ({
  files,
  standing,
  inputTokens: found.inputTokens + done().inputTokens,
  outputTokens: found.outputTokens + done().outputTokens,
  millis,
  damaged: found.damaged,
  stopped: patience.stopped()
})
