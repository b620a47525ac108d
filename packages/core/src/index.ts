// Written by `npm run codegen`.

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
 * What a call holds until its answer has ended: a place in the queue, a key's lease, a verdict owed to the breaker.
 *
 * @since 0.1.0
 */
export * as Held from "./Held.js"

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
 * A policy stands between a call and its backend: it sees the call first, and decides whether, when and how often the rest of the way is gone.
 *
 * @since 0.1.0
 */
export * as Policy from "./Policy.js"

/**
 * What is said to a model: messages made of parts, in words that belong to no backend.
 *
 * @since 0.1.0
 */
export * as Prompt from "./Prompt.js"

/**
 * Documents in the order of their worth for a query.
 *
 * @since 0.1.0
 */
export * as Rerank from "./Rerank.js"

/**
 * Puts a policy around a service: what comes out is a service again.
 *
 * @since 0.1.0
 */
export * as Resilience from "./Resilience.js"

/**
 * What a model may call: a name, what it is for, and what it takes.
 *
 * @since 0.1.0
 */
export * as Tool from "./Tool.js"
