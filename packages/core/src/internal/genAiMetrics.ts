/**
 * What OpenTelemetry wants to be measured of generative AI: how long calls take, how long until a stream begins, and
 * how many tokens they have. The names are the conventions', which change; see `GenAiNames`.
 */
import type * as Completion from "../Completion.js"
import * as GenAiNames from "../GenAiNames.js"
import type * as LlmService from "../LlmService.js"
import * as Metrics from "./metrics.js"
import type * as Tally from "./tally.js"

/** What is measured of the calls of one model. */
export interface OfModel {
  readonly answered: (operation: LlmService.Operation, millis: number) => void
  readonly ended: (
    operation: LlmService.Operation,
    outcome: Tally.Outcome,
    millis: number,
    usage: Completion.Usage | undefined
  ) => void
}

const descriptions = {
  duration: "How long an operation took.",
  firstPart: "How long it took until the first part of an answer was there.",
  tokens: "How many tokens an operation had."
} as const

/** The measures of a backend, by the model that was asked for; none where the operation has none. */
export const make = (backend: string, names: GenAiNames.GenAiNames) => {
  const { completionDuration, duration, firstPart, tokens } = names.metrics
  const provider = GenAiNames.provider(names, backend)

  return (model: string): OfModel => {
    const labels = (operation: string): Metrics.Labels => ({
      [names.operationName]: names.operations[operation as LlmService.Operation],
      [names.providerName]: provider,
      ...(model !== "" && { [names.requestModel]: model })
    })
    const durations = Metrics.family((key: `${LlmService.Operation} ${Tally.Outcome}`) => {
      const [operation, outcome] = key.split(" ") as [LlmService.Operation, Tally.Outcome]
      const name = operation === "generateText" || operation === "streamText" ? completionDuration : duration
      return Metrics.histogram({ name, description: descriptions.duration }, {
        ...labels(operation),
        ...(outcome !== "success" && { "error.type": outcome }),
        unit: "s"
      })
    })
    const firstParts = Metrics.family((operation: LlmService.Operation) =>
      Metrics.histogram({ name: firstPart, description: descriptions.firstPart }, { ...labels(operation), unit: "s" })
    )
    const counted = (of: keyof typeof tokens) =>
      Metrics.family((operation: LlmService.Operation) =>
        Metrics.sizes({ name: tokens[of].name, description: descriptions.tokens }, {
          ...labels(operation),
          ...tokens[of].labels,
          unit: "{token}"
        })
      )
    const input = counted("input")
    const output = counted("output")
    return {
      answered: (operation, millis) => firstParts(operation)(millis / 1000),
      ended(operation, outcome, millis, usage) {
        durations(`${operation} ${outcome}`)(millis / 1000)
        if (usage?.inputTokens !== undefined) input(operation)(usage.inputTokens)
        if (usage?.outputTokens !== undefined) output(operation)(usage.outputTokens)
      }
    }
  }
}
