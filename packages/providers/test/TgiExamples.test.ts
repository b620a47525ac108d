import { assert, describe, it } from "@effect/vitest"
import * as Completion from "@spillway/core/Completion"
import type * as LlmError from "@spillway/core/LlmError"
import * as Tgi from "@spillway/providers/Tgi"
import * as Effect from "effect/Effect"
import { absent, type Example, examples } from "./examples.js"
import { fetching, refusal, through } from "./fetching.js"

// the recorder took the framing off; the server ends with [DONE]
const recorded = examples("tgi", (chunk) => `data: ${JSON.stringify(chunk)}\n\n`)?.map(({ answer, chunks, ...rest }) => ({
  ...rest,
  chunks,
  answer: chunks === undefined ? answer : { ...answer, body: `${answer.body}data: [DONE]\n\n` }
}))

const request: Completion.Request = { model: "tgi", prompt: "hi" }

const errors: { readonly [name: string]: LlmError.Tag } = {
  error_422_validation: "InvalidRequest",
  error_424_generation: "ServerFault",
  error_429_overloaded: "RateLimited",
  error_500_incomplete_generation: "ServerFault",
  error_503_unhealthy: "ServerFault"
}

const serving = ({ answer }: Example) => fetching(() => answer).fetch

const isRouter = ({ name }: Example) => name.startsWith("router_")

/** Who reads it: a server, or the router. */
const reader = (example: Example) =>
  Effect.map(Tgi.make(isRouter(example) ? { baseUrl: "https://router.huggingface.co" } : {}), ({ llm }) => llm)

const finishReasons: { readonly [reason: string]: Completion.FinishReason } = {
  stop: "stop",
  length: "length",
  tool_calls: "tool-calls"
}

const says = (completion: Completion.Completion, body: any) => {
  const { finish_reason, message } = body.choices[0]
  assert.strictEqual(completion.model, body.model)
  assert.strictEqual(completion.id, body.id === "" ? undefined : body.id)
  assert.strictEqual(completion.text, message.content ?? "")
  assert.deepStrictEqual(
    completion.toolCalls.map(({ arguments: args, id, name }) => ({ id, name, args })),
    (message.tool_calls ?? []).map(({ function: { arguments: args, name }, id }: any) => ({ id, name, args }))
  )
  const reason = finishReasons[finish_reason]
  assert.strictEqual(completion.finishReason, completion.toolCalls.length > 0 ? "tool-calls" : reason)
  assert.strictEqual(completion.usage.inputTokens, body.usage.prompt_tokens)
  assert.strictEqual(completion.usage.outputTokens, body.usage.completion_tokens)
}

const streams = (completion: Completion.Completion, chunks: ReadonlyArray<any>) => {
  const deltas = chunks.flatMap(({ choices }) => choices.map(({ delta }: any) => delta))
  assert.strictEqual(completion.text, deltas.map(({ content }) => content ?? "").join(""))
  const fragments = deltas.flatMap(({ tool_calls }) => tool_calls ?? []).map((call) => call.function)
  assert.deepStrictEqual(
    completion.toolCalls.map(({ arguments: args, name }) => ({ name, args })),
    fragments.length === 0
      ? []
      : [{ name: fragments[0].name, args: fragments.map(({ arguments: args }) => args).join("") }]
  )
  const usage = chunks.findLast((chunk) => chunk.usage)?.usage
  assert.deepStrictEqual(
    completion.usage,
    usage === undefined ? {} : { inputTokens: usage.prompt_tokens, outputTokens: usage.completion_tokens }
  )
}

const chunksOf = ({ answer, chunks }: Example): ReadonlyArray<any> =>
  chunks ??
    String(answer.body).split("\n\n").filter((event) => event.startsWith("data: {")).map((event) => JSON.parse(event.slice(6)))

if (recorded === undefined) {
  describe.skip(`TGI's recorded answers (${absent})`, () => {
    it("are read", () => {})
  })
} else {
  describe("TGI's recorded answers", () => {
    const read = new Set<string>()
    const some = (pattern: RegExp, test: (example: Example) => Effect.Effect<void>) => {
      for (const example of recorded.filter(({ name }) => pattern.test(name))) {
        read.add(example.name)
        it.effect(example.name, () => test(example))
      }
    }

    some(/^error_/, (example) =>
      Effect.map(refusal(reader(example), example.answer), (error) => {
        assert.strictEqual(error._tag, errors[example.name])
        assert.include(error.message, example.body.error)
      }))

    some(/^(chat|router)_(text|tool_call|tools_|response_|chat_)/, (example) =>
      through(serving(example), reader(example), (llm) =>
        Effect.map(Effect.orDie(llm.generateText(request)), (completion) => says(completion, example.body))))

    // the answers of the older completions are framed and cut as those of a chat
    some(/_stream(_|$)/, (example) =>
      through(serving(example), reader(example), (llm) =>
        Effect.map(Effect.orDie(Completion.collect(llm.streamText(request))), (completion) =>
          streams(completion, chunksOf(example)))))

    some(/^generate_/, (example) =>
      through(serving(example), Tgi.make(), ({ tgi }) =>
        Effect.map(Effect.orDie(tgi.generate({ prompt: "x" })), (generation) => {
          const { details, generated_text } = example.body
          assert.strictEqual(generation.text, generated_text)
          assert.strictEqual(generation.finishReason, details.finish_reason)
          assert.deepStrictEqual(generation.tokens, details.tokens)
          assert.strictEqual(generation.usage.outputTokens, details.generated_tokens)
        })))

    it("are all read, but that of a route which is not used", () => {
      assert.deepStrictEqual(recorded.map(({ name }) => name).filter((name) => !read.has(name)), ["completions_single"])
    })
  })
}
