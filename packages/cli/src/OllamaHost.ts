/**
 * Where Ollama listens, as an option that comes before what the environment says.
 *
 * @since 0.1.0
 */
import * as Options from "@effect/cli/Options"
import * as ConfigProvider from "effect/ConfigProvider"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"

/**
 * The option, under a name.
 *
 * @since 0.1.0
 * @category options
 */
export const option = (name: string): Options.Options<Option.Option<string>> =>
  Options.text(name).pipe(
    Options.withDescription("Where Ollama listens (default: what OLLAMA_HOST says)"),
    Options.optional
  )

/**
 * Runs an effect in whose environment this is said.
 *
 * @since 0.1.0
 * @category combinators
 */
export const within = (host: Option.Option<string>) => <A, E, R>(self: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
  Option.match(host, {
    onNone: () => self,
    onSome: (host) =>
      Effect.configProviderWith((environment) =>
        Effect.withConfigProvider(
          self,
          ConfigProvider.orElse(ConfigProvider.fromMap(new Map([["OLLAMA_HOST", host]])), () => environment)
        )
      )
  })
