import { assert, describe, it } from "@effect/vitest"
import * as Coalescing from "@spillway/core/Coalescing"
import type * as Completion from "@spillway/core/Completion"
import * as LlmError from "@spillway/core/LlmError"
import * as LlmService from "@spillway/core/LlmService"
import * as Monitor from "@spillway/core/Monitor"
import * as Policy from "@spillway/core/Policy"
import { Cause, Effect, Exit, FastCheck as fc, Fiber, Option, Stream } from "effect"
import { isDeepStrictEqual } from "node:util"
import { canonical } from "../src/internal/canonical.js"
import * as VirtualClock from "./virtualClock.js"

describe("what is the same", () => {
  const leaf = fc.oneof(
    fc.constantFrom<unknown>("", "a", "null", "1", "[]", 0, 1, -1, null, true, false, 1n, NaN, undefined, "\"", ","),
    fc.string(),
    fc.double({ noNaN: true }).filter((n) => !Object.is(n, -0)),
    fc.uint8Array({ maxLength: 3 })
  )
  const key = fc.oneof(fc.constantFrom("a", "b", "__proto__", "constructor", "a\":1,\"b"), fc.string())
  const { value } = fc.letrec<{ value: unknown }>((tie) => ({
    value: fc.oneof(
      { maxDepth: 4 },
      leaf,
      fc.array(tie("value"), { maxLength: 4 }),
      fc.array(fc.tuple(key, tie("value")), { maxLength: 4 }).map(Object.fromEntries)
    )
  }))
  /** Without fields that are undefined, which are as if they were not. */
  const bare = (value: unknown): unknown =>
    Array.isArray(value)
      ? value.map(bare)
      : isRecord(value)
      ? Object.fromEntries(Object.entries(value).filter(([, value]) => value !== undefined).map(([key, value]) => [key, bare(value)]))
      : value
  const turned = (value: unknown): unknown =>
    Array.isArray(value)
      ? value.map(turned)
      : isRecord(value)
      ? Object.fromEntries(Object.entries(value).reverse().map(([key, value]) => [key, turned(value)]))
      : value
  const isRecord = (value: unknown): value is Record<string, unknown> =>
    typeof value === "object" && value !== null && !(value instanceof Uint8Array)

  it("is the same text in whatever order, and another for anything else", () => {
    let same = 0
    fc.assert(
      fc.property(value, value, (a, b) => {
        const text = canonical(a)
        assert.isString(text)
        assert.strictEqual(canonical(turned(a)), text)
        const isSame = isDeepStrictEqual(bare(a), bare(b))
        same += isSame ? 1 : 0
        assert.strictEqual(canonical(b) === text, isSame)
      }),
      { numRuns: 5000 }
    )
    assert.isAbove(same, 20)
  })

  it("is not the same where a name looks like several", () => {
    assert.notStrictEqual(canonical({ "a:1,b": 2 }), canonical({ a: 1, b: 2 }))
    assert.notStrictEqual(canonical({ "\"a\":1,\"b\"": 2 }), canonical({ a: 1, b: 2 }))
  })

  it("is not the same where one field differs", () => {
    fc.assert(
      fc.property(fc.dictionary(key, value, { minKeys: 1, maxKeys: 6 }), fc.nat(), leaf, (record, which, other) => {
        const names = Object.keys(record)
        const changed = { ...record, [names[which % names.length]!]: other }
        fc.pre(!isDeepStrictEqual(bare(record), bare(changed)))
        assert.notStrictEqual(canonical(changed), canonical(record))
      })
    )
  })
})

// -----------------------------------------------------------------------------
// random callers, before a backend that writes down what it is asked
// -----------------------------------------------------------------------------

const ask = fc.record({
  at: fc.nat(60),
  content: fc.nat(1),
  tenant: fc.nat(1),
  streamed: fc.boolean(),
  deadline: fc.option(fc.integer({ min: 1, max: 60 }), { freq: 3 }),
  givenUpAfter: fc.option(fc.nat(40), { freq: 3 }),
  /** How long he takes for each part. */
  pace: fc.nat(6)
})
type Ask = typeof ask extends fc.Arbitrary<infer A> ? A : never

const plan = fc.record({ millis: fc.nat(30), parts: fc.integer({ min: 1, max: 6 }), breaks: fc.oneof({ weight: 3, arbitrary: fc.constant(false) }, { weight: 1, arbitrary: fc.constant(true) }) })
type Plan = typeof plan extends fc.Arbitrary<infer A> ? A : never

interface Made {
  readonly key: string
  readonly plan: Plan
  readonly from: number
  to?: number
  interrupted?: boolean
}

const maxParts = 3

const run = (asks: ReadonlyArray<Ask>, plans: ReadonlyArray<Plan>, clock: VirtualClock.VirtualClock) =>
  Effect.gen(function*() {
    const now = () => clock.unsafeCurrentTimeMillis()
    const monitor = Monitor.unsafeMake()
    const made: Array<Made> = []
    const begin = (operation: string, prompt: unknown) =>
      Effect.map(Policy.CurrentTenant, (tenant) => {
        const nth = made.length
        const plan = plans[nth % plans.length]!
        const call: Made = { key: `${operation} ${prompt} ${tenant}`, plan, from: now() }
        // one at a time of everything that is the same
        assert.isFalse(made.some(({ key, to }) => key === call.key && to === undefined && operation === "whole"))
        made.push(call)
        return { call, name: `${call.key}/${nth}` }
      })
    const ended = (call: Made) => (exit: Exit.Exit<unknown, unknown>) =>
      Effect.sync(() => {
        call.to = now()
        call.interrupted = Exit.isInterrupted(exit)
      })
    const broken = new LlmError.ServerFault({ backend: "test", message: "broken" })
    const text = (text: string): Completion.Part => ({ _tag: "TextDelta", text })
    const service = LlmService.make("test", {
      generateText: ({ model, prompt }) =>
        Effect.flatMap(begin("whole", prompt), ({ call, name }) =>
          Effect.onExit(
            Effect.flatMap(Effect.sleep(call.plan.millis), (): Effect.Effect<Completion.Completion, LlmError.LlmError> =>
              call.plan.breaks
                ? Effect.fail(broken)
                : Effect.succeed({ model, content: [], text: name, toolCalls: [], finishReason: "stop", usage: {} })),
            ended(call)
          )),
      streamText: ({ prompt }) =>
        Stream.unwrapScoped(Effect.flatMap(begin("streamed", prompt), ({ call, name }) =>
          Effect.as(
            Effect.addFinalizer(ended(call)),
            Stream.concat(
              Stream.mapEffect(Stream.range(1, call.plan.parts), (part) => Effect.delay(Effect.succeed(text(`${name}/${part}`)), call.plan.millis)),
              call.plan.breaks ? Stream.fail(broken) : Stream.empty
            )
          )))
    })
    const { generateText, streamText } = yield* Coalescing.make(service, { operations: ["generateText", "streamText"], maxParts }).pipe(
      Effect.provideService(Monitor.CurrentMonitor, monitor)
    )

    const callers = yield* Effect.forEach(asks, (ask) =>
      Effect.gen(function*() {
        const seen: Array<string> = []
        let endedAt = Infinity
        const request = { model: "m", prompt: String(ask.content) }
        const use = ask.streamed
          ? Stream.runForEach(streamText(request), (part) =>
            Effect.delay(Effect.sync(() => seen.push(part._tag === "TextDelta" ? part.text : "")), ask.pace))
          : Effect.map(generateText(request), ({ text }) => void seen.push(text))
        const call = Policy.withTenant(ask.deadline === null ? use : Policy.withDeadline(use, ask.deadline), `t${ask.tenant}`)
        const fiber = yield* Effect.fork(Effect.delay(call, ask.at))
        if (ask.givenUpAfter !== null) yield* Effect.fork(Effect.delay(Fiber.interrupt(fiber), ask.at + ask.givenUpAfter))
        fiber.addObserver(() => {
          endedAt = now()
        })
        return { ask, seen, fiber, endedAt: () => endedAt }
      }))
    yield* clock.advance(10_000)

    for (const { ask, endedAt, fiber, seen } of callers) {
      const exit = fiber.unsafePoll()
      // P7
      assert.isNotNull(exit)
      const key = `${ask.streamed ? "streamed" : "whole"} ${ask.content} t${ask.tenant}`
      // P9: of one call, which was for the same content, operation and tenant
      const names = new Set(seen.map((text) => text.split("/").slice(0, 2).join("/")))
      assert.isAtMost(names.size, 1)
      assert.isTrue(seen.every((text) => text.startsWith(`${key}/`)))
      const call = seen.length === 0 ? undefined : made[Number(seen[0]!.split("/")[1])]
      if (ask.streamed) assert.deepStrictEqual(seen.map((text) => Number(text.split("/")[2])), seen.map((_, nth) => nth + 1))
      if (ask.givenUpAfter !== null) assert.isAtMost(endedAt(), ask.at + ask.givenUpAfter)
      if (Exit.isSuccess(exit!)) {
        if (ask.streamed) assert.strictEqual(seen.length, call?.plan.parts)
        assert.isFalse(call?.plan.breaks)
        continue
      }
      const error = Option.getOrUndefined(Cause.failureOption(exit!.cause))
      if (error === undefined) assert.isNotNull(ask.givenUpAfter)
      else if (error._tag === "DeadlineExceeded") {
        // he who is slow hears of it when he reads on
        const late = endedAt() - (ask.at + ask.deadline!)
        assert.isTrue(late >= 0 && late <= (ask.streamed ? ask.pace : 0))
      } else if (error._tag === "ServerFault") assert.isTrue(call === undefined || call.plan.breaks)
      else assert.isTrue(error._tag === "StreamInterrupted" && ask.streamed && ask.pace > 0)
    }
    for (const call of made) {
      assert.isDefined(call.to)
      if (!call.interrupted) continue
      // P28: it is given up when the last has gone, and no sooner
      const last = callers.filter(({ ask, endedAt }) =>
        `${ask.streamed ? "streamed" : "whole"} ${ask.content} t${ask.tenant}` === call.key && ask.at <= call.to! && endedAt() >= call.from
      )
      assert.isTrue(last.some(({ ask, endedAt }) => endedAt() === call.to || ask.at + (ask.deadline ?? Infinity) === call.to))
    }
    const { coalesced } = (yield* monitor.snapshot).backends[0]!
    assert.strictEqual(coalesced!.made, made.length)
    return coalesced!.joined
  })

describe("Coalescing", () => {
  it("gives everybody the answer to what he asked, from a call that lasts as long as somebody wants it (P7, P9, P28)", async () => {
    let joined = 0
    await fc.assert(
      fc.asyncProperty(
        fc.array(ask, { minLength: 5, maxLength: 25, size: "max" }),
        fc.array(plan, { minLength: 1, maxLength: 6 }),
        (asks, plans) => {
          const clock = VirtualClock.make()
          return run(asks, plans, clock).pipe(Effect.withClock(clock), Effect.scoped, Effect.runPromise).then((found) => {
            joined += found
          })
        }
      ),
      { numRuns: 60 }
    )
    assert.isAbove(joined, 100)
  }, 60_000)
})
