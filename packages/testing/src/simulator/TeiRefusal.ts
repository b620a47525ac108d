/**
 * TEI's refusals: `error` and `error_type`, which OpenAI's route calls by other names and does not wrap.
 *
 * @since 0.1.0
 */
import * as HuggingFace from "./HuggingFace.js"
import type * as Wire from "./Wire.js"

const own = (status: number, error: string, type: string) => (_: unknown, { path }: Wire.Refused): Wire.Refusal => ({
  status,
  content: JSON.stringify(
    path.endsWith("/embeddings") ? { message: error, code: status, type } : { error, error_type: type }
  )
})

const overloaded = own(429, "Model is overloaded", "Overloaded")

/**
 * How TEI refuses.
 *
 * @since 0.1.0
 * @category conversions
 */
export const refuse: Wire.Wire["refuse"] = {
  ...HuggingFace.refuse,
  Rejected: ({ code = "Validation", message, status = 422 }, call) => own(status, message, code)(undefined, call),
  RateLimited: overloaded,
  TooManyTokens: overloaded,
  ServerError: own(424, "Backend error: Inference error: CUDA error", "Backend"),
  Overloaded: overloaded
}
