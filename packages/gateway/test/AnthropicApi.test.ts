import { assert, describe, it } from "@effect/vitest"
import * as LlmError from "@spillway/core/LlmError"
import * as Tokens from "@spillway/core/Tokens"
import * as Prompt from "@spillway/core/Prompt"
import * as AnthropicFault from "@spillway/gateway/AnthropicFault"
import * as Fault from "@spillway/gateway/Fault"
import * as ScriptedLlm from "@spillway/testing/ScriptedLlm"
import { Duration, Effect } from "effect"
import { json, serve, text } from "./web.js"

const hi = { model: "scripted/parrot", max_tokens: 100, messages: [{ role: "user", content: "hi" }] }

const anthropic = { headers: { "anthropic-version": "2023-06-01" } }

describe("AnthropicApi", () => {
  it.effect("answers with a message", () =>
    Effect.gen(function*() {
      const web = yield* serve(yield* ScriptedLlm.make({ content: [Prompt.text("hello")] }))
      const response = yield* web.post("/v1/messages", hi, { headers: { "x-request-id": "mine" } })
      assert.deepStrictEqual(["request-id", "x-request-id"].map((name) => response.headers.get(name)), ["mine", "mine"])
      assert.deepStrictEqual(yield* json(response), {
        id: "msg_mine",
        type: "message",
        role: "assistant",
        model: "scripted/parrot",
        content: [{ type: "text", text: "hello" }],
        stop_reason: "end_turn",
        stop_sequence: null,
        stop_details: null,
        container: null,
        diagnostics: null,
        usage: {
          input_tokens: 0,
          cache_creation_input_tokens: 0,
          cache_read_input_tokens: 0,
          output_tokens: 0,
          output_tokens_details: null,
          server_tool_use: null
        }
      })
    }))

  it.effect("streams events under their own content type, with the id of the request", () =>
    Effect.gen(function*() {
      const web = yield* serve(yield* ScriptedLlm.make("hello"))
      const response = yield* web.post("/v1/messages", { ...hi, stream: true })
      assert.strictEqual(response.headers.get("content-type"), "text/event-stream; charset=utf-8")
      assert.match(response.headers.get("request-id") ?? "", /^req-/)
      assert.match(yield* text(response), /^event: message_start\n[^]*event: message_stop\ndata: {"type":"message_stop"}\n\n$/)
    }))

  it.effect("counts the tokens of a request as the admission of calls does", () =>
    Effect.gen(function*() {
      const web = yield* serve(yield* ScriptedLlm.make())
      const { max_tokens: _, ...count } = hi
      const { input } = Tokens.estimate({ model: "any", prompt: "hi" })
      assert.deepStrictEqual(yield* Effect.flatMap(web.post("/v1/messages/count_tokens", count), json), { input_tokens: input })
    }))

  describe("models", () => {
    const models = ["a", "b", "c", "d", "e"].map((id) => ({ id }))
    const page = (query: string) =>
      Effect.gen(function*() {
        const web = yield* serve(yield* ScriptedLlm.make(ScriptedLlm.repeat(models)))
        const { data, first_id, has_more, last_id } = yield* Effect.flatMap(web.fetch(`/v1/models${query}`, anthropic), json)
        return [data.map(({ id }: { id: string }) => id).join(""), has_more, first_id, last_id]
      })

    it.effect("are Anthropic's for who says its version, and OpenAI's for all others", () =>
      Effect.gen(function*() {
        const web = yield* serve(yield* ScriptedLlm.make(ScriptedLlm.repeat(models)))
        for (const path of ["/v1/models", "/v1/models/a"]) {
          const theirs = yield* Effect.flatMap(web.fetch(path, anthropic), json)
          const others = yield* Effect.flatMap(web.fetch(path), json)
          assert.deepStrictEqual([(theirs.data?.[0] ?? theirs).type, (others.data?.[0] ?? others).object], ["model", "model"])
          assert.isUndefined((others.data?.[0] ?? others).type)
        }
      }))

    it.effect("come in pages, forwards and backwards", () =>
      Effect.gen(function*() {
        assert.deepStrictEqual(yield* page(""), ["abcde", false, "a", "e"])
        assert.deepStrictEqual(yield* page("?limit=2"), ["ab", true, "a", "b"])
        assert.deepStrictEqual(yield* page("?limit=2&after_id=b"), ["cd", true, "c", "d"])
        assert.deepStrictEqual(yield* page("?limit=2&after_id=d"), ["e", false, "e", "e"])
        assert.deepStrictEqual(yield* page("?after_id=e"), ["", false, null, null])
        assert.deepStrictEqual(yield* page("?limit=2&before_id=d"), ["bc", true, "b", "c"])
        assert.deepStrictEqual(yield* page("?limit=3&before_id=d"), ["abc", false, "a", "c"])
      }))

    it.effect("are refused for a page that is none, by the parameter's name", () =>
      Effect.gen(function*() {
        const web = yield* serve(yield* ScriptedLlm.make(ScriptedLlm.repeat(models)))
        for (
          const [query, field] of [
            ["limit=0", "limit"],
            ["limit=1001", "limit"],
            ["limit=x", "limit"],
            ["after_id=z", "after_id"],
            ["before_id=z", "before_id"],
            ["after_id=a&before_id=c", "before_id"],
            ["api_key=x", "api_key"]
          ] as const
        ) {
          const response = yield* web.fetch(`/v1/models?${query}`, anthropic)
          assert.strictEqual(response.status, 400)
          assert.strictEqual((yield* json(response)).error.details.field, field)
        }
      }))
  })

  describe("an error", () => {
    const common = { backend: "scripted", message: "it is so" }

    it.effect("has Anthropic's shape and status, and says whether and when to come again", () =>
      Effect.gen(function*() {
        for (
          const [error, status, type, code, retries] of [
            [new LlmError.RateLimited({ ...common, retryAfter: Duration.millis(2100) }), 429, "rate_limit_error", "rate_limited", false],
            [new LlmError.KeysCooling({ ...common, retryAfter: Duration.millis(2100) }), 429, "rate_limit_error", "keys_cooling", true],
            [
              new LlmError.QueueFull({ ...common, retryAfter: Duration.millis(2100), capacity: 1, waiting: 1 }),
              529,
              "overloaded_error",
              "queue_full",
              true
            ],
            [new LlmError.CircuitOpen({ ...common, retryAfter: Duration.millis(2100) }), 529, "overloaded_error", "circuit_open", true],
            [new LlmError.QuotaExhausted(common), 402, "billing_error", "quota_exhausted", false],
            [new LlmError.KeysExhausted({ ...common, reason: "QuotaExhausted" }), 402, "billing_error", "keys_exhausted", false],
            [new LlmError.KeysExhausted({ ...common, reason: "AuthenticationFailed" }), 401, "authentication_error", "keys_exhausted", false],
            [new LlmError.TimedOut({ ...common, after: Duration.seconds(1) }), 504, "timeout_error", "timed_out", false],
            [new LlmError.ContentFiltered(common), 400, "invalid_request_error", "content_filtered", false],
            [new LlmError.NetworkFailure(common), 502, "api_error", "network_failure", false]
          ] as const
        ) {
          const web = yield* serve(yield* ScriptedLlm.make(ScriptedLlm.repeat(error)))
          for (const stream of [false, true]) {
            const response = yield* web.post("/v1/messages", { ...hi, stream }, { headers: { "x-request-id": "mine" } })
            assert.strictEqual(response.status, status)
            assert.deepStrictEqual(yield* json(response), {
              type: "error",
              error: { type, message: "it is so", details: { error_code: code } },
              request_id: "mine"
            })
            assert.strictEqual(response.headers.get("request-id"), "mine")
            assert.strictEqual(response.headers.get("x-should-retry"), retries ? null : "false")
            if (retries) assert.strictEqual(response.headers.get("retry-after"), "3")
          }
        }
      }))

    it("has a type that Anthropic documents, whatever it is", () => {
      const documented = new Set([
        "invalid_request_error",
        "authentication_error",
        "billing_error",
        "permission_error",
        "not_found_error",
        "conflict_error",
        "request_too_large",
        "rate_limit_error",
        "api_error",
        "timeout_error",
        "overloaded_error"
      ])
      for (const type of Object.values(AnthropicFault.types)) assert.isTrue(documented.has(type), type)
      assert.sameMembers(Object.keys(AnthropicFault.types), Object.keys(Fault.faults))
    })

    it.effect("of a path that is not served is told in Anthropic's words to who says its version", () =>
      Effect.gen(function*() {
        const web = yield* serve(yield* ScriptedLlm.make())
        const response = yield* web.fetch("/v1/messages/batches", anthropic)
        assert.strictEqual(response.status, 404)
        assert.deepInclude((yield* json(response)).error, { type: "not_found_error" })
        const wrong = yield* web.fetch("/v1/messages", anthropic)
        assert.deepStrictEqual([wrong.status, wrong.headers.get("allow")], [405, "POST"])
        assert.strictEqual((yield* json(wrong)).type, "error")
      }))

    it.effect("of a thread is told so that clients go on without one", () =>
      Effect.gen(function*() {
        const web = yield* serve(yield* ScriptedLlm.make())
        const response = yield* web.post("/v1/messages", { ...hi, thread: { type: "create" } })
        assert.strictEqual(response.status, 400)
        assert.deepStrictEqual((yield* json(response)).error.details, {
          error_code: "thread_unsupported_request",
          field: "thread"
        })
      }))
  })
})
