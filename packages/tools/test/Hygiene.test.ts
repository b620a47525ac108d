import { assert, describe, it } from "@effect/vitest"
import { hygiene } from "../hygiene.mjs"

// put together here, so that this file does not hold what it looks for
const join = (...parts: ReadonlyArray<string>) => parts.join("")

describe("hygiene", () => {
  const planted = [
    ["a registry in a lockfile", join(`"resol`, `ved": "https:`, `//host/x.tgz"`)],
    ["a registry's host", join("registry.", "npmjs", ".org")],
    ["a home folder", join("see /ho", "me/ann/", "code")],
    ["a key", join("gs", "k_", "a".repeat(20), "WGdyb3", "FY", "a".repeat(24))],
    ["a key of OpenAI", join("sk-", "proj-", "a_b".repeat(20), "T3Blbk", "FJ", "a".repeat(20))],
    ["a key of Anthropic", join("sk-", "ant-api03-", "a".repeat(93))],
    ["a private key", join("-----BEGIN RSA PRIV", "ATE KEY-----")]
  ] as const
  for (const [title, text] of planted) {
    it(`finds ${title}, and names its line`, () => {
      assert.match(hygiene("a.ts", `first line\n${text}\n`).join(), /^a\.ts:2: /)
    })
  }

  it("lets plain text pass", () => {
    assert.deepStrictEqual(hygiene("a.ts", "https://api.openai.com/v1 sk-test-1 ./home/x/ /v1/models/ $HOME/.cache/x /tmp/x\n"), [])
  })
})
