/**
 * The files that bulk work leaves: written whole under another name and then given their own, or line by line.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import * as Promises from "node:fs/promises"
import * as Path from "node:path"
import type { Refused } from "../Report.js"
import * as Disk from "./Disk.js"

/**
 * The files of some work, by where its answers are to be.
 *
 * @since 0.1.0
 * @category models
 */
export interface Files {
  readonly out: string
  /** `answers.failed.jsonl` beside `answers.jsonl`. */
  readonly failed: string
  readonly journal: string
  readonly lock: string
}

/**
 * The files of some work.
 *
 * @since 0.1.0
 * @category constructors
 */
export const files = (out: string): Files => {
  const { dir, ext, name } = Path.parse(out)
  return { out, failed: Path.join(dir, `${name}.failed${ext}`), journal: `${out}.journal`, lock: `${out}.lock` }
}

/**
 * Writes a file whole: until it is, there is the one before, or none.
 *
 * @since 0.1.0
 * @category combinators
 */
export const replace = <R>(file: string, lines: Stream.Stream<Uint8Array, Refused, R>): Effect.Effect<void, Refused, R> =>
  Effect.scoped(Effect.gen(function*() {
    const fresh = `${file}.partial`
    const handle = yield* Disk.open(fresh, "w")
    yield* Stream.runForEachChunk(lines, (some) => Disk.change(fresh, () => handle.appendFile(Buffer.concat([...some]))))
    yield* Disk.change(fresh, () => handle.datasync())
    yield* Disk.change(file, () => Promises.rename(fresh, file))
    yield* Disk.syncFolder(file)
  }))

/**
 * Opens a file, emptied or as it is, for what comes line by line.
 *
 * @since 0.1.0
 * @category constructors
 */
export const appender = (
  file: string,
  from: "empty" | "end"
): Effect.Effect<(lines: ReadonlyArray<string>) => Effect.Effect<void, Refused>, Refused, Scope.Scope> =>
  Effect.map(Disk.open(file, from === "empty" ? "w" : "a"), (handle) => (lines) =>
    // in one piece, so that no reader meets half a line
    lines.length === 0 ? Effect.void : Disk.change(file, () => handle.appendFile(lines.map((line) => `${line}\n`).join(""))))
