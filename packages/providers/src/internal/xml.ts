/**
 * Reading the little XML that S3 speaks: elements and their text. Attributes are skipped, namespaces left off; what
 * defines a document type is none of it.
 */

/** An element. `text` is its own, without that of the elements in it. */
export interface Element {
  readonly name: string
  readonly text: string
  readonly children: ReadonlyArray<Element>
}

/** A document as far as it came: its root, and whether the root was closed. */
export interface Document {
  readonly root: Element
  readonly complete: boolean
}

interface Open {
  readonly name: string
  text: string
  readonly children: Array<Element>
}

const deepest = 32

/** The document that a text holds; `undefined` when it is none. */
export const parse = (text: string): Document | undefined => {
  const path: Array<Open> = []
  let root: Open | undefined
  let at = 0

  const skip = (end: string): boolean => {
    const to = text.indexOf(end, at)
    at = to === -1 ? text.length : to + end.length
    return to !== -1
  }

  while (at < text.length) {
    const next = text.indexOf("<", at)
    const between = text.slice(at, next === -1 ? text.length : next)
    const inside = path.at(-1)
    if (inside !== undefined) inside.text += unescape(between)
    else if (between.trim() !== "" && between !== "\ufeff") return undefined
    if (next === -1) break
    at = next

    if (text.startsWith("<?", at)) {
      if (!skip("?>")) break
    } else if (text.startsWith("<!--", at)) {
      if (!skip("-->")) break
    } else if (text.startsWith("<![CDATA[", at)) {
      const from = at + 9
      if (inside === undefined) return undefined
      const closed = skip("]]>")
      inside.text += text.slice(from, closed ? at - 3 : at)
      if (!closed) break
    } else if (text.startsWith("<!", at)) {
      return undefined
    } else {
      const from = at + 1
      if (!skip(">")) break
      const tag = text.slice(from, at - 1)
      if (tag.startsWith("/")) {
        const closed = path.pop()
        if (closed === undefined || closed.name !== nameOf(tag.slice(1))) return undefined
        if (path.length === 0) return { root: closed, complete: true }
        continue
      }
      const element: Open = { name: nameOf(tag), text: "", children: [] }
      if (element.name === "" || path.length === deepest) return undefined
      inside?.children.push(element)
      root ??= element
      if (!tag.endsWith("/")) path.push(element)
      else if (path.length === 0) return { root: element, complete: true }
    }
  }
  return root === undefined ? undefined : { root, complete: false }
}

const nameOf = (tag: string): string => /^(?:[^\s/:]+:)?([^\s/:]*)/.exec(tag)?.[1] ?? ""

const named: { readonly [name: string]: string } = { lt: "<", gt: ">", amp: "&", quot: "\"", apos: "'" }

const unescape = (text: string): string =>
  text.includes("&")
    ? text.replace(/&(?:#(\d{1,7})|#x([\da-f]{1,6})|([a-z]{2,4}));/gi, (whole, decimal, hex, name) => {
      if (name !== undefined) return Object.hasOwn(named, name) ? named[name]! : whole
      const code = decimal === undefined ? Number.parseInt(hex, 16) : Number(decimal)
      return code <= 0x10ffff ? String.fromCodePoint(code) : whole
    })
    : text

// -----------------------------------------------------------------------------
// looking
// -----------------------------------------------------------------------------

/** The elements of that name directly in another. */
export const all = (element: Element, name: string): ReadonlyArray<Element> =>
  element.children.filter((child) => child.name === name)

/** The text of the first element of that name, if it is not empty. */
export const textOf = (element: Element, name: string): string | undefined => {
  const text = element.children.find((child) => child.name === name)?.text
  return text === "" ? undefined : text
}

// -----------------------------------------------------------------------------
// writing
// -----------------------------------------------------------------------------

/** Whether XML has a way to write this text. */
export const isSpeakable = (text: string): boolean => !unspeakable.test(text)

// eslint-disable-next-line no-control-regex
const unspeakable = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/

/** An element that holds a text, or other elements (which are joined as they are). */
export const element = (name: string, content: string | ReadonlyArray<string>): string =>
  `<${name}>${typeof content === "string" ? escape(content) : content.join("")}</${name}>`

const escapes: { readonly [char: string]: string } = { "<": "&lt;", ">": "&gt;", "&": "&amp;", "\r": "&#13;" }

const escape = (text: string): string => text.replace(/[<>&\r]/g, (char) => escapes[char]!)
