/**
 * The arguments of a tool call where an API has them as an object: core keeps the text as the model wrote it.
 *
 * @since 0.1.0
 */
import * as Either from "effect/Either"
import { isRecord } from "effect/Predicate"

/**
 * The object of a text. No text is no arguments. What is no object cannot be said there: under a name of its own the
 * client sees what the model wrote, and with the tool's result the model sees it, too.
 *
 * @since 0.1.0
 * @category conversions
 */
export const toObject = (json: string): object => {
  if (json.trim() === "") return {}
  const value = Either.getOrUndefined(Either.try((): unknown => JSON.parse(json)))
  return isRecord(value) ? value : { invalid_arguments: json }
}
