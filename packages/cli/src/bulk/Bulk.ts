/**
 * Bulk work: every line of a file is asked, through the queue and all keys, and its answer written to another. It can
 * be killed at any moment and started again: no line whose answer had come onto the disk is asked, or paid for, again.
 *
 * An answer is written to the journal (see `JournalFile`) and counts when it is on the disk. The output is made of the
 * journal: at the end, in the order of the input; or, where answers are wanted as they come, anew at each start and then
 * line by line. Failed lines are in a file of their own, made anew at each start, at which they are asked again.
 *
 * @since 0.1.0
 */
import type * as Completion from "@spillway/core/Completion"
import type * as LlmError from "@spillway/core/LlmError"
import * as LlmService from "@spillway/core/LlmService"
import * as Clock from "effect/Clock"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import { Refused } from "../Report.js"
import * as Answered from "./Answered.js"
import * as Asked from "./Asked.js"
import * as Disk from "./Disk.js"
import * as Input from "./Input.js"
import * as JournalFile from "./JournalFile.js"
import * as Lock from "./Lock.js"
import * as Output from "./Output.js"
import * as Patience from "./Patience.js"

// -----------------------------------------------------------------------------
// models
// -----------------------------------------------------------------------------

/**
 * What is to be done.
 *
 * @since 0.1.0
 * @category models
 */
export interface Options {
  readonly input: string
  readonly out: string
  readonly order: JournalFile.Order
  /** Lines that are asked at once, those that wait for their turn included, from 1. */
  readonly inFlight: number
  /** Whom lines ask that name no model. */
  readonly model: string | undefined
  /** After how long without anything going on the work stops. */
  readonly standstill: Duration.Duration
  /** Whether to throw away what there is of earlier work. */
  readonly restart: boolean
}

/**
 * Work that can be done.
 *
 * @since 0.1.0
 * @category models
 */
export interface Work {
  readonly files: Output.Files
  /** Lines that ask something, or were meant to. */
  readonly lines: number
  /** What had been done before. */
  readonly found: JournalFile.Found
  /** Does the rest; once. `spent` says what the work has cost in all by now, in millionths of a dollar. */
  readonly run: (spent: Effect.Effect<number>) => Effect.Effect<void, Refused, LlmService.LlmService>
  /** How far it has come. */
  readonly done: () => Done
  readonly patience: Patience.Patience
}

/**
 * What was done since the start.
 *
 * @since 0.1.0
 * @category models
 */
export interface Done {
  readonly answered: number
  readonly failed: number
  readonly inputTokens: number
  readonly outputTokens: number
}

// -----------------------------------------------------------------------------
// constructors
// -----------------------------------------------------------------------------

/**
 * Looks the input through, and takes up what there is of the work. Nobody else can until the scope closes.
 *
 * @since 0.1.0
 * @category constructors
 */
export const open = (options: Options): Effect.Effect<Work, Refused, Scope.Scope> =>
  Effect.gen(function*() {
    const { inFlight, input, model, order, restart, standstill } = options
    const files = Output.files(options.out)
    yield* Lock.hold(files.lock)
    const { lines, sha256 } = yield* Input.survey(input)
    yield* restart ? Disk.remove(files.journal) : unlessOverwriting(files)

    let write: Write = () => Effect.void
    const journal = yield* JournalFile.open({
      file: files.journal,
      header: { _tag: "Header", sha256, model: model ?? "" },
      committed: (answers) => write(answers.map(({ text }) => text))
    })
    const patience = yield* Patience.make(standstill)
    const done = { answered: 0, failed: 0, inputTokens: 0, outputTokens: 0 }

    const settle = (fail: Fail, spent: Effect.Effect<number>, service: LlmService.Service) => (line: Input.Line) =>
      Either.match(Asked.parse(line.text, line.number, model), {
        onLeft: (unclear) => fail(Answered.fromUnclear(unclear, line.number)),
        onRight: (asked) =>
          // what has been answered has been paid: it is written down, whatever happens
          Effect.uninterruptibleMask((restore) =>
            Effect.matchEffect(restore(patience.ask(ask(service, asked.question))), {
              onFailure: (error) =>
                error._tag === "Left" ? Effect.void : fail(Answered.fromError(error, line.number, asked)),
              onSuccess: ({ text, usage: { inputTokens = 0, outputTokens = 0 } }) =>
                Effect.gen(function*() {
                  const now = yield* Clock.currentTimeMillis
                  yield* journal.append({
                    _tag: "Answer",
                    line: line.number,
                    inputTokens,
                    outputTokens,
                    spent: yield* spent,
                    text: text({ number: line.number, asked, now })
                  })
                  done.answered++
                  done.inputTokens += inputTokens
                  done.outputTokens += outputTokens
                })
            })
          )
      })

    const run: Work["run"] = (spent) =>
      Effect.gen(function*() {
        const service = yield* LlmService.LlmService
        const failures = yield* Output.appender(files.failed, "empty")
        const fail: Fail = (failed) =>
          Effect.map(failures([JSON.stringify(failed)]), () => {
            done.failed++
          })
        if (order === "done") {
          yield* Output.replace(files.out, journal.answers("done"))
          write = yield* Output.appender(files.out, "end")
        }
        yield* Input.lines(input).pipe(
          Stream.takeWhile(() => patience.stopped() === undefined),
          Stream.filter(({ number }) => !journal.places.has(number)),
          Stream.mapEffect(
            // lines are read by the piece: those of the last one may come when it has stopped
            (line) => patience.stopped() === undefined ? settle(fail, spent, service)(line) : Effect.void,
            { concurrency: inFlight, unordered: true }
          ),
          Stream.runDrain
        )
        if (order === "input") yield* Output.replace(files.out, journal.answers("input"))
        if (done.failed === 0) yield* Disk.remove(files.failed)
      }).pipe(Effect.scoped)

    return { files, lines, found: journal.found, run, done: () => done, patience }
  })

type Write = (lines: ReadonlyArray<string>) => Effect.Effect<void, Refused>

type Fail = (failed: Answered.Failed) => Effect.Effect<void, Refused>

const unlessOverwriting = ({ journal, out }: Output.Files): Effect.Effect<void, Refused> =>
  Effect.flatMap(Effect.all([Disk.exists(out), Disk.exists(journal)]), ([isThere, isOurs]) =>
    isThere && !isOurs
      ? new Refused({
        message: `${out} is there already, and ${journal}, which would say of what work, is not; choose another --out, ` +
          "or say --restart to overwrite it"
      })
      : Effect.void)

interface Answer {
  readonly usage: Completion.Usage
  readonly text: (about: Answered.About) => string
}

const ask = (service: LlmService.Service, question: Asked.Question): Effect.Effect<Answer, LlmError.LlmError> =>
  question._tag === "Chat"
    ? Effect.map(service.generateText(question.request), (completion) => ({
      usage: completion.usage,
      text: (about) => Answered.fromCompletion(completion, about)
    }))
    : Effect.map(service.embed(question.request), (embeddings) => ({
      usage: embeddings.usage,
      text: (about) => Answered.fromEmbeddings(embeddings, about, question.base64)
    }))
