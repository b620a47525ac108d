/**
 * `spillway models`: the models that can be asked for, one a line.
 *
 * @since 0.1.0
 */
import * as Command from "@effect/cli/Command"
import * as Options from "@effect/cli/Options"
import * as LlmService from "@spillway/core/LlmService"
import * as Catalogue from "@spillway/providers/Catalogue"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as Notice from "../Notice.js"
import * as Report from "../Report.js"
import * as Settings from "../Settings.js"

const all = Options.boolean("all").pipe(
  Options.withDescription("Name also the backends that the environment knows nothing of")
)

const json = Options.boolean("json").pipe(
  Options.withDescription("Print what the backends say of each model, as JSON")
)

/**
 * The command.
 *
 * @since 0.1.0
 * @category commands
 */
export const command = Command.make("models", { all, json }, ({ all, json }) =>
  Effect.gen(function*() {
    const backends = yield* Settings.backends(Settings.impatient)
    yield* Notice.simulated(backends)
    const models = yield* Effect.provide(LlmService.listModels, backends.layer)
    if (all) yield* Effect.forEach(Catalogue.names.filter((name) => !backends.names.includes(name)), Notice.absent)
    yield* Console.log(json ? JSON.stringify(models, null, 2) : models.map(({ id }) => id).join("\n"))
  }).pipe(Effect.scoped, Report.guard)).pipe(
    Command.withDescription("List the models of every backend that the environment has a key for, as backend/model")
  )
