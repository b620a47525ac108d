/**
 * Every ```ts fence in a doc comment or a page is a program: it compiles under our strict options, from the sources,
 * and it runs, in a thread of its own, against the build. A fence marked ```ts no-run is compiled only.
 */
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { join, relative } from "node:path"
import { pathToFileURL } from "node:url"
import { Worker } from "node:worker_threads"
import ts from "typescript"
import { published, root, sources } from "./packages.mjs"

/** The fences of a file, each with the line on which its code begins. */
export const fences = (file, text) => {
  const found = []
  let fence
  let snippet = false
  for (const [index, raw] of text.split("\n").entries()) {
    const line = file.endsWith(".md") ? raw : raw.replace(/^\s*\* ?/, "")
    if (!file.endsWith(".md") && !/^\s*\*/.test(raw)) fence = undefined
    else if (fence === undefined) {
      const open = /^```ts(.*)$/.exec(line)
      if (open !== null) fence = { file, line: index + 2, run: !/\bno-run\b/.test(open[1]), code: [], snippet }
      // what stands under a snippet mark is a file of packages/examples, which is compiled and run there
      if (line.trim() !== "") snippet = line.startsWith("<!-- snippet:")
    } else if (line.startsWith("```")) {
      if (!fence.snippet) found.push({ ...fence, code: `${fence.code.join("\n")}\n` })
      fence = undefined
    } else fence.code.push(line)
  }
  return found
}

const compile = (files, base) => {
  const configPath = join(base, "tsconfig.base.json")
  const { config, error } = ts.readConfigFile(configPath, ts.sys.readFile)
  if (error !== undefined) throw new Error(ts.flattenDiagnosticMessageText(error.messageText, "\n"))
  const { options } = ts.parseJsonConfigFileContent(config, ts.sys, base)
  const quiet = { noEmit: true, declaration: false, declarationMap: false, noUnusedLocals: false, noUnusedParameters: false }
  return ts.getPreEmitDiagnostics(ts.createProgram(files, { ...options, ...quiet }))
}

/** Runs one example; answers with what went wrong, or undefined. */
const execute = (path, seconds) =>
  new Promise((resolve) => {
    const worker = new Worker(pathToFileURL(path), { stdout: true, stderr: true })
    let failure
    const timer = setTimeout(() => {
      failure = `has not ended after ${seconds} s; mark it \`no-run\` if it is a server`
      void worker.terminate()
    }, seconds * 1000)
    worker.on("error", (error) => {
      failure = error instanceof Error ? (error.stack ?? error.message) : String(error)
    })
    worker.on("exit", (code) => {
      clearTimeout(timer)
      resolve(failure ?? (code === 0 ? undefined : `exit code ${code}`))
    })
  })

export const examples = async ({ base = root, pages, seconds = 20 }) => {
  const directory = join(base, ".docs-check")
  rmSync(directory, { recursive: true, force: true })
  mkdirSync(directory)
  const files = [...published.flatMap((name) => sources(name, base)), ...pages]
  const found = files
    .flatMap((file) => fences(file, readFileSync(join(base, file), "utf8")))
    .map((fence) => ({ ...fence, path: join(directory, `${fence.file.replaceAll(/[/.]/g, "_")}_${fence.line}.mts`) }))
  for (const { code, path } of found) writeFileSync(path, code)

  const byPath = new Map(found.map((fence) => [fence.path, fence]))
  const broken = new Set()
  const problems = compile([...byPath.keys()], base).map(({ file, messageText, start }) => {
    const message = ts.flattenDiagnosticMessageText(messageText, "\n")
    const fence = byPath.get(file?.fileName)
    if (file === undefined) return message
    const { line } = file.getLineAndCharacterOfPosition(start ?? 0)
    if (fence === undefined) return `${relative(base, file.fileName)}:${line + 1}: ${message}`
    broken.add(fence)
    return `${fence.file}:${fence.line + line}: ${message}`
  })

  const runnable = found.filter((fence) => fence.run && !broken.has(fence))
  const next = runnable.values()
  const worker = async () => {
    for (const fence of next) {
      const js = fence.path.replace(/mts$/, "mjs")
      const compilerOptions = { module: ts.ModuleKind.ESNext, target: ts.ScriptTarget.ES2022, verbatimModuleSyntax: true }
      writeFileSync(js, ts.transpileModule(fence.code, { compilerOptions }).outputText)
      const failure = await execute(js, seconds)
      if (failure !== undefined) problems.push(`${fence.file}:${fence.line}: the example failed: ${failure}`)
    }
  }
  await Promise.all([worker(), worker()])
  if (problems.length === 0) rmSync(directory, { recursive: true, force: true })
  return { problems: problems.sort(), compiled: found.length, ran: runnable.length }
}
