/**
 * The endpoints of S3 that the environment speaks of.
 *
 * Each is a set of variables: `S3_ENDPOINT`, `S3_ACCESS_KEY`, `S3_SECRET_KEY` and so on, and the same with `_1`,
 * `_2` … up to the first number for which neither an address nor a key is set. What a numbered one does not say, the
 * plain one says for it; and what that does not say, Amazon's own variables do.
 */
import * as Config from "effect/Config"
import * as ConfigError from "effect/ConfigError"
import * as Either from "effect/Either"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as S3Endpoint from "./s3Endpoint.js"

/** One endpoint, as its variables have it. */
export interface Found {
  readonly name: string
  readonly url?: string
  readonly region?: string
  readonly addressing?: "path" | "virtual-host"
  readonly accessKeyId: string
  readonly secretAccessKey: Redacted.Redacted
  readonly sessionToken?: Redacted.Redacted
}

type Variables = { readonly [name: string]: string | undefined }

/** A variable; one that is set to nothing is an error. */
export const variable = (name: string): Config.Config<string | undefined> =>
  Config.string(name).pipe(
    Config.mapOrFail((text) =>
      text.trim() === ""
        ? Either.left(ConfigError.InvalidData([], "is set, but to nothing"))
        : Either.right(text)
    ),
    Config.option,
    Config.map(Option.getOrUndefined)
  )

/** A variable that holds one of a few words. */
export const oneOf = <const Word extends string>(
  name: string,
  ...words: ReadonlyArray<Word>
): Config.Config<Word | undefined> =>
  Config.mapOrFail(variable(name), (text) => {
    const word = words.find((word) => word === text)
    return text === undefined || word !== undefined
      ? Either.right(word)
      : Either.left(ConfigError.InvalidData([name], `Expected one of ${words.join(", ")}`))
  })

const own = ["ENDPOINT", "ACCESS_KEY", "SECRET_KEY", "SESSION_TOKEN", "REGION", "ADDRESSING"] as const

const amazons = [
  "AWS_ENDPOINT_URL_S3",
  "AWS_ENDPOINT_URL",
  "AWS_ACCESS_KEY_ID",
  "AWS_SECRET_ACCESS_KEY",
  "AWS_SESSION_TOKEN",
  "AWS_REGION",
  "AWS_DEFAULT_REGION"
] as const

const suffixes = ["", ...Array.from({ length: 99 }, (_, index) => `_${index + 1}`)]

const names = [...suffixes.flatMap((suffix) => own.map((name) => `S3_${name}${suffix}`)), ...amazons]

/** All of them; at least one, or it says what is missing. */
export const config: Config.Config<readonly [Found, ...Array<Found>]> = Config.mapOrFail(
  Config.all(Object.fromEntries(names.map((name) => [name, variable(name)]))),
  (variables: Variables) => {
    const gap = suffixes.findIndex((suffix, index) =>
      index > 0 && variables[`S3_ENDPOINT${suffix}`] === undefined && variables[`S3_ACCESS_KEY${suffix}`] === undefined
    )
    const numbered = suffixes.slice(1, gap === -1 ? undefined : gap)
    // where there are numbered ones, the plain variables are an endpoint only if they say all of one
    const plain = numbered.length === 0 || addressOf(variables, "") !== undefined && hasKey(variables, "") ? [""] : []
    return Either.flatMap(
      Either.all([...plain, ...numbered].map((suffix) => toEndpoint(variables, suffix))),
      (found) => {
        const [first, ...others] = distinct(found)
        return first === undefined ? Either.left(noKey) : Either.right([first, ...others] as const)
      }
    )
  }
)

const addressOf = (variables: Variables, suffix: string): string | undefined =>
  variables[`S3_ENDPOINT${suffix}`] ?? variables["S3_ENDPOINT"] ?? variables["AWS_ENDPOINT_URL_S3"] ??
    variables["AWS_ENDPOINT_URL"]

const hasKey = (variables: Variables, suffix: string): boolean =>
  variables[`S3_ACCESS_KEY${suffix}`] !== undefined || variables["AWS_ACCESS_KEY_ID"] !== undefined

const noKey = ConfigError.MissingData(
  ["S3_ACCESS_KEY"],
  "no credentials: set S3_ACCESS_KEY and S3_SECRET_KEY (S3_ACCESS_KEY_1 … for several endpoints), " +
    "or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"
)

type Result<A> = Either.Either<A, ConfigError.ConfigError>

const toEndpoint = (variables: Variables, suffix: string): Result<Found> =>
  Either.gen(function*() {
    const { accessKeyId, id, secretAccessKey, sessionToken } = yield* credentials(variables, suffix)
    const addressing = yield* addressingOf(variables, suffix)
    const url = addressOf(variables, suffix)
    const region = variables[`S3_REGION${suffix}`] ?? variables["S3_REGION"] ?? variables["AWS_REGION"] ??
      variables["AWS_DEFAULT_REGION"]
    return {
      name: variables[`S3_ENDPOINT${suffix}`] === undefined ? id : `S3_ENDPOINT${suffix}`,
      accessKeyId,
      secretAccessKey: Redacted.make(secretAccessKey),
      ...(sessionToken !== undefined && { sessionToken: Redacted.make(sessionToken) }),
      ...(url !== undefined && { url }),
      ...(region !== undefined && { region }),
      ...(addressing !== undefined && { addressing })
    }
  })

interface Credentials {
  /** The variable that the access key stands in. */
  readonly id: string
  readonly accessKeyId: string
  readonly secretAccessKey: string
  readonly sessionToken: string | undefined
}

/** An access key, its secret and its token are of one kind: those of others would not fit. */
const credentials = (variables: Variables, suffix: string): Result<Credentials> => {
  const [id, secret, token] = variables[`S3_ACCESS_KEY${suffix}`] !== undefined
    ? [`S3_ACCESS_KEY${suffix}`, `S3_SECRET_KEY${suffix}`, `S3_SESSION_TOKEN${suffix}`] as const
    : variables["S3_ACCESS_KEY"] !== undefined
    ? ["S3_ACCESS_KEY", "S3_SECRET_KEY", "S3_SESSION_TOKEN"] as const
    : ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"] as const
  const accessKeyId = variables[id]
  const secretAccessKey = variables[secret]
  if (accessKeyId === undefined) return Either.left(noKey)
  if (secretAccessKey === undefined) {
    return Either.left(ConfigError.MissingData([secret], `${id} is set, and the secret that belongs to it is not`))
  }
  const problem = S3Endpoint.problem(accessKeyId, secretAccessKey, variables[token])
  return problem === undefined
    ? Either.right({ id, accessKeyId, secretAccessKey, sessionToken: variables[token] })
    // which of them it is, and never what it is
    : Either.left(ConfigError.InvalidData([{ key: id, secret, token }[problem.of]], problem.what))
}

const addressingOf = (variables: Variables, suffix: string): Result<Found["addressing"]> => {
  const name = variables[`S3_ADDRESSING${suffix}`] === undefined ? "S3_ADDRESSING" : `S3_ADDRESSING${suffix}`
  const text = variables[name]
  return text === undefined || text === "path" || text === "virtual-host"
    ? Either.right(text)
    : Either.left(ConfigError.InvalidData([name], "Expected path or virtual-host"))
}

const distinct = (found: ReadonlyArray<Found>): ReadonlyArray<Found> => {
  const seen = new Set<string>()
  return found.filter(({ accessKeyId, url }) => seen.size < seen.add(`${accessKeyId} ${url ?? ""}`).size)
}
