/**
 * A gateway that runs somewhere, as its admin sees it.
 *
 * @since 0.1.0
 */
import * as Options from "@effect/cli/Options"
import * as HttpClient from "@effect/platform/HttpClient"
import * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import type * as Status from "@spillway/gateway/Status"
import * as Config from "effect/Config"
import type * as ConfigError from "effect/ConfigError"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Predicate from "effect/Predicate"
import * as Redacted from "effect/Redacted"
import * as ClientKeys from "./ClientKeys.js"
import * as NodeHttp from "./NodeHttp.js"
import { Refused } from "./Report.js"

/**
 * `--url`.
 *
 * @since 0.1.0
 * @category options
 */
export const url: Options.Options<string> = Options.text("url").pipe(
  Options.withDescription(
    `Where the gateway listens (default http://127.0.0.1:8787); one that has keys is shown the one in ${ClientKeys.variables.admin}`
  ),
  Options.withDefault("http://127.0.0.1:8787")
)

/**
 * How a gateway is doing, now.
 *
 * @since 0.1.0
 * @category constructors
 */
export const status = (url: string): Effect.Effect<Status.Status, Refused | ConfigError.ConfigError> =>
  Effect.gen(function*() {
    const key = yield* Config.option(Config.redacted(ClientKeys.variables.admin))
    const client = yield* HttpClient.HttpClient
    const refused = (message: string) => new Refused({ message: `the gateway at ${url} ${message}` })
    const request = HttpClientRequest.get(`${url.replace(/\/+$/, "")}/status.json`).pipe(
      Option.isSome(key) ? HttpClientRequest.bearerToken(Redacted.value(key.value)) : (request) => request
    )
    const response = yield* Effect.mapError(client.execute(request), (error) =>
      refused(`cannot be reached: ${error.cause instanceof Error ? reason(error.cause) : error.message}`))
    if (response.status === 401 || response.status === 403) {
      return yield* refused(`wants the key of an admin: put it into ${ClientKeys.variables.admin}`)
    }
    const body = yield* Effect.mapError(response.json, () => refused("does not answer as one does"))
    return response.status === 200 && isStatus(body) ? body : yield* refused("does not answer as one does")
  }).pipe(Effect.timeoutFail({
    duration: "10 seconds",
    onTimeout: () => new Refused({ message: `the gateway at ${url} does not answer` })
  }), Effect.provide(NodeHttp.client))

// what else there is depends on its version, and is optional nearly everywhere
const isStatus = (body: unknown): body is Status.Status =>
  Predicate.hasProperty(body, "backends") && Array.isArray(body.backends) && Predicate.hasProperty(body, "at")

const reason = (error: Error): string => error.cause instanceof Error ? error.cause.message : error.message
