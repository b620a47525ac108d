/**
 * Addresses at which anyone may read or write an object for a while. To make one asks nobody: an endpoint is leased
 * only to take its turn.
 */
import type * as ObjectBackend from "@spillway/core/ObjectBackend"
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Redacted from "effect/Redacted"
import type { Wire } from "./s3Attempt.js"
import * as S3Endpoint from "./s3Endpoint.js"
import * as S3Requests from "./s3Requests.js"
import * as SigV4 from "./sigV4.js"

const longest = Duration.days(7)

/** Makes addresses of whatever endpoint, or of the only one that will do. */
export const make = (wire: Wire, only: string | undefined): ObjectBackend.Definition["presign"] => {
  const requests = S3Requests.make(wire.backend)
  return (method, at, validFor = Duration.hours(1)) => {
    const seconds = Math.floor(Duration.toSeconds(validFor))
    if (!(seconds >= 1 && seconds <= Duration.toSeconds(longest))) {
      const problem = `an address is valid for one second to seven days, not for ${Duration.format(validFor)}`
      return Effect.fail(requests.invalid("validFor", problem))
    }
    const checked = requests.head(at)
    if (Either.isLeft(checked)) return Effect.fail(checked.left)
    return Effect.zipWith(wire.pool.acquire("", { id: only }), Clock.currentTimeMillis, (lease, now) => {
      lease.cancel()
      // the pool was made of these endpoints
      const endpoint = wire.endpoints.get(lease.id)!
      const { host, origin, path } = S3Endpoint.locate(endpoint, at.bucket, at.key)
      const query = SigV4.presign(
        { method, host, path, query: [], headers: {} },
        S3Endpoint.signing(endpoint, at.bucket, now),
        seconds
      )
      return Redacted.make(origin + path + query)
    })
  }
}
