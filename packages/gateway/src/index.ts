// Written by `npm run codegen`.

/**
 * Who may use the gateway: its clients' keys, what each of them stands for, and what it may do.
 *
 * @since 0.1.0
 */
export * as Access from "./Access.js"

/**
 * Keys of the gateway itself, which it gives to its clients: how one is made, and the hash under which it is kept.
 *
 * @since 0.1.0
 */
export * as AccessKey from "./AccessKey.js"

/**
 * What an admin may do while the gateway runs: pause a backend, open its circuit, take a key out of use, change how many calls may be under way.
 *
 * @since 0.1.0
 */
export * as Admin from "./Admin.js"

/**
 * How much a client may still ask for: requests and tokens that come back evenly, and calls at once.
 *
 * @since 0.1.0
 */
export * as Allowance from "./Allowance.js"

/**
 * The API that Anthropic's clients speak: messages, the counting of tokens, and models, for every backend there is.
 *
 * @since 0.1.0
 */
export * as AnthropicApi from "./AnthropicApi.js"

/**
 * A streamed answer in the events of Anthropic's wire.
 *
 * @since 0.1.0
 */
export * as AnthropicEvents from "./AnthropicEvents.js"

/**
 * What Anthropic's clients hear when something goes wrong: a status from which they make their own typed errors (529 for overload among them), and a body with the `type` that Anthropic would have used and our own name of the error in the `details`.
 *
 * @since 0.1.0
 */
export * as AnthropicFault from "./AnthropicFault.js"

/**
 * The fields of Anthropic's requests, as a closed list.
 *
 * @since 0.1.0
 */
export * as AnthropicFields from "./AnthropicFields.js"

/**
 * Requests as Anthropic's clients send them, read into the words of core.
 *
 * @since 0.1.0
 */
export * as AnthropicInbound from "./AnthropicInbound.js"

/**
 * Answers in the words of core, written as Anthropic's clients read them.
 *
 * @since 0.1.0
 */
export * as AnthropicOutbound from "./AnthropicOutbound.js"

/**
 * A conversation of Anthropic's wire as a prompt of core, and up to where it is kept.
 *
 * @since 0.1.0
 */
export * as AnthropicPrompt from "./AnthropicPrompt.js"

/**
 * What a client may say of a call in its headers: how urgent it is, by when it must have ended, and on whose behalf it is made; whether it may be answered from what is kept; and the id under which both sides log it.
 *
 * @since 0.1.0
 */
export * as CallHeaders from "./CallHeaders.js"

/**
 * Holds each client to the models and tokens that its key allows: a service becomes a service that looks at whose call it is (`Access.CurrentPrincipal`).
 *
 * @since 0.1.0
 */
export * as ClientLimits from "./ClientLimits.js"

/**
 * `/dashboard`: one page that an operator keeps open.
 *
 * @since 0.1.0
 */
export * as Dashboard from "./Dashboard.js"

/**
 * In which API's words a client hears of a request for which there is no route.
 *
 * @since 0.1.0
 */
export * as Dialect from "./Dialect.js"

/**
 * Shutting down without losing an answer: new calls are refused, those in flight end, and what takes too long is cut.
 *
 * @since 0.1.0
 */
export * as Drain from "./Drain.js"

/**
 * A streamed answer as server-sent events, or as whatever else a wire has for streams.
 *
 * @since 0.1.0
 */
export * as EventStream from "./EventStream.js"

/**
 * One request and its answer, from arrival until the last byte; and the routes that exchanges take.
 *
 * @since 0.1.0
 */
export * as Exchange from "./Exchange.js"

/**
 * Counts what failed by the address it came from: the first few go, and who goes on has to wait, twice as long each time.
 *
 * @since 0.1.0
 */
export * as FailedAttempts from "./FailedAttempts.js"

/**
 * What every client hears when something goes wrong, whichever API it speaks: a status, whether its own retry helps, and when to come again.
 *
 * @since 0.1.0
 */
export * as Fault from "./Fault.js"

/**
 * Decodes a JSON body by a Schema, and says of the first field that is wrong its name and what it must be, in the way that clients of HTTP APIs know (`messages[0].content must be a string`), and never the value that stood there.
 *
 * @since 0.1.0
 */
export * as Fields from "./Fields.js"

/**
 * Follows a stream for a reader who must hear something now and then: the next parts when they are there, or that there are none yet.
 *
 * @since 0.1.0
 */
export * as Following from "./Following.js"

/**
 * The gateway: one HTTP app that serves an `LlmService` (in practice a router over protected backends) to the clients of OpenAI, of Anthropic and of Ollama, and itself to those who operate it.
 *
 * @since 0.1.0
 */
export * as Gateway from "./Gateway.js"

/**
 * The name under which a request asks for the gateway (its `host`).
 *
 * @since 0.1.0
 */
export * as Host from "./Host.js"

/**
 * The JSON of a request's body, read within limits: so many bytes and no more, so deep and no deeper, and no key that would reach into a prototype.
 *
 * @since 0.1.0
 */
export * as JsonBody from "./JsonBody.js"

/**
 * Finding the model that a client means among those that there are.
 *
 * @since 0.1.0
 */
export * as ModelNames from "./ModelNames.js"

/**
 * Who looks at texts and pictures for what is forbidden.
 *
 * @since 0.1.0
 */
export * as Moderation from "./Moderation.js"

/**
 * What the monitor sees of queues, circuits, keys and budgets, as metrics that are read when somebody scrapes.
 *
 * @since 0.1.0
 */
export * as MonitorMetrics from "./MonitorMetrics.js"

/**
 * The API that Ollama's clients speak: chats, texts, embeddings, and what there is to know of models, for every backend there is.
 *
 * @since 0.1.0
 */
export * as OllamaApi from "./OllamaApi.js"

/**
 * What Ollama's clients hear when something goes wrong: one sentence, and a status.
 *
 * @since 0.1.0
 */
export * as OllamaFault from "./OllamaFault.js"

/**
 * The fields of Ollama's requests, as a closed list.
 *
 * @since 0.1.0
 */
export * as OllamaFields from "./OllamaFields.js"

/**
 * Requests as Ollama's clients send them, read into the words of core.
 *
 * @since 0.1.0
 */
export * as OllamaInbound from "./OllamaInbound.js"

/**
 * Answers in the words of core, written as Ollama's clients read them: whole, or as lines of JSON.
 *
 * @since 0.1.0
 */
export * as OllamaOutbound from "./OllamaOutbound.js"

/**
 * The messages of Ollama's chats as a prompt of core.
 *
 * @since 0.1.0
 */
export * as OllamaPrompt from "./OllamaPrompt.js"

/**
 * The API that OpenAI's clients speak, for every backend there is: chat completions, responses, completions, embeddings, moderations and models; and rerank, in the place where servers of this API have it.
 *
 * @since 0.1.0
 */
export * as OpenAiApi from "./OpenAiApi.js"

/**
 * OpenAI's older API: a text that goes on from a prompt, without roles.
 *
 * @since 0.1.0
 */
export * as OpenAiCompletions from "./OpenAiCompletions.js"

/**
 * Embeddings as OpenAI's clients ask for them and read them: texts in, and out come lists of numbers, or the same packed as base64 of little-endian 32-bit floats, which its own client asks for by itself.
 *
 * @since 0.1.0
 */
export * as OpenAiEmbeddings from "./OpenAiEmbeddings.js"

/**
 * What OpenAI's clients hear when something goes wrong: a status from which they make their own typed errors, and a body with the `type` that OpenAI would have used and our own name of the error as the `code`.
 *
 * @since 0.1.0
 */
export * as OpenAiFault from "./OpenAiFault.js"

/**
 * The fields of OpenAI's chat completions, and those that Groq adds to them, as a closed list.
 *
 * @since 0.1.0
 */
export * as OpenAiFields from "./OpenAiFields.js"

/**
 * The form of an answer that follows a JSON Schema, as OpenAI's APIs have it: chat completions in `response_format.json_schema`, responses in `text.format` itself.
 *
 * @since 0.1.0
 */
export * as OpenAiFormat from "./OpenAiFormat.js"

/**
 * Chats as OpenAI's clients send them, read into the words of core.
 *
 * @since 0.1.0
 */
export * as OpenAiInbound from "./OpenAiInbound.js"

/**
 * Moderation as OpenAI's clients ask for it and read it: texts, each by itself, or texts and pictures that belong together.
 *
 * @since 0.1.0
 */
export * as OpenAiModerations from "./OpenAiModerations.js"

/**
 * Answers in the words of core, written as OpenAI's clients read them.
 *
 * @since 0.1.0
 */
export * as OpenAiOutbound from "./OpenAiOutbound.js"

/**
 * What only OpenAI's own models can be asked for.
 *
 * @since 0.1.0
 */
export * as OpenAiOwn from "./OpenAiOwn.js"

/**
 * Reasoning as an item of OpenAI's responses: what is told of it as a summary, which is what every client of that API shows, and what proves it sealed in `encrypted_content`, which every client sends back as it came.
 *
 * @since 0.1.0
 */
export * as OpenAiReasoning from "./OpenAiReasoning.js"

/**
 * A response as it comes: the events in which OpenAI's clients read it.
 *
 * @since 0.1.0
 */
export * as OpenAiResponsesEvents from "./OpenAiResponsesEvents.js"

/**
 * The fields of OpenAI's responses, as a closed list.
 *
 * @since 0.1.0
 */
export * as OpenAiResponsesFields from "./OpenAiResponsesFields.js"

/**
 * Responses as OpenAI's clients ask for them, read into the words of core.
 *
 * @since 0.1.0
 */
export * as OpenAiResponsesInbound from "./OpenAiResponsesInbound.js"

/**
 * Answers in the words of core, written as OpenAI's clients read responses.
 *
 * @since 0.1.0
 */
export * as OpenAiResponsesOutbound from "./OpenAiResponsesOutbound.js"

/**
 * The tools of a request and which of them the model may call, as OpenAI's APIs have them: chat completions say `{ type: "function", function: { … } }`, responses say the same without the inner object.
 *
 * @since 0.1.0
 */
export * as OpenAiTools from "./OpenAiTools.js"

/**
 * The streamed answers that are under way: who of them owes its reader a sign of life, and whose reader has stalled.
 *
 * @since 0.1.0
 */
export * as OpenStreams from "./OpenStreams.js"

/**
 * Where a request comes from that a browser sends: a page of the gateway itself, or one from elsewhere, which must neither spend the operator's money nor work the operator's gateway.
 *
 * @since 0.1.0
 */
export * as Origin from "./Origin.js"

/**
 * The text format that Prometheus scrapes, and the metrics of the program in it.
 *
 * @since 0.1.0
 */
export * as Prometheus from "./Prometheus.js"

/**
 * What the gateway itself says no to, before any backend is asked: a body that is no JSON, a field it does not know, a path it does not serve, a call that comes while it shuts down.
 *
 * @since 0.1.0
 */
export * as Refusal from "./Refusal.js"

/**
 * Documents in the order of their worth for a query, as the clients of Jina and Cohere ask for them and read them.
 *
 * @since 0.1.0
 */
export * as Reranking from "./Reranking.js"

/**
 * What operators ask: whether the gateway lives, whether it is ready for calls, how it is doing, and its metrics.
 *
 * @since 0.1.0
 */
export * as Status from "./Status.js"

/**
 * `/status/events`: what `/status.json` says, each second, as server-sent events, for a page that somebody keeps open.
 *
 * @since 0.1.0
 */
export * as StatusEvents from "./StatusEvents.js"

/**
 * The arguments of a tool call where an API has them as an object: core keeps the text as the model wrote it.
 *
 * @since 0.1.0
 */
export * as ToolArguments from "./ToolArguments.js"

/**
 * The trace that an exchange is part of: it goes on the one that its headers name, and so do the calls that it makes.
 *
 * @since 0.1.0
 */
export * as Tracing from "./Tracing.js"

/**
 * What the fields of requests may hold, whichever API they belong to: numbers within bounds, lists that are not endless, names of models and of tools, addresses of pictures and files.
 *
 * @since 0.1.0
 */
export * as Values from "./Values.js"
