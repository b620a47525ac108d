import { assert, describe, it } from "@effect/vitest"
import * as ScriptedLlm from "@spillway/testing/ScriptedLlm"
import { Effect, Redacted } from "effect"
import { serve, text } from "./web.js"

const root = "sk-spillway-root-0123456789"

const served = Effect.flatMap(ScriptedLlm.make(ScriptedLlm.repeat("x")), (llm) =>
  serve(llm, { access: { keys: [{ name: "olga", key: Redacted.make(root), role: "admin" }] } }))

/** What a file of the page refers to, as paths of the gateway. */
const references = (path: string, body: string): ReadonlyArray<string> => {
  const named = path.endsWith(".js")
    ? [...body.matchAll(/\bfrom "(\.\/[^"]+)"/g)]
    : [...body.matchAll(/(?:href|src)="([^"#]+)"/g)]
  return named.map(([, name]) => new URL(name!, `http://gateway.test${path}`).pathname)
}

describe("Dashboard", () => {
  it.effect("is served whole, to everybody, by the gateway alone", () =>
    Effect.gen(function*() {
      const web = yield* served
      const seen = new Set<string>()
      const waiting = ["/dashboard"]
      while (waiting.length > 0) {
        const path = waiting.pop()!
        if (seen.has(path)) continue
        seen.add(path)
        const response = yield* web.fetch(path)
        assert.strictEqual(response.status, 200, path)
        const body = yield* text(response)
        waiting.push(...references(path, body))
        if (path !== "/dashboard/uplot.js" && path !== "/dashboard/icon.svg" && path !== "/dashboard/element.js") {
          assert.notMatch(body, /https?:\/\//, `${path} leads elsewhere`)
        }
      }
      for (const path of ["/dashboard/main.js", "/dashboard/uplot.js", "/dashboard/style.css", "/dashboard/icon.svg"]) {
        assert.isTrue(seen.has(path), path)
      }
    }))

  it.effect("lets no script in but its own, and no page around it (S14)", () =>
    Effect.gen(function*() {
      const web = yield* served
      for (const path of ["/dashboard", "/dashboard/main.js", "/dashboard/style.css"]) {
        const { headers } = yield* web.fetch(path)
        const policy = headers.get("content-security-policy") ?? ""
        for (const part of ["default-src 'none'", "script-src 'self'", "connect-src 'self'", "frame-ancestors 'none'"]) {
          assert.include(policy, part, path)
        }
        assert.notInclude(policy, "unsafe", path)
        assert.strictEqual(headers.get("x-content-type-options"), "nosniff", path)
        assert.isNull(headers.get("access-control-allow-origin"), path)
      }
      const page = yield* Effect.flatMap(web.fetch("/dashboard"), text)
      assert.notMatch(page, /<script(?![^>]*\bsrc=)|\bstyle="|\son\w+="/, "nothing of it stands in the page itself")
    }))

  it.effect("goes with the licence of what it is drawn by", () =>
    Effect.gen(function*() {
      const web = yield* served
      const script = yield* Effect.flatMap(web.fetch("/dashboard/uplot.js"), text)
      assert.match(script, /^\/\*!\s+The MIT License \(MIT\)\s+Copyright \(c\) \d+ Leon Sorokin/)
    }))
})
