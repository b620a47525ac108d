import { assert, describe, it } from "@effect/vitest"
import { lockfile, manifest } from "../supply.mjs"

describe("the supply check (S22)", () => {
  const manifests = [
    ["a range", { dependencies: { tokenx: "^3.22.4" } }],
    ["a tag", { devDependencies: { tokenx: "latest" } }],
    ["an address", { dependencies: { tokenx: "github:someone/effect" } }],
    ["a program that runs at installation", { scripts: { postinstall: "node steal.mjs" } }],
    ["a dependency that nobody decided on", { dependencies: { "left-pad": "1.3.0" } }]
  ] as const
  for (const [title, json] of manifests) {
    it(`finds ${title}`, () => {
      assert.strictEqual(manifest("package.json", json).length, 1)
    })
  }

  it("lets a package be private, and have what it needs for its own tests", () => {
    assert.deepStrictEqual(manifest("package.json", { private: true, dependencies: { "left-pad": "1.3.0" } }), [])
    assert.deepStrictEqual(manifest("package.json", { dependencies: { tokenx: "3.22.4" }, devDependencies: { "left-pad": "1.3.0" } }), [])
  })

  it("finds an archive that could be another", () => {
    const packages = {
      "packages/core": {},
      "node_modules/@spillway/core": { link: true },
      "node_modules/a": { integrity: "sha512-x" },
      "node_modules/b": { integrity: "sha1-x" },
      "node_modules/c": {}
    }
    assert.deepStrictEqual(lockfile({ lockfileVersion: 3, packages }), [
      "package-lock.json: node_modules/b has no digest",
      "package-lock.json: node_modules/c has no digest"
    ])
  })
})
