/**
 * Every field that OpenAI documents, of every request that the gateway takes in its words, is honoured, or refused by its
 * name, and never dropped. What may be said and changes nothing is listed one by one: it asks for what is done anyway,
 * or is sent back as it was received.
 */
import { assert, describe, it } from "@effect/vitest"
import * as OpenAiCompletions from "@spillway/gateway/OpenAiCompletions"
import * as OpenAiEmbeddings from "@spillway/gateway/OpenAiEmbeddings"
import * as OpenAiInbound from "@spillway/gateway/OpenAiInbound"
import * as OpenAiModerations from "@spillway/gateway/OpenAiModerations"
import * as OpenAiResponsesInbound from "@spillway/gateway/OpenAiResponsesInbound"
import type { Refusal } from "@spillway/gateway/Refusal"
import { Either } from "effect"
import { absent } from "../../providers/test/spec.js"
import { type Asking, description, walk } from "./documented.js"

const values = {
  url: "https://example.org/x",
  image_url: "https://example.org/x",
  file_data: "data:application/pdf;base64,JVBE",
  parameters: { type: "object" },
  schema: { type: "object" }
}

const holds = (
  schema: string,
  read: (body: unknown) => Either.Either<unknown, Refusal>,
  asking: Asking,
  expected: { readonly honoured: ReadonlyArray<string>; readonly without: ReadonlyArray<string> }
) =>
  it.skipIf(description === undefined)(`of ${schema}`, () => {
    const { honoured, refused, without, wrong } = walk(schema, { values, ...asking }, read)
    assert.deepStrictEqual(wrong, [])
    assert.deepStrictEqual([...honoured].sort(), [...expected.honoured].sort())
    assert.deepStrictEqual([...without].sort(), [...expected.without].sort())
    assert.isNotEmpty(refused)
  })

describe(`every documented field is honoured or refused${description === undefined ? ` (${absent})` : ""}`, () => {
  const call = { id: "x", type: "function", function: { name: "x", arguments: "{}" } }
  const image_url = { url: values.url }

  holds("CreateChatCompletionRequest", OpenAiInbound.toChat, {
    base: { model: "a/b", messages: [{ role: "user", content: "hi" }] },
    besides: {
      tool_choice: { tools: [{ type: "function", function: { name: "x" } }] },
      stream_options: { stream: true }
    },
    before: { messages: [{ role: "assistant", tool_calls: [call] }] },
    needed: { ChatCompletionRequestAssistantMessage: ["content"], json_schema: ["schema"], file: ["file_data"] },
    values: { ...values, image_url }
  }, {
    honoured: [
      "frequency_penalty",
      "max_completion_tokens",
      "max_tokens",
      "messages[1].content[0].file.filename",
      "messages[1].content[0].image_url.detail",
      "messages[1].refusal",
      "messages[1].tool_calls[0]",
      "parallel_tool_calls",
      "presence_penalty",
      "reasoning_effort",
      "response_format",
      "response_format.json_schema.description",
      "response_format.json_schema.strict",
      "safety_identifier",
      "seed",
      "stop",
      "stop[0]",
      "stream",
      "stream_options.include_usage",
      "temperature",
      "tool_choice",
      "tools[0]",
      "tools[0].function.description",
      "tools[0].function.parameters",
      "tools[0].function.strict",
      "top_p",
      "user"
    ],
    without: [
      "logprobs = false",
      "modalities[0] = \"text\"",
      "n = 1",
      "service_tier = \"auto\"",
      "store = false",
      "stream = false",
      "stream_options = {}",
      "stream_options.include_obfuscation = false",
      "stream_options.include_usage = false",
      "verbosity = \"medium\""
    ]
  })

  // the answer repeats most of what was asked, which alone is not to honour it; metadata are there for nothing else
  const toQuestion = (body: unknown) =>
    Either.map(
      OpenAiResponsesInbound.toQuestion(body),
      ({ asked: { metadata }, request, stream }) => ({ metadata, request, stream })
    )

  holds("CreateResponse", toQuestion, {
    base: { model: "a/b", input: "hi" },
    besides: { tool_choice: { tools: [{ type: "function", name: "x" }] }, stream_options: { stream: true } },
    before: { input: [{ type: "function_call", call_id: "x", name: "x", arguments: "{}" }] },
    needed: {
      FunctionCallOutputItemParam: ["call_id"],
      InputImageContent: ["image_url"],
      InputFileContent: ["file_data"]
    }
  }, {
    honoured: [
      "input[1].content[0]",
      "input[1].content[0].filename",
      "input[1].encrypted_content",
      "instructions",
      "max_output_tokens",
      "metadata",
      "parallel_tool_calls",
      "reasoning.effort",
      "safety_identifier",
      "stream",
      "temperature",
      "text.format",
      "text.format.description",
      "text.format.strict",
      "tool_choice",
      "tools[0]",
      "tools[0].description",
      "top_p",
      "user"
    ],
    without: [
      "background = false",
      // seals always come along
      "include[0] = \"reasoning.encrypted_content\"",
      "input[1].content[0].detail = \"auto\"",
      "input[1].id = \"x\"",
      // the name that the call had
      "input[1].name = \"x\"",
      "input[1].status = \"completed\"",
      "input[1].status = \"in_progress\"",
      "input[1].status = \"incomplete\"",
      "input[1].type = \"message\"",
      "reasoning = {}",
      "reasoning.context = \"auto\"",
      "reasoning.generate_summary = \"auto\"",
      "reasoning.mode = \"standard\"",
      "reasoning.summary = \"auto\"",
      "service_tier = \"auto\"",
      "store = false",
      "stream = false",
      "stream_options = {}",
      "stream_options.include_obfuscation = false",
      "text = {}",
      "text.verbosity = \"medium\"",
      "tools[0].defer_loading = false",
      "top_logprobs = 0",
      "truncation = \"disabled\""
    ]
  })

  holds("CreateCompletionRequest", OpenAiCompletions.toContinuation, {
    base: { model: "a/b", prompt: "hi" },
    besides: { stream_options: { stream: true } }
  }, {
    honoured: [
      "echo",
      "frequency_penalty",
      "max_tokens",
      "presence_penalty",
      "seed",
      "stop",
      "stop[0]",
      "stream",
      "stream_options.include_usage",
      "temperature",
      "top_p",
      "user"
    ],
    without: [
      "best_of = 1",
      "echo = false",
      "n = 1",
      "stream = false",
      "stream_options = {}",
      "stream_options.include_obfuscation = false",
      "stream_options.include_usage = false"
    ]
  })

  holds("CreateEmbeddingRequest", OpenAiEmbeddings.toEmbed, { base: { model: "a/b", input: "hi" } }, {
    honoured: ["dimensions", "encoding_format", "user"],
    without: ["encoding_format = \"float\""]
  })

  it.skipIf(description === undefined)("of CreateModerationRequest", () => {
    const asking = { base: { input: "hi" }, values: { ...values, image_url } }
    const { honoured, refused, without, wrong } = walk("CreateModerationRequest", asking, OpenAiModerations.toRequest)
    assert.deepStrictEqual([[...honoured], [...refused], [...without], wrong], [["model"], [], [], []])
  })
})
