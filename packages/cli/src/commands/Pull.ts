/**
 * `spillway pull`: has an Ollama server fetch a model.
 *
 * @since 0.1.0
 */
import * as Args from "@effect/cli/Args"
import * as Command from "@effect/cli/Command"
import * as Options from "@effect/cli/Options"
import * as Ollama from "@spillway/providers/Ollama"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Ref from "effect/Ref"
import * as Stream from "effect/Stream"
import * as NodeHttp from "../NodeHttp.js"
import * as OllamaHost from "../OllamaHost.js"
import * as PullText from "../PullText.js"
import * as Report from "../Report.js"
import * as Terminal from "../Terminal.js"

const model = Args.text({ name: "model" }).pipe(Args.withDescription("Which model, such as llama3.2"))

const json = Options.boolean("json").pipe(Options.withDescription("Print each thing that the server tells, as JSON, a line each"))

/**
 * The command.
 *
 * @since 0.1.0
 * @category commands
 */
export const command = Command.make("pull", { model, host: OllamaHost.option("host"), json }, ({ host, json, model }) =>
  Effect.gen(function*() {
    const { pull } = yield* Ollama.Ollama
    const told = yield* Ref.make(PullText.nothing)
    const pulling = Stream.runForEach(pull({ model }), (progress) =>
      json ? Console.log(JSON.stringify(progress)) : Ref.update(told, (told) => PullText.hear(told, progress)))
    if (json) return yield* pulling
    yield* Terminal.keepLine((columns) => Effect.map(Ref.get(told), (told) => PullText.line(told, columns))).pipe(
      Effect.zipRight(pulling),
      Effect.scoped
    )
    yield* Console.log(`${model} is there`)
  }).pipe(
    Effect.provide(Layer.provide(Ollama.layerConfig, NodeHttp.client)),
    OllamaHost.within(host),
    Report.guard
  )).pipe(Command.withDescription("Have an Ollama server fetch a model, and see how far it is"))
