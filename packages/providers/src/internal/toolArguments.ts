/**
 * A tool call's arguments where a wire has them as an object: our words keep the text as the model wrote it.
 */
import * as Json from "./json.js"

/**
 * The object of a text. No text is no arguments. What is no JSON object cannot be said on such a wire; it goes under
 * a name of its own, so that the model sees what it wrote and is told (by the tool's result) what was wrong with it.
 */
export const toObject = (text: string): Json.Fields => {
  if (text.trim() === "") return {}
  const value = Json.parse(text)
  return Json.isObject(value) ? value : { invalid_arguments: text }
}

/** The text of an object; some servers send the text itself. */
export const fromObject = (value: unknown): string =>
  typeof value === "string" ? value : Json.stringify(value ?? {}) ?? "{}"
