// Written by `npm run codegen`.

/**
 * A service that plays a script instead of asking a model, and remembers what it was asked.
 *
 * @since 0.1.0
 */
export * as ScriptedLlm from "./ScriptedLlm.js"
