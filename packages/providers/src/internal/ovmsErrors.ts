/**
 * What OpenVINO Model Server means by a failure. It says so in words alone: a wrong key is a 500 like many a mistake of
 * the request, and a graph that fails a 400, whosever fault that is.
 *
 * @see https://github.com/openvinotoolkit/model_server/blob/main/src/http_server.cpp
 * @see https://github.com/openvinotoolkit/model_server/blob/main/src/status.cpp
 */
import type { Failure, Kind, Refinement } from "./httpFailure.js"

const words: ReadonlyArray<readonly [RegExp, Kind]> = [
  [/with requested (name|version|name and\/or version) is not found/, "ModelNotFound"],
  [/Model(Instance)? not found|Error while loading a model|is (retired|not loaded yet)/, "ModelNotFound"],
  [/Image parsing failed|Bytes contents is empty|nesting depth exceeds|Maximum 2D array/, "InvalidRequest"],
  [/Functionality not implemented|Invalid request URL|Unsupported method/, "Unsupported"]
]

/** The kinds of status that a graph may end with; any other is a fault of the server. */
const graph: ReadonlyMap<string | undefined, Kind> = new Map(Object.entries<Kind>({
  INVALID_ARGUMENT: "InvalidRequest",
  OUT_OF_RANGE: "InvalidRequest",
  UNIMPLEMENTED: "Unsupported"
}))

/**
 * What a failure is by its words. Who shows no key is not done with the server when it wants one: tensors need none.
 */
export const refine = (keyless: boolean) => ({ message }: Failure): Refinement | undefined => {
  const [ended, status] = /MP status - ([A-Z_]+)/.exec(message) ?? []
  if (ended !== undefined) return graph.get(status) ?? "ServerFault"
  if (!/Unauthorized request/.test(message)) return words.find(([pattern]) => pattern.test(message))?.[1]
  return keyless ? { kind: "PermissionDenied", advice: "set OVMS_API_KEY" } : "AuthenticationFailed"
}
