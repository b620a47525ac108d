/**
 * What is known of the calls of a backend: counts and durations for the `Monitor`, `Metric`s for whoever collects
 * them, and spans where a tracer is there.
 *
 * Two policies, since a call and its attempts are two things. `policy` stands outermost and sees what the caller sees;
 * `attempts` stands next to the backend and sees what is sent. No prompt, no answer and no key is in any of it.
 *
 * | metric | labels |
 * |---|---|
 * | `llm_requests_total` | backend, operation, model, outcome: `success`, `interrupted`, `died`, or the error's tag |
 * | `llm_request_duration_seconds` | backend, operation; calls that succeeded |
 * | `llm_time_to_first_token_seconds` | backend |
 * | `llm_tokens_total` | backend, model, direction: `input`, `output` |
 * | `llm_cost_usd_total` | backend, model; where `PriceBook.CurrentPriceBook` knows prices |
 * | `llm_attempts_total` | backend, outcome |
 * | `llm_retries_total` | backend, reason: the tag of the error before |
 *
 * Models' operations are measured under the names of OpenTelemetry's conventions as well: duration, tokens, and time to
 * the first part, by `GenAiNames`.
 *
 * And, as of the last `publish`, there is what the monitor knows of queues, circuits, keys and budgets.
 *
 * A span per call is named and filled as OpenTelemetry's conventions for generative AI want it, and has a span per
 * attempt in it. They are made only when a tracer is provided: with Effect's own, to which nobody listens, they
 * would cost more than all the rest.
 *
 * @since 0.1.0
 */
import * as Cause from "effect/Cause"
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import type * as Tracer from "effect/Tracer"
import type * as Completion from "./Completion.js"
import * as GenAiNames from "./GenAiNames.js"
import * as GenAiMetrics from "./internal/genAiMetrics.js"
import * as Metrics from "./internal/metrics.js"
import * as Published from "./internal/published.js"
import * as Spending from "./internal/spending.js"
import * as Tally from "./internal/tally.js"
import * as InvalidOptions from "./InvalidOptions.js"
import * as LlmError from "./LlmError.js"
import * as Monitor from "./Monitor.js"
import * as Policy from "./Policy.js"
import * as PriceBook from "./PriceBook.js"
import { isTraced } from "./TraceContext.js"

// -----------------------------------------------------------------------------
// models
// -----------------------------------------------------------------------------

/**
 * How calls are told of.
 *
 * @since 0.1.0
 * @category models
 */
export interface Options {
  /**
   * How many models have a series of their own, 0 to 10,000: the first so many that have answered. All others are
   * `other`, and so is what a caller made up.
   *
   * @default 100
   */
  readonly models?: number | undefined
  /**
   * Whose names spans carry: the last version of OpenTelemetry's general conventions, or the ones in the making.
   *
   * @default "v1.41"
   */
  readonly names?: GenAiNames.Version | undefined
}

/**
 * What tells of a backend's calls.
 *
 * @since 0.1.0
 * @category models
 */
export interface Telemetry {
  /** Counts, measures and traces calls; stands outermost. */
  readonly policy: Policy.Policy
  /** Counts and traces attempts; stands next to the backend, outside its timeout. */
  readonly attempts: Policy.Policy
}

/**
 * The options as a schema, for who reads them from a file.
 *
 * @since 0.1.0
 * @category schemas
 */
export const Options = Schema.Struct({
  models: Schema.optionalWith(InvalidOptions.whole({ atLeast: 0, atMost: 10_000 }), { default: () => 100 }),
  names: Schema.optionalWith(InvalidOptions.oneOf("v1.41", "dev"), { default: () => "v1.41" as const })
})

const validate = InvalidOptions.validate("Telemetry", Options)

// -----------------------------------------------------------------------------
// constructors
// -----------------------------------------------------------------------------

/**
 * Telemetry of one backend. It tells the `Monitor` of the calls until its scope closes.
 *
 * @since 0.1.0
 * @category constructors
 */
export const make = (
  backend: string,
  options: Options = {}
): Effect.Effect<Telemetry, InvalidOptions.InvalidOptions, Scope.Scope> =>
  Effect.gen(function*() {
    const { models, names } = yield* validate(options)
    const tally = Tally.make()
    const book = yield* PriceBook.CurrentPriceBook
    const spending = book === PriceBook.empty ? undefined : Spending.make(book)
    yield* Monitor.register({
      backend,
      read: (now) => ({ calls: tally.read(now), ...(spending !== undefined && { spend: spending.read() }) })
    })
    return {
      policy: calls(backend, tally, spending, models, GenAiNames.versions[names]),
      attempts: attempts(backend, tally)
    }
  })

/**
 * Sets the metrics of queues, circuits, keys and budgets to what the current monitor knows; to be run before metrics are read.
 *
 * @since 0.1.0
 * @category combinators
 */
export const publish: Effect.Effect<void> = Effect.map(Monitor.snapshot, Published.publish)

// -----------------------------------------------------------------------------
// calls
// -----------------------------------------------------------------------------

const calls = (
  backend: string,
  tally: Tally.Tally,
  spending: Spending.Spending | undefined,
  models: number,
  names: GenAiNames.GenAiNames
): Policy.Policy => {
  const metrics = makeMetrics(backend, models, names)

  const watch = (call: Policy.Call, clock: Clock.Clock, span: Tracer.Span | undefined) => {
    const began = clock.unsafeCurrentTimeMillis()
    tally.started(began)
    const costOf = spending?.began(call, began) ?? Option.none
    call.held.add((exit) => {
      const now = clock.unsafeCurrentTimeMillis()
      const millis = since(began, now)
      const outcome = outcomeOf(call, exit)
      const usage = usageOf(exit)
      tally.ended(now, millis, outcome)
      remember(tally, call, exit, now)
      if (usage !== undefined) tally.used(usage.inputTokens ?? 0, usage.outputTokens ?? 0)
      const microDollars = costOf(exit)
      metrics.ended(call, outcome, millis, usage, Option.getOrElse(microDollars, () => 0))
      if (span === undefined) return
      if (Option.isSome(microDollars)) span.attribute("spillway.cost_usd", microDollars.value / 1_000_000)
      endSpan(span, clock, exit, outcome, names)
    })
    return () => {
      const millis = since(began, clock.unsafeCurrentTimeMillis())
      tally.answered(millis)
      metrics.answered(call, millis)
    }
  }

  return (next) => (call) => {
    const watched = (clock: Clock.Clock, span?: Tracer.Span) => {
      const answered = watch(call, clock, span)
      return call.operation === "streamText"
        ? Effect.tap(next(call), () => answered())
        : next(call)
    }
    return Effect.withFiberRuntime((fiber) => {
      const clock = clockOf(fiber)
      if (!isTraced(fiber)) return watched(clock)
      const operation = GenAiNames.operation(names, call.operation)
      return inSpan(call.model === "" ? operation : `${operation} ${call.model}`, "client", {
        [names.operationName]: operation,
        [names.providerName]: GenAiNames.provider(names, backend),
        ...(call.model !== "" && { [names.requestModel]: call.model })
      }, (span) => watched(clock, span))
    })
  }
}

// a clock that was put back measures nothing
const since = (then: number, now: number): number => Math.max(now - then, 0)

const makeMetrics = (backend: string, models: number, names: GenAiNames.GenAiNames) => {
  const ofGenAi = GenAiMetrics.make(backend, names)
  const makeModel = (model: string) => ({
    genAi: ofGenAi(model),
    requests: Metrics.family((key: `${Policy.Call["operation"]} ${Tally.Outcome}`) => {
      const [operation, outcome] = key.split(" ") as [string, string]
      return Metrics.counter(
        { name: "llm_requests_total", description: "Calls that have ended, by how." },
        { backend, operation, model, outcome }
      )
    }),
    tokens: Metrics.family((direction: "input" | "output") =>
      Metrics.counter(
        { name: "llm_tokens_total", description: "Tokens, as the backend counted them." },
        { backend, model, direction }
      )
    ),
    cost: Metrics.family((_: "usd") =>
      Metrics.counter({ name: "llm_cost_usd_total", description: "What calls have cost." }, { backend, model })
    )
  })
  const durations = Metrics.family((operation: Policy.Call["operation"]) =>
    Metrics.histogram(
      { name: "llm_request_duration_seconds", description: "How long calls took that succeeded." },
      { backend, operation }
    )
  )
  const firstPart = Metrics.histogram(
    { name: "llm_time_to_first_token_seconds", description: "How long streams took to begin." },
    { backend }
  )
  const known = new Map([["", makeModel("")]])
  const other = makeModel("other")
  // a name is a caller's claim until the backend has answered to it
  const learn = (model: string, outcome: Tally.Outcome) => {
    const before = known.get(model)
    if (before !== undefined) return before
    if (outcome !== "success" || known.size > models) return other
    const series = makeModel(model)
    known.set(model, series)
    return series
  }
  return {
    ended(
      call: Policy.Call,
      outcome: Tally.Outcome,
      millis: number,
      usage: Completion.Usage | undefined,
      microDollars: number
    ) {
      const series = learn(call.model, outcome)
      if (GenAiNames.isOfModels(names, call.operation)) series.genAi.ended(call.operation, outcome, millis, usage)
      series.requests(`${call.operation} ${outcome}`)(1)
      if (outcome === "success") durations(call.operation)(millis / 1000)
      if (usage?.inputTokens !== undefined) series.tokens("input")(usage.inputTokens)
      if (usage?.outputTokens !== undefined) series.tokens("output")(usage.outputTokens)
      if (microDollars > 0) series.cost("usd")(microDollars / 1_000_000)
    },
    answered(call: Policy.Call, millis: number) {
      firstPart(millis / 1000)
      if (GenAiNames.isOfModels(names, call.operation)) learn(call.model, "success").genAi.answered(call.operation, millis)
    }
  }
}

// -----------------------------------------------------------------------------
// attempts
// -----------------------------------------------------------------------------

const attempts = (backend: string, tally: Tally.Tally): Policy.Policy => {
  const outcomes = Metrics.family((outcome: Tally.Outcome) =>
    Metrics.counter({ name: "llm_attempts_total", description: "Attempts, by how they ended." }, { backend, outcome })
  )
  const retries = Metrics.family((reason: LlmError.Tag) =>
    Metrics.counter(
      { name: "llm_retries_total", description: "Attempts after the first, by the error of the one before." },
      { backend, reason }
    )
  )
  const watch = (call: Policy.Call, clock: Clock.Clock, span?: Tracer.Span) => {
    if (call.previous !== undefined) {
      tally.retried(call.previous._tag)
      retries(call.previous._tag)(1)
    }
    call.held.add((exit) => {
      const outcome = outcomeOf(call, exit)
      outcomes(outcome)(1)
      remember(tally, call, exit, clock.unsafeCurrentTimeMillis(), call.attempt)
      if (span !== undefined) endSpan(span, clock, exit, outcome)
    })
  }
  return (next) => (call) =>
    Effect.withFiberRuntime((fiber) => {
      const clock = clockOf(fiber)
      if (!isTraced(fiber)) {
        watch(call, clock)
        return next(call)
      }
      return inSpan("attempt", "internal", { "spillway.attempt": call.attempt }, (span) => {
        watch(call, clock, span)
        return next(call)
      })
    })
}

// -----------------------------------------------------------------------------
// how a call ended
// -----------------------------------------------------------------------------

const outcomeOf = (call: Policy.Call, exit: Exit.Exit<unknown, unknown>): Tally.Outcome => {
  if (exit._tag === "Success") {
    return call.isStreamed && exit.value === undefined ? "interrupted" : "success"
  }
  const error = errorOf(exit)
  if (error !== undefined) return error._tag
  return Cause.isInterruptedOnly(exit.cause) ? "interrupted" : "died"
}

const errorOf = (exit: Exit.Exit<unknown, unknown>): LlmError.LlmError | undefined => {
  if (exit._tag === "Success") return undefined
  const failure = Cause.failureOption(exit.cause)
  // what a call fails with is an LlmError, as `Policy.Next` says
  return failure._tag === "Some" ? failure.value as LlmError.LlmError : undefined
}

// an error's message may repeat what was asked, so it is not among what is remembered
const remember = (
  tally: Tally.Tally,
  { model, operation }: Policy.Call,
  exit: Exit.Exit<unknown, unknown>,
  at: number,
  attempt?: number
): void => {
  const error = errorOf(exit)
  if (error === undefined) return
  tally.fault({
    at,
    operation,
    model: model.slice(0, 100),
    error: error._tag,
    verdict: LlmError.retriability(error),
    ...(attempt !== undefined && { attempt })
  })
}

const answerOf = (exit: Exit.Exit<unknown, unknown>): object | undefined =>
  exit._tag === "Success" && typeof exit.value === "object" && exit.value !== null ? exit.value : undefined

const usageOf = (exit: Exit.Exit<unknown, unknown>): Completion.Usage | undefined => {
  const answer = answerOf(exit)
  // every answer that has usage has it under this name, see `Held.Release`
  return answer !== undefined && "usage" in answer ? answer.usage as Completion.Usage : undefined
}

// -----------------------------------------------------------------------------
// spans
// -----------------------------------------------------------------------------

const clockOf = (fiber: Fiber.RuntimeFiber<unknown, unknown>) => Context.get(fiber.currentDefaultServices, Clock.Clock)

// `use` builds what runs in the span and hands the span to what will end it, in one step
const inSpan = <A, E, R>(
  name: string,
  kind: Tracer.SpanKind,
  attributes: { readonly [name: string]: unknown },
  use: (span: Tracer.Span) => Effect.Effect<A, E, R>
): Effect.Effect<A, E, R> =>
  Effect.uninterruptibleMask((restore) =>
    Effect.flatMap(
      Effect.makeSpan(name, { kind, attributes, captureStackTrace: false }),
      (span) => Effect.withParentSpan(restore(use(span)), span)
    )
  )

const endSpan = (
  span: Tracer.Span,
  clock: Clock.Clock,
  exit: Exit.Exit<unknown, unknown>,
  outcome: Tally.Outcome,
  names?: GenAiNames.GenAiNames
): void => {
  if (outcome !== "success") span.attribute("error.type", outcome)
  if (names !== undefined) describe(span, answerOf(exit) ?? {}, names)
  span.end(clock.unsafeCurrentTimeNanos(), exits[exit._tag](exit, outcome))
}

// a tracer is told of errors, which hold no prompt; not of answers, nor of what a bug may have in its message
const exits = {
  Success: () => Exit.void,
  Failure: (exit: Exit.Exit<unknown, unknown>, outcome: Tally.Outcome) =>
    outcome === "died" ? Exit.die("a bug, not an error: see the log") : exit
}

const describe = (
  span: Tracer.Span,
  { finishReason, id, model, usage }: Partial<Completion.Completion>,
  names: GenAiNames.GenAiNames
): void => {
  const attribute = (name: string, value: unknown) => value === undefined ? undefined : span.attribute(name, value)
  attribute(names.responseId, id)
  attribute(names.responseModel, model)
  attribute(names.finishReasons, finishReason && [finishReason])
  attribute(names.inputTokens, usage?.inputTokens)
  attribute(names.outputTokens, usage?.outputTokens)
  attribute(names.cachedInputTokens, usage?.cachedInputTokens)
  attribute(names.cacheWriteTokens, usage?.cacheWriteTokens)
}
