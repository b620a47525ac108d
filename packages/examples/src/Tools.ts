/**
 * A model that looks things up: typed tools, run until it has its answer.
 */
import { NodeHttpClient } from "@effect/platform-node"
import { Resilience, Tool, ToolLoop } from "@spillway/core"
import { Anthropic } from "@spillway/providers"
import { Context, Data, DateTime, Effect, Layer, Schema } from "effect"

class NoSuchOrder extends Data.TaggedError("NoSuchOrder")<{ readonly id: number }> {}

/** What the tools need is in their type, and so in the program's. */
export class Orders extends Context.Tag("Orders")<Orders, {
  readonly find: (id: number) => Effect.Effect<{ readonly item: string; readonly arrives: string }, NoSuchOrder>
}>() {}

const today = Tool.handle(
  Tool.make("today", { description: "Today's date", parameters: Schema.Struct({}) }),
  () => Effect.map(DateTime.now, DateTime.formatIsoDateUtc)
)

const findOrder = Tool.handle(
  Tool.make("find_order", { description: "An order by its number", parameters: Schema.Struct({ id: Schema.Int }) }),
  ({ id }) =>
    Effect.flatMap(Orders, (orders) => orders.find(id)).pipe(
      // the model hears of it and may ask the user; a failure would end the loop
      Effect.catchTag("NoSuchOrder", () => Effect.succeed(`There is no order ${id}.`))
    )
)

/** Answers a customer with at most five requests to the model. */
export const program = (question: string) =>
  ToolLoop.run({ model: "claude-sonnet-4-5", prompt: question }, { tools: [today, findOrder], maxSteps: 5 }).pipe(
    Effect.map(({ completion }) => completion.text)
  )

/** ANTHROPIC_API_KEY, ANTHROPIC_API_KEY_1 … */
export const Live = Anthropic.layerConfig.pipe(Resilience.layer(), Layer.provide(NodeHttpClient.layerUndici))
