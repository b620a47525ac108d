/**
 * A form as it is sent with files in it: `multipart/form-data`.
 *
 * @since 0.1.0
 */

/**
 * A field of a form; `file` is the name of the file that it is, if it is one.
 *
 * @since 0.1.0
 * @category models
 */
export interface Field {
  readonly name: string
  readonly file: string | undefined
  readonly bytes: Uint8Array
}

/**
 * The fields of a form; `undefined` where the bytes are none.
 *
 * @since 0.1.0
 * @category conversions
 */
export const parse = (contentType: string, bytes: Uint8Array): ReadonlyArray<Field> | undefined => {
  const named = /^multipart\/form-data\s*;.*\bboundary=(?:"([^"]+)"|([^\s;]+))/i.exec(contentType)
  const boundary = named?.[1] ?? named?.[2]
  if (boundary === undefined) return undefined
  // a character for each byte, so that texts can be searched and bytes be had back
  const parts = `\r\n${charactersOf(bytes)}`.split(`\r\n--${boundary}`)
  if (parts.length < 2 || parts.at(-1)?.startsWith("--") !== true) return undefined
  return parts.slice(1, -1).flatMap((part) => {
    const end = part.indexOf("\r\n\r\n")
    const head = part.slice(0, end)
    const name = /^content-disposition:.*;\s*name="([^"]*)"/im.exec(head)?.[1]
    const content = part.slice(end + 4)
    return end === -1 || name === undefined
      ? []
      : [{ name: textOf(bytesOf(name)), file: fileIn(head), bytes: bytesOf(content) }]
  })
}

/**
 * The text of a field.
 *
 * @since 0.1.0
 * @category accessors
 */
export const text = (fields: ReadonlyArray<Field>, name: string): string | undefined => {
  const field = fields.find((one) => one.name === name && one.file === undefined)
  return field === undefined ? undefined : textOf(field.bytes)
}

const fileIn = (head: string): string | undefined => {
  const name = /^content-disposition:.*;\s*filename="([^"]*)"/im.exec(head)?.[1]
  return name === undefined ? undefined : textOf(bytesOf(name))
}

// `latin1` of a TextDecoder is windows-1252, which is another one
const charactersOf = (bytes: Uint8Array): string => {
  let text = ""
  for (let at = 0; at < bytes.length; at += 4096) text += String.fromCharCode(...bytes.subarray(at, at + 4096))
  return text
}

const bytesOf = (text: string): Uint8Array => Uint8Array.from(text, (character) => character.charCodeAt(0))

const textOf = (bytes: Uint8Array): string => decoder.decode(bytes)

const decoder = new TextDecoder()
