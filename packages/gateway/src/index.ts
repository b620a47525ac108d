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
 * How much a client may still ask for: requests and tokens that come back evenly, and calls at once.
 *
 * @since 0.1.0
 */
export * as Allowance from "./Allowance.js"

/**
 * What a client may say of a call in its headers: how urgent it is, by when it must have ended, and on whose behalf it is made; and the id under which both sides log it.
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
 * Shutting down without losing an answer: new calls are refused, those in flight end, and what takes too long is cut.
 *
 * @since 0.1.0
 */
export * as Drain from "./Drain.js"

/**
 * A streamed answer as server-sent events.
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
 * The gateway: one HTTP app that serves an `LlmService` (in practice a router over protected backends) to any OpenAI client, and itself to those who operate it.
 *
 * @since 0.1.0
 */
export * as Gateway from "./Gateway.js"

/**
 * The JSON of a request's body, read within limits: so many bytes and no more, so deep and no deeper, and no key that would reach into a prototype.
 *
 * @since 0.1.0
 */
export * as JsonBody from "./JsonBody.js"

/**
 * What the monitor sees of queues, circuits, keys and budgets, as metrics that are read when somebody scrapes.
 *
 * @since 0.1.0
 */
export * as MonitorMetrics from "./MonitorMetrics.js"

/**
 * The API that OpenAI's clients speak: chat completions, embeddings and models, for every backend there is.
 *
 * @since 0.1.0
 */
export * as OpenAiApi from "./OpenAiApi.js"

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
 * The fields of OpenAI's chat completions, as a closed list.
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
 * Answers in the words of core, written as OpenAI's clients read them.
 *
 * @since 0.1.0
 */
export * as OpenAiOutbound from "./OpenAiOutbound.js"

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
 * The name under which a request asks for the gateway (its `host`).
 *
 * @since 0.1.0
 */
export * as Host from "./Host.js"

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
 * What operators ask: whether the gateway lives, whether it is ready for calls, how it is doing, and its metrics.
 *
 * @since 0.1.0
 */
export * as Status from "./Status.js"

/**
 * What the fields of requests may hold, whichever API they belong to: numbers within bounds, lists that are not endless, names of models and of tools, addresses of pictures and files.
 *
 * @since 0.1.0
 */
export * as Values from "./Values.js"
