/**
 * `spillway serve`: the gateway before every backend that the environment speaks of.
 *
 * @since 0.1.0
 */
import * as Command from "@effect/cli/Command"
import * as Options from "@effect/cli/Options"
import * as HttpServer from "@effect/platform/HttpServer"
import * as Gateway from "@spillway/gateway/Gateway"
import * as Catalogue from "@spillway/providers/Catalogue"
import * as Console from "effect/Console"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as ClientKeys from "../ClientKeys.js"
import * as ConfigFile from "../ConfigFile.js"
import * as Listening from "../Listening.js"
import * as Log from "../Log.js"
import * as NodeHttp from "../NodeHttp.js"
import * as Notice from "../Notice.js"
import * as OpenTelemetry from "../OpenTelemetry.js"
import * as Report from "../Report.js"
import * as Settings from "../Settings.js"
import * as Version from "../Version.js"

const grace = Options.text("grace").pipe(
  Options.withDescription("How long calls in flight may go on after Ctrl-C (default \"30 seconds\")"),
  Options.withDefault("30 seconds")
)

const config = Options.text("config").pipe(
  Options.withAlias("c"),
  Options.withDescription("A file that says which backends there are (default: the environment does)"),
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
  { port: Listening.port(8787), host: Listening.host, grace, config },
  ({ config, grace, ...given }) =>
    Effect.gen(function*() {
      const clients = yield* ClientKeys.fromEnvironment
      const address = yield* Listening.address({ ...given, allowRemote: Option.isSome(clients), otherwise })
      const hosts = Option.isSome(clients) ? undefined : Listening.localNames(address.host)
      const backends = yield* Option.match(config, {
        onNone: () => Settings.backends(),
        onSome: (file) =>
          Effect.map(ConfigFile.load(file, (name) => process.env[name]), (found) => Settings.fromFile(found, process.env))
      })
      const server = yield* NodeHttp.listen(address)
      yield* Layer.build(
        Gateway.serve({
          grace: grace as Duration.DurationInput,
          version: Version.version,
          ...(Option.isSome(clients) && { access: clients.value }),
          ...(hosts !== undefined && { hosts })
        }).pipe(
          Layer.provide(Layer.succeed(HttpServer.HttpServer, server)),
          Layer.provide(backends.layer)
        )
      )
      yield* Notice.simulated(backends)
      yield* Console.log(welcome(NodeHttp.urlOf(server, address.host), backends))
      yield* Effect.never
    }).pipe(Effect.scoped, Effect.provide(OpenTelemetry.layer), Report.guard, Effect.provide(Log.layer))
).pipe(Command.withDescription("Serve every backend that the environment has a key for, to any OpenAI client"))

const otherwise = `give its clients keys in ${ClientKeys.variables.user} (spillway config key makes one)`

const welcome = (url: string, { names }: Settings.Backends): string =>
  `Spillway listens on ${url}, before ${names.join(", ")}. Try:

  curl -N ${url}/v1/chat/completions -H 'content-type: application/json' \\
    -d '{"model":"${anyModel(names)}","stream":true,"messages":[{"role":"user","content":"Hello!"}]}'

  curl ${url}/status.json

Ctrl-C lets the calls in flight end, and stops.`

/** A model to say hello to. */
const anyModel = (names: ReadonlyArray<Catalogue.Name>): string =>
  names.flatMap((name) => {
    const { generateText }: Catalogue.Entry["models"] = Catalogue.backends[name].models
    return generateText === undefined ? [] : [`${name}/${generateText}`]
  })[0] ?? "backend/model"
