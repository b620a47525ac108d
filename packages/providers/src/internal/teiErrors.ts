/**
 * What TEI's errors mean. Their type is written large by the server and small in its description.
 *
 * @see https://github.com/huggingface/text-embeddings-inference/blob/main/router/src/http/server.rs
 */
import type { Failure, Kind, Refinement } from "./httpFailure.js"

const byType: ReadonlyMap<string | undefined, Kind> = new Map(Object.entries<Kind>({
  overloaded: "RateLimited",
  // a 413 before version 1.9, a 422 since
  validation: "InvalidRequest",
  tokenizer: "InvalidRequest",
  empty: "InvalidRequest",
  backend: "ServerFault",
  unhealthy: "ServerFault"
}))

const byStatus: { readonly [status: number]: Kind } = {
  // no request names a model: it is the route that is not there
  404: "MalformedResponse",
  424: "ServerFault"
}

/** What a failure is. A model of another kind is a fault of the server's by its own account. */
export const refine = ({ message, status, type }: Failure): Refinement | undefined => {
  if (status === 424 && /\bmodel is not an? /i.test(message)) return "Unsupported"
  // llama.cpp, which ranks over this wire as well
  if (status === 500 && /\bis too large to process\b/.test(message)) return "InvalidRequest"
  return byType.get(type?.toLowerCase()) ?? byStatus[status]
}
