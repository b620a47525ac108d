/**
 * What Python's `repr` makes of bytes (`b'caf\xc3\xa9'`) and of text (`'it\'s'`), read back. Some of OPEA's services
 * send their events so.
 *
 * Read leniently: some put a text between quotes without escaping it, so that only the outermost quotes count, and
 * what is no ASCII in bytes stands for its UTF-8.
 *
 * @see https://docs.python.org/3/reference/lexical_analysis.html#string-and-bytes-literals
 */

/** The bytes of a literal; `undefined` when it is none, or was cut off. */
export const toBytes = (literal: string): Uint8Array | undefined => {
  if (literal[0] !== "b") return undefined
  const body = between(literal, 1)
  return body === undefined ? undefined : body.includes("\\") ? unescapeBytes(body) : encoder.encode(body)
}

/** The text of a literal; `undefined` when it is none, or was cut off. */
export const toText = (literal: string): string | undefined => {
  const body = between(literal, 0)
  return body === undefined || !body.includes("\\") ? body : unescapeText(body)
}

const encoder = new TextEncoder()

/** What stands between the quotes, if they are two of a kind, the second is not escaped, and all is one line. */
const between = (literal: string, from: number): string | undefined => {
  const quote = literal[from]
  const end = literal.length - 1
  if (quote !== "'" && quote !== "\"" || end <= from || literal[end] !== quote || /[\r\n]/.test(literal)) return undefined
  let slashes = 0
  while (literal[end - 1 - slashes] === "\\") slashes++
  return slashes % 2 === 0 ? literal.slice(from + 1, end) : undefined
}

const simple: ReadonlyMap<string, string> = new Map(Object.entries({
  "\\": "\\",
  "'": "'",
  "\"": "\"",
  a: "\u0007",
  b: "\b",
  f: "\f",
  n: "\n",
  r: "\r",
  t: "\t",
  v: "\v"
}))

const escapes = /\\(?:x([\da-fA-F]{2})|([0-7]{1,3})|([^]))/g

const unescapeBytes = (body: string): Uint8Array => {
  const pieces: Array<number> = []
  const add = (text: string) => {
    for (const byte of encoder.encode(text)) pieces.push(byte)
  }
  let at = 0
  for (const { 0: whole, 1: hex, 2: octal, 3: letter, index } of body.matchAll(escapes)) {
    add(body.slice(at, index))
    at = index + whole.length
    if (hex !== undefined) pieces.push(Number.parseInt(hex, 16))
    else if (octal !== undefined) pieces.push(Number.parseInt(octal, 8) & 0xff)
    // what is no escape stays as it is, backslash and all
    else add(simple.get(letter ?? "") ?? whole)
  }
  add(body.slice(at))
  return Uint8Array.from(pieces)
}

const escapesInText = /\\(?:x([\da-fA-F]{2})|u([\da-fA-F]{4})|U(0010[\da-fA-F]{4}|000[\da-fA-F]{5})|([0-7]{1,3})|([^]))/g

const unescapeText = (body: string): string =>
  body.replace(
    escapesInText,
    (whole, x?: string, u?: string, U?: string, octal?: string, letter?: string) => {
      const hex = x ?? u ?? U
      return hex !== undefined
        ? String.fromCodePoint(Number.parseInt(hex, 16))
        : octal !== undefined
        ? String.fromCodePoint(Number.parseInt(octal, 8))
        : simple.get(letter ?? "") ?? whole
    }
  )
