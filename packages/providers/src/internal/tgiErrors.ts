/**
 * What TGI's errors mean, by their type, and where they have none by their words: in the midst of a streamed chat every
 * error says that it is a 422.
 *
 * @see https://github.com/huggingface/text-generation-inference/blob/main/router/src/infer/mod.rs
 */
import type { Failure, Kind, Refinement } from "./httpFailure.js"

// a map, since it is asked for the backend's own words: `constructor` may be one
const byType: ReadonlyMap<string | undefined, Kind> = new Map(Object.entries<Kind>({
  overloaded: "RateLimited",
  validation: "InvalidRequest",
  template_error: "InvalidRequest",
  missing_template_variable: "InvalidRequest",
  tool_error: "InvalidRequest",
  generation: "ServerFault",
  incomplete_generation: "ServerFault",
  incomplete_generation_stream: "ServerFault",
  stream_serialization_error: "ServerFault",
  healthcheck: "ServerFault"
}))

const byWords: ReadonlyArray<readonly [RegExp, Kind]> = [
  [/^Model is overloaded/, "RateLimited"],
  [/^(Request failed during generation|Incomplete generation|Stream event serialization error)/, "ServerFault"]
]

/** What a failure is. */
export const refine = ({ message, status, type }: Failure): Refinement | undefined =>
  byType.get(type) ??
    (status === 200 ? byWords.find(([words]) => words.test(message))?.[1] : undefined) ??
    (status === 424 ? "ServerFault" : undefined)
