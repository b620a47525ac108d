/**
 * What the dashboard is made of, as one module of the gateway: its page, style and scripts (the types taken out of them),
 * and uPlot as it was published. So the gateway serves it wherever it runs, with no file to find and none to fetch.
 */
import { existsSync, readFileSync } from "node:fs"
import { basename, join } from "node:path"
import ts from "typescript"
import { filesUnder, root } from "./packages.mjs"

/** Where the module is written to. */
export const target = "packages/gateway/src/internal/dashboardAssets.ts"

const sources = "packages/gateway/dashboard"
/** Whether the tree has one: the little trees of tests have not. */
export const hasDashboard = (base = root) => existsSync(join(base, sources))

const script = "text/javascript; charset=utf-8"
const style = "text/css; charset=utf-8"

const toScript = (text) =>
  ts.transpileModule(text, {
    compilerOptions: { target: ts.ScriptTarget.ES2022, module: ts.ModuleKind.ES2022, removeComments: true, verbatimModuleSyntax: true }
  }).outputText

/** As the text of a template, which says what `text` says. */
const quoted = (text) => `\`${text.replace(/[\\`]|\$(?=\{)/g, "\\$&")}\``

const uplot = (base) => {
  const read = (file) => readFileSync(join(base, "node_modules/uplot", file), "utf8")
  // its licence wants to go where it goes
  const licence = `/*!\n${read("LICENSE").trim()}\n*/\n`
  return [
    { path: "/dashboard/uplot.js", contentType: script, text: licence + read("dist/uPlot.iife.min.js") },
    { path: "/dashboard/uplot.css", contentType: style, text: read("dist/uPlot.min.css") }
  ]
}

/** The text of the module. */
export const dashboard = (base = root) => {
  const read = (file) => readFileSync(join(base, sources, file), "utf8")
  const scripts = filesUnder(sources, ".ts", base).map((file) => basename(file))
  const files = [
    { path: "/dashboard", contentType: "text/html; charset=utf-8", text: read("index.html") },
    { path: "/dashboard/icon.svg", contentType: "image/svg+xml", text: read("icon.svg") },
    { path: "/dashboard/style.css", contentType: style, text: read("style.css") },
    ...scripts.map((file) => ({ path: `/dashboard/${file.replace(/\.ts$/, ".js")}`, contentType: script, text: toScript(read(file)) })),
    ...uplot(base)
  ]
  const blocks = files.map(({ contentType, path, text }) =>
    `  {\n    path: ${JSON.stringify(path)},\n    contentType: ${JSON.stringify(contentType)},\n    text: ${quoted(text)}\n  }`)
  return `// Written by \`npm run codegen\` from packages/gateway/dashboard and uPlot.

/** A file of the page, and where it is served. */
export interface File {
  readonly path: string
  readonly contentType: string
  readonly text: string
}

export const files: ReadonlyArray<File> = [
${blocks.join(",\n")}
]
`
}
