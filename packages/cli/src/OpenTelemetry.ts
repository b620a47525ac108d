/**
 * What a serving command tells a collector of OpenTelemetry: spans and metrics, over OTLP, where
 * `OTEL_EXPORTER_OTLP_ENDPOINT` is set. Where it is not, nothing of it is loaded, and no span is made.
 *
 * | variable | meaning |
 * |---|---|
 * | `OTEL_EXPORTER_OTLP_ENDPOINT` | the collector's address; `/v1/traces` and `/v1/metrics` are added |
 * | `OTEL_EXPORTER_OTLP_HEADERS` | headers for it: `name=value,…`, percent-encoded |
 * | `OTEL_EXPORTER_OTLP_PROTOCOL` | `http/protobuf` (default) or `http/json` |
 * | `OTEL_SERVICE_NAME`, `OTEL_RESOURCE_ATTRIBUTES` | who tells; `spillway` by default |
 * | `OTEL_TRACES_SAMPLER`, `OTEL_TRACES_SAMPLER_ARG` | which traces are told: `parentbased_always_on` (default) … |
 * | `OTEL_BSP_SCHEDULE_DELAY`, `OTEL_METRIC_EXPORT_INTERVAL` | how often, in milliseconds: 5,000 and 60,000 |
 * | `OTEL_SDK_DISABLED` | `true`: nothing is told |
 *
 * What is not told yet when the command ends is told then, within three seconds.
 *
 * @see https://opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables/
 * @since 0.1.0
 */
import * as Telemetry from "@spillway/core/Telemetry"
import * as Config from "effect/Config"
import type * as ConfigError from "effect/ConfigError"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as NodeHttp from "./NodeHttp.js"
import { Refused } from "./Report.js"
import * as Sampling from "./Sampling.js"
import * as Version from "./Version.js"

/**
 * Tells the collector of the environment, if there is one.
 *
 * @since 0.1.0
 * @category layers
 */
export const layer: Layer.Layer<never, Refused | ConfigError.ConfigError> = Layer.unwrapEffect(
  Effect.suspend(() =>
    Effect.flatMap(
      settings,
      Option.match({ onNone: () => Effect.succeed(Layer.empty), onSome: exporting })
    )
  )
)

interface Settings {
  readonly endpoint: string
  readonly headers: Readonly<Record<string, string>>
  readonly protocol: keyof typeof serializations
  readonly serviceName: string | undefined
  readonly sampled: Sampling.Sampled
  readonly spansEvery: number
  readonly metricsEvery: number
}

const serializations = { "http/protobuf": "layerProtobuf", "http/json": "layerJson" } as const

// -----------------------------------------------------------------------------
// exporting
// -----------------------------------------------------------------------------

const exporting = (settings: Settings) =>
  Effect.map(
    Effect.promise(() =>
      Promise.all([
        import("@effect/opentelemetry/OtlpTracer"),
        import("@effect/opentelemetry/OtlpMetrics"),
        import("@effect/opentelemetry/OtlpSerialization")
      ])
    ),
    ([OtlpTracer, OtlpMetrics, OtlpSerialization]) => {
      const common = {
        headers: settings.headers,
        resource: { serviceName: settings.serviceName, serviceVersion: Version.version },
        shutdownTimeout: Duration.seconds(3)
      }
      const traces = Layer.unwrapScoped(Effect.map(
        OtlpTracer.make({ ...common, url: `${settings.endpoint}/v1/traces`, exportInterval: settings.spansEvery }),
        (tracer) => Layer.setTracer(Sampling.tracer(tracer, settings.sampled))
      ))
      const metrics = OtlpMetrics.layer({
        ...common,
        url: `${settings.endpoint}/v1/metrics`,
        exportInterval: settings.metricsEvery
      })
      const publishing = Layer.scopedDiscard(Effect.forkScoped(
        Effect.forever(Effect.zipRight(Telemetry.publish, Effect.sleep(Math.min(settings.metricsEvery, 5000))))
      ))
      return Layer.mergeAll(traces, metrics, publishing).pipe(
        Layer.provide(OtlpSerialization[serializations[settings.protocol]]),
        Layer.provide(NodeHttp.client)
      )
    }
  )

// -----------------------------------------------------------------------------
// what the environment says
// -----------------------------------------------------------------------------

const text = (name: string) => Config.map(Config.option(Config.string(name)), Option.filter((value) => value !== ""))

const millis = (name: string, byDefault: number) =>
  Config.withDefault(
    Config.validate(Config.integer(name), { message: "must be a number of milliseconds", validation: (n) => n > 0 }),
    byDefault
  )

const environment = Config.all({
  endpoint: text("OTEL_EXPORTER_OTLP_ENDPOINT"),
  headers: Config.option(Config.redacted("OTEL_EXPORTER_OTLP_HEADERS")),
  protocol: Config.withDefault(Config.literal("http/protobuf", "http/json")("OTEL_EXPORTER_OTLP_PROTOCOL"), "http/protobuf"),
  name: text("OTEL_SERVICE_NAME"),
  attributes: text("OTEL_RESOURCE_ATTRIBUTES"),
  sampler: Config.withDefault(Config.literal(...Sampling.names)("OTEL_TRACES_SAMPLER"), "parentbased_always_on"),
  ratio: Config.withDefault(
    Config.validate(Config.number("OTEL_TRACES_SAMPLER_ARG"), {
      message: "must be a number from 0 to 1",
      validation: (n) => n >= 0 && n <= 1
    }),
    1
  ),
  spansEvery: millis("OTEL_BSP_SCHEDULE_DELAY", 5000),
  metricsEvery: millis("OTEL_METRIC_EXPORT_INTERVAL", 60_000),
  isDisabled: Config.withDefault(Config.boolean("OTEL_SDK_DISABLED"), false)
})

const settings: Effect.Effect<Option.Option<Settings>, Refused | ConfigError.ConfigError> = Effect.flatMap(
  text("OTEL_EXPORTER_OTLP_ENDPOINT"),
  (endpoint) =>
    Option.isNone(endpoint) ? Effect.succeedNone : Effect.flatMap(environment, (said) =>
      said.isDisabled ? Effect.succeedNone : Effect.map(
        Effect.zip(addressOf(endpoint.value), headersOf(said.headers)),
        ([endpoint, headers]) =>
          Option.some({
            endpoint,
            headers,
            protocol: said.protocol,
            serviceName: Option.getOrElse(said.name, () =>
              /(^|,)\s*service\.name\s*=/.test(Option.getOrElse(said.attributes, () => "")) ? undefined : "spillway"),
            sampled: Sampling.by[said.sampler](said.ratio),
            spansEvery: said.spansEvery,
            metricsEvery: said.metricsEvery
          })
      ))
)

const addressOf = (endpoint: string): Effect.Effect<string, Refused> =>
  /^https?:\/\//.test(endpoint) && URL.canParse(endpoint)
    ? Effect.succeed(endpoint.replace(/\/+$/, ""))
    : new Refused({ message: "OTEL_EXPORTER_OTLP_ENDPOINT must be an address that begins with http:// or https://" })

/** They may hold a key, so what is wrong with them is not quoted. */
const headersOf = (
  given: Option.Option<Redacted.Redacted>
): Effect.Effect<Readonly<Record<string, string>>, Refused> =>
  Effect.try({
    try: () =>
      Object.fromEntries(
        Option.match(given, { onNone: () => [], onSome: (headers) => Redacted.value(headers).split(",") })
          .filter((pair) => pair.trim() !== "")
          .map((pair) => {
            const [, name, value] = /^\s*([!#$%&'*+\-.^_`|~0-9A-Za-z]+)\s*=\s*([\x21-\x7e]*)\s*$/.exec(pair)!
            return [name!, decodeURIComponent(value!)] as const
          })
      ),
    catch: () => new Refused({ message: "OTEL_EXPORTER_OTLP_HEADERS must be like name=value,name=value, percent-encoded" })
  })
