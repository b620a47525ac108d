/**
 * Every module of a published package says what it is for, and every export says when, why or what at the edge, with
 * `@since` and `@category`. What nobody can import or is marked `@internal` is nobody's business.
 */
import { readFileSync } from "node:fs"
import { join } from "node:path"
import ts from "typescript"
import { moduleDoc } from "./codegen.mjs"
import { modules, published, root } from "./packages.mjs"

const isExported = (node) =>
  ts.canHaveModifiers(node) && ts.getModifiers(node)?.some(({ kind }) => kind === ts.SyntaxKind.ExportKeyword) === true

const nameOf = (node) => (ts.isVariableStatement(node) ? node.declarationList.declarations[0].name : node.name)?.getText() ?? "default"

/** What the last doc comment of a declaration lacks. */
const lacks = (node) => {
  const doc = ts.getJSDocCommentsAndTags(node).filter(ts.isJSDoc).at(-1)
  if (doc === undefined) return ["a doc comment"]
  const tags = new Set((doc.tags ?? []).map((tag) => tag.tagName.text))
  if (tags.has("internal")) return []
  return [
    ...((ts.getTextOfJSDocComment(doc.comment) ?? "").trim() === "" ? ["a sentence"] : []),
    ...["since", "category"].filter((tag) => !tags.has(tag)).map((tag) => `@${tag}`)
  ]
}

export const doctags = (base = root) =>
  published.flatMap((name) => modules(name, base)).flatMap((file) => {
    const text = readFileSync(join(base, file), "utf8")
    const doc = moduleDoc(text)
    const problems = doc?.includes("@since") === true ? [] : [`${file}:1: the module lacks ${doc === undefined ? "a doc comment" : "@since"}`]
    const source = ts.createSourceFile(file, text, ts.ScriptTarget.Latest, true)
    const overloads = new Set()
    for (const node of source.statements.filter(isExported)) {
      const name = nameOf(node)
      // the first signature of an overloaded function speaks for the others
      if (ts.isFunctionDeclaration(node) && overloads.has(name)) continue
      if (ts.isFunctionDeclaration(node)) overloads.add(name)
      const missing = lacks(node)
      if (missing.length > 0) {
        const { line } = source.getLineAndCharacterOfPosition(node.getStart(source))
        problems.push(`${file}:${line + 1}: ${name} lacks ${missing.join(", ")}`)
      }
    }
    return problems
  })
