import { assert, describe, it } from "vitest"
import { serverLines } from "../reporter.mjs"

describe("the reporter", () => {
  it("tells of each server that was looked for whether it was used, and what to do where it was not", () => {
    assert.deepStrictEqual(
      serverLines({
        s3: { name: "S3", version: "2.30.1", how: "started at http://127.0.0.1:1234", at: {} },
        ollama: { name: "Ollama", missing: "set OLLAMA_HOST to the address of one" },
        vllm: { missing: "no test of this run speaks to it" }
      }),
      [
        "server S3      2.30.1  used, started at http://127.0.0.1:1234",
        "server Ollama          skipped: set OLLAMA_HOST to the address of one"
      ]
    )
    assert.deepStrictEqual(serverLines({}), [])
  })
})
