/**
 * What Ollama's clients hear when something goes wrong: one sentence, and a status.
 *
 * @see https://docs.ollama.com/api/errors
 * @since 0.1.0
 */
import type * as HttpServerResponse from "@effect/platform/HttpServerResponse"
import type { Failure } from "./Exchange.js"
import * as Fault from "./Fault.js"

/**
 * The body, and the last line of a stream that broke off.
 *
 * @since 0.1.0
 * @category conversions
 */
export const toJson = (failure: Failure) => ({ error: failure.message })

/**
 * The whole response.
 *
 * @since 0.1.0
 * @category conversions
 */
export const toResponse = (failure: Failure): HttpServerResponse.HttpServerResponse =>
  Fault.toResponse(failure, toJson(failure))
