import { assert, describe, it } from "@effect/vitest"
import { LlmError } from "@spillway/core"
import { Duration, Effect, Option, Schema } from "effect"

const common = { backend: "groq", message: "what happened", model: "llama" }
const answered = { ...common, status: 429, code: "slow", requestId: "req_1" }
const retryAfter = Duration.millis(1500)

/** One of each; a new error does not compile until it stands here. */
const all: { readonly [T in LlmError.Tag]: Extract<LlmError.LlmError, { readonly _tag: T }> } = {
  RateLimited: new LlmError.RateLimited({ ...answered, retryAfter }),
  QuotaExhausted: new LlmError.QuotaExhausted({ ...answered, retryAfter }),
  AuthenticationFailed: new LlmError.AuthenticationFailed(answered),
  PermissionDenied: new LlmError.PermissionDenied(answered),
  InvalidRequest: new LlmError.InvalidRequest({ ...answered, field: "temperature" }),
  ModelNotFound: new LlmError.ModelNotFound(answered),
  NotFound: new LlmError.NotFound({ ...answered, resource: "bucket/key" }),
  Conflict: new LlmError.Conflict(answered),
  ContentFiltered: new LlmError.ContentFiltered(answered),
  ServerFault: new LlmError.ServerFault({ ...answered, retryAfter }),
  NetworkFailure: new LlmError.NetworkFailure({ ...common, retryAfter }),
  MalformedResponse: new LlmError.MalformedResponse(answered),
  StreamInterrupted: new LlmError.StreamInterrupted(answered),
  Unsupported: new LlmError.Unsupported({ ...common, feature: "embed" }),
  InvalidOutput: new LlmError.InvalidOutput({ ...common, text: "the answer" }),
  TimedOut: new LlmError.TimedOut({ ...common, after: Duration.seconds(60) }),
  DeadlineExceeded: new LlmError.DeadlineExceeded({ ...common, phase: "queued" }),
  CircuitOpen: new LlmError.CircuitOpen({ ...common, retryAfter }),
  QueueFull: new LlmError.QueueFull({ ...common, retryAfter, capacity: 100, waiting: 100 }),
  KeysCooling: new LlmError.KeysCooling({ ...common, retryAfter }),
  KeysExhausted: new LlmError.KeysExhausted(common),
  BudgetExceeded: new LlmError.BudgetExceeded({
    ...common,
    retryAfter,
    limit: "tenant per day",
    reason: "LimitReached",
    atLimit: "refuse"
  }),
  PartialFailure: new LlmError.PartialFailure({
    ...common,
    done: ["here"],
    failed: [{ at: "there", reason: "NetworkFailure", message: "no route" }]
  })
}

describe("LlmError", () => {
  for (const [tag, error] of Object.entries(all)) {
    it(`${tag} survives JSON`, () => {
      const json: unknown = JSON.parse(JSON.stringify(Schema.encodeSync(LlmError.LlmError)(error)))
      const back = Schema.decodeUnknownSync(LlmError.LlmError)(json)
      const { stack: _, ...fields } = error
      assert.deepInclude(back, fields)
      assert.strictEqual(back._tag, tag)
      assert.strictEqual(back.message, "what happened")
      assert.instanceOf(back, Error)
      assert.isTrue(LlmError.isLlmError(error))
    })
  }

  it("says what may help, and who is to blame", () => {
    const by = (retriability: LlmError.Retriability) =>
      Object.values(all).filter((error) => LlmError.retriability(error) === retriability).map((error) => error._tag)
    assert.deepStrictEqual(by("Retry"), [
      "RateLimited",
      "ServerFault",
      "NetworkFailure",
      "StreamInterrupted",
      "TimedOut",
      "KeysCooling",
      "PartialFailure"
    ])
    assert.deepStrictEqual(by("RotateKey"), ["QuotaExhausted", "AuthenticationFailed"])
    assert.deepStrictEqual(by("Failover"), [
      "PermissionDenied",
      "ModelNotFound",
      "NotFound",
      "MalformedResponse",
      "Unsupported",
      "InvalidOutput",
      "CircuitOpen",
      "QueueFull",
      "KeysExhausted"
    ])
    assert.deepStrictEqual(by("Never"), [
      "InvalidRequest",
      "Conflict",
      "ContentFiltered",
      "DeadlineExceeded",
      "BudgetExceeded"
    ])
    const { limit, reason } = all.BudgetExceeded
    const elsewhere = new LlmError.BudgetExceeded({ ...common, limit, reason, atLimit: "failover" })
    assert.strictEqual(LlmError.retriability(elsewhere), "Failover")
    assert.deepStrictEqual(Object.values(all).filter(LlmError.isBackendFault).map((error) => error._tag), [
      "ServerFault",
      "NetworkFailure",
      "MalformedResponse",
      "StreamInterrupted",
      "TimedOut"
    ])
  })

  it("says how long to wait, where it is known", () => {
    const known = Object.values(all).filter((error) => Option.isSome(LlmError.retryAfter(error)))
    assert.deepStrictEqual(known.map((error) => error._tag), [
      "RateLimited",
      "QuotaExhausted",
      "ServerFault",
      "NetworkFailure",
      "CircuitOpen",
      "QueueFull",
      "KeysCooling",
      "BudgetExceeded"
    ])
    assert.deepStrictEqual(Option.getOrNull(LlmError.retryAfter(all.RateLimited)), retryAfter)
    assert.deepStrictEqual(Option.getOrNull(LlmError.retryAfter(new LlmError.RateLimited(common))), null)
  })

  it("knows its own from others", () => {
    for (const other of [null, "RateLimited", new Error("x"), { _tag: "RateLimited", ...answered }]) {
      assert.isFalse(LlmError.isLlmError(other))
    }
  })

  it.effect("is caught by its name", () =>
    Effect.gen(function*() {
      const caught = yield* Effect.catchTag(
        Effect.fail<LlmError.LlmError>(all.QueueFull),
        "QueueFull",
        ({ capacity }) => Effect.succeed(capacity)
      )
      assert.strictEqual(caught, 100)
    }))
})
