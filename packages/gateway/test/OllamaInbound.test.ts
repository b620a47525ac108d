import { assert, describe, it } from "@effect/vitest"
import * as Prompt from "@spillway/core/Prompt"
import * as OllamaInbound from "@spillway/gateway/OllamaInbound"
import type { Refusal } from "@spillway/gateway/Refusal"
import { Either } from "effect"

const user = { role: "user", content: "hi" }
const chat = { model: "llama3.2", messages: [user] }
const wire = (body: object): unknown => JSON.parse(JSON.stringify(body))
const text = (asked: Either.Either<OllamaInbound.Asked, Refusal>) => {
  const right = Either.getOrThrow(asked)
  if (right._tag !== "Text") throw new Error(right._tag)
  return right
}
const request = (fields: object) => text(OllamaInbound.toChat(wire({ ...chat, ...fields }))).request
const prompt = (...messages: ReadonlyArray<object>) => Prompt.make(request({ messages }).prompt)
const refused = (fields: object) => Either.getOrThrow(Either.flip(OllamaInbound.toChat(wire({ ...chat, ...fields }))))

const call = { function: { name: "get_weather", arguments: { city: "Oslo" } } }
const png = "iVBORw0KGgoAAAANSUhEUg=="

describe("OllamaInbound", () => {
  it("needs no more than a model and a message, and streams unless told otherwise", () => {
    assert.deepStrictEqual(
      OllamaInbound.toChat(chat),
      Either.right({ _tag: "Text", request: { model: "llama3.2", prompt: [Prompt.user("hi")] }, stream: true })
    )
    assert.isFalse(text(OllamaInbound.toChat({ ...chat, stream: false })).stream)
    assert.isTrue(text(OllamaInbound.toChat({ ...chat, stream: null })).stream)
  })

  it("honours every option that core has a word for, or Ollama's backends", () => {
    const { prompt: _, ...settings } = request({
      options: {
        num_predict: 100,
        temperature: 0,
        top_p: 0.5,
        top_k: 40,
        stop: "END",
        seed: -7,
        presence_penalty: -2,
        frequency_penalty: 2,
        num_ctx: 8192
      },
      format: "json",
      think: "max",
      keep_alive: -1,
      tools: [{ type: "function", function: { name: "get_weather", description: "now", parameters: { type: "object" } } }]
    })
    assert.deepStrictEqual(settings, {
      model: "llama3.2",
      maxTokens: 100,
      temperature: 0,
      topP: 0.5,
      topK: 40,
      stop: ["END"],
      seed: -7,
      presencePenalty: -2,
      frequencyPenalty: 2,
      format: { _tag: "Json" },
      reasoning: { effort: "high" },
      providerOptions: { ollama: { think: "max", numCtx: 8192, keepAlive: -1 } },
      tools: [{ name: "get_weather", description: "now", parameters: { type: "object" } }]
    })
  })

  it("takes what only says how a server of one's own works, and what asks for nothing", () => {
    assert.deepStrictEqual(
      request({
        options: {
          num_predict: -1,
          top_k: 0,
          stop: [],
          min_p: 0,
          typical_p: 1,
          tfs_z: 1,
          mirostat: 0,
          mirostat_tau: 5,
          mirostat_eta: 0.1,
          repeat_penalty: 1,
          repeat_last_n: 64,
          penalize_newline: true,
          num_keep: 4,
          num_batch: 512,
          num_gpu: 99,
          main_gpu: 0,
          num_thread: 8,
          numa: false,
          low_vram: false,
          f16_kv: true,
          logits_all: false,
          vocab_only: false,
          use_mmap: true,
          use_mlock: false,
          embedding_only: false,
          draft_num_predict: 4
        },
        format: "",
        think: null,
        keep_alive: null,
        logprobs: false,
        top_logprobs: 0,
        truncate: true,
        shift: false,
        tools: []
      }),
      request({})
    )
  })

  it("says thinking in the common word for those who do not know Ollama's", () => {
    const effort = (think: unknown) => request({ think }).reasoning?.effort
    assert.deepStrictEqual([false, true, "low", "medium", "high", "max"].map(effort), [
      "none",
      "medium",
      "low",
      "medium",
      "high",
      "high"
    ])
  })

  it("tells pictures by how they begin", () => {
    const images = [png, "/9j/4AAQ", "R0lGODlh", "UklGRhIA"]
    assert.deepStrictEqual(prompt({ role: "user", content: "look", images }), [
      Prompt.user([
        Prompt.text("look"),
        ...["image/png", "image/jpeg", "image/gif", "image/webp"].map((type, i) => Prompt.image(images[i]!, type))
      ])
    ])
    assert.deepStrictEqual(prompt({ role: "user", content: "", images: [png] }), [Prompt.user([Prompt.image(png, "image/png")])])
  })

  describe("calls and their results", () => {
    const assistant = (...tool_calls: ReadonlyArray<object>) => ({ role: "assistant", content: "", tool_calls })
    const results = (...messages: ReadonlyArray<object>) => {
      const last = prompt(user, ...messages).at(-1)
      return last?.role === "tool" ? last.content.map(({ id, name, result }) => [id, name, result]) : []
    }
    const other = { function: { name: "get_time", arguments: {} } }

    it("find each other by id, by the name of the tool, or by their order", () => {
      const calls = assistant({ ...call, id: "a" }, { ...call, id: "b" })
      assert.deepStrictEqual(
        results(calls, { role: "tool", content: "2", tool_call_id: "b" }, { role: "tool", content: "1", tool_call_id: "a" }),
        [["b", "get_weather", "2"], ["a", "get_weather", "1"]]
      )
      assert.deepStrictEqual(
        results(assistant(call, other, call), ...["get_time", "get_weather", "get_weather"].map((tool_name, i) => ({
          role: "tool",
          content: String(i),
          tool_name
        }))),
        [["call_1_1", "get_time", "0"], ["call_1_0", "get_weather", "1"], ["call_1_2", "get_weather", "2"]]
      )
      assert.deepStrictEqual(
        results(assistant(call, other), { role: "tool", content: "1" }, { role: "tool", content: "2" }),
        [["call_1_0", "get_weather", "1"], ["call_1_1", "get_time", "2"]]
      )
    })

    it("have ids of their own in every turn", () => {
      const turns = [assistant(call), { role: "tool", content: "1" }, assistant(call), { role: "tool", content: "2" }]
      assert.deepStrictEqual(results(...turns), [["call_3_0", "get_weather", "2"]])
    })

    it("are refused where one answers none", () => {
      for (
        const messages of [
          [user, { role: "tool", content: "1" }],
          [user, assistant(call), { role: "tool", content: "1", tool_name: "get_time" }],
          [user, assistant(call), { role: "tool", content: "1" }, { role: "tool", content: "2" }],
          [user, assistant({ ...call, id: "a" }), { role: "tool", content: "1", tool_call_id: "b" }]
        ]
      ) {
        const { field, message } = refused({ messages })
        assert.strictEqual(field, `messages[${messages.length - 1}]`)
        assert.include(message, "answers no call of a message before")
      }
    })
  })

  it("takes an answer back as it was given", () => {
    const thoughts = [{ text: "hm", signature: "sig" }, { text: "", redacted: "sealed" }]
    assert.deepStrictEqual(
      prompt(user, {
        role: "assistant",
        content: "so",
        thinking: "hm",
        thoughts,
        tool_calls: [{ id: "a", signature: "proof", function: { index: 0, ...call.function } }]
      })[1],
      Prompt.assistant([
        { _tag: "Reasoning", text: "hm", signature: "sig" },
        { _tag: "Reasoning", text: "", redacted: "sealed" },
        Prompt.text("so"),
        { _tag: "ToolCall", id: "a", name: "get_weather", arguments: "{\"city\":\"Oslo\"}", signature: "proof" }
      ])
    )
    assert.deepStrictEqual(prompt(user, { role: "assistant", content: "a", thinking: "b" })[1], {
      role: "assistant",
      content: [{ _tag: "Reasoning", text: "b" }, Prompt.text("a")]
    })
    assert.deepStrictEqual(prompt(user, { role: "assistant", content: "" })[1], Prompt.assistant(""))
  })

  it("reads a prompt with its instructions and pictures", () => {
    assert.deepStrictEqual(
      text(OllamaInbound.toGenerate({ model: "m", prompt: "hi", system: "be brief", images: [png], raw: false, suffix: "" }))
        .request.prompt,
      [Prompt.system("be brief"), Prompt.user([Prompt.text("hi"), Prompt.image(png, "image/png")])]
    )
  })

  it("hears when nothing is said to the model", () => {
    assert.deepStrictEqual(
      [
        OllamaInbound.toChat({ model: "m" }),
        OllamaInbound.toChat({ model: "m", messages: [] }),
        OllamaInbound.toGenerate({ model: "m", prompt: "", system: "be brief" }),
        OllamaInbound.toGenerate({ model: "m", keep_alive: 0 }),
        OllamaInbound.toChat({ model: "m", keep_alive: "0" })
      ].map(Either.getOrThrow).map(({ _tag }) => _tag),
      ["Load", "Load", "Load", "Unload", "Unload"]
    )
  })

  it("refuses by the name of the field, and never quotes what the client wrote", () => {
    const secret = "sk-secret"
    for (
      const [fields, field, says] of [
        [{ model: undefined }, "model", "is missing"],
        [{ messages: [{ role: secret, content: "" }] }, "messages[0].role", "must be one of \"system\", \"user\", \"assistant\", \"tool\""],
        [
          { messages: [{ role: "user", content: "", images: [secret] }] },
          "messages[0].images[0]",
          "must be a PNG, JPEG, GIF or WebP image in base64"
        ],
        [
          { messages: [{ role: "system", content: "", images: [png] }] },
          "messages[0].images",
          "are not supported by this gateway, but in a user's message"
        ],
        [
          { messages: [{ role: "user", content: "", tool_calls: [call] }] },
          "messages[0].tool_calls",
          "belong to a message of the assistant"
        ],
        [{ options: { temperature: 3 } }, "options.temperature", "must be a number from 0 to 2"],
        [{ options: { num_predict: 0 } }, "options.num_predict", "must be a whole number of at least 1, or -1 or -2 for no bound"],
        [{ options: { min_p: 0.1 } }, "options.min_p", "must be 0: nothing else is supported by this gateway"],
        [{ options: { mirostat: 2 } }, "options.mirostat", "must be 0: nothing else is supported by this gateway"],
        [{ options: { repeat_penalty: 1.1 } }, "options.repeat_penalty", "must be 1: nothing else is supported by this gateway"],
        [{ options: { temprature: 1 } }, "options.temprature", "is not a field of this API"],
        [{ think: "deep" }, "think", "must be a boolean, or one of \"low\", \"medium\", \"high\", \"max\""],
        [{ format: "yaml" }, "format", "must be \"json\", or a JSON Schema, which is an object"],
        [{ logprobs: true }, "logprobs", "must be false: nothing else is supported by this gateway"],
        [{ keep_alive: {} }, "keep_alive", "must be a number of seconds, or a text such as \"5m\""],
        [{ tools: [{ type: "function", function: { name: "a b" } }] }, "tools[0].function.name", "must be a name of 1 to 64 letters, digits, _ and -"],
        [{ api_key: secret }, "api_key", "is not a field of this API"],
        [{ host: secret }, "host", "is not a field of this API"]
      ] as const
    ) {
      const { field: named, message } = refused(fields)
      assert.deepStrictEqual([named, message], [field, `${field} ${says}`])
    }
    for (
      const [fields, field] of [[{ raw: true }, "raw"], [{ suffix: "b" }, "suffix"], [{ template: "t" }, "template"], [{ context: [1] }, "context"]] as const
    ) {
      const refusal = Either.getOrThrow(Either.flip(OllamaInbound.toGenerate({ model: "m", prompt: "a", ...fields })))
      assert.strictEqual(refusal.field, field)
      assert.include(refusal.message, "supported by this gateway")
    }
  })

  it("reads texts to embed, and which model to show", () => {
    assert.deepStrictEqual(
      OllamaInbound.toEmbed({ model: "m", input: "a", dimensions: 8, truncate: true, keep_alive: "5m", options: { num_ctx: 1 } }),
      Either.right({
        model: "m",
        input: ["a"],
        dimensions: 8,
        providerOptions: { ollama: { truncate: true, keepAlive: "5m" } }
      })
    )
    assert.deepStrictEqual(OllamaInbound.toEmbeddings({ model: "m", prompt: "a" }), Either.right({ model: "m", input: ["a"] }))
    assert.deepStrictEqual(OllamaInbound.toShow({ name: "m" }), Either.right("m"))
    assert.deepStrictEqual(OllamaInbound.toShow({ model: "m", verbose: true }), Either.right("m"))
    assert.strictEqual(Either.getOrThrow(Either.flip(OllamaInbound.toShow({}))).field, "model")
    assert.strictEqual(Either.getOrThrow(Either.flip(OllamaInbound.toEmbed({ model: "m", input: [] }))).field, "input")
  })
})
