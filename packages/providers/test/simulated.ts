/** A backend before the simulator, and what every backend is put through there. */
import * as HttpClient from "@effect/platform/HttpClient"
import { assert, it } from "@effect/vitest"
import * as Completion from "@spillway/core/Completion"
import type * as LlmError from "@spillway/core/LlmError"
import type * as LlmService from "@spillway/core/LlmService"
import * as Prompt from "@spillway/core/Prompt"
import * as Tool from "@spillway/core/Tool"
import * as Simulator from "@spillway/testing/Simulator"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"

/** Runs a program of a backend that speaks with a simulator of its own. */
export const simulated = <B, E1, A, E2>(
  make: (simulator: Simulator.Service) => Effect.Effect<B, E1, HttpClient.HttpClient | Scope.Scope>,
  use: (backend: B, simulator: Simulator.Service) => Effect.Effect<A, E2>,
  options?: Simulator.Options
) =>
  Effect.scoped(Effect.gen(function*() {
    const simulator = yield* Simulator.make(options)
    const backend = yield* Effect.provideService(make(simulator), HttpClient.HttpClient, simulator.client)
    return yield* use(backend, simulator)
  }))

/** The whole of a streamed answer. */
export const streamed = (llm: LlmService.Service) => (request: Completion.Request) =>
  Completion.collect(llm.streamText(request))

/** A tool that the simulator calls where it is asked for the weather in a city. */
export const weather = Tool.make("get_weather", { parameters: Schema.Struct({ city: Schema.String }) })

/** Has `weather` called for Tokyo and goes on with its result, whole and streamed; `check` sees the call. */
export const callTool = (
  llm: LlmService.Service,
  request: Completion.Request,
  check: (call: Prompt.ToolCallPart) => void = () => {}
) =>
  Effect.forEach([llm.generateText, streamed(llm)], (ask) =>
    Effect.gen(function*() {
      const asked = yield* ask(request)
      assert.strictEqual(asked.finishReason, "tool-calls")
      const call = asked.toolCalls[0]!
      const { arguments: args, id, name } = call
      assert.deepStrictEqual([name, JSON.parse(args)], ["get_weather", { city: "Tokyo" }])
      check(call)
      const answered = yield* ask({
        ...request,
        prompt: [
          ...Prompt.make(request.prompt),
          Prompt.assistant(asked.content),
          Prompt.tool([{ _tag: "ToolResult", id, name, result: "21 degrees and sunny" }])
        ]
      })
      assert.include(answered.text, "21 degrees and sunny")
    }), { discard: true })

/** What each fault of the simulator is to a program. */
export type Faults = { readonly [F in Simulator.Fault]?: LlmError.Tag }

/** To one that waits for a whole answer. */
export const ofAnswers = {
  connectionReset: "NetworkFailure",
  serverError: "ServerFault",
  overloaded: "ServerFault",
  rateLimited: "RateLimited",
  malformed: "MalformedResponse"
} satisfies Faults

/** To one that reads a stream. */
export const ofStreams = {
  ...ofAnswers,
  streamError: "ServerFault",
  streamCut: "StreamInterrupted",
  streamReset: "StreamInterrupted"
} satisfies Faults

/** Registers that each fault fails with its error, whichever way is asked. */
export const failFor = <B>(
  faults: Faults,
  on: <A, E>(use: (backend: B, simulator: Simulator.Service) => Effect.Effect<A, E>) => Effect.Effect<A, unknown>,
  ...asks: ReadonlyArray<(backend: B) => Effect.Effect<unknown, LlmError.LlmError>>
): void => {
  for (const [fault, tag] of Object.entries(faults)) {
    it.effect(`fail with ${tag} for ${fault}`, () =>
      Effect.forEach(asks, (ask) =>
        on((backend, simulator) =>
          Effect.gen(function*() {
            yield* simulator.inject(fault as Simulator.Fault) // a key of the table
            assert.strictEqual((yield* Effect.flip(ask(backend)))._tag, tag)
          })
        )))
  }
}
