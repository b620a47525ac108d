/**
 * `spillway bench`: which settings serve a backend best, tried out on it, or on the simulator.
 *
 * @since 0.1.0
 */
import * as Command from "@effect/cli/Command"
import * as Options from "@effect/cli/Options"
import * as LlmService from "@spillway/core/LlmService"
import * as Catalogue from "@spillway/providers/Catalogue"
import type * as Simulator from "@spillway/testing/Simulator"
import * as ConfigProvider from "effect/ConfigProvider"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Bench from "../Bench.js"
import * as Progress from "../Progress.js"
import * as Report from "../Report.js"
import * as Settings from "../Settings.js"
import * as Simulated from "../Simulated.js"
import * as Table from "../Table.js"
import * as Terminal from "../Terminal.js"

const model = Options.text("model").pipe(
  Options.withAlias("m"),
  Options.withDescription("Which model to ask, as backend/model (default: a cheap one of the first backend)"),
  Options.optional
)

const simulator = Options.boolean("simulator").pipe(
  Options.withDescription("Ask the simulator, whatever the environment says: it costs nothing")
)

const calls = Options.integer("calls").pipe(
  Options.withDescription("How many calls to make under each setting (default 100)"),
  Options.withDefault(100)
)

const concurrency = Options.integer("concurrency").pipe(
  Options.withDescription("How many of them at once (default 32)"),
  Options.withDefault(32)
)

const json = Options.boolean("json").pipe(Options.withDescription("Print what was measured as JSON"))

/**
 * The command.
 *
 * @since 0.1.0
 * @category commands
 */
export const command = Command.make("bench", { model, simulator, calls, concurrency, json }, (given) =>
  Effect.gen(function*() {
    const { calls, concurrency } = given
    if (calls < 1 || concurrency < 1) {
      return yield* new Report.Refused({ message: "--calls and --concurrency must be at least 1" })
    }
    const there = yield* Effect.scoped(Settings.backends())
    const isSimulated = given.simulator || there.simulated
    const names = isSimulated ? ["openai" as const] : there.names
    const asked = yield* Option.match(Option.orElse(given.model, () => anyModel(names)), {
      onNone: () => new Report.Refused({ message: "no model is known to ask; name one with --model" }),
      onSome: Effect.succeed
    })
    const call = LlmService.generateText({ model: asked, prompt: "Say hello.", maxTokens: 8 })
    const measure = (setting: Bench.Setting) =>
      Bench.measure(setting, { calls, concurrency, backend: asked.split("/", 1)[0] ?? "" }, call)
    const measured = yield* Effect.forEach(Bench.settings(calls, concurrency), (setting) =>
      Terminal.keepLine(() => Effect.succeed(`${setting.name} …`)).pipe(
        Effect.zipRight(isSimulated ? simulated(measure(setting)) : measure(setting)),
        Effect.scoped
      ))
    yield* Console.log(
      given.json
        ? JSON.stringify({ model: asked, calls, concurrency, simulated: isSimulated, settings: measured }, null, 2)
        : [`${asked}${isSimulated ? " of the simulator" : ""}, ${calls} calls, ${concurrency} at once`, "", ...Table.lines(columns, measured)].join("\n")
    )
    if (measured.every(({ answered }) => answered === 0)) {
      return yield* new Report.Refused({ message: "nothing was answered under any setting" })
    }
  }).pipe(Report.guard)).pipe(
    Command.withDescription("Compare strategies for keys, and settings of queue and backoff, with real calls")
  )

const right = (title: string, text: (row: Bench.Measured) => string): Table.Column<Bench.Measured> => ({
  title,
  align: "right",
  text
})

const columns: ReadonlyArray<Table.Column<Bench.Measured>> = [
  { title: "SETTING", text: ({ setting }) => setting },
  right("ANSWERED", ({ answered }) => Progress.number(answered)),
  right("IN", ({ millis }) => `${(millis / 1000).toFixed(1)}s`),
  right("PER SECOND", ({ perSecond }) => perSecond.toFixed(1)),
  right("P50", ({ latencyMillis: { p50 } }) => `${p50}ms`),
  right("P95", ({ latencyMillis: { p95 } }) => `${p95}ms`),
  right("REFUSED", ({ refused }) => Progress.number(refused)),
  right("RETRIES", ({ retries }) => Progress.number(retries)),
  { title: "FAILED", text: ({ failed }) => Object.entries(failed).map(([tag, n]) => `${n} ${tag}`).join(", ") }
]

/** Each setting meets a simulator of its own, with keys whose limits are soon reached. */
const simulated = <A, E, R>(self: Effect.Effect<A, E, R>) =>
  Effect.scoped(Effect.flatMap(Simulated.start({ host: "127.0.0.1", port: 0 }, limits), ({ environment }) =>
    Effect.withConfigProvider(self, ConfigProvider.fromMap(new Map(environment)))))

const limits: Simulator.Options = {
  keys: 4,
  requestsPerMinute: 1200,
  burst: 10,
  latency: "50 millis",
  jitter: 0.4,
  answerTokens: 8,
  faults: { serverError: 0.02, connectionReset: 0.01 }
}

const anyModel = (names: ReadonlyArray<Catalogue.Name>): Option.Option<string> =>
  Option.fromNullable(names.flatMap((name) => {
    const { generateText }: Catalogue.Entry["models"] = Catalogue.backends[name].models
    return generateText === undefined ? [] : [`${name}/${generateText}`]
  })[0])
