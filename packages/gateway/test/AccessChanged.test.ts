import { assert, describe, it } from "@effect/vitest"
import * as Access from "@spillway/gateway/Access"
import * as ScriptedLlm from "@spillway/testing/ScriptedLlm"
import { Effect, Redacted } from "effect"
import { hi, serve } from "./web.js"

const access = (...names: ReadonlyArray<string>): Access.Options => ({
  keys: names.map((name) => ({ name, key: Redacted.make(`sk-spillway-${name}-0123456789`), requestsPerMinute: 1 }))
})

const as = (name: string) => ({ headers: { authorization: `Bearer sk-spillway-${name}-0123456789` } })

describe("Access, changed while the gateway runs", () => {
  it.effect("lets in who has a key now, and nobody who no longer has one, each with limits of which nothing is used", () =>
    Effect.gen(function*() {
      const web = yield* serve(yield* ScriptedLlm.make(ScriptedLlm.repeat("x")), { access: access("alice", "bob") })
      const asks = (name: string) => Effect.map(web.post("/v1/chat/completions", hi, as(name)), ({ status }) => status)
      assert.deepStrictEqual(yield* Effect.all(["alice", "alice", "carol"].map(asks)), [200, 429, 401])
      yield* web.gateway.setAccess(access("alice", "carol"))
      assert.deepStrictEqual(yield* Effect.all(["alice", "bob", "carol"].map(asks)), [200, 401, 200])
    }))

  it.effect("stays as it is when the keys cannot be meant, and where the gateway was made without", () =>
    Effect.gen(function*() {
      const service = yield* ScriptedLlm.make(ScriptedLlm.repeat("x"))
      const web = yield* serve(service, { access: access("alice") })
      const error = yield* Effect.flip(web.gateway.setAccess(access("bob", "bob")))
      assert.strictEqual(error.field, "access.keys.1.name")
      assert.strictEqual((yield* web.post("/v1/chat/completions", hi, as("alice"))).status, 200)
      const open = yield* serve(service)
      yield* open.gateway.setAccess(access("alice"))
      assert.strictEqual((yield* open.post("/v1/chat/completions", hi)).status, 200)
    }))
})
