// Written by `npm run codegen`.

/**
 * Learns from a backend's refusals how fast it may be asked, and asks no faster: for backends whose limits nobody knows, and that do not say in their headers what is left.
 *
 * @since 0.1.0
 */
export * as AdaptiveRate from "./AdaptiveRate.js"

/**
 * Joins what several callers ask of a model at about the same time: one call goes to the backend, and each caller gets the answer to his own request.
 *
 * @since 0.1.0
 */
export * as Batching from "./Batching.js"

/**
 * Keeps what calls cost within limits: in all, per backend, model or tenant, for a minute, a day, a month, any length of time, or as long as the program runs.
 *
 * @since 0.1.0
 */
export * as Budget from "./Budget.js"

/**
 * Bytes that come, or go, in pieces.
 *
 * @since 0.1.0
 */
export * as Bytes from "./Bytes.js"

/**
 * Keeps answers for a while, and gives them to who asks for the same again: nothing is sent then, nothing waits in a queue, and nothing is paid.
 *
 * @since 0.1.0
 */
export * as Caching from "./Caching.js"

/**
 * Leaves a backend alone that keeps failing, and lets a probe through now and then to see whether it is back.
 *
 * @since 0.1.0
 */
export * as CircuitBreaker from "./CircuitBreaker.js"

/**
 * Shares a call that is under way with all who ask for the same meanwhile: it is made once, and all get its answer.
 *
 * @since 0.1.0
 */
export * as Coalescing from "./Coalescing.js"

/**
 * A request for text, the whole answer, and the parts in which a streamed answer arrives.
 *
 * @since 0.1.0
 */
export * as Completion from "./Completion.js"

/**
 * Texts as vectors.
 *
 * @since 0.1.0
 */
export * as Embedding from "./Embedding.js"

/**
 * What OpenTelemetry calls things of generative AI, in one place: none of these names is stable.
 *
 * @since 0.1.0
 */
export * as GenAiNames from "./GenAiNames.js"

/**
 * Begins a second attempt of a call beside the first when that is slow to answer, and takes the answer that comes first.
 *
 * @since 0.1.0
 */
export * as Hedging from "./Hedging.js"

/**
 * What a call holds until its answer has ended: a place in the queue, a key's lease, a verdict owed to the breaker.
 *
 * @since 0.1.0
 */
export * as Held from "./Held.js"

/**
 * Inference on anything but text: named tensors, or whatever JSON a model takes.
 *
 * @since 0.1.0
 */
export * as Inference from "./Inference.js"

/**
 * A setting that cannot be meant: said when a thing is built, naming the field, the value and the range, and never at the first call.
 *
 * @since 0.1.0
 */
export * as InvalidOptions from "./InvalidOptions.js"

/**
 * Several API keys of one backend as one: who may be used now, and how each is doing.
 *
 * @since 0.1.0
 */
export * as KeyPool from "./KeyPool.js"

/**
 * Everything that can go wrong between a program and a model, as one union of tagged errors, and what to do about each, as one table.
 *
 * @since 0.1.0
 */
export * as LlmError from "./LlmError.js"

/**
 * The one service that every backend provides: text, streamed text, embeddings, ranking, and the models there are.
 *
 * @since 0.1.0
 */
export * as LlmService from "./LlmService.js"

/**
 * What a backend says of a model.
 *
 * @since 0.1.0
 */
export * as Model from "./Model.js"

/**
 * What is going on now, for people and dashboards: one typed snapshot of every queue, circuit, key pool and count of calls in the program.
 *
 * @since 0.1.0
 */
export * as Monitor from "./Monitor.js"

/**
 * A backend of objects as data: how each single exchange with it goes, and how it wants what goes up in parts.
 *
 * @since 0.1.0
 */
export * as ObjectBackend from "./ObjectBackend.js"

/**
 * Objects in buckets, behind the same policies and keys as models are: where models, documents and results are kept.
 *
 * @since 0.1.0
 */
export * as ObjectStore from "./ObjectStore.js"

/**
 * Puts policies around a store of objects: what comes out is a store again.
 *
 * @since 0.1.0
 */
export * as ObjectStores from "./ObjectStores.js"

/**
 * What is said of objects in buckets: where one is, what is known of it, what is to be stored, listed or removed.
 *
 * @since 0.1.0
 */
export * as Objects from "./Objects.js"

/**
 * A policy stands between a call and its backend: it sees the call first, and decides whether, when and how often the rest of the way is gone.
 *
 * @since 0.1.0
 */
export * as Policy from "./Policy.js"

/**
 * What models cost, and what a call has cost: in whole micro-dollars, millionths of a US dollar.
 *
 * @since 0.1.0
 */
export * as PriceBook from "./PriceBook.js"

/**
 * What is said to a model: messages made of parts, in words that belong to no backend.
 *
 * @since 0.1.0
 */
export * as Prompt from "./Prompt.js"

/**
 * What stands around the operations of a backend, as those see it who have the operations: they say what is asked, and hand over how it is done.
 *
 * @since 0.1.0
 */
export * as Protection from "./Protection.js"

/**
 * A service that can be replaced while it is being used: calls under way end with the one that they began with, those that come later go to the one that has taken its place.
 *
 * @since 0.1.0
 */
export * as Replaceable from "./Replaceable.js"

/**
 * Several stores as one, each of which holds every object: what is written is written to all of them, what is read is read from the first that has it.
 *
 * @since 0.1.0
 */
export * as Replication from "./Replication.js"

/**
 * A waiting room with a limited number of places behind it: the calls that a backend takes at once, and those that wait for one of them to end.
 *
 * @since 0.1.0
 */
export * as RequestQueue from "./RequestQueue.js"

/**
 * Documents in the order of their worth for a query.
 *
 * @since 0.1.0
 */
export * as Rerank from "./Rerank.js"

/**
 * Puts policies around a service: what comes out is a service again.
 *
 * @since 0.1.0
 */
export * as Resilience from "./Resilience.js"

/**
 * Tries again what time or another key may help, and waits in between: as long as the backend says, else longer each time.
 *
 * @since 0.1.0
 */
export * as Retry from "./Retry.js"

/**
 * How many attempts beyond their first the calls of a backend may make together, so that one that is dead is not asked six times as often as one that is well.
 *
 * @since 0.1.0
 */
export * as RetryBudget from "./RetryBudget.js"

/**
 * Several services as one: chosen by the name of the model, or one after the other until one answers.
 *
 * @since 0.1.0
 */
export * as Router from "./Router.js"

/**
 * An answer as a typed value: the request asks for JSON by the JSON Schema of a Schema, and the answer is decoded with the Schema itself, so that what a backend did not hold the model to is still seen.
 *
 * @since 0.1.0
 */
export * as StructuredOutput from "./StructuredOutput.js"

/**
 * What is known of the calls of a backend: counts and durations for the `Monitor`, `Metric`s for whoever collects them, and spans where a tracer is there.
 *
 * @since 0.1.0
 */
export * as Telemetry from "./Telemetry.js"

/**
 * Tensors: elements of one kind in a grid of any number of dimensions, as they go into a model and come out of it.
 *
 * @since 0.1.0
 */
export * as Tensor from "./Tensor.js"

/**
 * How long an attempt may take, how long a stream may be silent, and the deadline of the whole call.
 *
 * @since 0.1.0
 */
export * as Timeout from "./Timeout.js"

/**
 * How many tokens a request is about to cost, before anybody has counted them.
 *
 * @since 0.1.0
 */
export * as Tokens from "./Tokens.js"

/**
 * What a model may call: a name, what it is for, and what it takes.
 *
 * @since 0.1.0
 */
export * as Tool from "./Tool.js"

/**
 * Asks a model, runs the tools that it calls, tells it their results, and asks again, until it calls none.
 *
 * @since 0.1.0
 */
export * as ToolLoop from "./ToolLoop.js"

/**
 * The trace that a call is part of, as W3C's headers carry it from one program to the next: `traceparent` says which trace and span, `tracestate` what those who trace want to tell each other.
 *
 * @since 0.1.0
 */
export * as TraceContext from "./TraceContext.js"
