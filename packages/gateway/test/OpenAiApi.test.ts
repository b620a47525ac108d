import { assert, describe, it } from "@effect/vitest"
import * as Completion from "@spillway/core/Completion"
import * as LlmError from "@spillway/core/LlmError"
import * as LlmService from "@spillway/core/LlmService"
import * as Prompt from "@spillway/core/Prompt"
import * as OpenAiFault from "@spillway/gateway/OpenAiFault"
import * as ScriptedLlm from "@spillway/testing/ScriptedLlm"
import { Duration, Effect, Option, TestClock } from "effect"
import { events, hi, json, serve, text } from "./web.js"

const weather = { type: "function", function: { name: "get_weather", parameters: { type: "object" } } }

const answer: ScriptedLlm.Answer = {
  id: "chatcmpl-1",
  model: "parrot-2",
  content: [Prompt.text("hello there")],
  finishReason: "stop",
  usage: { inputTokens: 9, outputTokens: 3, cachedInputTokens: 4, reasoningTokens: 1 }
}

describe("OpenAiApi", () => {
  describe("POST /v1/chat/completions", () => {
    it.effect("answers with a chat completion", () =>
      Effect.gen(function*() {
        yield* TestClock.setTime(1_700_000_000_900)
        const web = yield* serve(yield* ScriptedLlm.make(answer))
        const response = yield* web.post("/v1/chat/completions", hi)
        assert.strictEqual(response.status, 200)
        assert.strictEqual(response.headers.get("content-type"), "application/json")
        assert.deepStrictEqual(yield* json(response), {
          id: "chatcmpl-1",
          object: "chat.completion",
          created: 1_700_000_000,
          model: "parrot-2",
          choices: [{
            index: 0,
            message: { role: "assistant", content: "hello there", refusal: null },
            logprobs: null,
            finish_reason: "stop"
          }],
          usage: {
            prompt_tokens: 9,
            completion_tokens: 3,
            total_tokens: 12,
            prompt_tokens_details: { cached_tokens: 4 },
            completion_tokens_details: { reasoning_tokens: 1 }
          }
        })
      }))

    it.effect("hands the backend what the client asked for", () =>
      Effect.gen(function*() {
        const llm = yield* ScriptedLlm.make(ScriptedLlm.repeat(answer))
        const web = yield* serve(llm)
        const ask = { ...hi, temperature: 0.5, max_tokens: 7 }
        const headers = {
          "x-spillway-priority": "high",
          "x-spillway-deadline": "1500ms",
          "x-spillway-tenant": "acme"
        }
        yield* Effect.flatMap(web.post("/v1/chat/completions", ask, { headers }), text)
        yield* Effect.flatMap(web.post("/v1/chat/completions", { ...ask, stream: true }, { headers }), text)
        const expected = {
          request: {
            model: "scripted/parrot",
            prompt: [{ role: "user", content: [{ _tag: "Text", text: "hi" }] }],
            temperature: 0.5,
            maxTokens: 7
          },
          at: 0,
          priority: "high",
          deadline: 1500,
          tenant: "acme"
        }
        const seen = (yield* llm.requests).map(({ deadline, ...request }) => ({
          ...request,
          deadline: Option.getOrUndefined(deadline)
        }))
        assert.deepStrictEqual<ReadonlyArray<unknown>>(seen, [
          { operation: "generateText", ...expected },
          { operation: "streamText", ...expected }
        ])
      }))

    it.effect("answers with tool calls, and takes their results", () =>
      Effect.gen(function*() {
        const llm = yield* ScriptedLlm.make(ScriptedLlm.toolCall("get_weather", { city: "Oslo" }, "call_1"), "rain")
        const web = yield* serve(llm)
        const first = yield* Effect.flatMap(web.post("/v1/chat/completions", { ...hi, tools: [weather] }), json)
        const [choice] = first.choices
        assert.deepStrictEqual(choice, {
          index: 0,
          message: {
            role: "assistant",
            content: null,
            refusal: null,
            tool_calls: [{
              id: "call_1",
              type: "function",
              function: { name: "get_weather", arguments: "{\"city\":\"Oslo\"}" }
            }]
          },
          logprobs: null,
          finish_reason: "tool_calls"
        })
        assert.isFalse("usage" in first, "what nobody counted is not told")
        const second = yield* Effect.flatMap(
          web.post("/v1/chat/completions", {
            ...hi,
            messages: [...hi.messages, choice.message, { role: "tool", tool_call_id: "call_1", content: "12°" }]
          }),
          json
        )
        assert.strictEqual(second.choices[0].message.content, "rain")
        const asked = (yield* llm.requests)[1]!
        assert.deepStrictEqual(asked.operation === "generateText" && asked.request.prompt, [
          Prompt.user("hi"),
          Prompt.assistant([ScriptedLlm.toolCall("get_weather", { city: "Oslo" }, "call_1")]),
          Prompt.tool([{ _tag: "ToolResult", id: "call_1", name: "get_weather", result: "12°" }])
        ])
      }))

    it.effect("gives reasoning, with what proves it, and an id and a model where the backend gave none", () =>
      Effect.gen(function*() {
        const web = yield* serve(
          yield* ScriptedLlm.make({
            model: "",
            content: [
              { _tag: "Reasoning", text: "hm", signature: "sig" },
              { _tag: "Reasoning", text: "", redacted: "sealed" },
              Prompt.text("yes")
            ],
            finishReason: "length"
          })
        )
        const response = yield* web.post("/v1/chat/completions", hi, { headers: { "x-request-id": "mine-1" } })
        const body = yield* json(response)
        assert.strictEqual(body.id, "chatcmpl-mine-1")
        assert.strictEqual(body.model, "scripted/parrot")
        assert.deepStrictEqual(body.choices[0], {
          index: 0,
          message: {
            role: "assistant",
            content: "yes",
            refusal: null,
            reasoning_content: "hm",
            reasoning_details: [
              { type: "reasoning.text", text: "hm", signature: "sig" },
              { type: "reasoning.encrypted", data: "sealed" }
            ]
          },
          logprobs: null,
          finish_reason: "length"
        })
      }))
  })

  describe("POST /v1/chat/completions with stream: true", () => {
    const parts: ReadonlyArray<Completion.Part> = [
      { _tag: "Start", id: "chatcmpl-7", model: "parrot-2" },
      { _tag: "TextDelta", text: "hel" },
      { _tag: "TextDelta", text: "lo" },
      { _tag: "Finish", finishReason: "stop", usage: { inputTokens: 1, outputTokens: 2 } }
    ]

    it.effect("writes these bytes and no others", () =>
      Effect.gen(function*() {
        yield* TestClock.setTime(1_700_000_000_000)
        const web = yield* serve(yield* ScriptedLlm.make(parts, parts))
        const response = yield* web.post("/v1/chat/completions", { ...hi, stream: true })
        assert.strictEqual(response.status, 200)
        assert.strictEqual(response.headers.get("content-type"), "text/event-stream; charset=utf-8")
        assert.strictEqual(response.headers.get("cache-control"), "no-cache")
        assert.strictEqual(response.headers.get("x-accel-buffering"), "no")
        const head = "data: {\"id\":\"chatcmpl-7\",\"object\":\"chat.completion.chunk\",\"created\":1700000000,\"model\":\"parrot-2\",\"choices\":["
        const chunk = (delta: string, finish = "null") =>
          `${head}{"index":0,"delta":${delta},"logprobs":null,"finish_reason":${finish}}]}\n\n`
        assert.strictEqual(
          yield* text(response),
          chunk("{\"role\":\"assistant\",\"content\":\"\"}") +
            chunk("{\"content\":\"hel\"}") +
            chunk("{\"content\":\"lo\"}") +
            chunk("{}", "\"stop\"") +
            "data: [DONE]\n\n"
        )
        const withUsage = yield* Effect.flatMap(
          web.post("/v1/chat/completions", { ...hi, stream: true, stream_options: { include_usage: true } }),
          events
        )
        assert.deepStrictEqual(withUsage.slice(0, 4).map((chunk) => chunk.usage), [null, null, null, null])
        assert.deepStrictEqual(withUsage[4], {
          id: "chatcmpl-7",
          object: "chat.completion.chunk",
          created: 1_700_000_000,
          model: "parrot-2",
          choices: [],
          usage: { prompt_tokens: 1, completion_tokens: 2, total_tokens: 3 }
        })
        assert.strictEqual(withUsage[5], "[DONE]")
      }))

    it.effect("numbers tool calls from zero, whatever the backend counts from", () =>
      Effect.gen(function*() {
        const web = yield* serve(
          yield* ScriptedLlm.make([
            { _tag: "Start", model: "parrot-2" },
            { _tag: "ToolCallStart", index: 3, id: "call_a", name: "a" },
            { _tag: "ToolCallStart", index: 5, id: "call_b", name: "b" },
            { _tag: "ToolCallDelta", index: 5, arguments: "{\"x\":" },
            { _tag: "ToolCallDelta", index: 3, arguments: "{}" },
            { _tag: "ToolCallDelta", index: 5, arguments: "1}" },
            { _tag: "Finish", finishReason: "tool-calls", usage: {} }
          ])
        )
        const chunks = yield* Effect.flatMap(web.post("/v1/chat/completions", { ...hi, stream: true }), events)
        assert.deepStrictEqual(chunks.slice(1, 6).map((chunk) => chunk.choices[0].delta.tool_calls), [
          [{ index: 0, id: "call_a", type: "function", function: { name: "a", arguments: "" } }],
          [{ index: 1, id: "call_b", type: "function", function: { name: "b", arguments: "" } }],
          [{ index: 1, function: { arguments: "{\"x\":" } }],
          [{ index: 0, function: { arguments: "{}" } }],
          [{ index: 1, function: { arguments: "1}" } }]
        ])
        assert.strictEqual(chunks[6].choices[0].finish_reason, "tool_calls")
      }))

    it.effect("streams reasoning, and proves it in the end, block by block", () =>
      Effect.gen(function*() {
        const web = yield* serve(
          yield* ScriptedLlm.make([
            { _tag: "Start", model: "parrot-2" },
            { _tag: "ReasoningDelta", index: 0, text: "h" },
            { _tag: "ReasoningDelta", index: 0, text: "m" },
            { _tag: "ReasoningDelta", index: 0, text: "", signature: "si" },
            { _tag: "ReasoningDelta", index: 0, text: "", signature: "g" },
            { _tag: "ReasoningDelta", index: 1, text: "", redacted: "sealed" },
            { _tag: "TextDelta", text: "yes" },
            { _tag: "Finish", finishReason: "stop", usage: {} }
          ])
        )
        const chunks = yield* Effect.flatMap(web.post("/v1/chat/completions", { ...hi, stream: true }), events)
        assert.deepStrictEqual(chunks.slice(1, -1).map((chunk) => chunk.choices[0].delta), [
          { reasoning_content: "h" },
          { reasoning_content: "m" },
          { content: "yes" },
          {
            reasoning_details: [
              { type: "reasoning.text", text: "hm", signature: "sig" },
              { type: "reasoning.encrypted", data: "sealed" }
            ]
          },
          {}
        ])
      }))

    it.effect("keeps every event on one line, whatever the model or its names hold", () =>
      Effect.gen(function*() {
        const texts = ["data: [DONE]\n\n", "\r\n\r\nevent: x", "a\u2028b\u2029c\u0085d", "\0\u001b[31m", "😀".slice(0, 1), "😀".slice(1)]
        const web = yield* serve(
          yield* ScriptedLlm.make([
            { _tag: "Start", id: "i\nd", model: "m\r\nx" },
            ...texts.map((text): Completion.Part => ({ _tag: "TextDelta", text })),
            { _tag: "Finish", finishReason: "stop", usage: {} }
          ])
        )
        const response = yield* web.post("/v1/chat/completions", { ...hi, stream: true })
        const body = yield* text(response.clone())
        assert.notMatch(body, /[\r\u0085\u2028\u2029]/)
        const chunks = yield* events(response)
        assert.deepStrictEqual(chunks.slice(1, -2).map((chunk) => chunk.choices[0].delta.content), texts)
        assert.strictEqual(chunks[0].id, "i\nd")
        assert.strictEqual(chunks.filter((chunk) => chunk === "[DONE]").length, 1)
      }))

    it.effect("has a true status for what fails before the first part", () =>
      Effect.gen(function*() {
        const web = yield* serve(
          yield* ScriptedLlm.make(
            new LlmError.RateLimited({ backend: "scripted", message: "slow down", retryAfter: Duration.millis(1500) }),
            []
          )
        )
        const limited = yield* web.post("/v1/chat/completions", { ...hi, stream: true })
        assert.strictEqual(limited.status, 429)
        assert.strictEqual(limited.headers.get("retry-after"), "2")
        assert.strictEqual((yield* json(limited)).error.code, "rate_limited")
        const empty = yield* web.post("/v1/chat/completions", { ...hi, stream: true })
        assert.strictEqual(empty.status, 502)
        assert.strictEqual((yield* json(empty)).error.code, "stream_interrupted")
      }))

    it.effect("ends with the error, and without [DONE], when it breaks off", () =>
      Effect.gen(function*() {
        const start = parts.slice(0, 2)
        const web = yield* serve(
          yield* ScriptedLlm.make(
            [...start, new LlmError.ServerFault({ backend: "scripted", message: "gone", status: 500 })],
            start,
            [...start, Effect.die(new Error("sk-secret"))]
          )
        )
        const lastOf = (response: Response) => Effect.map(events(response), (chunks) => chunks.slice(2))
        const ask = web.post("/v1/chat/completions", { ...hi, stream: true })
        assert.deepStrictEqual(yield* Effect.flatMap(ask, lastOf), [{
          error: { message: "gone", type: "server_error", param: null, code: "server_fault" }
        }])
        // a service that ends without a last part has not ended well
        const [silent] = yield* Effect.flatMap(ask, lastOf)
        assert.strictEqual(silent.error.code, "stream_interrupted")
        const [bug] = yield* Effect.flatMap(ask, lastOf)
        assert.strictEqual(bug.error.code, "internal_error")
        assert.notInclude(JSON.stringify(bug), "sk-secret")
      }))

    it.effect("passes a part on when it comes, and not later", () =>
      Effect.gen(function*() {
        const web = yield* serve(
          yield* ScriptedLlm.make([
            ...parts.slice(0, 2),
            Effect.delay(Effect.succeed(parts[2]!), "10 seconds"),
            Effect.delay(Effect.succeed(parts[3]!), "10 seconds")
          ])
        )
        const response = yield* web.post("/v1/chat/completions", { ...hi, stream: true })
        const reader = response.body!.getReader()
        const read = Effect.map(Effect.promise(() => reader.read()), ({ value }) => new TextDecoder().decode(value))
        assert.include(yield* read, "\"role\":\"assistant\"")
        assert.include(yield* read, "\"hel\"")
        yield* TestClock.adjust("10 seconds")
        assert.include(yield* read, "\"lo\"")
        yield* TestClock.adjust("10 seconds")
        assert.include(yield* read, "\"finish_reason\":\"stop\"")
        assert.strictEqual(yield* read, "data: [DONE]\n\n")
      }))
  })

  describe("POST /v1/embeddings", () => {
    const vectors = { model: "small-1", vectors: [[0.5, -1], [2, 0.25]], usage: { inputTokens: 4 } }
    const ask = { model: "scripted/small", input: ["a", "b"] }

    it.effect("answers with numbers, or with base64 of 32-bit floats", () =>
      Effect.gen(function*() {
        const web = yield* serve(yield* ScriptedLlm.make(ScriptedLlm.repeat(vectors)))
        assert.deepStrictEqual(yield* Effect.flatMap(web.post("/v1/embeddings", ask), json), {
          object: "list",
          data: [
            { object: "embedding", index: 0, embedding: [0.5, -1] },
            { object: "embedding", index: 1, embedding: [2, 0.25] }
          ],
          model: "small-1",
          usage: { prompt_tokens: 4, total_tokens: 4 }
        })
        const packed = yield* Effect.flatMap(web.post("/v1/embeddings", { ...ask, encoding_format: "base64" }), json)
        assert.deepStrictEqual(
          packed.data.map(({ embedding }: { embedding: string }) => {
            const bytes = Uint8Array.from(atob(embedding), (char) => char.charCodeAt(0))
            return [...new Float32Array(bytes.buffer)]
          }),
          vectors.vectors
        )
      }))

    it.effect("hands the backend the texts, and what the headers say", () =>
      Effect.gen(function*() {
        const llm = yield* ScriptedLlm.make(vectors)
        const web = yield* serve(llm)
        yield* web.post("/v1/embeddings", { ...ask, dimensions: 2 }, { headers: { "x-spillway-tenant": "acme" } })
        const [asked] = yield* llm.requests
        assert.deepStrictEqual(asked?.operation === "embed" && asked.request, { ...ask, dimensions: 2 })
        assert.strictEqual(asked?.tenant, "acme")
      }))
  })

  describe("GET /v1/models", () => {
    const models = [
      { id: "openai/gpt-4o", owner: "openai-inc", created: 1_700_000_000, contextWindow: 128_000, maxOutputTokens: 4096 },
      { id: "groq/meta-llama/Llama-3" },
      { id: "parrot", displayName: "The Parrot" }
    ]

    it.effect("lists them", () =>
      Effect.gen(function*() {
        const web = yield* serve(yield* ScriptedLlm.make(models))
        assert.deepStrictEqual(yield* Effect.flatMap(web.fetch("/v1/models"), json), {
          object: "list",
          data: [
            {
              id: "openai/gpt-4o",
              object: "model",
              created: 1_700_000_000,
              owned_by: "openai-inc",
              context_window: 128_000,
              max_completion_tokens: 4096
            },
            { id: "groq/meta-llama/Llama-3", object: "model", created: 0, owned_by: "groq" },
            { id: "parrot", object: "model", created: 0, owned_by: "scripted", display_name: "The Parrot" }
          ]
        })
      }))

    it.effect("finds one by its id, slashes and all, or by its bare name", () =>
      Effect.gen(function*() {
        const web = yield* serve(yield* ScriptedLlm.make(ScriptedLlm.repeat(models)))
        for (
          const [path, id] of [
            ["openai/gpt-4o", "openai/gpt-4o"],
            ["openai%2Fgpt-4o", "openai/gpt-4o"],
            ["groq/meta-llama%2FLlama-3", "groq/meta-llama/Llama-3"],
            ["gpt-4o", "openai/gpt-4o"],
            ["parrot?x=1", "parrot"]
          ] as const
        ) {
          const response = yield* web.fetch(`/v1/models/${path}`)
          assert.strictEqual((yield* json(response)).id, id, path)
        }
        for (const path of ["gpt", "openai", "%E0%A4%A", "", "Llama-3"]) {
          const response = yield* web.fetch(`/v1/models/${path}`)
          assert.strictEqual(response.status, 404, path)
          assert.strictEqual((yield* json(response)).error.code, "model_not_found")
        }
      }))
  })

  describe("an error", () => {
    const common = { backend: "scripted", message: "it is so" }
    const wait = { retryAfter: Duration.millis(2100) }
    const errors: { readonly [T in LlmError.Tag]: Extract<LlmError.LlmError, { _tag: T }> } = {
      RateLimited: new LlmError.RateLimited({ ...common, ...wait }),
      QuotaExhausted: new LlmError.QuotaExhausted(common),
      AuthenticationFailed: new LlmError.AuthenticationFailed({ ...common, status: 403 }),
      PermissionDenied: new LlmError.PermissionDenied(common),
      InvalidRequest: new LlmError.InvalidRequest({ ...common, field: "temperature" }),
      ModelNotFound: new LlmError.ModelNotFound(common),
      NotFound: new LlmError.NotFound(common),
      Conflict: new LlmError.Conflict(common),
      ContentFiltered: new LlmError.ContentFiltered(common),
      ServerFault: new LlmError.ServerFault({ ...common, ...wait }),
      NetworkFailure: new LlmError.NetworkFailure(common),
      MalformedResponse: new LlmError.MalformedResponse(common),
      StreamInterrupted: new LlmError.StreamInterrupted(common),
      Unsupported: new LlmError.Unsupported({ ...common, feature: "tools" }),
      InvalidOutput: new LlmError.InvalidOutput({ ...common, text: "the model's own words" }),
      TimedOut: new LlmError.TimedOut({ ...common, after: Duration.seconds(1) }),
      DeadlineExceeded: new LlmError.DeadlineExceeded({ ...common, phase: "queued" }),
      CircuitOpen: new LlmError.CircuitOpen({ ...common, ...wait }),
      QueueFull: new LlmError.QueueFull({ ...common, ...wait, capacity: 1, waiting: 1 }),
      KeysCooling: new LlmError.KeysCooling({ ...common, ...wait }),
      KeysExhausted: new LlmError.KeysExhausted(common),
      BudgetExceeded: new LlmError.BudgetExceeded({
        ...common,
        ...wait,
        limit: "tenant per day",
        reason: "LimitReached",
        atLimit: "refuse"
      }),
      PartialFailure: new LlmError.PartialFailure({ ...common, done: [], failed: [] })
    }
    const expected: { readonly [T in LlmError.Tag]: readonly [status: number, code: string, param?: string] } = {
      RateLimited: [429, "rate_limited"],
      QuotaExhausted: [429, "quota_exhausted"],
      AuthenticationFailed: [401, "authentication_failed"],
      PermissionDenied: [403, "permission_denied"],
      InvalidRequest: [400, "invalid_request", "temperature"],
      ModelNotFound: [404, "model_not_found", "model"],
      NotFound: [404, "not_found"],
      Conflict: [409, "conflict"],
      ContentFiltered: [400, "content_filtered"],
      ServerFault: [502, "server_fault"],
      NetworkFailure: [502, "network_failure"],
      MalformedResponse: [502, "malformed_response"],
      StreamInterrupted: [502, "stream_interrupted"],
      Unsupported: [400, "unsupported", "tools"],
      InvalidOutput: [502, "invalid_output"],
      TimedOut: [504, "timed_out"],
      DeadlineExceeded: [504, "deadline_exceeded"],
      CircuitOpen: [503, "circuit_open"],
      QueueFull: [503, "queue_full"],
      KeysCooling: [429, "keys_cooling"],
      KeysExhausted: [503, "keys_exhausted"],
      BudgetExceeded: [429, "budget_exceeded"],
      PartialFailure: [502, "partial_failure"]
    }
    it.effect("of a backend that takes none of its keys is what it would be with one key", () =>
      Effect.gen(function*() {
        for (const [reason, status] of [["AuthenticationFailed", 401], ["QuotaExhausted", 429]] as const) {
          const llm = yield* ScriptedLlm.make(new LlmError.KeysExhausted({ ...common, reason }))
          const web = yield* serve(llm)
          const response = yield* web.post("/v1/chat/completions", hi)
          assert.strictEqual(response.status, status)
          assert.strictEqual((yield* json(response)).error.code, "keys_exhausted")
        }
      }))

    const nothingWasSent: ReadonlySet<string> = new Set(["CircuitOpen", "QueueFull", "KeysCooling"])

    for (const error of Object.values(errors)) {
      const [status, code, param = null] = expected[error._tag]
      it.effect(`${error._tag} is a ${status} of OpenAI's shape, however it was asked`, () =>
        Effect.gen(function*() {
          const llm = yield* ScriptedLlm.make(ScriptedLlm.repeat(error))
          const web = yield* serve(llm)
          for (
            const ask of [
              web.post("/v1/chat/completions", hi),
              web.post("/v1/chat/completions", { ...hi, stream: true }),
              web.post("/v1/embeddings", { model: "a", input: "b" }),
              web.fetch("/v1/models"),
              web.fetch("/v1/models/a")
            ]
          ) {
            const response = yield* ask
            assert.strictEqual(response.status, status)
            assert.strictEqual(response.headers.get("content-type"), "application/json")
            assert.deepStrictEqual(yield* json(response), {
              error: { message: "it is so", type: OpenAiFault.types[error._tag], param, code }
            })
            const waits = Option.isSome(LlmError.retryAfter(error))
            assert.strictEqual(response.headers.get("retry-after"), waits ? "3" : null)
            assert.strictEqual(response.headers.get("retry-after-ms"), waits ? "2100" : null)
            assert.strictEqual(
              response.headers.get("x-should-retry"),
              nothingWasSent.has(error._tag) ? null : "false",
              "a client retries only what was never sent"
            )
          }
        }))
    }

    it.effect("names no operation as the parameter that is wrong", () =>
      Effect.gen(function*() {
        const web = yield* serve(LlmService.make("mute", {}))
        const response = yield* web.post("/v1/embeddings", { model: "a", input: "b" })
        assert.deepStrictEqual(yield* json(response), {
          error: {
            message: "mute has no operation embed",
            type: "invalid_request_error",
            param: null,
            code: "unsupported"
          }
        })
      }))
  })
})
