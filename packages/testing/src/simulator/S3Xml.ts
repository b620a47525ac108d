/**
 * The XML that S3 writes, and the little that it is sent.
 *
 * @since 0.1.0
 */

/**
 * An element that holds text, or elements that are written already.
 *
 * @since 0.1.0
 * @category constructors
 */
export const element = (name: string, content: string | number | ReadonlyArray<string>): string =>
  `<${name}>${typeof content === "object" ? content.join("") : escaped(String(content))}</${name}>`

/**
 * What comes before the root of a document.
 *
 * @since 0.1.0
 * @category constants
 */
export const declaration = `<?xml version="1.0" encoding="UTF-8"?>\n`

/**
 * The root of an answer, with what is in it.
 *
 * @since 0.1.0
 * @category constructors
 */
export const root = (name: string, content: ReadonlyArray<string>): string =>
  `<${name} xmlns="http://s3.amazonaws.com/doc/2006-03-01/">${content.join("")}</${name}>`

/**
 * An error.
 *
 * @since 0.1.0
 * @category constructors
 */
export const error = (code: string, message: string, id: string, more = ""): string =>
  element("Error", [
    element("Code", code),
    element("Message", message),
    more,
    element("RequestId", id),
    element("HostId", `host-${id}`)
  ])

const escaped = (text: string): string =>
  text.replace(/[<>&"\r]/g, (char) => `&#${char.charCodeAt(0)};`)

const names: { readonly [name: string]: string } = { lt: "<", gt: ">", amp: "&", quot: `"`, apos: "'" }

const plain = (text: string): string =>
  text.replace(/&(?:#(\d+)|#x([\da-f]+)|(\w+));/gi, (whole, decimal?: string, hex?: string, name?: string) =>
    name !== undefined
      ? (names[name] ?? whole)
      : String.fromCodePoint(Number.parseInt(decimal ?? hex ?? "0", decimal === undefined ? 16 : 10))
  )

/**
 * What stands between the tags of each element of that name, as it is written.
 *
 * @since 0.1.0
 * @category conversions
 */
export const inside = (xml: string, name: string): ReadonlyArray<string> =>
  Array.from(xml.matchAll(new RegExp(`<${name}(?:\\s[^>]*)?>([\\s\\S]*?)</${name}>`, "g")), (match) => match[1] ?? "")

/**
 * The text of the first element of that name.
 *
 * @since 0.1.0
 * @category conversions
 */
export const textOf = (xml: string, name: string): string | undefined => {
  const [first] = inside(xml, name)
  return first === undefined ? undefined : plain(first)
}
