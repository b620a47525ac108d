import { assert, describe, it } from "@effect/vitest"
import { Duration } from "effect"
import * as HttpFailure from "../src/internal/httpFailure.js"
import * as OpenAiErrors from "../src/internal/openAiErrors.js"

const read = (status: number, text: string, rest: Partial<HttpFailure.Context> = {}) =>
  HttpFailure.read(
    { backend: "any", operation: "generateText", model: "m", status, headers: {}, requestId: undefined, ...rest },
    text,
    0
  )

describe("the words of a failure", () => {
  for (
    const [title, body, expected] of [
      ["OpenAI's", { error: { message: "no", type: "t", code: "c", param: "p" } }, ["no", "t", "c", "p"]],
      ["OpenAI's without a code", { error: { message: "no", type: "t", code: null, param: null } }, ["no", "t"]],
      ["Anthropic's", { type: "error", error: { type: "t", message: "no" }, request_id: "r" }, ["no", "t"]],
      ["Anthropic's with details", { error: { type: "t", message: "no", details: { error_code: "c" } } }, [
        "no",
        "t",
        "c"
      ]],
      ["Gemini's", { error: { code: 400, message: "no", status: "S" } }, ["no", "S", "400"]],
      ["Gemini's in a list", [{ error: { code: 400, message: "no", status: "S" } }], ["no", "S", "400"]],
      ["Ollama's", { error: "no" }, ["no"]],
      ["TGI's", { error: "no", error_type: "overloaded" }, ["no", "overloaded"]],
      ["vLLM's", { object: "error", message: "no", type: "T", code: 400 }, ["no", "T", "400"]],
      ["FastAPI's", { detail: "no" }, ["no"]],
      ["FastAPI's in a list", { detail: [{ msg: "no" }] }, ["[{\"msg\":\"no\"}]"]]
    ] as ReadonlyArray<readonly [string, unknown, ReadonlyArray<string>]>
  ) {
    it(`are found in the shape that is ${title}`, () => {
      const { code, field, message, type } = read(400, JSON.stringify(body))
      const [m, t, c, f] = expected
      assert.deepStrictEqual({ code, field, message, type }, { code: c, field: f, message: m!, type: t })
    })
  }

  for (const text of ["", "404 page not found", "<html>no</html>", "null", "[]", "1", "\"no\"", "{", "{\"x\":1}"]) {
    it(`are its text, where its shape is unknown: ${JSON.stringify(text)}`, () => {
      const { code, message, type } = read(500, text)
      assert.deepStrictEqual({ code, message, type }, { code: undefined, message: text, type: undefined })
    })
  }

  it("name the request", () => {
    assert.strictEqual(read(500, "{\"request_id\":\"r\"}").requestId, "r")
    assert.strictEqual(read(500, "{\"request_id\":\"r\"}", { requestId: "q" }).requestId, "q")
  })

  it("name a wait, but not on a success", () => {
    const headers = { "retry-after": "3" }
    assert.deepStrictEqual(read(500, "", { headers }).retryAfter, Duration.seconds(3))
    assert.isUndefined(read(200, "{\"error\":\"no\"}", { headers }).retryAfter)
  })
})

describe("what a failure is (RT-12)", () => {
  for (
    const [kind, cases] of Object.entries({
      AuthenticationFailed: [[401, "{}"], [401, ""], [403, "{}"]],
      QuotaExhausted: [[402, "{}"], [200, "{\"error\":{\"type\":\"insufficient_quota\"}}"]],
      ModelNotFound: [[404, "{\"error\":\"model not found\"}"], [200, "{\"error\":{\"type\":\"not_found_error\"}}"]],
      RateLimited: [[429, "{}"], [429, "<html>"], [200, "{\"error\":{\"code\":\"rate_limit_exceeded\"}}"]],
      ServerFault: [
        [408, "{}"],
        [425, "{}"],
        [500, "{}"],
        [502, "<html>"],
        [503, ""],
        [504, ""],
        [529, "{}"],
        [599, ""],
        [200, "{\"error\":\"no\"}"],
        [200, "{\"error\":{\"type\":\"overloaded_error\"}}"],
        [200, "{\"error\":{\"code\":503}}"],
        [200, "{\"error\":{\"type\":\"brand_new\"}}"],
        [200, "{\"error\":{\"code\":\"42\"}}"]
      ],
      InvalidRequest: [
        [400, "{}"],
        [409, "{}"],
        [413, "{}"],
        [418, ""],
        [422, "{\"detail\":[]}"],
        [200, "{\"error\":{\"type\":\"invalid_request_error\"}}"],
        [200, "{\"error\":{\"message\":\"no\",\"http_status_code\":422}}"],
        [200, "{\"error\":{\"message\":\"no\",\"status_code\":400}}"]
      ],
      Unsupported: [[501, "{}"]],
      // another server, another wire
      MalformedResponse: [[404, "404 page not found"], [404, ""], [405, "no"], [302, ""], [304, ""], [0, ""], [100, ""]]
    } satisfies { readonly [K in HttpFailure.Kind]?: ReadonlyArray<readonly [number, string]> })
  ) {
    for (const [status, text] of cases as ReadonlyArray<readonly [number, string]>) {
      it(`is ${kind} for ${status} ${text}`, () => {
        assert.strictEqual(HttpFailure.kindOf(read(status, text)), kind)
      })
    }
  }

  it("is not named into being by the words of a backend", () => {
    for (const word of ["constructor", "__proto__", "toString"]) {
      const failure = read(200, `{"error":{"code":"${word}","type":"${word}"}}`)
      assert.strictEqual(HttpFailure.kindOf(failure), "ServerFault")
      assert.isUndefined(OpenAiErrors.refine(failure))
    }
  })

  it("is no missing model where none was named", () => {
    assert.strictEqual(HttpFailure.kindOf(read(404, "{\"error\":\"no\"}", { model: "" })), "MalformedResponse")
  })
})

describe("the error of a failure", () => {
  const headers = { location: "http://evil.test/steal?key=1" }

  it("says what happened, without the backend's markup", () => {
    assert.strictEqual(
      HttpFailure.describe(read(429, "{\"error\":{\"message\":\"no\",\"code\":\"c\"}}")),
      "answered 429 (c): no"
    )
    assert.strictEqual(
      HttpFailure.describe(read(502, "<html>\n<h1>Bad <b>Gateway</b></h1></html>")).replace(/ +/g, " "),
      "answered 502: Bad Gateway "
    )
    assert.strictEqual(HttpFailure.describe(read(503, "")), "answered 503")
    assert.strictEqual(HttpFailure.describe(read(200, "{\"error\":\"no\"}")), "broke off its answer: no")
    assert.strictEqual(
      HttpFailure.describe(read(302, "", { headers })),
      "redirects (302) to http://evil.test, and keys are not sent on"
    )
    assert.strictEqual(
      HttpFailure.describe(read(307, "", { headers: { location: "//" } })),
      "redirects (307), and keys are not sent on"
    )
  })

  // what hides the key is seen to have had its hands on all that the backend said
  const words: HttpFailure.Words = { say: (text) => `<${text}>`, hide: (text) => `[${text}]` }

  const kinds: ReadonlyArray<HttpFailure.Kind> = [
    "RateLimited",
    "QuotaExhausted",
    "AuthenticationFailed",
    "InvalidRequest",
    "ModelNotFound",
    "ContentFiltered",
    "ServerFault",
    "MalformedResponse",
    "InvalidOutput",
    "Unsupported"
  ]

  for (const kind of kinds) {
    it(`carries what is known of it: ${kind}`, () => {
      const body = { error: { message: "no", code: "c", param: "p", failed_generation: "g" } }
      const failure = read(418, JSON.stringify(body), { requestId: "r", headers: { "retry-after": "3" } })
      const error = HttpFailure.toError(failure, kind, words)
      assert.strictEqual(error._tag, kind)
      assert.include(error, { backend: "any", message: "<any answered 418 (c): no>", model: "m" })
      if ("status" in error) assert.include(error, { status: 418, code: "<c>", requestId: "<r>" })
      if (error._tag === "InvalidRequest") assert.strictEqual(error.field, "<p>")
      if (error._tag === "InvalidOutput") assert.strictEqual(error.text, "[g]")
      if (error._tag === "Unsupported") assert.strictEqual(error.feature, "generateText")
      assert.deepStrictEqual(
        "retryAfter" in error ? error.retryAfter : undefined,
        ["RateLimited", "QuotaExhausted", "ServerFault"].includes(kind) ? Duration.seconds(3) : undefined
      )
    })
  }

  it("waits as the backend's own table says, before the headers", () => {
    const failure = read(429, "", { headers: { "retry-after": "3" } })
    const wait = (retryAfter: Duration.Duration | undefined) => {
      const error = HttpFailure.toError(failure, { kind: "RateLimited", retryAfter }, words)
      return "retryAfter" in error ? error.retryAfter : undefined
    }
    assert.deepStrictEqual(wait(Duration.minutes(1)), Duration.minutes(1))
    assert.deepStrictEqual(wait(undefined), Duration.seconds(3))
  })

  describe("where neither says", () => {
    const details = JSON.stringify({ error: { message: "no", details: [{ retryDelay: "2.5s" }] } })
    const wait = (kind: HttpFailure.Kind, text: string, rest: Partial<HttpFailure.Context>) => {
      const error = HttpFailure.toError(read(429, text, rest), kind, words)
      return "retryAfter" in error ? error.retryAfter : undefined
    }

    it("waits as the details of the error say, then until the limits that are used up are full again", () => {
      const headers = { "x-ratelimit-reset": "7" }
      assert.deepStrictEqual(wait("RateLimited", details, { headers }), Duration.seconds(2.5))
      assert.deepStrictEqual(wait("RateLimited", "", { headers }), Duration.seconds(7))
      assert.deepStrictEqual(wait("RateLimited", "", { headers, resetMillis: 1200 }), Duration.millis(1200))
      assert.deepStrictEqual(wait("ServerFault", details, { headers }), Duration.seconds(2.5))
    })

    it("knows no wait for a fault from limits, nor for a quota from the details of a minute", () => {
      assert.isUndefined(wait("ServerFault", "", { resetMillis: 1200 }))
      assert.isUndefined(wait("QuotaExhausted", details, { resetMillis: 1200 }))
      assert.isUndefined(wait("RateLimited", "", { status: 200, resetMillis: 1200 }))
    })
  })

  it("carries what the backend itself says of trying again (RT-25)", () => {
    const shouldRetry = (header: string, status = 500) => {
      const error = HttpFailure.toError(read(status, "", { headers: { "x-should-retry": header } }), "ServerFault", words)
      return "shouldRetry" in error ? error.shouldRetry : undefined
    }
    assert.deepStrictEqual(["true", "false", "TRUE", "", "1"].map((header) => shouldRetry(header)), [
      true,
      false,
      undefined,
      undefined,
      undefined
    ])
    assert.isUndefined(shouldRetry("false", 200))
  })
})
