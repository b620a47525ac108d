/**
 * A service that plays a script instead of asking a model, and remembers what it was asked.
 *
 * Each call, whatever its operation, plays the next step of the script (`health` alone does not: it is always well). A call beyond the end is a bug of the test and
 * dies with a message that says so; `repeat` makes a last step that never ends. Time passes only where a step says so
 * (`Effect.delay`), so that everything can be tested with the clock standing still.
 *
 * @since 0.1.0
 */
import * as Completion from "@spillway/core/Completion"
import type * as Embedding from "@spillway/core/Embedding"
import type * as Inference from "@spillway/core/Inference"
import type * as LlmError from "@spillway/core/LlmError"
import * as LlmService from "@spillway/core/LlmService"
import type * as Model from "@spillway/core/Model"
import * as Policy from "@spillway/core/Policy"
import * as Prompt from "@spillway/core/Prompt"
import type * as Rerank from "@spillway/core/Rerank"
import * as Cause from "effect/Cause"
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"

// -----------------------------------------------------------------------------
// models
// -----------------------------------------------------------------------------

/**
 * What one call is answered:
 *
 * - a text: the whole answer (streamed word by word);
 * - a completion, or as much of one as matters (`content`; `usage` and `finishReason` if they do);
 * - one tool call (`toolCall`);
 * - a list of parts: the answer as it comes. A failing effect in it, and every `LlmError` is one, breaks it off there,
 *   a slow one holds it up;
 * - embeddings, a ranking, an inference, a list of models, for the operations that give them;
 * - an effect of any of these: an `LlmError` to fail with, a slow answer, one that never comes;
 * - a function of what was asked.
 *
 * @since 0.1.0
 * @category models
 */
export type Step =
  | string
  | Answer
  | Prompt.ToolCallPart
  | ReadonlyArray<Completion.Part | Effect.Effect<Completion.Part, LlmError.LlmError>>
  | Embedding.Embeddings
  | Rerank.Ranking
  | Inference.Inference
  | ReadonlyArray<Model.Model>
  | Effect.Effect<Step, LlmError.LlmError>
  | ((asked: Asked) => Step)

/**
 * A completion, less what can be left to the service: the model is then the one asked for, `finishReason` is
 * `tool-calls` or `stop`, and usage is not told.
 *
 * @since 0.1.0
 * @category models
 */
export interface Answer extends Partial<Omit<Completion.Completion, "content">> {
  readonly content: ReadonlyArray<Prompt.AssistantPart>
}

/**
 * A step that is played for every call from here on.
 *
 * @since 0.1.0
 * @category models
 */
export interface Repeat {
  readonly _tag: "Repeat"
  readonly step: Step
}

/**
 * A request as it arrived, with the operation it was for.
 *
 * @since 0.1.0
 * @category models
 */
export type Question =
  | { readonly operation: "generateText" | "streamText"; readonly request: Completion.Request }
  | { readonly operation: "embed"; readonly request: Embedding.Request }
  | { readonly operation: "rerank"; readonly request: Rerank.Request }
  | { readonly operation: "infer"; readonly request: Inference.Request }
  | { readonly operation: "listModels" }

/**
 * One call, as it arrived: when (milliseconds on the `Clock`), and what its caller said of it.
 *
 * @since 0.1.0
 * @category models
 */
export type Asked = Question & {
  readonly at: number
  readonly priority: Policy.Priority
  readonly deadline: Option.Option<number>
  readonly tenant: string
}

/**
 * A service with a script.
 *
 * @since 0.1.0
 * @category models
 */
export interface Scripted extends LlmService.Service {
  /** Every call so far, in the order of arrival. */
  readonly requests: Effect.Effect<ReadonlyArray<Asked>>
  /** How many calls are under way; a stream is until it has ended. */
  readonly inFlight: Effect.Effect<number>
  /** How many calls were given up before they had ended: interrupted, or a stream that was left early. */
  readonly interrupted: Effect.Effect<number>
}

/**
 * The tag under which a test finds what `layer` recorded.
 *
 * @since 0.1.0
 * @category tags
 */
export class ScriptedLlm extends Context.Tag("@spillway/testing/ScriptedLlm")<ScriptedLlm, Scripted>() {}

// -----------------------------------------------------------------------------
// constructors
// -----------------------------------------------------------------------------

/**
 * A service that plays the script, under the backend name `scripted`.
 *
 * @since 0.1.0
 * @category constructors
 * @example
 * ```ts
 * import { LlmError } from "@spillway/core"
 * import { ScriptedLlm } from "@spillway/testing"
 * import * as Effect from "effect/Effect"
 * import * as assert from "node:assert"
 *
 * const program = Effect.gen(function*() {
 *   const llm = yield* ScriptedLlm.make(new LlmError.RateLimited({ backend: "scripted", message: "slow down" }), "hello")
 *   const hi = { model: "any", prompt: "hi" }
 *   const answer = yield* Effect.orElse(llm.generateText(hi), () => llm.generateText(hi))
 *   assert.strictEqual(answer.text, "hello")
 *   assert.strictEqual((yield* llm.requests).length, 2)
 * })
 * Effect.runSync(program)
 * ```
 */
export const make = (...script: ReadonlyArray<Step | Repeat>): Effect.Effect<Scripted> => named("scripted", ...script)

/**
 * Like `make`, under a backend name of your own, for tests with several backends.
 *
 * @since 0.1.0
 * @category constructors
 */
export const named = (backend: string, ...script: ReadonlyArray<Step | Repeat>): Effect.Effect<Scripted> =>
  Effect.sync(() => unsafeMake(backend, script))

/**
 * Plays a step for every call from here on; the last of a script.
 *
 * @since 0.1.0
 * @category constructors
 */
export const repeat = (step: Step): Repeat => ({ _tag: "Repeat", step })

/**
 * A tool call, with its arguments as a value (encoded to JSON) or as the very text the model wrote.
 *
 * @since 0.1.0
 * @category constructors
 */
export const toolCall = (name: string, args: unknown, id = `call_${name}`): Prompt.ToolCallPart => ({
  _tag: "ToolCall",
  id,
  name,
  arguments: typeof args === "string" ? args : JSON.stringify(args)
})

/**
 * The service as `LlmService`, and under its own tag for what it recorded.
 *
 * @since 0.1.0
 * @category layers
 */
export const layer = (...script: ReadonlyArray<Step | Repeat>): Layer.Layer<LlmService.LlmService | ScriptedLlm> =>
  Layer.effectContext(
    Effect.map(make(...script), (scripted) =>
      Context.make(LlmService.LlmService, scripted).pipe(Context.add(ScriptedLlm, scripted)))
  )

// -----------------------------------------------------------------------------
// playing
// -----------------------------------------------------------------------------

/** A step after its effects and functions have been run. */
type Played = Exclude<Step, Effect.Effect<Step, LlmError.LlmError> | ((asked: Asked) => Step)>

type Parts = ReadonlyArray<Completion.Part | Effect.Effect<Completion.Part, LlmError.LlmError>>

const unsafeMake = (backend: string, script: ReadonlyArray<Step | Repeat>): Scripted => {
  const requests: Array<Asked> = []
  let inFlight = 0
  let interrupted = 0

  const next = (question: Question): Effect.Effect<Played, LlmError.LlmError> =>
    Effect.contextWithEffect((context: Context.Context<never>) =>
      Effect.flatMap(Clock.currentTimeMillis, (at) => {
        const asked: Asked = {
          ...question,
          at,
          priority: Context.get(context, Policy.CurrentPriority),
          deadline: Context.get(context, Policy.CurrentDeadline),
          tenant: Context.get(context, Policy.CurrentTenant)
        }
        const last = script.at(-1)
        const step = script[requests.length] ?? (isRepeat(last) ? last : undefined)
        requests.push(asked)
        return step === undefined
          ? Effect.dieMessage(
            `${backend}: the script has ${script.length} steps, and this is call ${requests.length} (${asked.operation})`
          )
          : resolve(isRepeat(step) ? step.step : step, asked)
      })
    )

  const whole = <A>(
    question: Question,
    read: (played: Played) => Effect.Effect<A, LlmError.LlmError>
  ): Effect.Effect<A, LlmError.LlmError> =>
    Effect.acquireUseRelease(
      Effect.sync(() => inFlight++),
      () => Effect.flatMap(next(question), read),
      (_, exit) =>
        Effect.sync(() => {
          inFlight--
          if (Exit.isInterrupted(exit)) interrupted++
        })
    )

  const streamed = (request: Completion.Request): Stream.Stream<Completion.Part, LlmError.LlmError> =>
    Stream.unwrapScoped(Effect.suspend(() => {
      let ended = false
      const end = Effect.sync(() => {
        ended = true
      })
      const broken = (cause: Cause.Cause<unknown>) => Cause.isInterrupted(cause) ? Effect.void : end
      return Effect.zipRight(
        Effect.acquireRelease(
          Effect.sync(() => inFlight++),
          () =>
            Effect.sync(() => {
              inFlight--
              if (!ended) interrupted++
            })
        ),
        next({ operation: "streamText", request }).pipe(
          Effect.flatMap((played) => toParts(backend, played, request)),
          Effect.map((parts) =>
            Stream.unfoldEffect(0, (index) => {
              const part = parts[index]
              return part === undefined
                ? Effect.as(end, Option.none())
                : Effect.map(
                  Effect.tapErrorCause(toEffect(part), broken),
                  (part) => Option.some([part, index + 1] as const)
                )
            })
          ),
          Effect.tapErrorCause(broken)
        )
      )
    }))

  return {
    ...LlmService.make(backend, {
      generateText: (request) =>
        whole({ operation: "generateText", request }, (played) => toCompletion(backend, played, request)),
      streamText: streamed,
      embed: (request) =>
        whole({ operation: "embed", request }, (played) =>
          isObject(played) && "vectors" in played ? Effect.succeed(played) : unfit(backend, "embed")),
      rerank: (request) =>
        whole({ operation: "rerank", request }, (played) =>
          isObject(played) && "results" in played ? Effect.succeed(played) : unfit(backend, "rerank")),
      infer: (request) =>
        whole({ operation: "infer", request }, (played) =>
          isObject(played) && "output" in played ? Effect.succeed(played) : unfit(backend, "infer")),
      listModels: whole({ operation: "listModels" }, (played) =>
        isList(played) && played.every(isModel) ? Effect.succeed(played) : unfit(backend, "listModels")),
      health: Effect.void
    }),
    requests: Effect.sync(() => [...requests]),
    inFlight: Effect.sync(() => inFlight),
    interrupted: Effect.sync(() => interrupted)
  }
}

const resolve = (step: Step, asked: Asked): Effect.Effect<Played, LlmError.LlmError> =>
  Effect.isEffect(step)
    ? Effect.flatMap(step, (step) => resolve(step, asked))
    : typeof step === "function"
    ? Effect.suspend(() => resolve(step(asked), asked))
    : Effect.succeed(step)

const toCompletion = (
  backend: string,
  played: Played,
  request: Completion.Request
): Effect.Effect<Completion.Completion, LlmError.LlmError> => {
  if (typeof played === "string") return Effect.succeed(complete({ content: [Prompt.text(played)] }, request))
  if (isParts(played)) {
    return Effect.map(Effect.forEach(played, toEffect), Completion.fromParts)
  }
  if (isObject(played)) {
    if ("content" in played) return Effect.succeed(complete(played, request))
    if ("_tag" in played) return Effect.succeed(complete({ content: [played] }, request))
  }
  return unfit(backend, "generateText")
}

const toParts = (
  backend: string,
  played: Played,
  request: Completion.Request
): Effect.Effect<Parts, LlmError.LlmError> =>
  isParts(played)
    ? Effect.succeed(played)
    : Effect.map(toCompletion(backend, played, request), (completion) => Completion.toParts(completion).flatMap(byWord))

const complete = (answer: Answer, request: Completion.Request): Completion.Completion => {
  const { text: _, toolCalls: __, ...fields } = answer
  return Completion.make({
    model: request.model,
    finishReason: answer.content.some((part) => part._tag === "ToolCall") ? "tool-calls" : "stop",
    usage: {},
    ...fields
  })
}

const byWord = (part: Completion.Part): ReadonlyArray<Completion.Part> =>
  part._tag === "TextDelta" && part.signature === undefined
    ? part.text.split(/(?<=\s)/).map((text) => ({ _tag: "TextDelta", text }))
    : [part]

const toEffect = (part: Parts[number]): Effect.Effect<Completion.Part, LlmError.LlmError> =>
  Effect.isEffect(part) ? part : Effect.succeed(part)

const unfit = (backend: string, operation: LlmService.Operation): Effect.Effect<never> =>
  Effect.dieMessage(`${backend}: this step of the script is no answer to ${operation}`)

const isRepeat = (step: Step | Repeat | undefined): step is Repeat =>
  typeof step === "object" && "_tag" in step && step._tag === "Repeat"

const isList = (played: Played): played is Extract<Played, ReadonlyArray<unknown>> => Array.isArray(played)

const isObject = (played: Played): played is Exclude<Played, string | ReadonlyArray<unknown>> =>
  typeof played === "object" && !Array.isArray(played)

const isModel = (item: Extract<Played, ReadonlyArray<unknown>>[number]): item is Model.Model => !isPart(item)

const isParts = (played: Played): played is Parts => isList(played) && played.every(isPart)

const isPart = (item: Extract<Played, ReadonlyArray<unknown>>[number]): item is Parts[number] =>
  Effect.isEffect(item) || "_tag" in item
