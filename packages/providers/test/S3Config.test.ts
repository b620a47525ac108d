import * as HttpClient from "@effect/platform/HttpClient"
import { assert, describe, it } from "@effect/vitest"
import * as InvalidOptions from "@spillway/core/InvalidOptions"
import * as LlmService from "@spillway/core/LlmService"
import * as ObjectStore from "@spillway/core/ObjectStore"
import * as S3 from "@spillway/providers/S3"
import { type ConfigError, ConfigProvider, Effect, Layer, Redacted } from "effect"
import { endpoint, secret } from "./s3.js"

describe("S3", () => {
  describe("the environment", () => {
    const read = (variables: Readonly<Record<string, string>>) =>
      Effect.withConfigProvider(S3.config, ConfigProvider.fromMap(new Map(Object.entries(variables))))
    const plain = { S3_ACCESS_KEY: "key", S3_SECRET_KEY: "secret" }
    const shownAs = (options: S3.Options) =>
      options.endpoints.map(({ accessKeyId, name, region, secretAccessKey, sessionToken, url }) =>
        [name, url, region, accessKeyId, Redacted.value(secretAccessKey), sessionToken && Redacted.value(sessionToken)]
          .map((text) => text ?? "-").join(" "))

    const table: { readonly [name: string]: readonly [Readonly<Record<string, string>>, ReadonlyArray<string>] } = {
      "one endpoint": [{ ...plain, S3_ENDPOINT: "http://a" }, ["S3_ENDPOINT http://a - key secret -"]],
      "Amazon's own": [{ ...plain, S3_REGION: "eu-west-1" }, ["S3_ACCESS_KEY - eu-west-1 key secret -"]],
      "Amazon's variables": [
        {
          AWS_ACCESS_KEY_ID: "id",
          AWS_SECRET_ACCESS_KEY: "s",
          AWS_SESSION_TOKEN: "t",
          AWS_REGION: "eu-west-2",
          AWS_ENDPOINT_URL: "http://a"
        },
        ["AWS_ACCESS_KEY_ID http://a eu-west-2 id s t"]
      ],
      "both, ours first and in pairs": [
        {
          ...plain,
          AWS_ACCESS_KEY_ID: "id",
          AWS_SECRET_ACCESS_KEY: "s",
          AWS_SESSION_TOKEN: "t",
          AWS_DEFAULT_REGION: "r-1",
          AWS_ENDPOINT_URL_S3: "http://s3",
          AWS_ENDPOINT_URL: "http://all"
        },
        ["S3_ACCESS_KEY http://s3 r-1 key secret -"]
      ],
      "several endpoints": [
        {
          S3_ENDPOINT_1: "http://a",
          S3_ACCESS_KEY_1: "k1",
          S3_SECRET_KEY_1: "s1",
          S3_ENDPOINT_2: "http://b",
          S3_ACCESS_KEY_2: "k2",
          S3_SECRET_KEY_2: "s2",
          S3_REGION_2: "r-2",
          S3_ENDPOINT_4: "http://after-the-gap"
        },
        ["S3_ENDPOINT_1 http://a - k1 s1 -", "S3_ENDPOINT_2 http://b r-2 k2 s2 -"]
      ],
      "several keys at one address": [
        {
          S3_ENDPOINT: "http://a",
          S3_ACCESS_KEY_1: "k1",
          S3_SECRET_KEY_1: "s1",
          S3_ACCESS_KEY_2: "k2",
          S3_SECRET_KEY_2: "s2"
        },
        ["S3_ACCESS_KEY_1 http://a - k1 s1 -", "S3_ACCESS_KEY_2 http://a - k2 s2 -"]
      ],
      "one key at several addresses": [
        { ...plain, S3_REGION: "r-1", S3_ENDPOINT_1: "http://a", S3_ENDPOINT_2: "http://b" },
        ["S3_ENDPOINT_1 http://a r-1 key secret -", "S3_ENDPOINT_2 http://b r-1 key secret -"]
      ],
      "the plain one and others, each once": [
        { ...plain, S3_ENDPOINT: "http://a", S3_ENDPOINT_1: "http://a", S3_ENDPOINT_2: "http://b" },
        ["S3_ENDPOINT http://a - key secret -", "S3_ENDPOINT_2 http://b - key secret -"]
      ]
    }
    for (const [name, [variables, expected]] of Object.entries(table)) {
      it.effect(`has ${name}`, () =>
        Effect.map(read(variables), (options) => assert.deepStrictEqual(shownAs(options), expected)))
    }

    it.effect("says how they are used, and where models are", () =>
      Effect.gen(function*() {
        const more = { S3_STRATEGY: "replicate", S3_BUCKET: "b", S3_PREFIX: "p/", S3_ADDRESSING: "path" }
        const options = yield* read({ ...plain, ...more })
        assert.deepInclude(options, { strategy: "replicate", bucket: "b", prefix: "p/" })
        assert.strictEqual(options.endpoints[0].addressing, "path")
      }))

    const wrong: { readonly [name: string]: readonly [Readonly<Record<string, string>>, variable: string] } = {
      "nothing": [{}, "S3_ACCESS_KEY"],
      "a key without its secret": [{ S3_ACCESS_KEY: "key", AWS_SECRET_ACCESS_KEY: "s" }, "S3_SECRET_KEY"],
      "a numbered key without its secret": [{ ...plain, S3_ACCESS_KEY_1: "key" }, "S3_SECRET_KEY_1"],
      "an empty key": [{ ...plain, S3_ACCESS_KEY: "" }, "S3_ACCESS_KEY"],
      "an empty address": [{ ...plain, S3_ENDPOINT: " " }, "S3_ENDPOINT"],
      "an empty region of Amazon's": [{ ...plain, AWS_REGION: "" }, "AWS_REGION"],
      "a secret with a line break": [{ ...plain, S3_SECRET_KEY: "top\nsecret" }, "S3_SECRET_KEY"],
      "a strategy that is none": [{ ...plain, S3_STRATEGY: "best" }, "S3_STRATEGY"],
      "an addressing that is none": [{ ...plain, S3_ADDRESSING_1: "x", S3_ENDPOINT_1: "http://a" }, "S3_ADDRESSING_1"]
    }
    for (const [name, [variables, variable]] of Object.entries(wrong)) {
      it.effect(`with ${name} is an error that names ${variable}, and no secret`, () =>
        Effect.map(Effect.flip(read(variables)), (error: ConfigError.ConfigError) => {
          assert.include(String(error), variable)
          assert.notInclude(String(error), "top")
        }))
    }

    it.effect("makes the layers of both services", () =>
      Effect.gen(function*() {
        const context = yield* Layer.build(S3.layerConfig).pipe(
          Effect.withConfigProvider(ConfigProvider.fromMap(new Map(Object.entries({ ...plain, S3_BUCKET: "b" })))),
          Effect.provideService(HttpClient.HttpClient, HttpClient.make(() => Effect.dieMessage("nothing is sent")))
        )
        const both = Effect.all([ObjectStore.ObjectStore, LlmService.LlmService])
        const [store, service] = yield* Effect.provide(both, context)
        assert.deepStrictEqual([store.backend, service.backend], ["s3", "s3"])
      }).pipe(Effect.scoped))
  })

  describe("options", () => {
    const wrong: { readonly [name: string]: readonly [options: object, message: RegExp] } = {
      "no endpoint": [{ endpoints: [] }, /^S3\.endpoints: none: there must be one/],
      "an address that is none": [{ endpoints: [{ ...endpoint, url: "s3.test" }] }, /endpoint-1: its address must/],
      "an address with a password": [{ endpoints: [{ ...endpoint, url: "http://a:b@s3.test" }] }, /without a query/],
      "a region that would be a host": [{ endpoints: [{ ...endpoint, region: "x.evil.test/" }] }, /name of a region/],
      "a bare secret": [{ endpoints: [{ ...endpoint, secretAccessKey: secret }] }, /must be Redacted/],
      "a token that no header carries": [
        { endpoints: [{ ...endpoint, sessionToken: Redacted.make("a\nb") }] },
        /its token is no session token/
      ],
      "two of a name": [
        { endpoints: [{ ...endpoint, name: "a" }, { ...endpoint, name: "a" }] },
        /^S3\.endpoints: a: occurs twice/
      ],
      "a strategy that is none": [{ endpoints: [endpoint], strategy: "best" }, /^S3\.strategy: must be "round-robin"/],
      "parts of nothing": [{ endpoints: [endpoint], partBytes: 0 }, /^S3\.partBytes: must be a whole number from 1/],
      "an option that there is not": [{ endpoints: [endpoint], part: 1 }, /^S3\.part/],
      "an option of the pool that cannot be": [
        { endpoints: [endpoint], pool: { maxConcurrent: 0 } },
        /^KeyPool\.maxConcurrent/
      ]
    }
    for (const [name, [options, message]] of Object.entries(wrong)) {
      it.scoped(`refuse ${name}`, () =>
        Effect.gen(function*() {
          const error = yield* Effect.flip(S3.make(options as S3.Options)) // a program without types gets that far
          assert.instanceOf(error, InvalidOptions.InvalidOptions)
          assert.match(error.message, message)
          assert.notInclude(error.message, secret)
        }).pipe(
          Effect.provideService(HttpClient.HttpClient, HttpClient.make(() => Effect.dieMessage("nothing is sent")))
        ))
    }
  })
})
