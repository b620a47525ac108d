/**
 * What a person types in a chat: something to the model, or, where it begins with a slash, to the program.
 *
 * @since 0.1.0
 */

/**
 * A line, understood.
 *
 * @since 0.1.0
 * @category models
 */
export type Spoken =
  | { readonly _tag: "Say"; readonly text: string }
  | { readonly _tag: "Model"; readonly model: string }
  | { readonly _tag: "Image"; readonly file: string }
  | { readonly _tag: "Forget" }
  | { readonly _tag: "Help" }
  | { readonly _tag: "Quit" }
  | { readonly _tag: "Unknown"; readonly command: string }
  | { readonly _tag: "Nothing" }

/**
 * Understands a line. One that begins with two slashes says something that begins with one.
 *
 * @since 0.1.0
 * @category conversions
 */
export const parse = (line: string): Spoken => {
  const text = line.trim()
  if (text === "") return { _tag: "Nothing" }
  if (!text.startsWith("/") || text.startsWith("//")) return { _tag: "Say", text: text.startsWith("//") ? text.slice(1) : text }
  const [, command = "", argument = ""] = /^(\/\S*)\s*(.*)$/.exec(text) ?? []
  return Object.hasOwn(commands, command) ? commands[command]!(argument) : { _tag: "Unknown", command }
}

const commands: { readonly [command: string]: (argument: string) => Spoken } = {
  "/model": (model) => ({ _tag: "Model", model }),
  "/image": (file) => file === "" ? { _tag: "Help" } : { _tag: "Image", file },
  "/forget": () => ({ _tag: "Forget" }),
  "/help": () => ({ _tag: "Help" }),
  "/quit": () => ({ _tag: "Quit" })
}

/**
 * What can be typed.
 *
 * @since 0.1.0
 * @category constants
 */
export const help = `/model NAME   ask another model; without a name, say which is asked
/image FILE   show the model a picture with what is said next
/forget       begin anew, with nothing said
/quit         end, as Ctrl-D does`

/**
 * The media type of a picture by its file's name; absent where models take no such file.
 *
 * @since 0.1.0
 * @category destructors
 */
export const mediaType = (file: string): string | undefined => {
  const kind = file.slice(file.lastIndexOf(".") + 1).toLowerCase()
  return Object.hasOwn(mediaTypes, kind) ? mediaTypes[kind] : undefined
}

const mediaTypes: { readonly [kind: string]: string } = {
  png: "image/png",
  jpg: "image/jpeg",
  jpeg: "image/jpeg",
  gif: "image/gif",
  webp: "image/webp"
}
