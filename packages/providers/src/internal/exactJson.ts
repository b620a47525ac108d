/**
 * JSON whose whole numbers of 64 bits survive: `JSON.parse` rounds what has more than 53.
 */
import * as Json from "./json.js"

/** The value of a JSON text, its whole numbers of 16 digits and more as the text of them; none when it is none. */
export const parse = (text: string): unknown => Json.parse(/[[,:\s-]\d{16}/.test(text) ? quoted(text) : text)

/** The text with marks around those numbers, wherever they stand outside of texts. */
const quoted = (text: string): string => {
  let out = ""
  let at = 0
  for (;;) {
    const opening = text.indexOf("\"", at)
    const between = text.slice(at, opening === -1 ? undefined : opening)
    out += between.replace(/(?<![\w.+-])-?\d{16,}(?![\d.eE])/g, "\"$&\"")
    if (opening === -1) return out
    at = endOfText(text, opening)
    out += text.slice(opening, at)
  }
}

const endOfText = (text: string, opening: number): number => {
  for (let closing = text.indexOf("\"", opening + 1); closing !== -1; closing = text.indexOf("\"", closing + 1)) {
    let first = closing
    while (text[first - 1] === "\\") first--
    if ((closing - first) % 2 === 0) return closing + 1
  }
  return text.length
}
