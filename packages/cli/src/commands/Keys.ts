/**
 * `spillway keys`: which keys there are, whether they are accepted, and what they have been used for.
 *
 * @since 0.1.0
 */
import * as Command from "@effect/cli/Command"
import * as Options from "@effect/cli/Options"
import * as KeyPool from "@spillway/core/KeyPool"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as Option from "effect/Option"
import * as Chosen from "../Chosen.js"
import * as KeyTable from "../KeyTable.js"
import * as Notice from "../Notice.js"
import * as Report from "../Report.js"
import * as RunningGateway from "../RunningGateway.js"

const json = Options.boolean("json").pipe(Options.withDescription("Print it as JSON"))

/** The pools of every backend, none of which has been asked anything. */
const pools = (config: Option.Option<string>) =>
  Effect.gen(function*() {
    const backends = yield* Chosen.backends(config)
    yield* Notice.simulated(backends)
    yield* Layer.build(backends.layer)
    return yield* KeyPool.pools
  })

const list = Command.make("list", { config: Chosen.config, json }, ({ config, json }) =>
  Effect.gen(function*() {
    const found = yield* Effect.forEach(yield* pools(config), ({ backend, stats }) =>
      Effect.map(stats, (keys) => ({ backend, keys })))
    const rows = KeyTable.rows(found)
    yield* Console.log(
      json
        ? JSON.stringify(rows.map(({ backend, key: { id } }) => ({ backend, key: id })), null, 2)
        : KeyTable.list(rows).join("\n")
    )
  }).pipe(Effect.scoped, Report.guard)).pipe(
    Command.withDescription("Name the keys that there are, without showing any")
  )

const validate = Command.make("validate", { config: Chosen.config, json }, ({ config, json }) =>
  Effect.gen(function*() {
    const judged = yield* Effect.forEach(yield* pools(config), ({ backend, validateAll }) =>
      Effect.map(validateAll, (verdicts) =>
        verdicts.filter(({ id }) => !KeyTable.isAnonymous(id)).map((verdict): KeyTable.Judged => ({ backend, ...verdict }))), {
      concurrency: "unbounded"
    }).pipe(Effect.map((verdicts) => verdicts.flat()))
    yield* Console.log(
      json
        ? JSON.stringify(judged.map(({ backend, error, id, verdict }) => ({
          backend,
          key: id,
          verdict,
          ...(error !== undefined && { error: error._tag, message: error.message })
        })), null, 2)
        : KeyTable.verdicts(judged).join("\n")
    )
    const of = (is: (one: KeyTable.Judged) => boolean) => judged.filter(is).map(({ backend, id }) => `${id} of ${backend}`).join(", ")
    const invalid = of(({ verdict }) => verdict === "invalid")
    // where there is no error, the backend has no request that would show it
    const unknown = of(({ error, verdict }) => verdict === "unknown" && error !== undefined)
    if (invalid !== "") return yield* new Report.Refused({ message: `not accepted: ${invalid}` })
    if (unknown !== "") return yield* new Report.Refused({ message: `could not be found out: ${unknown}` })
  }).pipe(Effect.scoped, Report.guard)).pipe(
    Command.withDescription("Ask every backend whether it accepts its keys, by the cheapest request that shows it")
  )

const usage = Command.make("usage", { url: RunningGateway.url, json }, ({ json, url }) =>
  Effect.gen(function*() {
    const { at, backends } = yield* RunningGateway.status(url)
    const rows = KeyTable.rows(backends)
    yield* Console.log(
      json
        ? JSON.stringify(rows.map(({ backend, key }) => ({ backend, ...key })), null, 2)
        : KeyTable.usage(rows, at).join("\n")
    )
  }).pipe(Report.guard)).pipe(
    Command.withDescription("What the keys of a running gateway have been used for")
  )

/**
 * The command.
 *
 * @since 0.1.0
 * @category commands
 */
export const command = Command.make("keys").pipe(
  Command.withDescription("The keys that there are, whether they are accepted, and what they have been used for"),
  Command.withSubcommands([list, validate, usage])
)
