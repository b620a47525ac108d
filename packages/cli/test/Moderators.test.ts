import * as HttpClient from "@effect/platform/HttpClient"
import * as HttpClientResponse from "@effect/platform/HttpClientResponse"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Exit, Layer, Scope } from "effect"
import * as BackendLayers from "../src/BackendLayers.js"
import * as Moderators from "../src/Moderators.js"

const answer = { id: "modr-1", model: "omni", results: [{ flagged: true, categories: {}, category_scores: {} }] }

/** Every backend on the other side of a client that remembers where it was sent. */
const alone = <A, E>(use: (urls: ReadonlyArray<string>) => Effect.Effect<A, E, HttpClient.HttpClient>) =>
  Effect.suspend(() => {
    const urls: Array<string> = []
    const client = HttpClient.make((request) => {
      urls.push(request.url)
      return Effect.succeed(HttpClientResponse.fromWeb(request, Response.json(answer)))
    })
    return use(urls).pipe(
      Effect.provideService(HttpClient.HttpClient, client),
      Effect.provideService(Moderators.CurrentModerators, Moderators.unsafeMake())
    )
  })

const build = (name: "openai" | "groq", address: string) =>
  Effect.gen(function*() {
    const variable = name.toUpperCase()
    const variables = new Map([[`${variable}_API_KEY`, "key"], [`${variable}_BASE_URL`, address]])
    const scope = yield* Scope.make()
    yield* Layer.buildWithScope(BackendLayers.make(name, {}, variables), scope)
    return Scope.close(scope, Exit.void)
  })

const moderate = (model?: string) =>
  Effect.flatMap(Moderators.CurrentModerators, (moderators) =>
    Effect.match(moderators.moderate({ input: "hi", ...(model !== undefined && { model }) }), {
      onFailure: (error) => `${error.backend}: ${error._tag}`,
      onSuccess: ({ findings }) => findings.map(({ flagged }) => flagged)
    }))

describe("Moderators", () => {
  it.effect("are the backends that can, for as long as they live", () =>
    alone((urls) =>
      Effect.gen(function*() {
        assert.strictEqual(yield* moderate(), "gateway: Unsupported")
        const closeGroq = yield* build("groq", "http://groq.test")
        const closeOpenAi = yield* build("openai", "http://openai.test/v1")
        assert.deepStrictEqual(yield* moderate(), [true])
        assert.deepStrictEqual(yield* moderate("openai/omni"), [true])
        assert.strictEqual(yield* moderate("groq/llama"), "groq: Unsupported")
        yield* closeOpenAi
        assert.strictEqual(yield* moderate("openai/omni"), "openai: Unsupported")
        yield* closeGroq
        assert.deepStrictEqual(urls, ["http://openai.test/v1/moderations", "http://openai.test/v1/moderations"])
      })))

  it.effect("give way to another of their name, and come back when that one could not stay", () =>
    alone((urls) =>
      Effect.gen(function*() {
        const closeOld = yield* build("openai", "http://old.test")
        const closeNew = yield* build("openai", "http://new.test")
        yield* moderate()
        yield* closeNew
        yield* moderate()
        yield* closeOld
        assert.strictEqual(yield* moderate(), "gateway: Unsupported")
        assert.deepStrictEqual(urls, ["http://new.test/moderations", "http://old.test/moderations"])
      })))
})
