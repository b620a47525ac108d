import * as Headers from "@effect/platform/Headers"
import * as LlmError from "@spillway/core/LlmError"
import type * as HttpBackend from "@spillway/providers/HttpBackend"

/** An exchange for a wire that is tested by itself. Errors within an answer are all faults of the server here. */
export const exchange = <I extends { readonly model: string }>(input: I, backend: string): HttpBackend.Exchange<I> => ({
  backend,
  input,
  model: input.model,
  status: 200,
  headers: Headers.empty,
  requestId: undefined,
  malformed: (message) => new LlmError.MalformedResponse({ backend, message }),
  failure: (body) => new LlmError.ServerFault({ backend, message: JSON.stringify(body) })
})

/** Everything that a reader says of frames, up to its end or error. */
export const read = <A>(reader: HttpBackend.Reader<A>, frames: ReadonlyArray<HttpBackend.Frame>) => {
  const parts: Array<A> = []
  for (const frame of frames) {
    const verdict = reader.frame(frame, parts)
    if (verdict === undefined) continue
    return verdict._tag === "End" ? { parts, ended: verdict } : { parts, error: verdict }
  }
  return { parts }
}
