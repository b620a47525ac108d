/**
 * Files as effects, as far as bulk work needs them and `FileSystem` does not have them.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import * as Fs from "node:fs"
import * as Promises from "node:fs/promises"
import * as Path from "node:path"
import { Refused } from "../Report.js"

/**
 * What changes a file; what goes wrong is told by the file's name.
 *
 * @since 0.1.0
 * @category constructors
 */
export const change = <A>(file: string, f: () => Promise<A>): Effect.Effect<A, Refused> =>
  Effect.tryPromise({ try: f, catch: (error) => new Refused({ message: `${file} cannot be written: ${message(error)}` }) })

/**
 * Opens a file until the scope closes.
 *
 * @since 0.1.0
 * @category constructors
 */
export const open = (
  file: string,
  flags: string | number,
  mode?: number
): Effect.Effect<Promises.FileHandle, Refused, Scope.Scope> =>
  Effect.acquireRelease(
    change(file, () => Promises.open(file, flags, mode)),
    (handle) => Effect.promise(() => handle.close())
  )

/**
 * A file piece by piece, up to a place in it or to its end.
 *
 * @since 0.1.0
 * @category constructors
 */
export const read = (file: string, end = Infinity): Stream.Stream<Uint8Array, Refused> =>
  end === 0 ? Stream.empty : Stream.fromAsyncIterable(
    // without an encoding it gives bytes
    Fs.createReadStream(file, { highWaterMark: pieceBytes, end: end - 1 }) as AsyncIterable<Uint8Array>,
    (error) => new Refused({ message: `${file} cannot be read: ${message(error)}` })
  )

const pieceBytes = 1 << 18

/**
 * A file that is new, or has a new name, is on the disk when its folder is. Some systems sync no folders, and need not.
 *
 * @since 0.1.0
 * @category combinators
 */
export const syncFolder = (file: string): Effect.Effect<void> =>
  Effect.ignore(Effect.tryPromise(async () => {
    const folder = await Promises.open(Path.dirname(file), "r")
    await folder.sync().finally(() => folder.close())
  }))

/**
 * Whether there is such a file.
 *
 * @since 0.1.0
 * @category guards
 */
export const exists = (file: string): Effect.Effect<boolean> => Effect.sync(() => Fs.existsSync(file))

/**
 * Removes a file that may be there.
 *
 * @since 0.1.0
 * @category combinators
 */
export const remove = (file: string): Effect.Effect<void, Refused> => change(file, () => Promises.rm(file, { force: true }))

const message = (error: unknown) => error instanceof Error ? error.message : String(error)
