/**
 * What a stream of bytes is cut into.
 */

/** One event of an event stream, or one line of JSON. */
export interface Frame {
  /** The event's name, where it has one. */
  readonly event?: string | undefined
  readonly data: string
  /** A line (or several in a row) that is no field of an event stream. */
  readonly bare?: true
}

/** Cuts bytes into frames. It has a state: one for each stream. */
export interface Framer {
  /** The frames that these bytes complete. */
  readonly feed: (bytes: Uint8Array) => ReadonlyArray<Frame>
  /** What was begun and not ended when the bytes ended. */
  readonly end: () => ReadonlyArray<Frame>
  /** Whether a frame was larger than allowed; nothing more comes then. */
  readonly tooLarge: boolean
}
