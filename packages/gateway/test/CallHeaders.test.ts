import * as Headers from "@effect/platform/Headers"
import { assert, describe, it } from "@effect/vitest"
import * as Caching from "@spillway/core/Caching"
import * as Policy from "@spillway/core/Policy"
import * as CallHeaders from "@spillway/gateway/CallHeaders"
import { Context, Either, Option } from "effect"

const now = 1_000_000
const read = (headers: Record<string, string>) => CallHeaders.read(Headers.fromInput(headers), now)
const given = (name: string, value: string) =>
  Either.getOrThrow(read({ [name]: value })) ?? assert.fail(`${name} was not read`)
const refused = (name: string, value: string) => Either.getOrThrow(Either.flip(read({ [name]: value })))

describe("CallHeaders", () => {
  it("says nothing of a call whose headers say nothing", () => {
    assert.deepStrictEqual(read({ authorization: "Bearer x", "x-request-id": "1" }), Either.right(undefined))
  })

  it("reads a priority by name or number", () => {
    for (
      const [value, priority] of [
        ["high", "high"],
        ["normal", "normal"],
        [" low ", "low"],
        ["0", 0],
        ["0.5", 0.5],
        ["1", 1],
        ["2", 2],
        ["2.0", 2]
      ] as const
    ) {
      assert.isTrue(Context.get(given("x-spillway-priority", value), Policy.CurrentPriority) === priority, value)
    }
  })

  it("reads a deadline in milliseconds, seconds and minutes, from now", () => {
    for (
      const [value, millis] of [
        ["1500ms", 1500],
        ["1500", 1500],
        ["30s", 30_000],
        ["0.5s", 500],
        ["2m", 120_000],
        ["1440m", 86_400_000]
      ] as const
    ) {
      const context = given("x-spillway-deadline", value)
      assert.deepStrictEqual(Option.getOrNull(Context.get(context, Policy.CurrentDeadline)), now + millis)
    }
  })

  it("reads a tenant", () => {
    for (const name of ["acme", "team/a:b@c_d.e-f", "x".repeat(64)]) {
      assert.strictEqual(Context.get(given("x-spillway-tenant", name), Policy.CurrentTenant), name)
    }
  })

  it("reads whether it may be answered from what is kept, and takes every word for it that a browser may send", () => {
    const modes = ["no-store", "no-cache", "No-Cache, No-Store", "private, no-cache", "max-age=0", "none-such"].map((value) => {
      const context = Either.getOrThrow(read({ "cache-control": value }))
      return context && Context.get(context, Caching.CurrentMode)
    })
    assert.deepStrictEqual(modes, ["bypass", "refresh", "bypass", "refresh", undefined, undefined])
  })

  it("reads them together", () => {
    const context = Either.getOrThrow(
      read({ "x-spillway-tenant": "acme", "X-Spillway-Priority": "high", "x-spillway-deadline": "1s" })
    )!
    assert.strictEqual(Context.get(context, Policy.CurrentTenant), "acme")
    assert.isTrue(Context.get(context, Policy.CurrentPriority) === "high")
    assert.deepStrictEqual(Option.getOrNull(Context.get(context, Policy.CurrentDeadline)), now + 1000)
  })

  it("refuses what it cannot read, with the header's name and never its value", () => {
    for (
      const [name, values] of [
        ["x-spillway-priority", ["urgent", "", "3", "-1", "2.1", "0x1", "1e0", "NaN", "high,low"]],
        ["x-spillway-deadline", ["", "soon", "0", "0ms", "-1s", "1h", "1441m", "1e3", "1500 ms", "0x10", "Infinity"]],
        ["x-spillway-tenant", ["", "a b", "x".repeat(65), "a\tb", "é", "{\"a\":1}"]]
      ] as const
    ) {
      for (const value of values) {
        const { reason, field, message } = refused(name, value)
        assert.strictEqual(reason, "InvalidRequest", value)
        assert.strictEqual(field, name)
        assert.match(message, new RegExp(`^${name} must be `))
        if (value.length > 8) assert.notInclude(message, value)
      }
    }
  })

  it("refuses a header of ours that does not exist, rather than overlook it", () => {
    const { field, message } = refused("x-spillway-prioritiy", "high")
    assert.strictEqual(field, "x-spillway-prioritiy")
    assert.include(message, "x-spillway-priority")
    assert.strictEqual(refused("x-spillway-constructor", "high").reason, "InvalidRequest")
  })

  it("takes over a request id that can stand in a log and a header, and no other (S6)", () => {
    const id = (value: string) => CallHeaders.requestId(Headers.fromInput({ "x-request-id": value }))
    for (const value of ["1", "req_123", "a.b:c-D_4", "x".repeat(128)]) assert.strictEqual(id(value), value)
    for (const value of ["", "a b", "x".repeat(129), "<script>", "é", "a;b"]) assert.isUndefined(id(value))
    assert.isUndefined(CallHeaders.requestId(Headers.empty))
  })
})
