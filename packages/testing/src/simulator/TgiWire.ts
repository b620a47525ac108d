/**
 * Hugging Face's TGI: a server of one model, whatever name a request gives it, started with a key. Chat over OpenAI's
 * wire in its own dialect, texts continued over its own.
 *
 * @see https://huggingface.co/docs/text-generation-inference
 * @since 0.1.0
 */
import * as Either from "effect/Either"
import * as HuggingFace from "./HuggingFace.js"
import * as Models from "./Models.js"
import * as Chat from "./TgiChat.js"
import * as Generate from "./TgiGenerate.js"
import * as Refusal from "./TgiRefusal.js"
import * as Request from "./TgiRequest.js"
import * as Wire from "./Wire.js"

/**
 * The wire. It has one model, which answers to every name.
 *
 * @since 0.1.0
 * @category constructors
 */
export const make = (): Wire.Wire => ({
  ...HuggingFace.server,
  name: "tgi",
  baseUrl: "/tgi",
  variables: { baseUrl: "TGI_BASE_URL", key: HuggingFace.key },
  refuse: Refusal.refuse,
  streamError: (path) =>
    path === "/generate_stream"
      ? Refusal.event(Refusal.body(Refusal.broke, "generation"))
      : Refusal.inChat(Refusal.broke),
  routes: [
    HuggingFace.post("/v1/chat/completions", Chat.answer(model)),
    HuggingFace.post("/generate", Generate.whole(model)),
    HuggingFace.post("/generate_stream", Generate.streamed(model)),
    { method: "POST", path: "/tokenize", answer: Generate.tokens },
    { method: "POST", path: "/chat_tokenize", open: true, answer: Generate.chatTokens },
    { method: "GET", path: "/info", open: true, answer: () => Either.right(Wire.free(info)) },
    {
      method: "GET",
      path: "/v1/models",
      open: true,
      answer: () =>
        Either.right(
          Wire.free({ object: "list", data: [{ id: model.id, object: "model", created: 0, owned_by: model.id }] })
        )
    },
    ...HuggingFace.health
  ]
})

const model = Models.make("HuggingFaceTB/SmolLM2-1.7B-Instruct", {
  owner: "HuggingFaceTB",
  context: Request.limits.max_total_tokens
})

const info = {
  model_id: model.id,
  model_sha: null,
  model_pipeline_tag: "text-generation",
  ...Request.limits,
  router: "text-generation-router",
  version: "3.3.6",
  sha: null,
  docker_label: "simulator"
}
