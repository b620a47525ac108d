/**
 * The generic inference server that goes by the name of LLVM: models that take any JSON. What a model makes of it is
 * how many numbers it found, and their sum.
 *
 * @since 0.1.0
 */
import * as Either from "effect/Either"
import * as Fields from "./Fields.js"
import * as OpenAi from "./OpenAiWire.js"
import * as Wire from "./Wire.js"

/**
 * The wire, with `further` models besides its own.
 *
 * @since 0.1.0
 * @category constructors
 */
export const make = (further: ReadonlyArray<string>): Wire.Wire => {
  const models = [...catalogue, ...["sim-infer", ...further].map((name) => ({ name, type: "any" }))]
  const used = new Map<string, number>()
  const use = (name: string, times: number) => used.set(name, (used.get(name) ?? 0) + times)
  return {
    name: "llvm",
    baseUrl: "/llvm",
    variables: { baseUrl: "LLVM_BASE_URL", key: "LLVM_API_KEY" },
    keyed: true,
    daily: false,
    demandsJson: false,
    retryAfter: "seconds",
    credential: OpenAi.bearer,
    headers: ({ id }) => ({ "x-request-id": id.toString(16) }),
    refuse,
    streamError: () => "",
    routes: [
      {
        method: "GET",
        path: "/status",
        open: true,
        answer: () =>
          free({ status: "running", models: models.length, requests: Array.from(used.values()).reduce(add, 0) })
      },
      { method: "GET", path: "/models", answer: () => free({ models: models.map(described) }) },
      {
        method: "GET",
        path: "/models/*",
        answer: (call) =>
          at(models, call, {
            "": (model) => free(described(model)),
            statistics: ({ name }) => free({ model_id: name, requests: used.get(name) ?? 0 })
          })
      },
      {
        method: "POST",
        path: "/models/*",
        metered: true,
        raw: true,
        answer: (call) =>
          at(models, call, {
            infer: ({ name }) =>
              asked(call, one, (body) => {
                use(name, 1)
                return { model_id: name, output: made(body["input"]) }
              }),
            batch_infer: ({ name }) =>
              asked(call, several, (body) => {
                const inputs = Array.isArray(body["inputs"]) ? body["inputs"] : []
                use(name, inputs.length)
                return { model_id: name, results: inputs.map(made) }
              }),
            optimize: ({ name }) =>
              asked(call, optimization, (body) => ({ model_id: name, status: "optimized", ...body })),
            reload: ({ name }) => free({ model_id: name, status: "reloaded" })
          })
      }
    ]
  }
}

interface Model {
  readonly name: string
  readonly type: string
}

const catalogue: ReadonlyArray<Model> = [
  { name: "resnet50", type: "vision" },
  { name: "bert-base", type: "nlp" },
  { name: "t5-small", type: "nlp" }
]

const described = ({ name, type }: Model) => ({
  id: name,
  name,
  type,
  description: `${name}, simulated`,
  batch_support: true,
  precision_modes: ["fp32", "int8"],
  optimization_profiles: ["speed", "memory", "balanced"]
})

const free = (content: unknown): Either.Either<Wire.Answer, Wire.Failure> => Either.right(Wire.free(content))

const add = (one: number, other: number): number => one + other

/** What is done at a model, by the last step of the path. */
const at = (
  models: ReadonlyArray<Model>,
  { path, rest }: Wire.Call,
  verbs: { readonly [verb: string]: (model: Model) => Either.Either<Wire.Answer, Wire.Failure> }
): Either.Either<Wire.Answer, Wire.Failure> => {
  const whole = models.find(({ name }) => name === rest)
  const slash = whole === undefined ? rest.lastIndexOf("/") : -1
  const name = slash === -1 ? rest : rest.slice(0, slash)
  const verb = slash === -1 ? "" : rest.slice(slash + 1)
  const done = Object.hasOwn(verbs, verb) ? verbs[verb] : undefined
  if (done === undefined) return Either.left(Wire.Failure.NoRoute({ method: "POST", path }))
  const model = models.find((one) => one.name === name)
  return model === undefined ? Either.left(Wire.Failure.NoModel({ model: name })) : done(model)
}

const parameters = Fields.optional(Fields.record)
const one = Fields.object({ input: Fields.any, parameters })
const several = Fields.object({ inputs: Fields.array(Fields.any), parameters })
const optimization = Fields.object({ optimization_type: Fields.oneOf("speed", "memory", "balanced") })

const asked = (
  { body: bytes }: Wire.Call,
  check: Fields.Check,
  answer: (body: Fields.Json) => object
): Either.Either<Wire.Answer, Wire.Failure> => {
  const text = bytes instanceof Uint8Array ? new TextDecoder().decode(bytes) : ""
  const body = Either.getOrElse(
    Either.try((): unknown => JSON.parse(text)),
    () => undefined
  )
  if (!Fields.isJson(body)) return Either.left(Wire.Failure.NotJson({ reason: "not an object", empty: text === "" }))
  const violation = check(body)
  return violation === undefined ? free(answer(body)) : Either.left(Wire.Failure.Invalid({ violation, body }))
}

const made = (input: unknown): { readonly numbers: number; readonly sum: number } => {
  if (typeof input === "number") return { numbers: 1, sum: input }
  if (typeof input !== "object" || input === null) return { numbers: 0, sum: 0 }
  const parts = Object.values(input).map(made)
  return {
    numbers: parts.map(({ numbers }) => numbers).reduce(add, 0),
    sum: parts.map(({ sum }) => sum).reduce(add, 0)
  }
}

const refusal = (status: number, message: string, more: Partial<Wire.Refusal> = {}): Wire.Refusal => ({
  status,
  content: JSON.stringify({ error: { message } }),
  ...more
})

const refuse: Wire.Wire["refuse"] = {
  NoRoute: ({ path }) => refusal(404, `no such path: ${path}`),
  WrongMethod: ({ method }) => refusal(405, `method ${method} not allowed`),
  NoKey: () => refusal(401, "missing API key"),
  UnknownKey: () => refusal(401, "invalid API key"),
  KeyExhausted: () => refusal(402, "no credits left for this API key"),
  NotJson: ({ reason }) => refusal(400, `the body is no JSON: ${reason}`),
  WrongContentType: () => refusal(415, "the body must be JSON"),
  BodyTooLarge: () => refusal(413, "the body is too large"),
  Invalid: ({ violation: { expected, path, problem } }) =>
    refusal(
      422,
      problem === "Missing"
        ? `${path.join(".")} is missing`
        : problem === "Unknown"
          ? `${path.join(".")} is not known`
          : `${path.join(".")} must be ${expected.join(" or ")}`
    ),
  Rejected: ({ message, status = 400 }) => refusal(status, message),
  NoModel: ({ model }) => refusal(404, `model ${model} not found`),
  RateLimited: () => refusal(429, "too many requests", { waits: true }),
  TooManyTokens: () => refusal(413, "the request is larger than the limit"),
  ServerError: () => refusal(500, "inference failed"),
  Overloaded: () => refusal(503, "all workers are busy", { waits: true })
}
