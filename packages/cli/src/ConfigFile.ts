/**
 * The configuration file: which backends there are, with which keys, behind which policies, and what models are called.
 *
 * It is YAML (JSON is YAML). `${NAME}` in a text is what the environment says, so that no secret stands in the file.
 * Every problem is told by its line and field, all of them at once.
 *
 * ```yaml
 * policies:                       # of every backend; see Policies
 *   retry: { maxRetries: 3 }
 * backends:
 *   groq:
 *     keys: ["${GROQ_API_KEY}", "${GROQ_SPARE_KEY}"]
 *     policies: { queue: { concurrency: 20 } }
 *   ollama:
 *     address: http://localhost:11434
 * models:                         # asked for by the left name, tried from the first to the last
 *   fast: [groq/llama-3.3-70b-versatile, ollama/llama3.2]
 * ```
 *
 * @since 0.1.0
 */
import * as FileSystem from "@effect/platform/FileSystem"
import * as Batching from "@spillway/core/Batching"
import * as Coalescing from "@spillway/core/Coalescing"
import * as LlmService from "@spillway/core/LlmService"
import * as Monitor from "@spillway/core/Monitor"
import * as Resilience from "@spillway/core/Resilience"
import * as Catalogue from "@spillway/providers/Catalogue"
import * as Arr from "effect/Array"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Option from "effect/Option"
import * as ParseResult from "effect/ParseResult"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import * as Yaml from "yaml"
import { Refused } from "./Report.js"

// -----------------------------------------------------------------------------
// models
// -----------------------------------------------------------------------------

/**
 * What a file says, read.
 *
 * @since 0.1.0
 * @category models
 */
export interface ConfigFile {
  readonly backends: Arr.NonEmptyReadonlyArray<Backend>
  /** Names of models, each with those to try, in order. */
  readonly models: Readonly<Record<string, Arr.NonEmptyReadonlyArray<string>>>
}

/**
 * A backend in a file.
 *
 * @since 0.1.0
 * @category models
 */
export interface Backend {
  readonly name: Catalogue.Name
  readonly keys: ReadonlyArray<Redacted.Redacted>
  readonly address: string | undefined
  /** What else the variables that it knows would say: a version, a region, a secret that belongs to the key. */
  readonly environment: Readonly<Record<string, string>>
  /** Its own policies over those of all. */
  readonly policies: Policies
}

/**
 * What stands around a backend: the standard policies, and around them what joins calls and shares them. `true` is for
 * the defaults of what is off without.
 *
 * @since 0.1.0
 * @category models
 */
export interface Policies extends Resilience.Options {
  readonly batching?: Batching.Options | boolean | undefined
  readonly coalescing?: Coalescing.Options | boolean | undefined
}

/**
 * Something in the file that cannot be.
 *
 * @since 0.1.0
 * @category errors
 */
export interface Problem {
  /** From 1; absent where it is the file as a whole. */
  readonly line?: number
  /** As `backends.groq.keys.0`; empty where it is the file as a whole. */
  readonly field: string
  readonly message: string
}

/**
 * Problems, one a line, as `file:line: field: message`.
 *
 * @since 0.1.0
 * @category conversions
 */
export const explain = (file: string, problems: ReadonlyArray<Problem>): string =>
  problems.map(({ field, line, message }) =>
    [line === undefined ? file : `${file}:${line}`, ...(field === "" ? [] : [field]), message].join(": ")
  ).join("\n")

// -----------------------------------------------------------------------------
// what a file may say
// -----------------------------------------------------------------------------

const text = Schema.String.pipe(Schema.filter((text) => text.length > 0 || "must not be empty"))

const Policies = Schema.Struct(
  Object.fromEntries(
    ([
      "coalescing",
      "batching",
      "telemetry",
      "retry",
      "hedge",
      "queue",
      "adaptive",
      "breaker",
      "timeout"
    ] as const).map((name) => [
      name,
      // each is validated by the policy itself, whose options these are
      Schema.optional(Schema.Union(Schema.Boolean, Schema.Record({ key: Schema.String, value: Schema.Unknown })))
    ])
  )
)

const names: ReadonlyArray<string> = Catalogue.names

const Contents = Schema.Struct({
  policies: Schema.optional(Policies),
  backends: Schema.Record({
    key: Schema.String,
    value: Schema.NullOr(Schema.Struct({
      keys: Schema.optional(
        Schema.Array(text)
      ),
      address: Schema.optional(text),
      environment: Schema.optional(Schema.Record({ key: text, value: Schema.String })),
      policies: Schema.optional(Policies)
    }))
  }),
  models: Schema.optional(Schema.Record({ key: text, value: Schema.NonEmptyArray(text) }))
})

const decode = Schema.decodeUnknownEither(Contents, { errors: "all", onExcessProperty: "error" })

// -----------------------------------------------------------------------------
// reading
// -----------------------------------------------------------------------------

/**
 * A file's text, to be asked where things stand in it.
 *
 * @since 0.1.0
 * @category models
 */
export interface Text {
  /** What is wrong with a field, by its line, or that of the nearest that it would be part of. */
  readonly problem: (path: ReadonlyArray<PropertyKey>, message: string) => Problem
  readonly holds: (path: ReadonlyArray<PropertyKey>) => boolean
}

/**
 * Reads a file's text. `environment` is where `${NAME}` is looked up.
 *
 * @since 0.1.0
 * @category constructors
 */
export const parse = (
  source: string,
  environment: (name: string) => string | undefined
): Either.Either<{ readonly config: ConfigFile; readonly text: Text }, Arr.NonEmptyReadonlyArray<Problem>> => {
  const lines = new Yaml.LineCounter()
  const document = Yaml.parseDocument(source, { lineCounter: lines })
  const [broken] = document.errors
  if (broken !== undefined) {
    return Either.left([{ line: lines.linePos(broken.pos[0]).line, field: "", message: firstLine(broken.message) }])
  }
  const lineOf = (path: ReadonlyArray<PropertyKey>) => {
    let node: unknown = document.contents
    let found = rangeOf(node)
    for (const key of path) {
      const pair = Yaml.isMap(node) ? node.items.find((pair) => Yaml.isScalar(pair.key) && pair.key.value === key) : undefined
      node = pair === undefined && Yaml.isSeq(node) ? node.get(key, true) : pair?.value
      found = rangeOf(pair === undefined ? node : pair.key) ?? found
    }
    return path.length === 0 || found === undefined ? undefined : lines.linePos(found).line
  }
  const problem: Text["problem"] = (path, message) => {
    const line = lineOf(path)
    return { field: path.map(String).join("."), message, ...(line !== undefined && { line }) }
  }
  const missing: Array<Problem> = []
  const contents = substitute(document.toJS() as unknown, [], (name, path) => {
    const value = environment(name)
    if (value === undefined) missing.push(problem(path, `the environment has no ${name}`))
    return value ?? ""
  })
  if (Arr.isNonEmptyArray(missing)) return Either.left(missing)
  return Either.match(decode(contents), {
    onLeft: (error) => {
      const issues = ParseResult.ArrayFormatter.formatErrorSync(error)
      // what stands there may be a secret
      const problems = furthest(issues).map(({ message, path }) => problem(path, message.replace(/, actual [^]*$/, "")))
      return Either.left(Arr.isNonEmptyArray(problems) ? problems : [problem([], error.message)])
    },
    onRight: (contents) => {
      const problems = unfit(contents, problem)
      const backends = toBackends(contents)
      if (Arr.isNonEmptyReadonlyArray(problems)) return Either.left(problems)
      return Arr.isNonEmptyReadonlyArray(backends)
        ? Either.right({ config: { backends, models: contents.models ?? {} }, text: { problem, holds: (path) => document.hasIn(path) } })
        : Either.left([problem(["backends"], "must name a backend")])
    }
  })
}

const rangeOf = (node: unknown): number | undefined => Yaml.isNode(node) ? node.range?.[0] : undefined

const firstLine = (text: string) => text.split("\n", 1)[0] ?? text

/** Puts in what the environment says, everywhere but in names. */
const substitute = (
  value: unknown,
  path: ReadonlyArray<PropertyKey>,
  lookUp: (name: string, path: ReadonlyArray<PropertyKey>) => string
): unknown => {
  if (typeof value === "string") {
    return value.replace(/\$\{([A-Za-z_]\w*)\}/g, (_, name: string) => lookUp(name, path))
  }
  if (Array.isArray(value)) return value.map((item, index) => substitute(item, [...path, index], lookUp))
  return typeof value === "object" && value !== null
    ? Object.fromEntries(Object.entries(value).map(([key, item]) => [key, substitute(item, [...path, key], lookUp)]))
    : value
}

/** Where alternatives were tried for a field, those that got furthest know best. */
const furthest = (issues: ReadonlyArray<ParseResult.ArrayFormatterIssue>) =>
  issues.filter(({ path }, index) =>
    issues.findIndex((other) => other.path.join(".") === path.join(".")) === index
    && !issues.some((other) => other.path.length > path.length && path.every((key, at) => other.path[at] === key))
  )

/** What no schema can say: names that must be known, and keys that must be there. */
const unfit = ({ backends, models = {} }: typeof Contents.Type, at: Text["problem"]): ReadonlyArray<Problem> => [
  ...Object.entries(backends).flatMap(([name, backend]) => {
    if (!names.includes(name)) return [at(["backends", name], `is no backend; there are ${names.join(", ")}`)]
    const { addressVariables, keyVariables, optionalKeyVariables }: Catalogue.Entry =
      Catalogue.backends[name as Catalogue.Name]
    const keys = backend?.keys ?? []
    if (keyVariables !== undefined && keys.length === 0) return [at(["backends", name], "needs a key")]
    if (keyVariables === undefined && optionalKeyVariables === undefined && keys.length > 0) {
      return [at(["backends", name, "keys"], "has no use for a key")]
    }
    return keyVariables === undefined && backend?.address === undefined
      ? [at(["backends", name], `needs an address (what ${addressVariables[0]} would say)`)]
      : []
  }),
  ...Object.entries(models).flatMap(([name, choices]) =>
    choices.flatMap((choice, index) => {
      const [prefix = "", model = ""] = split(choice)
      return prefix in backends && model !== ""
        ? []
        : [at(["models", name, index], `must be backend/model with a backend of this file, not "${choice}"`)]
    })
  )
]

const split = (model: string): ReadonlyArray<string> => {
  const slash = model.indexOf("/")
  return slash < 0 ? ["", model] : [model.slice(0, slash), model.slice(slash + 1)]
}

const toBackends = ({ backends, policies }: typeof Contents.Type): ReadonlyArray<Backend> =>
  Object.entries(backends).map(([name, backend]) => ({
    // known by then: what is not is a problem that was told
    name: name as Catalogue.Name,
    keys: (backend?.keys ?? []).map((key) => Redacted.make(key)),
    address: backend?.address,
    environment: backend?.environment ?? {},
    // each policy validates what it is given, whatever that is
    policies: { ...policies, ...backend?.policies } as Policies
  }))

// -----------------------------------------------------------------------------
// what it means
// -----------------------------------------------------------------------------

/**
 * A backend of a file as the variables that its `layerConfig` reads: what the environment says of other things, and
 * of its keys and its address what the file says and nothing else.
 *
 * @since 0.1.0
 * @category conversions
 */
export const toVariables = (
  { address, environment, keys, name }: Backend,
  outer: Readonly<Record<string, string | undefined>>
): Map<string, string> => {
  const { addressVariables, keyVariables, optionalKeyVariables }: Catalogue.Entry = Catalogue.backends[name]
  const holders = keyVariables ?? optionalKeyVariables ?? []
  const isOurs = (variable: string) =>
    addressVariables.includes(variable) || holders.some((holder) => variable.replace(/_\d+$/, "") === holder)
  const variables = new Map(
    Object.entries(outer).filter((entry): entry is [string, string] => entry[1] !== undefined && !isOurs(entry[0]))
  )
  keys.forEach((key, index) => variables.set(`${holders[0]}_${index + 1}`, Redacted.value(key)))
  if (address !== undefined) variables.set(addressVariables[0], address)
  for (const [variable, value] of Object.entries(environment)) variables.set(variable, value)
  return variables
}

/**
 * What the policies of a file would refuse, once they are made.
 *
 * @since 0.1.0
 * @category conversions
 */
export const tryOut = (
  { backends }: ConfigFile,
  { holds, problem }: Text
): Effect.Effect<ReadonlyArray<Problem>> =>
  Effect.map(
    Effect.forEach(backends, ({ name, policies }) =>
      tried(name, policies).pipe(
        Effect.scoped,
        Effect.provideService(Monitor.CurrentMonitor, Monitor.unsafeMake()),
        Effect.match({
          onSuccess: () => Option.none<Problem>(),
          onFailure: ({ field, message, module }) => {
            const within = [sectionOf[module] ?? "", ...field.split(".")] as const
            const own = ["backends", name, "policies"]
            // a section that is not the backend's own is the one of all
            return Option.some(problem([...holds([...own, within[0]]) ? own : ["policies"], ...within], message))
          }
        })
      )),
    (problems) => Arr.dedupeWith(Arr.getSomes(problems), (a, b) => a.field === b.field && a.line === b.line)
  )

const tried = (name: Catalogue.Name, { batching = false, coalescing = false, ...policies }: Policies) => {
  const service = LlmService.make(name, {})
  return Effect.all([
    Resilience.standard(name, policies),
    Batching.make(service, typeof batching === "boolean" ? {} : batching),
    Coalescing.make(service, typeof coalescing === "boolean" ? {} : coalescing)
  ])
}

/** The section that holds the options of a module. */
const sectionOf: Readonly<Record<string, string>> = {
  Coalescing: "coalescing",
  Batching: "batching",
  Telemetry: "telemetry",
  Retry: "retry",
  RetryBudget: "retry",
  Hedging: "hedge",
  RequestQueue: "queue",
  AdaptiveRate: "adaptive",
  CircuitBreaker: "breaker",
  Timeout: "timeout"
}

/**
 * Reads and tries out a file's text; every problem is told at once, as `file:line: field: message`.
 *
 * @since 0.1.0
 * @category constructors
 */
export const read = (
  file: string,
  source: string,
  environment: (name: string) => string | undefined
): Effect.Effect<ConfigFile, Refused> =>
  Either.match(parse(source, environment), {
    onLeft: (problems) => Effect.fail(new Refused({ message: explain(file, problems) })),
    onRight: ({ config, text }) =>
      Effect.flatMap(tryOut(config, text), (problems) =>
        problems.length === 0 ? Effect.succeed(config) : Effect.fail(new Refused({ message: explain(file, problems) })))
  })

/**
 * Reads a file.
 *
 * @since 0.1.0
 * @category constructors
 */
export const load = (
  file: string,
  environment: (name: string) => string | undefined
): Effect.Effect<ConfigFile, Refused, FileSystem.FileSystem> =>
  Effect.flatMap(FileSystem.FileSystem, (files) => files.readFileString(file)).pipe(
    Effect.mapError((error) => new Refused({ message: `${file} cannot be read: ${error.message}` })),
    Effect.flatMap((source) => read(file, source, environment))
  )
