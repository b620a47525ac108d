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

/** What a failure is. A model of another kind is a fault of the server's by its own account. */
export const refine = ({ message, status, type }: Failure): Refinement | undefined =>
  status === 424 && /\bmodel is not an? /i.test(message)
    ? "Unsupported"
    : byType.get(type?.toLowerCase()) ?? (status === 424 ? "ServerFault" : undefined)
