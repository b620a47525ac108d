import { assert, describe, it } from "@effect/vitest"
import * as LlmError from "@spillway/core/LlmError"
import * as Retry from "@spillway/core/Retry"
import { Duration, Effect, FastCheck as fc, Option, Random } from "effect"
import * as HttpFailure from "../src/internal/httpFailure.js"
import * as Limits from "../src/internal/limits.js"
import * as OpenAiErrors from "../src/internal/openAiErrors.js"

const day = 86_400_000

// whatever a header may hold, and what looks as if it were right
const number = fc.oneof(
  fc.double().map(String),
  fc.nat().map(String),
  fc.bigInt().map(String),
  fc.nat().map((n) => `0x${n.toString(16)}`),
  fc.double({ min: -1e6, max: 1e6, noNaN: true }).map((n) => n.toFixed(3))
)
const text = fc.oneof(
  { weight: 3, arbitrary: number },
  {
    weight: 3,
    arbitrary: fc.date({ min: new Date(0), max: new Date("9999-12-31"), noInvalidDate: true }).chain((date) =>
      fc.constantFrom(date.toUTCString(), date.toISOString(), date.toString(), date.toUTCString().replace(",", ""))
    )
  },
  { weight: 2, arbitrary: fc.array(fc.tuple(number, fc.constantFrom("ns", "us", "ms", "s", "m", "h", "d"))).map((parts) => parts.flat().join("")) },
  { weight: 1, arbitrary: fc.array(number).map((list) => list.join(", ")) },
  { weight: 1, arbitrary: fc.constantFrom("", " ", "NaN", "Infinity", "-1", "-0", "1e999", "9".repeat(400), "soon", "∞", "٣", `${2 ** 31}`) },
  { weight: 2, arbitrary: fc.string() }
)
const names = [
  "retry-after",
  "retry-after-ms",
  "x-ms-retry-after-ms",
  "date",
  "ratelimit",
  ...["x-ratelimit-", "ratelimit-"].flatMap((prefix) => [`${prefix}remaining`, `${prefix}reset`]),
  ...["requests", "tokens"].flatMap((of) => [`x-ratelimit-remaining-${of}`, `x-ratelimit-reset-${of}`])
]
const headers = fc.dictionary(fc.constantFrom(...names), text, { maxKeys: 4 })
const details = fc.array(
  fc.oneof(
    fc.record({ retryDelay: text }),
    fc.record({ retryDelay: fc.record({ seconds: fc.oneof(text, fc.double()), nanos: fc.double() }, { requiredKeys: [] }) }),
    fc.anything()
  ),
  { maxLength: 3 }
)

describe("what a backend says of waiting (S18)", () => {
  it("is a wait from nothing to a day, or nothing at all, whatever it says (P26)", () => {
    let waits = 0
    fc.assert(
      fc.property(
        headers,
        details,
        text,
        fc.constantFrom("RateLimited", "ServerFault", "QuotaExhausted"),
        fc.nat(2_000_000_000_000),
        (headers, details, words, kind, now) => {
          const failure = HttpFailure.readBody(
            {
              backend: "any",
              operation: "generateText",
              model: "m",
              status: 429,
              headers,
              requestId: undefined,
              resetMillis: Limits.resetMillis(Limits.fromHeaders(headers))
            },
            { error: { message: `please try again in ${words}`, details } },
            "",
            now
          )
          const same = (text: string) => text
          for (const refinement of [kind as HttpFailure.Kind, OpenAiErrors.refine(failure)!]) {
            const error = HttpFailure.toError(failure, refinement, { say: same, hide: same })
            const wait = Option.getOrUndefined(LlmError.retryAfter(error))
            if (wait === undefined) continue
            waits++
            const millis = Duration.toMillis(wait)
            assert.isTrue(Number.isInteger(millis) && millis >= 0 && millis <= day, `${millis}`)
          }
        }
      ),
      { numRuns: 3000 }
    )
    assert.isAbove(waits, 500, "many of them do say something")
  })

  it("is waited for no longer than anybody waits, and never by a timer that overflows (P26, RT-33)", () => {
    const { schedule } = Effect.runSync(Retry.make({ jitter: "none" }))
    fc.assert(
      fc.property(headers, (headers) => {
        const failure = HttpFailure.read(
          { backend: "any", operation: "generateText", model: "m", status: 503, headers, requestId: undefined },
          "",
          0
        )
        const error = HttpFailure.toError(failure, "ServerFault", { say: () => "no", hide: () => "no" })
        const [, , decision] = Effect.runSync(
          Effect.withRandom(schedule.step(0, error, schedule.initial), Random.make("any"))
        )
        const asked = Option.map(LlmError.retryAfter(error), Duration.toMillis)
        if (decision._tag === "Done") {
          assert.isTrue(Option.exists(asked, (asked) => asked > 60_000))
        } else {
          const [interval] = [...decision.intervals.intervals]
          assert.strictEqual(interval!.startMillis, Option.getOrElse(asked, () => 1000))
          assert.isAtMost(interval!.startMillis, 60_000)
        }
      }),
      { numRuns: 2000 }
    )
  })
})
