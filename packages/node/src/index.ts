// Written by `npm run codegen`.

/**
 * An `HttpClient` over undici's dispatcher, for those who make many calls: used in the place of `NodeHttpClient.layerUndici`, it costs a fraction.
 *
 * @since 0.1.0
 */
export * as UndiciClient from "./UndiciClient.js"
