/** No secret is ever seen, whatever goes wrong: the server here repeats it in everything that it says. */
import { assert, describe, it } from "@effect/vitest"
import * as LlmError from "@spillway/core/LlmError"
import * as Monitor from "@spillway/core/Monitor"
import type * as ObjectStore from "@spillway/core/ObjectStore"
import { Cause, Effect, Exit, LogLevel, Option, Redacted, Schema, Stream } from "effect"
import type { Answer } from "./fetching.js"
import { ask, at, endpoint, secret, token, xml } from "./s3.js"
import { leaked, logging, shown, tracing } from "./sinks.js"

const encode = Schema.encodeSync(LlmError.LlmError)

describe("the store S3: secrets are never seen (S1)", () => {
  const repeated = `${secret} ${secret.slice(0, 20)} ${token}`
  const answers: { readonly [name: string]: Answer } = {
    "all is well": { body: "x" },
    "it is refused, and the secret repeated": {
      status: 403,
      body: xml("SignatureDoesNotMatch").replace("so it is", repeated),
      headers: { "x-amz-request-id": repeated }
    },
    "it is denied, and the secret repeated": { status: 400, body: xml(repeated) },
    "a proxy answers a page": { status: 502, body: `<html>${repeated}</html>` },
    "the body breaks off": {
      body: new ReadableStream({
        start: (controller) => controller.enqueue(new TextEncoder().encode("x")),
        pull: (controller) => controller.error(new Error(repeated))
      })
    }
  }
  for (const [name, answer] of Object.entries(answers)) {
    it.effect(`when ${name}`, () =>
      Effect.gen(function*() {
        const log = logging(LogLevel.Trace)
        const trace = tracing()
        const calls = (store: ObjectStore.Service) =>
          Effect.gen(function*() {
            const exits = yield* Effect.all([
              Effect.exit(store.read(at)),
              Effect.exit(store.put({ ...at, body: "x" })),
              Effect.exit(Stream.runDrain(store.list({ bucket: "b" })))
            ])
            for (const exit of exits) yield* Effect.logError("it ended", exit)
            const encoded = exits.map((exit: Exit.Exit<unknown, LlmError.LlmError>) =>
              Option.map(Exit.isFailure(exit) ? Cause.failureOption(exit.cause) : Option.none(), encode))
            const presigned = yield* Effect.exit(store.presign("GET", at))
            return [store, ...exits, ...encoded, presigned, yield* Monitor.snapshot]
          })
        const options = {
          endpoints: [{ ...endpoint, sessionToken: Redacted.make(token) }],
          http: { spans: true }
        } as const
        const { exit } = yield* ask(() => answer, calls, options).pipe(
          Effect.provide(log.layer),
          Effect.withTracer(trace.tracer)
        )
        const texts = [...(yield* exit).map(shown), shown(options), ...log.lines, ...trace.told.map(shown)]
        assert.isAbove(trace.names.length, 0)
        assert.isUndefined(leaked(texts, [secret, token]))
      }))
  }
})
