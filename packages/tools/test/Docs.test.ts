import { assert, describe, it } from "@effect/vitest"
import { readFileSync } from "node:fs"
import { join } from "node:path"
import { codegen } from "../codegen.mjs"
import { doctags } from "../doctags.mjs"
import { examples } from "../examples.mjs"
import { published } from "../packages.mjs"
import { snippets } from "../snippets.mjs"
import { tree } from "./tree.js"

const documented = (example: string) => `/**
 * A module. It has a doc.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"

/**
 * Two.
 *
 * @example
 * \`\`\`ts
${example.split("\n").map((line) => ` * ${line}`).join("\n")}
 * \`\`\`
 *
 * @since 0.1.0
 * @category constants
 */
export const two = Effect.succeed(2)
`
const file = "packages/core/src/Two.ts"
const at = `${file}:13`

describe("examples", { timeout: 120_000 }, () => {
  const check = (example: string, pages: Record<string, string> = {}, seconds = 60) =>
    examples({ base: tree({ [file]: documented(example), ...pages }), pages: Object.keys(pages), seconds })

  it("compiles and runs what stands in doc comments and pages", async () => {
    const page = "Text.\n\n```ts\nconst a: number = 1\nif (a !== 1) throw new Error()\n```\n\n```sh\nnot code\n```\n"
    const found = await check(`import * as Effect from "effect/Effect"\n\nawait Effect.runPromise(Effect.void)`, { "README.md": page })
    assert.deepStrictEqual(found, { problems: [], compiled: 2, ran: 2 })
  })

  it("names file and line of an example that does not compile", async () => {
    const { problems, ran } = await check(`const one = 1\nconst two: string = 2\nexport { one, two }`)
    assert.deepStrictEqual(problems, [`${file}:14: Type 'number' is not assignable to type 'string'.`])
    assert.strictEqual(ran, 0)
  })

  it("names file and line of an example that throws, now or later", async () => {
    for (const text of [`throw new Error("boom")`, `void Promise.reject(new Error("boom"))`, `setTimeout(() => { throw new Error("boom") }, 5)`]) {
      const { problems } = await check(text)
      assert.deepStrictEqual(problems.map((problem) => problem.split("\n")[0]), [`${at}: the example failed: Error: boom`])
    }
  })

  it("does not wait for ever for an example that does not end", async () => {
    const { problems } = await check("setInterval(() => {}, 1000)", {}, 0.2)
    assert.match(problems.join(), /has not ended/)
  })

  it("compiles but does not run what is marked no-run", async () => {
    const page = "```ts no-run\nthrow new Error()\n```\n"
    assert.deepStrictEqual(await check("export {}", { "README.md": page }), { problems: [], compiled: 2, ran: 1 })
  })
})

describe("doctags", () => {
  const check = (text: string) => doctags(tree({ [file]: text }))

  it("lets a documented module pass, and says nothing of what is internal", () => {
    assert.deepStrictEqual(check(documented("export {}")), [])
    assert.deepStrictEqual(doctags(tree({ "packages/core/src/internal/a.ts": "export const a = 1\n" })), [])
    assert.deepStrictEqual(check(`${documented("export {}")}\n/** @internal */\nexport const hidden = 1\n`), [])
  })

  it("names the export, and what it lacks", () => {
    const text = documented("export {}")
    assert.deepStrictEqual(check(text.replace(" * @category constants\n", "")), [`${file}:18: two lacks @category`])
    assert.deepStrictEqual(check(text.replace(" * Two.\n *\n", "")), [`${file}:17: two lacks a sentence`])
    assert.deepStrictEqual(check(`${text}\nexport interface Three {}\n`), [`${file}:21: Three lacks a doc comment`])
    assert.deepStrictEqual(check(`${text}\nexport const a = 1, b = 2\n`), [`${file}:21: a lacks a doc comment`])
  })

  it("wants a module doc", () => {
    assert.deepStrictEqual(check("import \"effect/Effect\"\n"), [`${file}:1: the module lacks a doc comment`])
    assert.deepStrictEqual(check("/** A module. */\nimport \"effect/Effect\"\n"), [`${file}:1: the module lacks @since`])
  })
})

describe("snippets", () => {
  const page = (code: string) => `# Title\n\n<!-- snippet: packages/examples/src/A.ts -->\n\`\`\`ts\n${code}\n\`\`\`\n`
  const check = (readme: string, write = false) => {
    const base = tree({ "README.md": readme, "packages/examples/src/A.ts": "export const a = 1\n\nexport const b = \"$&\"\n" })
    return { problems: snippets({ base, files: ["README.md"], write }), after: readFileSync(join(base, "README.md"), "utf8") }
  }
  const current = page("export const a = 1\n\nexport const b = \"$&\"")

  it("finds the code that is not its file, and mends it when asked", () => {
    assert.deepStrictEqual(check(current).problems, [])
    assert.match(check(page("export const a = 2")).problems.join(), /^README.md:3: not what packages\/examples\/src\/A.ts says/)
    assert.strictEqual(check(page("export const a = 2"), true).after, current)
  })

  it("finds a mark without a file or without a fence", () => {
    assert.match(check(current.replace("A.ts", "B.ts")).problems.join(), /B.ts is not there/)
    assert.match(check("<!-- snippet: packages/examples/src/A.ts -->\nwords\n").problems.join(), /no ```ts or ```yaml fence/)
  })
})

describe("codegen", () => {
  it("writes a barrel with the first sentence of each module, and finds one that is behind", () => {
    const base = tree({ [file]: documented("export {}"), "packages/core/src/internal/hidden.ts": "export const a = 1\n" })
    assert.strictEqual(codegen({ base, check: true }).length, published.length - 1)
    codegen({ base, check: false })
    assert.deepStrictEqual(codegen({ base, check: true }), [])
    const barrel = readFileSync(join(base, "packages/core/src/index.ts"), "utf8")
    assert.include(barrel, "/**\n * A module.\n *\n * @since 0.1.0\n */\nexport * as Two from \"./Two.js\"\n")
    assert.notInclude(barrel, "hidden")
  })

  it("leaves out of the barrel what needs an optional peer", () => {
    const suite = documented("export {}").replace("effect/Effect", "vitest")
    const base = tree({ "packages/testing/src/Suite.ts": suite, "packages/testing/src/Two.ts": documented("export {}") })
    codegen({ base, check: false })
    const barrel = readFileSync(join(base, "packages/testing/src/index.ts"), "utf8")
    assert.include(barrel, "Two")
    assert.notInclude(barrel, "Suite")
  })
})
