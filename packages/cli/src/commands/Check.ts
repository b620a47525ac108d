/**
 * `spillway check`: tries out every backend, one line for each, with an exit code that tells the truth.
 *
 * @since 0.1.0
 */
import * as Command from "@effect/cli/Command"
import * as Options from "@effect/cli/Options"
import * as FileSystem from "@effect/platform/FileSystem"
import * as LlmService from "@spillway/core/LlmService"
import * as Resilience from "@spillway/core/Resilience"
import * as Catalogue from "@spillway/providers/Catalogue"
import * as Clock from "effect/Clock"
import * as Console from "effect/Console"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Load from "../Load.js"
import * as Notice from "../Notice.js"
import * as OllamaHost from "../OllamaHost.js"
import * as Probe from "../Probe.js"
import * as Report from "../Report.js"
import * as Settings from "../Settings.js"

const apis = Options.choice("apis", Catalogue.names).pipe(
  Options.withDescription("Only these backends, such as --apis openai groq"),
  Options.repeated
)

const skipApis = Options.choice("skip-apis", Catalogue.names).pipe(
  Options.withDescription("Not these backends"),
  Options.repeated
)

/**
 * The options that several words may follow.
 *
 * @since 0.1.0
 * @category options
 */
export const several: ReadonlyArray<string> = ["--apis", "--skip-apis"]

const simulator = Options.boolean("simulator").pipe(
  Options.withDescription("Try the simulator in the place of every backend, whatever the environment says")
)

const json = Options.text("json").pipe(
  Options.withDescription("Write the report as JSON to this file"),
  Options.optional
)

const ollamaModel = Options.text("ollama-model").pipe(
  Options.withDescription("Which of its models to ask Ollama for"),
  Options.optional
)

/**
 * The command.
 *
 * @since 0.1.0
 * @category commands
 */
export const command = Command.make("check", { apis, skipApis, simulator, json, ollamaModel, ollamaHost: OllamaHost.option("ollama-host") }, (given) =>
  Effect.gen(function*() {
    const backends = yield* given.simulator ? Settings.simulated(bare) : Settings.backends(bare)
    yield* given.simulator ? Effect.void : Notice.simulated(backends)
    const wanted = backends.names.filter((name) =>
      (given.apis.length === 0 || given.apis.includes(name)) && !given.skipApis.includes(name)
    )
    const missing = given.apis.filter((name) => !backends.names.includes(name))
    if (missing.length > 0) {
      return yield* new Report.Refused({ message: `the environment has no key or address for ${missing.join(", ")}` })
    }
    if (wanted.length === 0) return yield* new Report.Refused({ message: "there is nothing left to check" })
    // all are tried at once, and told in their order
    const probes = yield* Effect.forEach(wanted, (name) => Effect.fork(probe(name, backends, entryOf(name, given.ollamaModel))))
    const reports = yield* Effect.forEach(probes, (probe) =>
      Effect.tap(Fiber.join(probe), (report) => Console.log(line(report))))
    if (Option.isSome(given.json)) yield* save(given.json.value, backends.simulated, reports)
    const ill = reports.filter((report) => !Probe.isWell(report)).map(({ backend }) => backend)
    if (ill.length > 0) return yield* new Report.Refused({ message: `not all is well with ${ill.join(", ")}` })
  }).pipe(Effect.scoped, OllamaHost.within(given.ollamaHost), Report.guard)).pipe(
    Command.withDescription(
      "Try out every backend: is it there, does it take the key, does it answer, and do queue, backoff and keys do their work"
    )
  )

/** What is tried is put around a backend where it is tried. */
const bare: Resilience.Options = { telemetry: false, retry: false, queue: false, breaker: false, timeout: false }

const entryOf = (name: Catalogue.Name, ollamaModel: Option.Option<string>): Catalogue.Entry => {
  const entry: Catalogue.Entry = Catalogue.backends[name]
  return name === "ollama" && Option.isSome(ollamaModel)
    ? { ...entry, models: { ...entry.models, generateText: ollamaModel.value } }
    : entry
}

const probe = (name: Catalogue.Name, backends: Settings.Backends, entry: Catalogue.Entry) =>
  Effect.scoped(Effect.gen(function*() {
    const context = yield* Layer.build(backends.layers[name] ?? backends.layer)
    const service = Context.get(context, LlmService.LlmService)
    const policy = yield* Resilience.standard(name, Settings.impatient)
    const report = yield* Probe.run(name, entry, Resilience.protect(service, policy))
    const { chat, embeddings } = report.probes
    if (chat._tag !== "Passed" && embeddings._tag !== "Passed") return report
    return { ...report, probes: { ...report.probes, ...yield* Load.run(name, entry, service) } }
  }))

const line = ({ backend, probes }: Probe.Report): string =>
  [
    backend.padEnd(10),
    ...Object.entries(probes).map(([name, outcome]) => {
      switch (outcome._tag) {
        case "Passed":
          return [`✓ ${name}`, outcome.detail && `(${outcome.detail})`, outcome.millis > 0 && `${outcome.millis} ms`]
            .filter(Boolean).join(" ")
        case "Failed":
          return `✗ ${name}: ${outcome.message} (${outcome.error})`
        case "Skipped":
          return outcome.reason.startsWith(Probe.lacking) ? `– ${name}` : `– ${name}: ${outcome.reason}`
      }
    })
  ].join("  ")

const save = (file: string, simulated: boolean, reports: ReadonlyArray<Probe.Report>) =>
  Effect.gen(function*() {
    const at = yield* Clock.currentTimeMillis
    const files = yield* FileSystem.FileSystem
    const report = { at: new Date(at).toISOString(), simulated, ok: reports.every(Probe.isWell), backends: reports }
    yield* Effect.mapError(
      files.writeFileString(file, `${JSON.stringify(report, null, 2)}\n`),
      (error) => new Report.Refused({ message: `the report cannot be written: ${error.message}` })
    )
  })
