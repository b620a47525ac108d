/**
 * What may be said of a backend's words: at most a kibibyte, on one line, without control characters, and without the
 * key, whole or in the half-hidden form in which some backends repeat it ("Incorrect API key provided: sk-ab***yz").
 */

const limit = 1024

/** A text that may stand in an error's message. */
export const scrub = (text: string, key: string): string => {
  const shown = hide(text.length > 4 * limit ? text.slice(0, 4 * limit) : text, key)
  const line = shown.replace(control, " ").trim()
  return line.length > limit ? `${line.slice(0, limit)}…` : line
}

// eslint-disable-next-line no-control-regex
const control = /[\u0000-\u001f\u007f-\u009f\u2028\u2029\ufeff]+/g

/** A text without the key, as long as it was. */
export const hide = (text: string, key: string): string => {
  if (key.length < 4) return text
  return pieces(text.replaceAll(key, redacted).replace(word, (word) => isHalfHidden(word, key) ? redacted : word), key)
}

const word = /[^\s"'`<>(),:]+/g

const hidden = /(?:\*{3,}|\.{3}|…)+/

const isHalfHidden = (word: string, key: string): boolean => {
  if (!hidden.test(word)) return false
  const [head = "", tail = ""] = word.split(hidden)
  const end = tail.replace(/[.!?;]+$/, "")
  return (head.length >= 2 && key.startsWith(head)) || (end.length >= 2 && key.endsWith(end))
}

/** Any longer piece of the key that is left, wherever it was cut. */
const pieces = (text: string, key: string): string => {
  if (key.length < piece) return text
  let out = text
  for (let from = 0; from + piece <= key.length; from++) {
    let at = out.indexOf(key.slice(from, from + piece))
    while (at !== -1) {
      let length = piece
      while (from + length < key.length && out[at + length] === key[from + length]) length++
      out = out.slice(0, at) + redacted + out.slice(at + length)
      at = out.indexOf(key.slice(from, from + piece), at + redacted.length)
    }
  }
  return out
}

const piece = 8

const redacted = "<redacted>"
