/**
 * What kind of file an address leads to, by the end of its name; for wires that want to be told.
 */

const types: ReadonlyMap<string, string> = new Map(Object.entries({
  avif: "image/avif",
  csv: "text/csv",
  flac: "audio/flac",
  gif: "image/gif",
  heic: "image/heic",
  heif: "image/heif",
  html: "text/html",
  jpeg: "image/jpeg",
  jpg: "image/jpeg",
  json: "application/json",
  md: "text/markdown",
  mov: "video/quicktime",
  mp3: "audio/mp3",
  mp4: "video/mp4",
  ogg: "audio/ogg",
  pdf: "application/pdf",
  png: "image/png",
  txt: "text/plain",
  wav: "audio/wav",
  webm: "video/webm",
  webp: "image/webp"
}))

/** The media type, where the name ends in one that is known. */
export const ofUrl = (url: string): string | undefined =>
  types.get(/\.(\w+)(?:[?#].*)?$/.exec(url)?.[1]?.toLowerCase() ?? "")
