/**
 * The lines of Ollama's streamed answers: each is an object, and one that holds an `error` is that error, since it comes
 * with status 200.
 */
import type * as LlmError from "@spillway/core/LlmError"
import * as Json from "./json.js"
import type * as Reading from "./reading.js"

/** What is asked of the exchange that the lines are the answer of. */
interface Exchange {
  readonly malformed: (what: string) => LlmError.LlmError
  readonly failure: (body: unknown) => LlmError.LlmError
}

/** Reads the lines that are no errors, as `Reader.frame` reads frames. */
export const reader = <A>(
  exchange: Exchange,
  read: (line: Json.Fields, out: Array<A>) => ReturnType<Reading.Reader<A>["frame"]>
): Reading.Reader<A> => ({
  frame(frame, out) {
    const line = Json.parse(frame.data)
    if (!Json.isObject(line)) return exchange.malformed("a line that is not JSON")
    return line["error"] === undefined ? read(line, out) : exchange.failure(line)
  }
})
