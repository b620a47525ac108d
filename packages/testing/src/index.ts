// Written by `npm run codegen`.

/**
 * An `HttpClient` that plays recorded answers instead of going over the wire, and remembers what it was asked.
 *
 * @since 0.1.0
 */
export * as RecordedHttp from "./RecordedHttp.js"

/**
 * A service that plays a script instead of asking a model, and remembers what it was asked.
 *
 * @since 0.1.0
 */
export * as ScriptedLlm from "./ScriptedLlm.js"

/**
 * The providers without the providers: an HTTP application that speaks their real wires, with keys, limits per key, true headers, delays, and a share of faults that is the same again for the same seed.
 *
 * @since 0.1.0
 */
export * as Simulator from "./Simulator.js"
