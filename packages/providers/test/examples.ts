import * as Fs from "node:fs"
import type { Answer } from "./fetching.js"

/**
 * Recorded answers of the vendors, kept beside this project and not in it; `undefined` where they are not there.
 */
export interface Example {
  readonly name: string
  readonly request: { readonly method: string; readonly uri: string; readonly body?: any } | undefined
  readonly status: number
  readonly answer: Answer
  /** What was recorded: a whole body, or the pieces of a stream whose framing the recorder had taken off. */
  readonly body: any
  readonly chunks: ReadonlyArray<any> | undefined
}

const root = new URL("../../../../shared/specs/examples/", import.meta.url)

/** How pieces without their framing go over the wire. */
type Frame = (chunk: any) => string

/** An event stream whose events are named by their type. */
export const sse: Frame = (chunk) => `event: ${chunk.type}\ndata: ${JSON.stringify(chunk)}\n\n`

/** Lines of JSON. */
export const ndjson: Frame = (chunk) => `${JSON.stringify(chunk)}\n`

/** The recordings of a backend. */
export const examples = (backend: string, frame: Frame): ReadonlyArray<Example> | undefined => {
  const folder = new URL(`${backend}/`, root)
  if (!Fs.existsSync(folder)) return undefined
  return Fs.readdirSync(folder).toSorted().map((file) => {
    const { request, response } = JSON.parse(Fs.readFileSync(new URL(file, folder), "utf8"))
    const { body, chunks, headers, raw, status } = response
    return {
      name: file.replace(/\.json$/, ""),
      request,
      status,
      answer: {
        status,
        body: raw ?? chunks?.map(frame).join("") ?? body,
        ...(headers && { headers: sendable(headers) })
      },
      body: body ?? raw,
      chunks
    }
  })
}

// but those that speak of the bytes as they were recorded
const sendable = (headers: Record<string, string>) =>
  Object.fromEntries(Object.entries(headers).filter(([name]) => !/^(content-length|transfer-encoding)$/.test(name)))

/** Why recordings are not read. */
export const absent = "skipped: the vendors' recordings (../shared/specs/examples) are not beside this project"
