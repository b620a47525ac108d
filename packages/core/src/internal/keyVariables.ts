/**
 * The keys that stand in environment variables, and what a key may look like.
 *
 * A key travels in a header, and a header that will not take it says so in an exception that repeats it: so a key is
 * looked at before, and no message here repeats it.
 */
import type * as Arr from "effect/Array"
import * as Config from "effect/Config"
import * as ConfigError from "effect/ConfigError"
import * as Either from "effect/Either"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"

/**
 * A key that stands in an environment variable, and what that is called.
 *
 * @since 0.1.0
 * @category models
 */
export interface Variable {
  readonly name: string
  readonly key: Redacted.Redacted
}

/** What is wrong with a key, if anything. */
export const problem = (key: string): string | undefined =>
  key === ""
    ? "is set but empty"
    : key.length > longest
    ? `is longer than ${longest} characters`
    : /[^\x21-\x7e]/.test(key)
    ? "holds a space, a line break or another character that no key has"
    : undefined

const longest = 512

/** Without those whose key occurred before. */
export const distinct = <K extends { readonly key: Redacted.Redacted }>(keys: ReadonlyArray<K>): ReadonlyArray<K> => {
  const seen = new Set<string>()
  return keys.filter(({ key }) => seen.size < seen.add(Redacted.value(key)).size)
}

/** `PREFIX` and `PREFIX_1`, `PREFIX_2` … up to the first gap, of every prefix. */
export const config = (
  prefixes: Arr.NonEmptyReadonlyArray<string>
): Config.Config<Arr.NonEmptyReadonlyArray<Variable>> =>
  Config.all(prefixes.map(numbered)).pipe(
    Config.mapOrFail((found) => {
      const [first, ...others] = distinct(found.flat())
      return first === undefined
        ? Either.left(ConfigError.MissingData(
          [prefixes[0]],
          `no key: set ${prefixes.join(" or ")} (${prefixes[0]}_1, ${prefixes[0]}_2 … for several)`
        ))
        : Either.right([first, ...others] as const)
    })
  )

const numbered = (prefix: string): Config.Config<ReadonlyArray<Variable>> =>
  Config.zipWith(
    variable(prefix),
    Config.all(numbers.map((n) => variable(`${prefix}_${n}`))),
    (plain, rest) => {
      const gap = rest.findIndex(Option.isNone)
      return [plain, ...(gap === -1 ? rest : rest.slice(0, gap))].flatMap(Option.toArray)
    }
  )

const numbers = Array.from({ length: 99 }, (_, index) => index + 1)

const variable = (name: string): Config.Config<Option.Option<Variable>> =>
  Config.string(name).pipe(
    Config.mapOrFail((text) => {
      const wrong = problem(text)
      return wrong === undefined
        ? Either.right({ name, key: Redacted.make(text) })
        : Either.left(ConfigError.InvalidData([], wrong))
    }),
    Config.option
  )
