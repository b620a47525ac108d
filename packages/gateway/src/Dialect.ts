/**
 * In which API's words a client hears of a request for which there is no route.
 *
 * @since 0.1.0
 */
import type * as HttpServerRequest from "@effect/platform/HttpServerRequest"
import * as AnthropicFault from "./AnthropicFault.js"
import type { Route } from "./Exchange.js"
import * as OllamaFault from "./OllamaFault.js"
import * as OpenAiFault from "./OpenAiFault.js"

/**
 * How it is told: by the path that only Ollama's clients have, by the header that only Anthropic's send, or as most
 * clients understand it.
 *
 * @since 0.1.0
 * @category destructors
 */
export const refuseOf = ({ headers, url }: HttpServerRequest.HttpServerRequest): Route["refuse"] =>
  url.startsWith("/api/")
    ? OllamaFault.toResponse
    : headers["anthropic-version"] !== undefined
    ? AnthropicFault.toResponse
    : OpenAiFault.toResponse
