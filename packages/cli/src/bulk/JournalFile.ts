/**
 * A journal on disk. An answer counts when it is on the disk: written, and synced; those that come while that is being
 * done are written and synced together, so that thousands a second cost a few syncs.
 *
 * @since 0.1.0
 */
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Queue from "effect/Queue"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import * as Fs from "node:fs"
import { Refused } from "../Report.js"
import * as Disk from "./Disk.js"
import * as Journal from "./Journal.js"
import * as Places from "./Places.js"

// -----------------------------------------------------------------------------
// models
// -----------------------------------------------------------------------------

/**
 * An open journal.
 *
 * @since 0.1.0
 * @category models
 */
export interface JournalFile {
  /** Where the answer of each line stands. */
  readonly places: Places.Places
  /** What was there when it was opened. */
  readonly found: Found
  /** Completes when the answer is on the disk. */
  readonly append: (answer: Journal.Answer) => Effect.Effect<void, Refused>
  /** The answers, each with the end of its line: by the lines that they are answers to, or as they came. */
  readonly answers: (order: Order) => Stream.Stream<Uint8Array, Refused>
}

/**
 * In which order answers are written.
 *
 * @since 0.1.0
 * @category models
 */
export type Order = "input" | "done"

/**
 * What a journal held when it was opened.
 *
 * @since 0.1.0
 * @category models
 */
export interface Found {
  readonly answers: number
  readonly inputTokens: number
  readonly outputTokens: number
  /** In millionths of a dollar. */
  readonly spent: number
  /** Lines that could not be believed, the torn one at the end apart. */
  readonly damaged: number
}

/**
 * What is to be opened.
 *
 * @since 0.1.0
 * @category models
 */
export interface Options {
  readonly file: string
  readonly header: Journal.Header
  /** What to write each time that answers have come onto the disk. */
  readonly committed: (answers: ReadonlyArray<Journal.Answer>) => Effect.Effect<void, Refused>
}

// -----------------------------------------------------------------------------
// constructors
// -----------------------------------------------------------------------------

/**
 * Opens the journal, or begins it. One that is of other work is refused.
 *
 * @since 0.1.0
 * @category constructors
 */
export const open = (options: Options): Effect.Effect<JournalFile, Refused, Scope.Scope> =>
  Effect.gen(function*() {
    const { committed, file, header } = options
    const places = Places.make()
    const state = yield* recover(file, header, places)
    const handle = yield* Disk.open(
      file,
      Fs.constants.O_RDWR | Fs.constants.O_CREAT,
      // whatever the answers are about, nobody else need read it
      0o600
    )
    let end = state.whole
    const write = (text: string) =>
      Disk.change(file, async () => {
        const bytes = Buffer.from(text)
        for (let at = 0; at < bytes.length;) at += (await handle.write(bytes, at, bytes.length - at, end + at)).bytesWritten
        await handle.datasync()
        end += bytes.length
      })
    yield* Disk.change(file, () => handle.truncate(state.whole))
    if (state.whole === 0) {
      yield* write(Journal.encode(header))
      yield* Disk.syncFolder(file)
    }

    const waiting = yield* Queue.unbounded<Waiting>()
    let broken: Effect.Effect<never, Refused> | undefined
    const commit = Effect.flatMap(Queue.takeBetween(waiting, 1, mostAtOnce), (batch) =>
      Effect.gen(function*() {
        const taken = Array.from(batch)
        const lines = taken.map(({ answer }) => Journal.encode(answer))
        let offset = end
        yield* write(lines.join(""))
        for (const [at, { answer }] of taken.entries()) {
          const length = Buffer.byteLength(lines[at]!) - 1
          places.set(answer.line, offset, length)
          offset += length + 1
        }
        yield* committed(taken.map(({ answer }) => answer))
        for (const { done } of taken) yield* Deferred.succeed(done, undefined)
      }).pipe(Effect.tapErrorCause((cause) => {
        // what cannot be written now cannot be written later: everybody hears of it
        const failed = Effect.failCause(cause)
        broken = failed
        return Effect.flatMap(Queue.takeAll(waiting), (others) =>
          Effect.forEach([...batch, ...others], ({ done }) => Deferred.complete(done, failed)))
      })))
    yield* Effect.forkScoped(Effect.forever(commit))

    return {
      places,
      found: state.found,
      append: (answer) =>
        Effect.suspend(() =>
          broken ?? Effect.flatMap(Deferred.make<void, Refused>(), (done) =>
            Effect.zipRight(Queue.offer(waiting, { answer, done }), Deferred.await(done)))
        ),
      answers: (order) => order === "done" ? inTurn(file, () => end) : inOrder(file, places)
    }
  })

interface Waiting {
  readonly answer: Journal.Answer
  readonly done: Deferred.Deferred<void, Refused>
}

const mostAtOnce = 4096

// -----------------------------------------------------------------------------
// what is there
// -----------------------------------------------------------------------------

const recover = (file: string, header: Journal.Header, places: Places.Places) =>
  Effect.suspend(() => {
    const reader = Journal.reader()
    const found = { answers: 0, inputTokens: 0, outputTokens: 0, spent: 0, damaged: 0 }
    let first: Option.Option<Journal.Entry> | undefined
    const see = ({ entry, length, offset }: Journal.Found) => {
      first ??= entry
      if (Option.isNone(entry)) {
        found.damaged++
      } else if (entry.value._tag === "Answer") {
        const { inputTokens, line, outputTokens, spent } = entry.value
        places.set(line, offset, length)
        found.answers++
        found.inputTokens += inputTokens
        found.outputTokens += outputTokens
        found.spent = Math.max(found.spent, spent)
      }
    }
    const read = Fs.existsSync(file)
      ? Stream.runForEach(Disk.read(file), (piece) => Effect.sync(() => reader.feed(piece).forEach(see)))
      : Effect.void
    return Effect.flatMap(read, () => {
      const whole = reader.whole()
      if (first === undefined) return Effect.succeed({ found, whole: 0 })
      const refusal = unlike(first, header)
      return refusal === undefined
        ? Effect.succeed({ found, whole })
        : new Refused({ message: `${file}: ${refusal}` })
    })
  })

const unlike = (first: Option.Option<Journal.Entry>, { model, sha256 }: Journal.Header): string | undefined => {
  if (Option.isNone(first) || first.value._tag !== "Header") {
    return "this is no journal of spillway, or its beginning is damaged; say --restart to begin anew, or choose another --out"
  }
  return first.value.sha256 !== sha256
    ? "these are answers to another input, or it has changed since; say --restart to throw them away and begin anew, " +
      "or choose another --out"
    : first.value.model !== model
    ? `these are answers of ${first.value.model || "no model in particular"}, not of ${model || "none"}; say the same ` +
      "--model as before, or --restart to begin anew"
    : undefined
}

// -----------------------------------------------------------------------------
// reading back
// -----------------------------------------------------------------------------

const inTurn = (file: string, end: () => number): Stream.Stream<Uint8Array, Refused> =>
  Stream.suspend(() => {
    const reader = Journal.reader()
    return Stream.mapConcat(Disk.read(file, end()), (piece) =>
      reader.feed(piece).flatMap(({ entry }) =>
        Option.isSome(entry) && entry.value._tag === "Answer" ? [Buffer.from(`${entry.value.text}\n`)] : []))
  })

/** Answers that were asked together stand together: most are in what was read for the one before. */
const inOrder = (file: string, places: Places.Places): Stream.Stream<Uint8Array, Refused> => {
  return Stream.unwrapScoped(Effect.map(
    Disk.open(file, "r"),
    (handle) => {
      let window = { from: 0, bytes: Buffer.alloc(0) }
      return Stream.mapEffect(Stream.fromIterable(places), ({ length, offset }) =>
        Disk.change(file, async () => {
          if (offset < window.from || offset + length > window.from + window.bytes.length) {
            const from = Math.max(0, offset - windowBytes / 4)
            const bytes = Buffer.alloc(Math.max(windowBytes, offset + length - from))
            const { bytesRead } = await handle.read(bytes, 0, bytes.length, from)
            window = { from, bytes: bytes.subarray(0, bytesRead) }
          }
          const line = window.bytes.subarray(offset - window.from, offset - window.from + length)
          return Buffer.concat([Journal.answerOf(line), newline])
        }))
    }
  ))
}

const windowBytes = 1 << 20

const newline = Buffer.from("\n")

