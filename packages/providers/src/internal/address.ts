/**
 * Where a backend is, as the environment says.
 */
import * as Config from "effect/Config"
import * as ConfigError from "effect/ConfigError"
import * as Either from "effect/Either"

/** The address in the first of these variables that is set; one that is set to nothing is an error. */
export const config = (variable: string, ...others: ReadonlyArray<string>): Config.Config<string> =>
  others.reduce(
    (config, other) => Config.orElseIf(config, { if: ConfigError.isMissingDataOnly, orElse: () => inside(other) }),
    inside(variable)
  )

const inside = (variable: string): Config.Config<string> =>
  Config.mapOrFail(Config.string(variable), (text) =>
    text.trim() === ""
      ? Either.left(ConfigError.InvalidData([], "Expected an address, but it is set to nothing"))
      : Either.right(text.trim()))
