/**
 * A repetition within a repetition may take a time that doubles with every character of a text that somebody else
 * wrote (S16). Each that stands in the sources was looked at: at no place can one of these go on in two ways.
 */
import { assert, describe, it } from "@effect/vitest"
import { readFileSync } from "node:fs"
import { join } from "node:path"
import ts from "typescript"
import { published, root, sources } from "../packages.mjs"

const lookedAt = new Set([
  // a number and a unit: what comes next is a digit or is not
  String.raw`/try again in ((?:\d+(?:\.\d+)?[a-zµ]+)+)/`,
  String.raw`/^(\d+(\.\d+)?(ns|us|µs|μs|ms|s|m|h))+$/`,
  // nothing comes after it that could fail
  String.raw`/(?:\*{3,}|\.{3}|…)+/`,
  // within quotes, or not
  String.raw`/^(?:ray_)?vllm[:_](\w+)(?:\{(?:[^"}]|"(?:\\.|[^"\\])*")*\})?[ \t]+(\S+)/`
])

const endless = /^(?:[*+]|\{\d+,\})/

/** Whether a part that repeats without end has one in it that does so too. */
const repeatsWithin = (pattern: string): boolean => {
  const open = [false]
  for (let at = 0; at < pattern.length; at++) {
    const here = pattern[at]
    if (here === "\\") at++
    else if (here === "[") while (pattern[++at] !== "]") at += pattern[at] === "\\" ? 1 : 0
    else if (here === "(") open.push(false)
    else if (here === ")") {
      const inner = open.pop()!
      const outer = endless.test(pattern.slice(at + 1))
      if (inner && outer) return true
      open.push(open.pop()! || inner || outer)
    } else if (endless.test(pattern.slice(at))) open.push(open.pop()! || true)
  }
  return false
}

const patternsOf = (file: string): ReadonlyArray<string> => {
  const found: Array<string> = []
  const walk = (node: ts.Node): void => {
    if (ts.isRegularExpressionLiteral(node)) found.push(node.text)
    ts.forEachChild(node, walk)
  }
  walk(ts.createSourceFile(file, readFileSync(join(root, file), "utf8"), ts.ScriptTarget.Latest))
  return found
}

describe("patterns (S16)", () => {
  it("that repeat what repeats are told from those that do not", () => {
    for (const pattern of ["(a+)+", "(?:a*b?)*", "((a|b)+c?){2,}", String.raw`(\w+\s?)+$`]) assert.isTrue(repeatsWithin(pattern), pattern)
    for (const pattern of ["a+b+", "(ab)+", "(a+b)?", "[(+]+", String.raw`(\+)+`, "(a{2})+"]) assert.isFalse(repeatsWithin(pattern), pattern)
  })

  it("do so in the sources only where somebody has looked", () => {
    const all = published.flatMap((name) => sources(name).flatMap(patternsOf))
    assert.isAbove(all.length, 200)
    assert.deepStrictEqual([...new Set(all.filter(repeatsWithin))].filter((pattern) => !lookedAt.has(pattern)), [])
  })
})
