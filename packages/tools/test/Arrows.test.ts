import { assert, describe, it } from "@effect/vitest"
import { arrows } from "../arrows.mjs"
import { tree } from "./tree.js"

const module = (...imports: ReadonlyArray<string>) =>
  [...imports.map((from, i) => `import type * as M${i} from "${from}"`), "export type A = 1", ""].join("\n")

/** A house in which every arrow is allowed; each case adds one that is not. */
const house = {
  "packages/core/src/Prompt.ts": module("effect/Effect"),
  "packages/core/src/LlmError.ts": module("./Prompt.js"),
  "packages/core/src/Policy.ts": module("./LlmError.js"),
  "packages/core/src/Retry.ts": module("./Policy.js"),
  "packages/providers/src/HttpBackend.ts": module("@spillway/core/LlmError", "@effect/platform/HttpClient"),
  "packages/providers/src/OpenAiWire.ts": module("@spillway/core/Prompt"),
  "packages/providers/src/Groq.ts": module("./HttpBackend.js", "./OpenAiWire.js"),
  "packages/providers/src/Catalogue.ts": module("./Groq.js"),
  "packages/testing/src/Simulator.ts": module("@spillway/providers/OpenAiWire"),
  "packages/testing/src/Conformance.ts": module("vitest"),
  "packages/gateway/src/OpenAiApi.ts": module("@spillway/providers/OpenAiWire", "@spillway/core/Retry"),
  "packages/cli/src/main.ts": module("node:fs", "@spillway/gateway/OpenAiApi", "@spillway/providers/Catalogue", "@spillway/testing/Simulator")
}

const planted: ReadonlyArray<[title: string, rule: string, file: string, text: string]> = [
  ["a cycle of type imports", "no-cycle", "packages/core/src/Prompt.ts", module("./LlmError.js")],
  ["core on the platform", "core-knows-only-effect", "packages/core/src/Tool.ts", module("@effect/platform/HttpClient")],
  ["core on node", "only-cli-touches-node", "packages/core/src/Tool.ts", module("node:fs")],
  ["a word on a policy", "words-know-no-policy", "packages/core/src/Tool.ts", module("./Retry.js")],
  ["a backend on a policy", "providers-know-no-policy", "packages/providers/src/Tgi.ts", module("@spillway/core/Retry")],
  ["a provider on another library", "providers-know-only-words", "packages/providers/src/Tgi.ts", module("vitest")],
  ["prices on another library", "prices-know-only-words", "packages/prices/src/GenAiPrices.ts", module("@effect/platform/HttpClient")],
  ["prices on a policy", "prices-know-no-policy", "packages/prices/src/GenAiPrices.ts", module("@spillway/core/Retry")],
  ["a backend on a backend", "backends-know-no-backend", "packages/providers/src/Tgi.ts", module("./Groq.js")],
  ["a wire on a backend", "backends-know-no-backend", "packages/providers/src/OllamaWire.ts", module("./Groq.js")],
  ["the gateway on a backend", "gateway-knows-only-wires", "packages/gateway/src/Gateway.ts", module("@spillway/providers/Groq")],
  ["the gateway on platform-node", "gateway-knows-no-more", "packages/gateway/src/Gateway.ts", module("@effect/platform-node/NodeHttpServer")],
  ["testing on a backend", "testing-knows-only-wires", "packages/testing/src/ScriptedLlm.ts", module("@spillway/providers/Groq")],
  ["a source on vitest", "sources-know-no-test", "packages/cli/src/Chat.ts", module("vitest")],
  ["the command line on the conformance suite", "sources-know-no-test", "packages/cli/src/Chat.ts", module("@spillway/testing/Conformance")],
  ["the gateway on the simulator", "only-cli-starts-the-simulator", "packages/gateway/src/Gateway.ts", module("@spillway/testing/Simulator")],
  ["an import of nothing", "every-import-resolves", "packages/core/src/Tool.ts", module("./Nowhere.js")]
]

describe("arrows", () => {
  it("lets every arrow of the house pass, and has followed them", async () => {
    const found = await arrows(tree(house))
    assert.deepStrictEqual(found.problems, [])
    assert.isAtLeast(found.arrows, 18)
  })

  for (const [title, rule, file, text] of planted) {
    it(`forbids ${title}`, async () => {
      const { problems } = await arrows(tree({ ...house, [file]: text }))
      assert.isTrue(
        problems.some((problem: string) => problem.includes(file) && problem.includes(`: ${rule} (`)),
        problems.join("\n") || "nothing was found"
      )
    })
  }
})
