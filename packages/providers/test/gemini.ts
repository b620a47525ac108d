/** An event as Gemini frames it, but for the line ends, which are CRLF there (see `crlf`). */
export const event = (answer: unknown): string => `data: ${JSON.stringify(answer)}\n\n`

/** A text with the line ends that Gemini has. */
export const crlf = (text: string): string => text.replaceAll("\n", "\r\n")
