/**
 * S3: objects in buckets, at Amazon or at any server that speaks as Amazon does (MinIO, Ceph, R2, Swift …), at one
 * endpoint or at several.
 *
 * How it differs: it is no model. What it is for is the `ObjectStore`; as an `LlmService` it lists the model files
 * under a bucket and a prefix, says whether it is there, and answers everything else with `Unsupported`. Requests are
 * signed (SigV4), answers are XML, and an error may come as a 200. An endpoint with its credentials is leased as a key
 * of another backend is, so that a `SlowDown` cools it, a wrong key retires it, and the next request goes elsewhere.
 *
 * What it sends: objects of more than a part go up in parts. Over http their content is signed (SHA-256) as everything
 * else is; over https it is not, since TLS keeps it whole already and a hash of every byte is what signing costs most.
 * No `aws-chunked` encoding and no checksum header of Amazon's younger SDKs, which other servers refuse.
 *
 * @see https://docs.aws.amazon.com/AmazonS3/latest/API/Welcome.html
 * @since 0.1.0
 */
import type * as HttpClient from "@effect/platform/HttpClient"
import * as InvalidOptions from "@spillway/core/InvalidOptions"
import * as KeyPool from "@spillway/core/KeyPool"
import * as LlmService from "@spillway/core/LlmService"
import type * as ObjectBackend from "@spillway/core/ObjectBackend"
import * as ObjectStore from "@spillway/core/ObjectStore"
import * as Replication from "@spillway/core/Replication"
import * as Arr from "effect/Array"
import * as Config from "effect/Config"
import type * as ConfigError from "effect/ConfigError"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import type * as HttpBackend from "./HttpBackend.js"
import * as Md5 from "./internal/md5.js"
import type { Wire } from "./internal/s3Attempt.js"
import * as S3Endpoint from "./internal/s3Endpoint.js"
import * as S3Exchanges from "./internal/s3Exchanges.js"
import * as S3Models from "./internal/s3Models.js"
import * as S3Presign from "./internal/s3Presign.js"
import * as S3Variables from "./internal/s3Variables.js"
import * as Sending from "./internal/sending.js"

// -----------------------------------------------------------------------------
// models
// -----------------------------------------------------------------------------

/**
 * A server of objects, and who one is to it.
 *
 * @since 0.1.0
 * @category models
 */
export interface Endpoint {
  /** What statistics and errors call it. @default `endpoint-1`, `endpoint-2` …, by its position */
  readonly name?: string | undefined
  /** The address; a path in it is put before the buckets'. @default Amazon's own, by the region */
  readonly url?: string | undefined
  /** The region that requests are signed for; a bucket that is in another is asked there. @default "us-east-1" */
  readonly region?: string | undefined
  readonly accessKeyId: string
  readonly secretAccessKey: Redacted.Redacted
  /** For credentials that last only for a while. */
  readonly sessionToken?: Redacted.Redacted | undefined
  /**
   * Whether a bucket is a step of the path or a part of the host's name (where its name allows that).
   * @default "path", but at Amazon "virtual-host"
   */
  readonly addressing?: "path" | "virtual-host" | undefined
}

/**
 * How several endpoints are used: each request by the first that is well (`failover`), or as a pool takes its keys
 * (`KeyPool.Strategy`), which suits several doors to the same objects; or `replicate`, where each endpoint has all
 * objects of its own: what is written is written to all, and read from the first that has it (see `Replication`).
 *
 * @since 0.1.0
 * @category models
 */
export type Strategy = KeyPool.Strategy | "replicate"

/**
 * What there is to set.
 *
 * @since 0.1.0
 * @category models
 */
export interface Options {
  readonly endpoints: Arr.NonEmptyReadonlyArray<Endpoint>
  /** How several endpoints are used. @default "failover" */
  readonly strategy?: Strategy | undefined
  /** The bucket whose model files are listed, and whose presence is health. @default none */
  readonly bucket?: string | undefined
  /** What the keys of model files begin with. @default "" */
  readonly prefix?: string | undefined
  /** What the names of model files end in, in any case. @default the usual: `.gguf`, `.safetensors`, `.onnx` … */
  readonly modelSuffixes?: ReadonlyArray<string> | undefined
  /**
   * Bytes of a part, 1 to 5 GiB; a body that is larger goes up in parts. Amazon takes none below 5 MiB.
   * @default 8388608 (8 MiB)
   */
  readonly partBytes?: number | undefined
  /** How many parts of one upload are sent at once, from 1; so many are in memory. @default 4 */
  readonly partConcurrency?: number | undefined
  /** Whether the content of objects is signed. @default over http, and not over https */
  readonly signContent?: boolean | undefined
  /** How endpoints are leased; one that has had a fault is avoided for `faultCooldown`, here 10 seconds by default. */
  readonly pool?: Omit<KeyPool.Options, "backend" | "keys" | "strategy" | "canChange"> | undefined
  /** How the wire is used. */
  readonly http?: Pick<HttpBackend.Options, "maxResponseBytes" | "spans"> | undefined
}

/**
 * S3 at work, as what it is and as what every backend is.
 *
 * @since 0.1.0
 * @category models
 */
export interface S3 {
  readonly store: ObjectStore.Service
  readonly service: LlmService.Service
}

const backend = "s3"

const MiB = 1024 * 1024

const minPartBytes = 5 * MiB

const maxPartBytes = 5 * 1024 * MiB

// -----------------------------------------------------------------------------
// constructors
// -----------------------------------------------------------------------------

/**
 * S3 at work. Its endpoints are watched by the monitor, as keys, until the scope closes.
 *
 * @since 0.1.0
 * @category constructors
 */
export const make = (
  options: Options
): Effect.Effect<S3, InvalidOptions.InvalidOptions, HttpClient.HttpClient | Scope.Scope> =>
  Effect.gen(function*() {
    const settings = yield* readOptions(options)
    const endpoints = yield* readEndpoints(options.endpoints)
    const { signContent, strategy } = settings
    const pool = yield* KeyPool.make({
      faultCooldown: "10 seconds",
      ...options.pool,
      backend,
      canChange: false,
      strategy: strategy === "replicate" ? "failover" : strategy,
      // what is leased is a place to go; its secrets never leave it
      keys: Arr.map(endpoints, ({ name }) => ({ name, key: Redacted.make(name) }))
    })
    const wire: Wire = {
      backend,
      endpoints: new Map(endpoints.map((endpoint) => [endpoint.name, endpoint] as const)),
      pool,
      execute: yield* Sending.executor({ spans: settings.http.spans, keyHeaders: ["x-amz-security-token"] }),
      signsContent: (origin) => signContent ?? origin.startsWith("http:"),
      maxResponseBytes: settings.http.maxResponseBytes
    }
    const storeOf = (only?: string) => ObjectStore.make(definition(wire, settings, only))
    const store = strategy === "replicate"
      ? Replication.make(backend, Arr.map(endpoints, ({ name }) => ({ name, store: storeOf(name) })))
      : storeOf()
    const { bucket, modelSuffixes, prefix } = settings
    return { store, service: S3Models.toService(store, wire, { bucket, prefix, suffixes: modelSuffixes }) }
  })

const definition = (
  wire: Wire,
  { partBytes, partConcurrency }: Settings,
  only: string | undefined
): ObjectBackend.Definition => ({
  backend,
  exchanges: S3Exchanges.make(wire, only),
  presign: S3Presign.make(wire, only),
  parts: {
    bytes: partBytes,
    concurrency: partConcurrency,
    minBytes: minPartBytes,
    most: 10_000,
    maxCopyBytes: maxPartBytes,
    etagOf: Md5.hex,
    etagOfAll: (parts) => Md5.ofParts(parts.map(({ etag }) => etag)) ?? ""
  }
})

// -----------------------------------------------------------------------------
// options
// -----------------------------------------------------------------------------

const readOptions = InvalidOptions.validate(
  "S3",
  Schema.Struct({
    // each is validated where it belongs
    endpoints: Schema.Unknown,
    pool: Schema.optional(Schema.Unknown),
    strategy: Schema.optionalWith(InvalidOptions.oneOf(...KeyPool.strategies, "replicate"), {
      default: (): Strategy => "failover"
    }),
    bucket: Schema.optional(InvalidOptions.name),
    prefix: Schema.optionalWith(Schema.String, { default: () => "" }),
    modelSuffixes: Schema.optionalWith(Schema.Array(InvalidOptions.name), { default: () => S3Models.suffixes }),
    partBytes: Schema.optionalWith(InvalidOptions.whole({ atLeast: 1, atMost: maxPartBytes }), {
      default: () => 8 * MiB
    }),
    partConcurrency: Schema.optionalWith(InvalidOptions.whole({ atLeast: 1 }), { default: () => 4 }),
    signContent: Schema.optional(Schema.Boolean),
    http: Schema.optionalWith(
      Schema.Struct({
        maxResponseBytes: Schema.optionalWith(InvalidOptions.whole({ atLeast: 1 }), { default: () => 32 * MiB }),
        spans: Schema.optionalWith(Schema.Boolean, { default: () => false })
      }),
      { default: () => ({ maxResponseBytes: 32 * MiB, spans: false }) }
    )
  })
)

type Settings = Either.Either.Right<ReturnType<typeof readOptions>>

const invalid = (name: string, problem: string) =>
  new InvalidOptions.InvalidOptions({
    module: "S3",
    field: "endpoints",
    message: `S3.endpoints: ${name}: ${problem}`
  })

const readEndpoints = (
  endpoints: Options["endpoints"]
): Either.Either<Arr.NonEmptyReadonlyArray<S3Endpoint.Endpoint>, InvalidOptions.InvalidOptions> => {
  if (!Arr.isNonEmptyReadonlyArray(endpoints)) return Either.left(invalid("none", "there must be one"))
  const named = Arr.map(endpoints, (one, index) => ({ ...one, name: one.name ?? `endpoint-${index + 1}` }))
  const twice = named.find(({ name }, index) => named.findIndex((other) => other.name === name) !== index)
  return twice !== undefined
    ? Either.left(invalid(twice.name, "occurs twice"))
    : Either.all(Arr.map(named, readEndpoint))
}

const readEndpoint = (
  endpoint: Endpoint & { readonly name: string }
): Either.Either<S3Endpoint.Endpoint, InvalidOptions.InvalidOptions> => {
  const { accessKeyId, addressing, name, region = "us-east-1", secretAccessKey, sessionToken, url } = endpoint
  const address = url !== undefined && URL.canParse(url) ? new URL(url) : undefined
  const problem = !/^[\x21-\x7e]+$/.test(name)
    ? "a name has no space in it"
    : url !== undefined && (address === undefined || !/^https?:$/.test(address.protocol))
    ? "its address must begin with http:// or https://"
    : address !== undefined && (address.search + address.hash + address.username + address.password) !== ""
    ? "its address must be without a query, a fragment, a user and a password"
    : !S3Endpoint.isRegion(region)
    ? "the name of a region has small letters, digits and hyphens"
    : !Redacted.isRedacted(secretAccessKey) || sessionToken !== undefined && !Redacted.isRedacted(sessionToken)
    ? "its secrets must be Redacted"
    : addressing !== undefined && addressing !== "path" && addressing !== "virtual-host"
    ? "its addressing is \"path\" or \"virtual-host\""
    : credentialProblem(endpoint)
  return problem !== undefined ? Either.left(invalid(name, problem)) : Either.right(S3Endpoint.make({
    name,
    url: address,
    region,
    addressing: addressing ?? (address === undefined ? "virtual-host" : "path"),
    accessKeyId,
    secretAccessKey,
    sessionToken
  }))
}

const credentialProblem = ({ accessKeyId, secretAccessKey, sessionToken }: Endpoint): string | undefined => {
  const token = sessionToken === undefined ? undefined : Redacted.value(sessionToken)
  const problem = S3Endpoint.problem(accessKeyId, Redacted.value(secretAccessKey), token)
  return problem === undefined ? undefined : `its ${problem.of} ${problem.what}`
}

// -----------------------------------------------------------------------------
// layers
// -----------------------------------------------------------------------------

/**
 * S3, from options: as a store of objects, and as a backend like all others.
 *
 * @since 0.1.0
 * @category layers
 */
export const layer = (
  options: Options
): Layer.Layer<ObjectStore.ObjectStore | LlmService.LlmService, InvalidOptions.InvalidOptions, HttpClient.HttpClient> =>
  Layer.scopedContext(Effect.map(make(options), ({ service, store }) =>
    Context.make(ObjectStore.ObjectStore, store).pipe(Context.add(LlmService.LlmService, service))))

/**
 * What the environment says. One endpoint: `S3_ENDPOINT` (Amazon's own if it is not set), `S3_ACCESS_KEY`,
 * `S3_SECRET_KEY`, `S3_REGION`, `S3_SESSION_TOKEN`, `S3_ADDRESSING` (`path` or `virtual-host`). Several: the same with
 * `_1`, `_2` …, where what is not said is taken from the plain ones. For what these do not say, Amazon's own:
 * `AWS_ENDPOINT_URL_S3`, `AWS_ENDPOINT_URL`, `AWS_ACCESS_KEY_ID`, `AWS_SECRET_ACCESS_KEY`, `AWS_SESSION_TOKEN`,
 * `AWS_REGION`, `AWS_DEFAULT_REGION`. Then `S3_STRATEGY` for several endpoints, and `S3_BUCKET` and `S3_PREFIX` for
 * the models.
 *
 * @since 0.1.0
 * @category config
 */
export const config: Config.Config<Options> = Config.map(
  Config.all({
    endpoints: S3Variables.config,
    strategy: S3Variables.oneOf("S3_STRATEGY", "round-robin", "least-loaded", "failover", "replicate"),
    bucket: S3Variables.variable("S3_BUCKET"),
    prefix: S3Variables.variable("S3_PREFIX")
  }),
  (options): Options => options
)

/**
 * S3, as the environment says.
 *
 * @since 0.1.0
 * @category layers
 */
export const layerConfig: Layer.Layer<
  ObjectStore.ObjectStore | LlmService.LlmService,
  ConfigError.ConfigError | InvalidOptions.InvalidOptions,
  HttpClient.HttpClient
> = Layer.unwrapEffect(Effect.map(config, layer))
