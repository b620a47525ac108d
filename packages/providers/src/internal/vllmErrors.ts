/**
 * What vLLM means by a failure. Its errors are `{error: {message, type, param, code}}` where `code` repeats the status,
 * on older servers the same without `error`, and a wrong key is `{error: "Unauthorized"}`; within a stream they have no
 * other status than the one they name.
 *
 * @see https://github.com/vllm-project/vllm/tree/main/vllm/entrypoints
 */
import type { Failure, Kind, Refinement } from "./httpFailure.js"

// a map, since it is asked for the backend's own words: `constructor` may be one
const kinds: ReadonlyMap<string | undefined, Kind> = new Map(Object.entries<Kind>({
  BadRequestError: "InvalidRequest",
  NotFoundError: "ModelNotFound",
  NotImplementedError: "Unsupported",
  UnprocessableEntityError: "InvalidRequest",
  InternalServerError: "ServerFault"
}))

/** What opens a route that a server does not have. */
const advice: { readonly [operation: string]: string } = {
  loadLora: "start it with --enable-lora and VLLM_ALLOW_RUNTIME_LORA_UPDATING=True",
  unloadLora: "start it with --enable-lora and VLLM_ALLOW_RUNTIME_LORA_UPDATING=True"
}

/** What a failure is. */
export const refine = ({ message, operation, status, type }: Failure): Refinement | undefined => {
  // in the words of its web framework: no model, but no such route, which depends on the kind of model it serves
  if (status === 404 && message === "Not Found") {
    return { kind: "Unsupported", advice: advice[operation] ?? "this server has no such route" }
  }
  if (operation === "loadLora" || operation === "unloadLora") {
    if (type === "NotFoundError") return "NotFound"
    if (/already been loaded/.test(message)) return "Conflict"
  }
  // "The model does not support Embeddings API", `"auto" tool choice requires --enable-auto-tool-choice`
  if (/does not support .* API|requires --[a-z]/.test(message)) return "Unsupported"
  return kinds.get(type)
}
