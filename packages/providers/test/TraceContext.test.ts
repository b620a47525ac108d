/** What a backend is told of the trace that a call is part of. */
import { assert, describe, it } from "@effect/vitest"
import * as HttpClient from "@effect/platform/HttpClient"
import * as LlmService from "@spillway/core/LlmService"
import * as TraceContext from "@spillway/core/TraceContext"
import * as OpenAi from "@spillway/providers/OpenAi"
import * as RecordedHttp from "@spillway/testing/RecordedHttp"
import { Effect, Layer, Redacted } from "effect"

const headers = { traceparent: "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01", tracestate: "congo=t61" }

const sent = (isPropagated: boolean) =>
  Effect.gen(function*() {
    const http = yield* RecordedHttp.make({ status: 500, body: "{}" })
    yield* Effect.flatMap(LlmService.LlmService, (llm) => llm.generateText({ model: "m", prompt: "hi" })).pipe(
      Effect.flip,
      Effect.withParentSpan(TraceContext.fromHeaders(headers)!),
      Effect.provideService(TraceContext.IsPropagated, isPropagated),
      Effect.provide(
        Layer.provide(OpenAi.layer({ apiKeys: [Redacted.make("sk-one")] }), Layer.succeed(HttpClient.HttpClient, http.client))
      )
    )
    const [asked] = yield* http.requests
    return { traceparent: asked?.headers["traceparent"], tracestate: asked?.headers["tracestate"] }
  })

describe("the trace of a call", () => {
  it.effect("goes with the request where that is wanted", () =>
    Effect.gen(function*() {
      assert.deepStrictEqual(yield* sent(true), headers)
    }))

  it.effect("stays with us where it is not", () =>
    Effect.gen(function*() {
      assert.deepStrictEqual(yield* sent(false), { traceparent: undefined, tracestate: undefined })
    }))
})
