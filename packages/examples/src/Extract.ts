/**
 * Data out of prose: the answer is a value of a Schema, or a typed error that keeps what the model said.
 */
import { NodeHttpClient } from "@effect/platform-node"
import { LlmService, Prompt, Resilience } from "@spillway/core"
import { OpenAi } from "@spillway/providers"
import { Effect, Layer, Schema } from "effect"

export class Invoice extends Schema.Class<Invoice>("Invoice")({
  number: Schema.String,
  total: Schema.Number.annotations({ description: "With tax, in euro" }),
  due: Schema.NullOr(Schema.Date).annotations({ description: "Null when the letter names no day" })
}) {}

/** The invoice in a letter. */
export const program = (letter: string) =>
  LlmService.generateObject({
    model: "gpt-4o-mini",
    prompt: [Prompt.system("Extract the invoice from the letter."), Prompt.user(letter)],
    temperature: 0
  }, Invoice).pipe(
    Effect.map(({ value }) => value),
    Effect.tapErrorTag("InvalidOutput", (error) => Effect.logWarning(error.message)),
    // a model that answered nonsense may answer better when it is asked again
    Effect.retry({ times: 1, while: (error) => error._tag === "InvalidOutput" })
  )

/** OPENAI_API_KEY, OPENAI_API_KEY_1 … */
export const Live = OpenAi.layerConfig.pipe(Resilience.layer(), Layer.provide(NodeHttpClient.layerUndici))
