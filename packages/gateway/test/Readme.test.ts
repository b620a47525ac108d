/** What the README tells to type is what works. */
import * as HttpClient from "@effect/platform/HttpClient"
import { assert, describe, it } from "@effect/vitest"
import * as LlmService from "@spillway/core/LlmService"
import * as Router from "@spillway/core/Router"
import * as Anthropic from "@spillway/providers/Anthropic"
import * as OpenAi from "@spillway/providers/OpenAi"
import * as Simulator from "@spillway/testing/Simulator"
import { Effect, Layer } from "effect"
import * as Fs from "node:fs"
import { serve, text } from "./web.js"

const readme = Fs.readFileSync(new URL("../../../README.md", import.meta.url), "utf8")

/** The calls that the README makes with curl. */
const calls = [...readme.matchAll(/^curl (?:-N )?http:\/\/127\.0\.0\.1:8787(\S+)((?: \\\n|.)*)$/gm)].map(([, path = "", rest = ""]) => ({
  path,
  headers: Object.fromEntries([...rest.matchAll(/-H '([^:]+): ([^']+)'/g)].map(([, name = "", value = ""]) => [name, value])),
  body: /-d '([^']+)'/.exec(rest)?.[1]
}))

describe("the README's calls", () => {
  it("are found", () => {
    assert.includeMembers(calls.map(({ path }) => path), ["/v1/chat/completions", "/v1/messages", "/api/chat", "/status.json"])
  })

  for (const { body, headers, path } of calls) {
    it.effect(`are answered: ${path}`, () =>
      Effect.scoped(Effect.gen(function*() {
        const simulator = yield* Simulator.make()
        const at = (path: string) => ({ apiKeys: simulator.keys, baseUrl: `http://simulator/${path}` })
        const router = Router.layer({ openai: OpenAi.layer(at("openai/v1")), anthropic: Anthropic.layer(at("anthropic")) })
        const context = yield* Layer.build(
          Layer.provide(router, Layer.succeed(HttpClient.HttpClient, simulator.client))
        )
        const web = yield* serve(yield* Effect.provide(LlmService.LlmService, context))
        const response = yield* body === undefined ? web.fetch(path, { headers }) : web.post(path, body, { headers })
        const said = yield* text(response)
        assert.strictEqual(response.status, 200, said)
        if (body !== undefined) assert.include(said, "Hello")
      })))
  }
})
