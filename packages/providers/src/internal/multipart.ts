/**
 * A form whose fields may be files, as bytes: `multipart/form-data`.
 *
 * @see https://www.rfc-editor.org/rfc/rfc7578
 */
import * as Bytes from "@spillway/core/Bytes"

/** A field: a text, or a file by its name. */
export type Field =
  | { readonly name: string; readonly value: string }
  | { readonly name: string; readonly file: string; readonly mediaType: string; readonly content: Uint8Array }

/** A form as it is sent: its fields in their order; the type names what stands between them. */
export const encode = (
  fields: ReadonlyArray<Field>
): { readonly headers: { readonly "content-type": string }; readonly body: Uint8Array } => {
  const parts = fields.map((field): readonly [head: string, content: Uint8Array] => {
    const head = `Content-Disposition: form-data; name="${quoted(field.name)}"`
    return "value" in field
      ? [head, encoder.encode(field.value)]
      : [`${head}; filename="${quoted(field.file)}"\r\nContent-Type: ${field.mediaType.replace(/[\r\n]/g, "")}`, field.content]
  })
  const boundary = absentFrom(parts.map(([, content]) => content))
  const pieces = parts.flatMap(([head, content]) => [
    encoder.encode(`--${boundary}\r\n${head}\r\n\r\n`),
    content,
    lineEnd
  ])
  return {
    headers: { "content-type": `multipart/form-data; boundary=${boundary}` },
    body: Bytes.join([...pieces, encoder.encode(`--${boundary}--\r\n`)])
  }
}

const encoder = new TextEncoder()

const lineEnd = encoder.encode("\r\n")

// what would end the name, as browsers write it
const quoted = (name: string): string =>
  name.replaceAll("\r", "%0D").replaceAll("\n", "%0A").replaceAll("\"", "%22")

/** A boundary that stands in none of the values; the first that comes to mind, nearly always. */
const absentFrom = (values: ReadonlyArray<Uint8Array>): string => {
  let n = 0
  while (values.some((value) => includes(value, encoder.encode(boundaryOf(n))))) n++
  return boundaryOf(n)
}

const boundaryOf = (n: number): string => `----spillway-form-boundary-${n}`

const includes = (bytes: Uint8Array, wanted: Uint8Array): boolean => {
  const [first] = wanted
  if (first === undefined) return true
  for (let at = bytes.indexOf(first); at !== -1; at = bytes.indexOf(first, at + 1)) {
    if (wanted.every((byte, i) => bytes[at + i] === byte)) return true
  }
  return false
}
