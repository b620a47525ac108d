import { assert, describe, it } from "@effect/vitest"
import { mkdirSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { dirname, join } from "node:path"
import { onTestFinished } from "vitest"
import { isBehind, missing } from "../start.mjs"

const folder = (files: Record<string, unknown>): string => {
  const root = mkdtempSync(join(tmpdir(), "spillway-start-"))
  onTestFinished(() => rmSync(root, { recursive: true, force: true }))
  for (const [file, content] of Object.entries(files)) {
    mkdirSync(dirname(join(root, file)), { recursive: true })
    writeFileSync(join(root, file), JSON.stringify(content))
    utimesSync(join(root, file), 1000, 1000)
  }
  return root
}

describe("missing", () => {
  const lock = {
    packages: { "": {}, "packages/core": {}, "node_modules/a": { version: "1.0.0" }, "node_modules/b": { version: "1.0.0", optional: true } }
  }
  const check = (installed?: unknown) =>
    missing(folder({ "package-lock.json": lock, ...(installed === undefined ? {} : { "node_modules/.package-lock.json": installed }) }), "20.19.0")

  it("finds nothing missing where what is locked is installed, without other platforms' packages", () => {
    assert.isUndefined(check({ packages: { "node_modules/a": { version: "1.0.0" } } }))
  })
  it("tells to run npm ci where nothing, too little or another version is installed", () => {
    assert.match(String(check()), /not installed: run `npm ci`/)
    assert.match(String(check({ packages: {} })), /not those of package-lock.json: run `npm ci`/)
    assert.match(String(check({ packages: { "node_modules/a": { version: "2.0.0" } } })), /run `npm ci`/)
  })
  it("tells an old Node from a good one", () => {
    assert.match(String(missing(folder({}), "20.18.3")), /Node 20.19 or newer is needed, this is 20.18.3/)
    assert.match(String(missing(folder({}), "22.1.0")), /not installed/)
  })
})

describe("isBehind", () => {
  const source = "packages/core/src/internal/a.ts"
  const built = {
    "packages/core/tsconfig.build.json": {},
    "packages/core/package.json": {},
    "packages/core/dist/build.tsbuildinfo": {},
    [source]: {},
    stamp: {}
  }
  const check = (change: (root: string) => void) => {
    const root = folder(built)
    change(root)
    return isBehind(root, join(root, "stamp"))
  }

  it("does not build again where no source changed", () => {
    assert.isFalse(check(() => {}))
  })
  it("builds where a source is younger than the last good build, or there was none", () => {
    assert.isTrue(check((root) => utimesSync(join(root, source), 1001, 1001)))
    assert.isTrue(check((root) => rmSync(join(root, "stamp"))))
    assert.isTrue(check((root) => rmSync(join(root, "packages/core/dist"), { recursive: true })))
  })
})
