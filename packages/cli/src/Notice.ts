/**
 * What a person at a terminal is told beside the output: on standard error, so that the output can be piped on.
 *
 * @since 0.1.0
 */
import * as Catalogue from "@spillway/providers/Catalogue"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import type * as Settings from "./Settings.js"

/**
 * Says, when it is so, that the simulator stands in for the providers.
 *
 * @since 0.1.0
 * @category combinators
 */
export const simulated = (backends: Pick<Settings.Backends, "names" | "simulated">): Effect.Effect<void> =>
  backends.simulated
    ? Console.error(
      "No key or address of a provider is in the environment (OPENAI_API_KEY, ANTHROPIC_API_KEY, OLLAMA_HOST …): " +
        `the embedded simulator stands in for ${backends.names.join(", ")}.`
    )
    : Effect.void

/**
 * Says of a backend what the environment lacks of it.
 *
 * @since 0.1.0
 * @category combinators
 */
export const absent = (name: Catalogue.Name): Effect.Effect<void> => {
  const { addressVariables, keyVariables }: Catalogue.Entry = Catalogue.backends[name]
  return Console.error(`${name} is not there: ${(keyVariables ?? addressVariables).join(" or ")} is not set`)
}
