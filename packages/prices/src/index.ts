// Written by `npm run codegen`.

/**
 * The prices of `@pydantic/genai-prices`, and one's own before them, as a `PriceBook`.
 *
 * @since 0.1.0
 */
export * as GenAiPrices from "./GenAiPrices.js"
