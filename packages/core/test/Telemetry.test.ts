import { assert, describe, it } from "@effect/vitest"
import * as Completion from "@spillway/core/Completion"
import * as GenAiNames from "@spillway/core/GenAiNames"
import * as LlmError from "@spillway/core/LlmError"
import * as Monitor from "@spillway/core/Monitor"
import * as Policy from "@spillway/core/Policy"
import * as Prompt from "@spillway/core/Prompt"
import * as Resilience from "@spillway/core/Resilience"
import * as Retry from "@spillway/core/Retry"
import * as Telemetry from "@spillway/core/Telemetry"
import * as ScriptedLlm from "@spillway/testing/ScriptedLlm"
import { Cause, Effect, Exit, Fiber, Metric, Option, Stream, TestClock, Tracer } from "effect"
import * as VirtualClock from "./virtualClock.js"

const secret = "a prompt that nobody may read"
const request = { model: "m", prompt: secret }
const backend = "scripted"
const fault = new LlmError.ServerFault({ backend, message: "broken" })
const invalid = new LlmError.InvalidRequest({ backend, message: "no" })
const answer = (inputTokens: number, outputTokens: number): ScriptedLlm.Answer => ({
  id: "id-1",
  model: "m-2026",
  content: [Prompt.text(`the answer to: ${secret}`)],
  usage: { inputTokens, outputTokens, cachedInputTokens: 1 }
})
const slowly = <A>(step: A, millis: number) => Effect.delay(Effect.succeed(step), millis)

let backends = 0

/** A scripted service with telemetry around it, under a name of its own: metrics are one for the program. */
const make = (options: Telemetry.Options, ...script: ReadonlyArray<ScriptedLlm.Step | ScriptedLlm.Repeat>) =>
  Effect.gen(function*() {
    const name = `telemetry-${++backends}`
    const llm = yield* ScriptedLlm.named(name, ...script)
    const telemetry = yield* Telemetry.make(name, options)
    const retry = yield* Retry.make({ jitter: "none" })
    return {
      name,
      llm: Resilience.protect(llm, Policy.compose(telemetry.policy, retry.policy, telemetry.attempts)),
      calls: Effect.map(Monitor.snapshot, ({ backends }) => backends.find(({ backend }) => backend === name)!.calls!),
      /** The value of every series of a metric, by its labels. */
      series: (metric: string) => seriesOf(metric, name)
    }
  })

const seriesOf = (metric: string, backend: string) =>
  Effect.map(Metric.snapshot, (pairs) => {
    const found: Record<string, unknown> = {}
    for (const { metricKey, metricState } of pairs) {
      const labels = Object.fromEntries(metricKey.tags.map(({ key, value }) => [key, value]))
      if (metricKey.name !== metric || labels["backend"] !== backend) continue
      const { backend: _, ...others } = labels
      const state = metricState as { readonly count?: number; readonly value?: number; readonly sum?: number }
      found[Object.values(others).join(" ")] = state.sum ?? state.value ?? state.count
    }
    return found
  })

const play = <A, E, R>(effect: Effect.Effect<A, E, R>) =>
  Effect.gen(function*() {
    const fiber = yield* Effect.fork(Effect.exit(effect))
    yield* TestClock.adjust("10 minutes")
    return yield* Fiber.join(fiber)
  })

describe("Telemetry", () => {
  describe("for the monitor", () => {
    it.scoped("counts how each call ended, and no more than that", () =>
      Effect.gen(function*() {
        const { calls, llm } = yield* make({}, "one", invalid, Effect.never, Effect.die("a bug"), "two", invalid, Effect.never)
        const ask = llm.generateText(request)
        yield* ask
        yield* Effect.exit(ask)
        const hanging = yield* Effect.fork(ask)
        yield* TestClock.adjust("1 second")
        yield* Fiber.interrupt(hanging)
        yield* Effect.exit(ask)
        yield* ask
        yield* Effect.exit(ask)
        const running = yield* Effect.fork(ask)
        yield* TestClock.adjust("1 second")
        assert.deepInclude(yield* calls, {
          started: 7,
          succeeded: 2,
          failed: { InvalidRequest: 2 },
          interrupted: 1,
          died: 1,
          retries: {}
        })
        yield* Fiber.interrupt(running)
      }))

    it.scoped("counts a call once, and its retries by their reason", () =>
      Effect.gen(function*() {
        const { calls, llm } = yield* make({}, fault, fault, new LlmError.RateLimited({ backend, message: "slow" }), "hello")
        yield* play(llm.generateText(request))
        assert.deepInclude(yield* calls, {
          started: 1,
          succeeded: 1,
          failed: {},
          retries: { ServerFault: 2, RateLimited: 1 }
        })
      }))

    it.scoped("adds up tokens of answers, embeddings and streams, as far as the backend tells them", () =>
      Effect.gen(function*() {
        const { calls, llm } = yield* make(
          {},
          answer(10, 5),
          { model: "m", vectors: [[1]], usage: { inputTokens: 100 } },
          [
            { _tag: "Start", model: "m" },
            { _tag: "TextDelta", text: "hi" },
            { _tag: "Finish", finishReason: "stop", usage: { inputTokens: 1000, outputTokens: 50 } }
          ],
          "no usage told"
        )
        yield* llm.generateText(request)
        yield* llm.embed({ model: "m", input: [secret] })
        yield* Stream.runDrain(llm.streamText(request))
        yield* llm.generateText(request)
        assert.deepInclude(yield* calls, { inputTokens: 1110, outputTokens: 55, succeeded: 4 })
      }))

    it.scoped("knows a stream that its consumer left from one that has ended", () =>
      Effect.gen(function*() {
        const { calls, llm } = yield* make({}, "a whole answer", "an answer that is left early", [
          { _tag: "TextDelta", text: "half" },
          fault
        ])
        const stream = llm.streamText(request)
        yield* Stream.runDrain(stream)
        yield* Stream.runDrain(Stream.take(stream, 1))
        yield* Effect.exit(Stream.runDrain(stream))
        assert.deepInclude(yield* calls, { started: 3, succeeded: 1, interrupted: 1, failed: { ServerFault: 1 } })
      }))

    it.scoped("measures whole calls, waits between attempts included, and the first part of streams", () =>
      Effect.gen(function*() {
        const { calls, llm } = yield* make({}, fault, slowly("hello", 500), [
          slowly<Completion.Part>({ _tag: "TextDelta", text: "a" }, 300),
          slowly<Completion.Part>({ _tag: "Finish", finishReason: "stop", usage: {} }, 700)
        ])
        assert.deepInclude(yield* calls, { latencyMillis: { p50: 0, p95: 0, p99: 0 }, perSecond: 0 })
        yield* play(llm.generateText(request))
        yield* play(Stream.runDrain(llm.streamText(request)))
        assert.deepInclude(yield* calls, {
          latencyMillis: { p50: 1000, p95: 1500, p99: 1500 },
          firstPartMillis: { p50: 300, p95: 300, p99: 300 }
        })
      }))

    it.scoped("measures nothing by a clock that is put back", () => {
      const clock = VirtualClock.make(1_000_000_000)
      return Effect.gen(function*() {
        const { calls, llm, series } = yield* make({}, Effect.zipRight(clock.stall(-3_600_000), Effect.succeed("hello")))
        yield* llm.generateText(request)
        assert.deepInclude(yield* calls, { succeeded: 1, latencyMillis: { p50: 0, p95: 0, p99: 0 } })
        assert.deepStrictEqual(yield* series("llm_request_duration_seconds"), { generateText: 0 })
      }).pipe(Effect.withClock(clock))
    })

    it.scoped("keeps the last 1,024 durations", () => {
      const clock = VirtualClock.make()
      return Effect.withClock(
        Effect.gen(function*() {
          let millis = 0
          const { calls, llm } = yield* make({}, ScriptedLlm.repeat(() => slowly("x", ++millis)))
          // 1 to 1,124 ms, of which the first 100 are forgotten
          const fiber = yield* Effect.fork(
            Effect.all(Array.from({ length: 1124 }, () => llm.generateText(request)), { concurrency: "unbounded" })
          )
          yield* clock.advance(2000)
          yield* Fiber.join(fiber)
          assert.deepStrictEqual((yield* calls).latencyMillis, { p50: 612, p95: 1073, p99: 1114 })
        }),
        clock
      )
    })

    it.scoped("remembers the last errors of calls and attempts with what may help, and nothing that was asked", () =>
      Effect.gen(function*() {
        const { calls, llm } = yield* make({}, invalid, fault, "well", ScriptedLlm.repeat(invalid))
        yield* TestClock.setTime(1000)
        yield* Effect.exit(llm.generateText({ ...request, model: "x".repeat(1000) }))
        yield* play(llm.generateText(request))
        const asked = { at: 1000, operation: "generateText" } as const
        const refused = { ...asked, model: "x".repeat(100), error: "InvalidRequest", verdict: "Never" } as const
        assert.deepStrictEqual((yield* calls).lastFailures, [
          { ...refused, attempt: 1 },
          refused,
          { ...asked, model: "m", error: "ServerFault", verdict: "Retry", attempt: 1 }
        ])
        yield* Effect.replicateEffect(Effect.exit(llm.generateText(request)), 40)
        const { lastFailures } = yield* calls
        assert.lengthOf(lastFailures!, 50)
        assert.notInclude(JSON.stringify(lastFailures), secret)
      }))

    it.scoped("says how many calls a second have ended, of the last minute", () =>
      Effect.gen(function*() {
        const { calls, llm } = yield* make({}, ScriptedLlm.repeat("x"))
        const pace = Effect.map(calls, ({ perSecond }) => perSecond)
        const second = Effect.zipRight(Effect.replicateEffect(llm.generateText(request), 6), TestClock.adjust("1 second"))
        yield* Effect.replicateEffect(second, 10)
        assert.strictEqual(yield* pace, 6)
        yield* TestClock.adjust("20 seconds")
        assert.strictEqual(yield* pace, 2)
        yield* TestClock.adjust("34 seconds")
        assert.strictEqual(yield* pace, 0.5)
        yield* TestClock.adjust("1 minute")
        assert.strictEqual(yield* pace, 0)
      }))
  })

  describe("metrics", () => {
    it.scoped("count calls, attempts, retries and tokens by their labels", () =>
      Effect.gen(function*() {
        const { llm, series } = yield* make({}, answer(10, 5), fault, answer(20, 7), invalid, [{ id: "m" }])
        yield* play(llm.generateText(request))
        yield* play(llm.generateText(request))
        yield* play(llm.generateText(request))
        yield* play(llm.listModels)
        assert.deepStrictEqual(yield* series("llm_requests_total"), {
          "generateText m success": 2,
          "generateText m InvalidRequest": 1,
          "listModels  success": 1
        })
        assert.deepStrictEqual(yield* series("llm_attempts_total"), { success: 3, ServerFault: 1, InvalidRequest: 1 })
        assert.deepStrictEqual(yield* series("llm_retries_total"), { ServerFault: 1 })
        assert.deepStrictEqual(yield* series("llm_tokens_total"), { "m input": 30, "m output": 12 })
      }))

    it.scoped("measure in seconds: calls that succeeded, and the first part of streams", () =>
      Effect.gen(function*() {
        const { llm, series } = yield* make({}, slowly("hello", 1500), Effect.delay(invalid, 5000), slowly("hi", 250))
        yield* play(llm.generateText(request))
        yield* play(llm.generateText(request))
        yield* play(Stream.runDrain(llm.streamText(request)))
        assert.deepStrictEqual(yield* series("llm_request_duration_seconds"), { generateText: 1.5, streamText: 0.25 })
        assert.deepStrictEqual(yield* series("llm_time_to_first_token_seconds"), { "": 0.25 })
      }))

    it.scoped("name no model that never answered, and no more models than allowed", () =>
      Effect.gen(function*() {
        const missing = new LlmError.ModelNotFound({ backend, message: "no such model" })
        const { llm, series } = yield* make(
          { models: 2 },
          ScriptedLlm.repeat((asked) =>
            "request" in asked && asked.request.model.startsWith("made-up") ? missing : answer(1, 1)
          )
        )
        const models = ["made-up-1", "a", "made-up-2", "b", "c", "d", "a"]
        yield* Effect.forEach(models, (model) => Effect.exit(llm.generateText({ ...request, model })))
        assert.deepStrictEqual(yield* series("llm_requests_total"), {
          "generateText other ModelNotFound": 2,
          "generateText a success": 2,
          "generateText b success": 1,
          "generateText other success": 2
        })
        assert.deepStrictEqual(Object.keys(yield* series("llm_tokens_total")), [
          "a input",
          "a output",
          "b input",
          "b output",
          "other input",
          "other output"
        ])
      }))
  })

  describe("publish", () => {
    const key = (key: Partial<Monitor.Key>): Monitor.Key => ({
      id: "key-1",
      state: "ready",
      inFlight: 0,
      requests: 0,
      successes: 0,
      failures: {},
      inputTokens: 0,
      outputTokens: 0,
      ...key
    })

    it.scoped("sets gauges and counters to what the monitor knows, and to zero what is no longer there", () =>
      Effect.gen(function*() {
        const monitor = Monitor.unsafeMake()
        const name = `telemetry-${++backends}`
        const read = (metric: string) => seriesOf(metric, name)
        let state: Omit<Monitor.Backend, "backend"> = {
          queue: {
            capacity: 100,
            concurrency: 5,
            waiting: 7,
            inFlight: 5,
            oldestWaitMillis: 1500,
            admitted: 20,
            rejected: 3,
            abandoned: 1,
            refusals: { full: 3, displaced: 1 },
            waitMillis: { p50: 10, p95: 500, p99: 1000 },
            perSecond: 2.5
          },
          circuit: { state: "open", failures: 5, opened: 2, openUntil: 10_000 },
          retryBudget: { balance: 12.5, reserve: 500, refused: 3 },
          adaptiveRate: { perSecond: 7.5, waiting: 2, refusals: 4 },
          batches: {
            waiting: 3,
            sent: 10,
            requests: 40,
            items: 50,
            parted: 1,
            size: { p50: 4, p95: 8, p99: 9 },
            waitMillis: { p50: 5, p95: 10, p99: 20 }
          },
          hedges: { begun: 6, won: 2, lost: 3, refused: 7 },
          coalesced: { made: 20, joined: 12 },
          cache: { hits: 9, misses: 4, entries: 3, bytes: 2048, evicted: 1 },
          keys: [
            key({ inFlight: 2, successes: 4, failures: { RateLimited: 1 } }),
            key({ id: "key-2", state: "cooling", until: 4000 })
          ]
        }
        const publish = Effect.provideService(Telemetry.publish, Monitor.CurrentMonitor, monitor)
        yield* monitor.register({ backend: name, read: () => state })
        yield* TestClock.adjust("1 second")
        yield* publish
        assert.deepStrictEqual(yield* read("llm_queue_depth"), { "": 7 })
        assert.deepStrictEqual(yield* read("llm_queue_oldest_wait_seconds"), { "": 1.5 })
        assert.deepStrictEqual(yield* read("llm_inflight"), { "": 5 })
        assert.deepStrictEqual(yield* read("llm_concurrency_limit"), { "": 5 })
        assert.deepStrictEqual(yield* read("llm_queue_rejected_total"), { "": 3 })
        assert.deepStrictEqual(yield* read("llm_queue_abandoned_total"), { "": 1 })
        assert.deepStrictEqual(yield* read("llm_queue_refusals_total"), { full: 3, displaced: 1 })
        assert.deepStrictEqual(yield* read("llm_queue_wait_seconds"), { "0.5": 0.01, "0.95": 0.5, "0.99": 1 })
        assert.deepStrictEqual(yield* read("llm_queue_per_second"), { "": 2.5 })
        assert.deepStrictEqual(yield* read("llm_breaker_state"), { "": 2 })
        assert.deepStrictEqual(yield* read("llm_breaker_opened_total"), { "": 2 })
        assert.deepStrictEqual(yield* read("llm_retry_budget"), { "": 12.5 })
        assert.deepStrictEqual(yield* read("llm_retry_budget_refused_total"), { "": 3 })
        assert.deepStrictEqual(yield* read("llm_adaptive_rate"), { "": 7.5 })
        assert.deepStrictEqual(yield* read("llm_batches_total"), { "": 10 })
        assert.deepStrictEqual(yield* read("llm_batch_requests_total"), { "": 40 })
        assert.deepStrictEqual(yield* read("llm_batch_size"), { "0.5": 4, "0.95": 8, "0.99": 9 })
        assert.deepStrictEqual(yield* read("llm_batch_wait_seconds"), { "0.5": 0.005, "0.95": 0.01, "0.99": 0.02 })
        assert.deepStrictEqual(yield* read("llm_hedges_total"), { hedge: 2, other: 3 })
        assert.deepStrictEqual(yield* read("llm_coalesced_total"), { "": 12 })
        assert.deepStrictEqual(yield* read("llm_cache_hits_total"), { "": 9 })
        assert.deepStrictEqual(yield* read("llm_cache_misses_total"), { "": 4 })
        assert.deepStrictEqual(yield* read("llm_keys"), { ready: 1, cooling: 1, exhausted: 0, retired: 0, disabled: 0 })
        assert.deepStrictEqual(yield* read("llm_key_inflight"), { "key-1": 2, "key-2": 0 })
        assert.deepStrictEqual(yield* read("llm_key_cooldown_seconds"), { "key-1": 0, "key-2": 3 })
        assert.deepStrictEqual(yield* read("llm_key_requests_total"), {
          "key-1 success": 4,
          "key-1 RateLimited": 1,
          "key-2 success": 0
        })

        state = {
          ...state,
          queue: { ...state.queue!, waiting: 0, rejected: 5 },
          adaptiveRate: { waiting: 0, refusals: 4 },
          keys: [key({ successes: 6 })]
        }
        yield* publish
        yield* publish
        assert.deepStrictEqual(yield* read("llm_queue_depth"), { "": 0 })
        assert.deepStrictEqual(yield* read("llm_queue_rejected_total"), { "": 5 })
        assert.deepStrictEqual(yield* read("llm_key_inflight"), { "key-1": 0, "key-2": 0 })
        assert.strictEqual((yield* read("llm_key_requests_total"))["key-1 success"], 6)
        assert.deepStrictEqual(yield* read("llm_adaptive_rate"), { "": 0 })

        // a queue that was built anew counts from zero; the metric goes on
        state = { queue: { ...state.queue!, rejected: 1 } }
        yield* publish
        assert.deepStrictEqual(yield* read("llm_queue_rejected_total"), { "": 6 })
        assert.deepStrictEqual(yield* read("llm_breaker_state"), { "": 0 })
      }))
  })

  describe("spans", () => {
    interface Recorded extends Tracer.Span {
      readonly end: Tracer.Span["end"]
      ended?: Exit.Exit<unknown, unknown>
      attributes: Map<string, unknown>
    }

    const recorder = () => {
      const spans: Array<Recorded> = []
      const tracer = Tracer.make({
        span: (name, parent, context, links, startTime, kind) => {
          const span: Recorded = {
            _tag: "Span",
            name,
            spanId: `${spans.length}`,
            traceId: "trace",
            parent,
            context,
            links,
            status: { _tag: "Started", startTime },
            attributes: new Map(),
            sampled: true,
            kind,
            attribute: (key, value) => span.attributes.set(key, value),
            event: () => {},
            addLinks: () => {},
            end: (_, exit) => {
              span.ended = exit
            }
          }
          spans.push(span)
          return span
        },
        context: (execution) => execution()
      })
      return { spans, tracer }
    }
    const shown = (spans: ReadonlyArray<Recorded>) =>
      spans.map(({ attributes, ended, kind, name, parent }) => ({
        name,
        kind,
        parent: Option.getOrNull(Option.map(parent, (parent) => parent._tag === "Span" ? parent.name : "external")),
        attributes: Object.fromEntries(attributes),
        ended: ended === undefined
          ? "not yet"
          : Exit.match(ended, { onFailure: (cause) => Cause.isInterruptedOnly(cause) ? "interrupted" : "failed", onSuccess: () => "well" })
      }))

    it.scoped("are one for a call and one for each attempt, named as OpenTelemetry has it", () =>
      Effect.gen(function*() {
        const { llm, name } = yield* make({}, fault, answer(10, 5))
        const { spans, tracer } = recorder()
        yield* play(llm.generateText(request).pipe(Effect.withTracer(tracer)))
        assert.deepStrictEqual(shown(spans), [
          {
            name: "chat m",
            kind: "client",
            parent: null,
            attributes: {
              "gen_ai.operation.name": "chat",
              "gen_ai.provider.name": name,
              "gen_ai.request.model": "m",
              "gen_ai.response.id": "id-1",
              "gen_ai.response.model": "m-2026",
              "gen_ai.response.finish_reasons": ["stop"],
              "gen_ai.usage.input_tokens": 10,
              "gen_ai.usage.output_tokens": 5,
              "gen_ai.usage.cache_read.input_tokens": 1
            },
            ended: "well"
          },
          {
            name: "attempt",
            kind: "internal",
            parent: "chat m",
            attributes: { "spillway.attempt": 1, "error.type": "ServerFault" },
            ended: "failed"
          },
          {
            name: "attempt",
            kind: "internal",
            parent: "chat m",
            attributes: { "spillway.attempt": 2 },
            ended: "well"
          }
        ])
      }))

    it.scoped("of a stream last until the stream has ended", () =>
      Effect.gen(function*() {
        const { llm } = yield* make({}, [
          { _tag: "TextDelta", text: "a" },
          slowly<Completion.Part>({ _tag: "Finish", finishReason: "length", usage: { outputTokens: 3 } }, 1000)
        ])
        const { spans, tracer } = recorder()
        const fiber = yield* Effect.fork(Effect.withTracer(Stream.runDrain(llm.streamText(request)), tracer))
        yield* TestClock.adjust("500 millis")
        assert.deepStrictEqual(shown(spans).map(({ ended }) => ended), ["not yet", "not yet"])
        yield* TestClock.adjust("500 millis")
        yield* Fiber.join(fiber)
        assert.deepStrictEqual(shown(spans).map(({ ended }) => ended), ["well", "well"])
        assert.deepInclude(Object.fromEntries(spans[0]!.attributes), {
          "gen_ai.response.finish_reasons": ["length"],
          "gen_ai.usage.output_tokens": 3
        })
      }))

    it.scoped("end with an interrupted call, and stand within the caller's own", () =>
      Effect.gen(function*() {
        const { llm } = yield* make({}, Effect.never)
        const { spans, tracer } = recorder()
        const fiber = yield* Effect.fork(llm.generateText(request).pipe(Effect.withSpan("mine"), Effect.withTracer(tracer)))
        yield* TestClock.adjust("1 second")
        yield* Fiber.interrupt(fiber)
        assert.deepStrictEqual(
          shown(spans).map(({ attributes, ended, name, parent }) => [name, parent, ended, attributes["error.type"]]),
          [
            ["mine", null, "interrupted", undefined],
            ["chat m", "mine", "interrupted", "interrupted"],
            ["attempt", "chat m", "interrupted", "interrupted"]
          ]
        )
      }))

    it.scoped("hold no prompt, no answer, and no bug's message", () =>
      Effect.gen(function*() {
        const { llm, name } = yield* make(
          {},
          answer(1, 1),
          invalid,
          Effect.die(new Error(secret)),
          ScriptedLlm.repeat(`streamed: ${secret}`)
        )
        const { spans, tracer } = recorder()
        yield* Effect.gen(function*() {
          for (let i = 0; i < 3; i++) yield* Effect.exit(llm.generateText(request))
          yield* Stream.runDrain(llm.streamText(request))
        }).pipe(Effect.withTracer(tracer))
        assert.lengthOf(spans, 8)
        for (const { attributes, ended, name } of spans) {
          const told = [name, JSON.stringify([...attributes]), JSON.stringify(ended), Exit.isFailure(ended!) ? Cause.pretty(ended.cause) : ""]
          assert.notInclude(told.join("\n"), secret)
        }
        const metrics = (yield* Metric.snapshot).filter(({ metricKey }) => metricKey.tags.some(({ value }) => value === name))
        assert.isAbove(metrics.length, 0)
        assert.notInclude(JSON.stringify(metrics), secret)
        assert.notInclude(JSON.stringify(yield* Monitor.snapshot), secret)
      }))

    it.scoped("are not made where nobody listens", () =>
      Effect.gen(function*() {
        const { llm } = yield* make({}, ScriptedLlm.repeat("hello"))
        const seen: Array<string | undefined> = []
        const probe: Policy.Policy = (next) => (call) =>
          Effect.flatMap(Effect.option(Effect.currentParentSpan), (span) => {
            seen.push(Option.getOrUndefined(span)?._tag)
            return next(call)
          })
        const telemetry = yield* Telemetry.make("untraced")
        const service = Resilience.protect(llm, Policy.compose(telemetry.policy, telemetry.attempts, probe))
        yield* service.generateText(request)
        const { spans, tracer } = recorder()
        yield* service.generateText(request).pipe(Effect.withTracerEnabled(false), Effect.withTracer(tracer))
        assert.lengthOf(spans, 0)
        yield* service.generateText(request).pipe(Effect.withTracer(tracer))
        assert.strictEqual(seen[0], undefined)
        assert.strictEqual(seen[2], "Span")
      }))

    it.scoped("carry the names that were chosen", () =>
      Effect.gen(function*() {
        const cached = { content: [], usage: { cacheWriteTokens: 9 } }
        const old = yield* make({}, cached)
        const dev = yield* make({ names: "dev" }, cached)
        const { spans, tracer } = recorder()
        yield* old.llm.generateText(request).pipe(Effect.withTracer(tracer))
        yield* dev.llm.generateText(request).pipe(Effect.withTracer(tracer))
        const chats = spans.filter(({ name }) => name === "chat m")
        assert.strictEqual(chats[0]!.attributes.get("gen_ai.usage.cache_creation.input_tokens"), 9)
        assert.strictEqual(chats[1]!.attributes.get("gen_ai.usage.cache_write.input_tokens"), 9)
        assert.strictEqual(GenAiNames.provider(GenAiNames.v1_41, "gemini"), "gcp.gemini")
        assert.strictEqual(GenAiNames.provider(GenAiNames.v1_41, "constructor"), "constructor")
      }))
  })

  describe("options", () => {
    it.scoped("are refused by the name of what is wrong", () =>
      Effect.gen(function*() {
        assert.strictEqual((yield* Effect.flip(Telemetry.make("x", { models: -1 }))).field, "models")
        // a setting that did not come through the types
        const names = "v2" as GenAiNames.Version
        assert.strictEqual((yield* Effect.flip(Telemetry.make("x", { names }))).field, "names")
      }))
  })
})
