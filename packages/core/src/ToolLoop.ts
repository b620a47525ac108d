/**
 * Asks a model, runs the tools that it calls, tells it their results, and asks again, until it calls none.
 *
 * What the model said goes back to it unchanged, signatures and all. The calls of one answer run at the same time;
 * their results keep the order of the calls. A call that cannot be run (arguments that do not decode, a tool that is
 * not there) is told to the model as a failed result, and it may try again. A failure of a handler ends the loop.
 *
 * @since 0.1.0
 */
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import { dual } from "effect/Function"
import * as Stream from "effect/Stream"
import * as Completion from "./Completion.js"
import type * as LlmError from "./LlmError.js"
import * as LlmService from "./LlmService.js"
import * as Prompt from "./Prompt.js"
import * as Tool from "./Tool.js"

// -----------------------------------------------------------------------------
// models
// -----------------------------------------------------------------------------

/**
 * What the first request asks; the tools are the loop's. A `toolChoice` that forces a call holds for the first request
 * only, or the loop would never end.
 *
 * @since 0.1.0
 * @category models
 */
export type Request = Omit<Completion.Request, "tools">

/**
 * The tools, and how long to go on.
 *
 * @since 0.1.0
 * @category models
 */
export interface Options<Tools extends ReadonlyArray<Tool.Handled<unknown, unknown>>> {
  /** What the model may call (`Tool.handle`). */
  readonly tools: Tools
  /** Most requests to the model, from 1. @default 10 */
  readonly maxSteps?: number
}

/**
 * Where the loop has got to.
 *
 * @since 0.1.0
 * @category models
 */
export interface Progress {
  /** The last answer. */
  readonly completion: Completion.Completion
  /** All that was said: the prompt, every answer, every result. It can be the prompt of the next request. */
  readonly messages: Prompt.Prompt
  /** The tokens of all requests, as far as they were told. */
  readonly usage: Completion.Usage
  /** How many requests were made. */
  readonly steps: number
}

/**
 * The model still calls tools after the last request that it was allowed. The calls of its last answer have been run,
 * so that `messages` can be the prompt of another loop; nothing is lost.
 *
 * @since 0.1.0
 * @category errors
 */
export class StepLimitReached extends Data.TaggedError("StepLimitReached")<Progress & { readonly message: string }> {}

/**
 * A piece of a streamed loop: the parts of every answer, the results of the tools when all of an answer are there, and
 * at the end where the loop has got to.
 *
 * @since 0.1.0
 * @category models
 */
export type Event = Completion.Part | Prompt.ToolResultPart | ({ readonly _tag: "Done" } & Progress)

/** How a handler may fail. */
type ErrorOf<Handler> = Handler extends Tool.Handled<infer E, infer _R> ? Exclude<E, Tool.InvalidArguments> : never

/** What a handler needs. */
type ContextOf<Handler> = Handler extends Tool.Handled<infer _E, infer R> ? R : never

// -----------------------------------------------------------------------------
// combinators
// -----------------------------------------------------------------------------

/**
 * Runs the loop to its end: the answer that calls no tool.
 *
 * @since 0.1.0
 * @category combinators
 * @example
 * ```ts
 * import { Completion, LlmService, Prompt, Tool, ToolLoop } from "@spillway/core"
 * import { Effect, Schema } from "effect"
 * import * as assert from "node:assert"
 *
 * const clock = Tool.handle(Tool.make("clock", { parameters: Schema.Struct({}) }), () => Effect.succeed("12:00"))
 *
 * // calls the tool once, then says what it heard
 * const parrot = LlmService.make("parrot", {
 *   generateText: ({ model, prompt }) => {
 *     const last = Prompt.make(prompt).at(-1)!
 *     const content = last.role === "tool"
 *       ? [Prompt.text(`It is ${last.content[0]!.result}`)]
 *       : [{ _tag: "ToolCall", id: "1", name: "clock", arguments: "{}" } as const]
 *     return Effect.succeed(Completion.make({ model, content, finishReason: "stop", usage: {} }))
 *   }
 * })
 *
 * const program = ToolLoop.run({ model: "grey", prompt: "What time is it?" }, { tools: [clock] })
 * const { completion, steps } = Effect.runSync(Effect.provideService(program, LlmService.LlmService, parrot))
 * assert.deepStrictEqual([completion.text, steps], ["It is 12:00", 2])
 * ```
 */
export const run: {
  <const Tools extends ReadonlyArray<Tool.Handled<unknown, unknown>>>(
    options: Options<Tools>
  ): (request: Request) => Effect.Effect<
    Progress,
    LlmError.LlmError | StepLimitReached | ErrorOf<Tools[number]>,
    LlmService.LlmService | ContextOf<Tools[number]>
  >
  <const Tools extends ReadonlyArray<Tool.Handled<unknown, unknown>>>(
    request: Request,
    options: Options<Tools>
  ): Effect.Effect<
    Progress,
    LlmError.LlmError | StepLimitReached | ErrorOf<Tools[number]>,
    LlmService.LlmService | ContextOf<Tools[number]>
  >
} = dual(2, <E, R>(request: Request, options: Options<ReadonlyArray<Tool.Handled<E, R>>>) => {
  const answer = answering(options.tools)
  const step = (
    before: Before
  ): Effect.Effect<Progress, LlmError.LlmError | StepLimitReached | E, LlmService.LlmService | R> =>
    Effect.flatMap(LlmService.generateText(ask(request, options.tools, before)), (completion) => {
      const progress = advance(before, completion)
      return completion.toolCalls.length === 0
        ? Effect.succeed(progress)
        : Effect.flatMap(answer(completion.toolCalls), (results) => {
          const next = tell(progress, results)
          return mayGoOn(next, options) ? step(next) : Effect.fail(limitReached(next))
        })
    })
  return step(beginning(request))
})

/**
 * Runs the loop, and hands over everything as it comes.
 *
 * @since 0.1.0
 * @category combinators
 */
export const stream: {
  <const Tools extends ReadonlyArray<Tool.Handled<unknown, unknown>>>(
    options: Options<Tools>
  ): (request: Request) => Stream.Stream<
    Event,
    LlmError.LlmError | StepLimitReached | ErrorOf<Tools[number]>,
    LlmService.LlmService | ContextOf<Tools[number]>
  >
  <const Tools extends ReadonlyArray<Tool.Handled<unknown, unknown>>>(
    request: Request,
    options: Options<Tools>
  ): Stream.Stream<
    Event,
    LlmError.LlmError | StepLimitReached | ErrorOf<Tools[number]>,
    LlmService.LlmService | ContextOf<Tools[number]>
  >
} = dual(2, <E, R>(request: Request, options: Options<ReadonlyArray<Tool.Handled<E, R>>>) => {
  const answer = answering(options.tools)
  const step = (
    before: Before
  ): Stream.Stream<Event, LlmError.LlmError | StepLimitReached | E, LlmService.LlmService | R> =>
    Stream.suspend(() => {
      const parts: Array<Completion.Part> = []
      const answered = Stream.mapChunks(LlmService.streamText(ask(request, options.tools, before)), (chunk) => {
        for (const part of chunk) parts.push(part)
        return chunk
      })
      return Stream.concat(
        answered,
        Stream.suspend(() => {
          const progress = advance(before, Completion.fromParts(parts))
          const calls = progress.completion.toolCalls
          return calls.length === 0
            ? Stream.succeed<Event>({ _tag: "Done", ...progress })
            : Stream.unwrap(Effect.map(answer(calls), (results) => {
              const next = tell(progress, results)
              return Stream.concat(
                Stream.fromIterable<Event>(results),
                mayGoOn(next, options) ? step(next) : Stream.fail(limitReached(next))
              )
            }))
        })
      )
    })
  return step(beginning(request))
})

// -----------------------------------------------------------------------------
// steps
// -----------------------------------------------------------------------------

type Before = Omit<Progress, "completion">

type Handlers<E, R> = ReadonlyArray<Tool.Handled<E, R>>

const beginning = (request: Request): Before => ({ messages: Prompt.make(request.prompt), usage: {}, steps: 0 })

const ask = (
  { toolChoice, ...request }: Request,
  tools: Handlers<unknown, unknown>,
  { messages, steps }: Before
): Completion.Request => ({
  ...request,
  prompt: messages,
  tools: tools.map(({ tool }) => tool),
  ...(toolChoice !== undefined && (steps === 0 || !isForced(toolChoice)) && { toolChoice })
})

const isForced = (choice: Tool.Choice): boolean => choice === "required" || typeof choice === "object"

const advance = ({ messages, steps, usage }: Before, completion: Completion.Completion): Progress => ({
  completion,
  messages: completion.content.length === 0 ? messages : Prompt.append(messages, Prompt.assistant(completion.content)),
  usage: sum(usage, completion.usage),
  steps: steps + 1
})

const tell = (progress: Progress, results: ReadonlyArray<Prompt.ToolResultPart>): Progress => ({
  ...progress,
  messages: Prompt.append(progress.messages, Prompt.tool(results))
})

const mayGoOn = ({ steps }: Progress, { maxSteps = 10 }: { readonly maxSteps?: number }): boolean => steps < maxSteps

const limitReached = (progress: Progress): StepLimitReached =>
  new StepLimitReached({
    ...progress,
    message: `the model still calls tools after ${progress.steps} ${progress.steps === 1 ? "request" : "requests"}`
  })

const answering = <E, R>(tools: Handlers<E, R>) => {
  const byName = new Map(tools.map((handled) => [handled.tool.name, handled]))
  const names = [...byName.keys()].join(", ")
  const one = (call: Prompt.ToolCallPart): Effect.Effect<Prompt.ToolResultPart, E, R> => {
    const { id, name } = call
    const failed = (result: string): Prompt.ToolResultPart => ({ _tag: "ToolResult", id, name, result, isError: true })
    const handled = byName.get(name)
    return handled === undefined
      ? Effect.succeed(failed(`there is no tool ${name}; there is ${names === "" ? "none" : names}`))
      : Effect.catchIf(
        Effect.map(handled.run(call.arguments), (result): Prompt.ToolResultPart => ({
          _tag: "ToolResult",
          id,
          name,
          result
        })),
        (error): error is Tool.InvalidArguments => error instanceof Tool.InvalidArguments,
        (error) => Effect.succeed(failed(error.message))
      )
  }
  return (calls: ReadonlyArray<Prompt.ToolCallPart>) => Effect.forEach(calls, one, { concurrency: "unbounded" })
}

const sum = (a: Completion.Usage, b: Completion.Usage): Completion.Usage => {
  const total: { -readonly [K in keyof Completion.Usage]: Completion.Usage[K] } = { ...a }
  // Object.keys has no narrower type
  for (const key of Object.keys(b) as Array<keyof Completion.Usage>) {
    const tokens = b[key]
    if (tokens !== undefined) total[key] = (total[key] ?? 0) + tokens
  }
  return total
}
