/**
 * `spillway serve`: the gateway before every backend that the environment speaks of.
 *
 * @since 0.1.0
 */
import * as Command from "@effect/cli/Command"
import * as Options from "@effect/cli/Options"
import * as HttpServer from "@effect/platform/HttpServer"
import type * as Access from "@spillway/gateway/Access"
import * as Gateway from "@spillway/gateway/Gateway"
import * as Moderation from "@spillway/gateway/Moderation"
import * as Catalogue from "@spillway/providers/Catalogue"
import * as Console from "effect/Console"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as BackendLayers from "../BackendLayers.js"
import * as ClientKeys from "../ClientKeys.js"
import * as ConfigReading from "../ConfigReading.js"
import * as Listening from "../Listening.js"
import * as Log from "../Log.js"
import * as Moderators from "../Moderators.js"
import * as NodeHttp from "../NodeHttp.js"
import * as Notice from "../Notice.js"
import * as OpenTelemetry from "../OpenTelemetry.js"
import * as Reloading from "../Reloading.js"
import * as Report from "../Report.js"
import * as Settings from "../Settings.js"
import * as Signals from "../Signals.js"
import * as Version from "../Version.js"

const port = 8787

const grace = Options.text("grace").pipe(
  Options.withDescription("How long calls in flight may go on after Ctrl-C (default \"30 seconds\")"),
  Options.optional
)

const config = Options.text("config").pipe(
  Options.withAlias("c"),
  Options.withDescription("A file that says which backends there are (default: the environment does); read again on SIGHUP"),
  Options.optional
)

/**
 * The command.
 *
 * @since 0.1.0
 * @category commands
 */
export const command = Command.make(
  "serve",
  { port: Listening.portIfGiven(port), host: Listening.hostIfGiven, grace, config },
  ({ config, grace, host, ...given }) =>
    Effect.gen(function*() {
      const { backends, file, reload } = yield* Option.match(config, { onNone: () => ofEnvironment, onSome: ofFile })
      const { access: ofFileOnly, host: fileHost, port: filePort, ...options } = file
      const access = yield* clients(ofFileOnly)
      const address = yield* Listening.address({
        host: Option.getOrElse(host, () => fileHost ?? Listening.loopback),
        port: Option.getOrElse(given.port, () => filePort ?? port),
        allowRemote: access !== undefined,
        otherwise
      })
      const hosts = access === undefined ? Listening.localNames(address.host) : undefined
      const server = yield* NodeHttp.listen(
        address,
        // the gateway is the first to cut a stream, and says why
        options.stall === undefined ? {} : { stall: Duration.sum(options.stall, "5 seconds") }
      )
      const built = yield* Layer.build(
        Gateway.serve({
          ...options,
          // a text that is none is told by the gateway itself
          ...(Option.isSome(grace) && { grace: grace.value as Duration.DurationInput }),
          version: Version.version,
          ...(access !== undefined && { access }),
          ...(hosts !== undefined && { hosts })
        }).pipe(
          Layer.provide(Layer.succeed(HttpServer.HttpServer, server)),
          Layer.provide(backends.layer),
          Layer.provide(Layer.effect(Moderation.Moderation, Moderators.CurrentModerators))
        )
      )
      if (reload !== undefined) {
        yield* Signals.on("SIGHUP", reload((next, before) => changed(Context.get(built, Gateway.Gateway), before.gateway, next.gateway)))
      }
      yield* Notice.simulated(backends)
      yield* Console.log(welcome(NodeHttp.urlOf(server, address.host), backends))
      yield* Effect.never
    }).pipe(Effect.scoped, Effect.provide(OpenTelemetry.layer), Report.guard, Effect.provide(Log.layer))
).pipe(Command.withDescription("Serve every backend that the environment has a key for, to any OpenAI client"))

// -----------------------------------------------------------------------------
// what is served
// -----------------------------------------------------------------------------

type Section = ConfigReading.ConfigFile["gateway"]

interface Served {
  readonly backends: Omit<Settings.Backends, "layers">
  readonly file: Section
  /** How the file is read again, if there is one. */
  readonly reload?: Reloading.Reloading["reload"]
}

const ofEnvironment = Effect.map(Settings.backends(), (backends): Served => ({ backends, file: {} }))

const ofFile = (path: string) =>
  Effect.map(Reloading.make(path, process.env), ({ file, joined, reload }): Served => ({
    backends: {
      names: file.backends.map(({ name }) => name),
      simulated: false,
      layer: Layer.succeedContext(BackendLayers.toContext(joined))
    },
    file: file.gateway,
    reload
  }))

/** The clients that the file speaks of, and those of the environment. */
const clients = (ofFile: Access.Options | undefined) =>
  Effect.map(ClientKeys.fromEnvironment, (ofEnvironment) =>
    Option.match(ofEnvironment, {
      onNone: () => ofFile,
      onSome: ({ keys }) => ({ ...ofFile, keys: [...ofFile?.keys ?? [], ...keys] })
    }))

/** Takes over who may use the gateway; what else the file says of it is for the next start. */
const changed = (gateway: Gateway.Service, { access: old, ...before }: Section, { access, ...next }: Section) =>
  Effect.gen(function*() {
    const isSame = (one: unknown, other: unknown) => ConfigReading.toText(one) === ConfigReading.toText(other)
    const now = yield* clients(access)
    if (now !== undefined && !isSame(old, access)) yield* gateway.setAccess(now)
    if (!isSame(before, next) || (old === undefined) !== (access === undefined)) {
      yield* Effect.logWarning("of what the file says of the gateway, only who may use it changes while it runs")
    }
  })

const otherwise = `give its clients keys in ${ClientKeys.variables.user} (spillway config key makes one)`

const welcome = (url: string, { names }: Served["backends"]): string =>
  `Spillway listens on ${url}, before ${names.join(", ")}. Try:

  curl -N ${url}/v1/chat/completions -H 'content-type: application/json' \\
    -d '{"model":"${anyModel(names)}","stream":true,"messages":[{"role":"user","content":"Hello!"}]}'

What is going on: ${url}/dashboard

Ctrl-C lets the calls in flight end, and stops.`

/** A model to say hello to. */
const anyModel = (names: ReadonlyArray<Catalogue.Name>): string =>
  names.flatMap((name) => {
    const { generateText }: Catalogue.Entry["models"] = Catalogue.backends[name].models
    return generateText === undefined ? [] : [`${name}/${generateText}`]
  })[0] ?? "backend/model"
