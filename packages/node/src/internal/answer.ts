/**
 * An answer that is coming in: what undici hears of it is kept until somebody asks, and no more of it is let in than
 * somebody takes. No fiber, no promise and no stream of Node stands in between.
 */
import * as Chunk from "effect/Chunk"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type { Dispatcher } from "undici"

/** What came before the body. */
export interface Head {
  readonly status: number
  readonly headers: Readonly<Record<string, string | Array<string> | undefined>>
}

/** Who waits for something of an answer, the head first. */
export interface Listener {
  readonly begun: (head: Head) => void
  /** Nothing came, or it broke off before its head was here. */
  readonly failed: (cause: unknown) => void
  /** For the first time more has come than is read. */
  readonly held: () => void
}

/** An answer, as undici tells of it and as somebody reads it. */
export class Answer implements Dispatcher.DispatchHandler {
  private controller: Dispatcher.DispatchController | undefined
  private pieces: Array<Uint8Array> = []
  private size = 0
  private isWhole = false
  private isTaken = false
  private wasHeld = false
  private hasBegun = false
  private cause: Error | undefined
  /** Wakes who waits, when there is more, or no more to come. */
  private wake: (() => void) | undefined
  /** Whether all of it is wanted at once, so that nothing is held back. */
  private isWantedWhole = false

  private readonly listener: Listener

  constructor(listener: Listener) {
    this.listener = listener
  }

  // ---------------------------------------------------------------------------
  // what undici says
  // ---------------------------------------------------------------------------

  onRequestStart(controller: Dispatcher.DispatchController): void {
    if (this.cause !== undefined) controller.abort(this.cause)
    else this.controller = controller
  }

  onResponseStart(
    _: Dispatcher.DispatchController,
    status: number,
    headers: Record<string, string | Array<string> | undefined>
  ): void {
    // 1xx are no answer yet
    if (status < 200 || this.hasBegun) return
    this.hasBegun = true
    this.listener.begun({ status, headers })
  }

  onResponseData(controller: Dispatcher.DispatchController, piece: Uint8Array): void {
    this.pieces.push(piece)
    this.size += piece.length
    if (this.size > mostKept && !this.isWantedWhole) this.hold(controller)
    if (!this.isWantedWhole) this.tell()
  }

  onResponseEnd(): void {
    this.isWhole = true
    this.tell()
  }

  onResponseError(_: Dispatcher.DispatchController | undefined, error: Error): void {
    this.cause ??= error
    if (this.hasBegun) this.tell()
    else this.listener.failed(error)
  }

  private hold(controller: Dispatcher.DispatchController): void {
    controller.pause()
    if (!this.wasHeld) this.listener.held()
    this.wasHeld = true
  }

  private tell(): void {
    const { wake } = this
    this.wake = undefined
    wake?.()
  }

  // ---------------------------------------------------------------------------
  // what is asked of it
  // ---------------------------------------------------------------------------

  /** Gives it up: what has not come yet is not wanted any more. */
  abort(): void {
    if (this.isWhole || this.cause !== undefined) return
    this.cause = new Error("the answer was given up")
    this.controller?.abort(this.cause)
  }

  /** All of it, if it is here and nothing of it has been taken. */
  get atHand(): ReadonlyArray<Uint8Array> | undefined {
    return this.isWhole && !this.isTaken ? this.pieces : undefined
  }

  /** Whether nothing more is to come. */
  get isOver(): boolean {
    return this.isWhole || this.cause !== undefined
  }

  /** What has come since it was last asked for; waits for more. Fails with nothing at the end. */
  readonly pull: Effect.Effect<Chunk.Chunk<Uint8Array>, Option.Option<unknown>> = Effect.suspend(() =>
    this.size > 0 || this.isOver ? this.next() : Effect.async((resume) => {
      this.wake = () => resume(this.pull)
      return Effect.sync(() => {
        this.wake = undefined
      })
    })
  )

  private next(): Effect.Effect<Chunk.Chunk<Uint8Array>, Option.Option<unknown>> {
    if (this.size > 0) return Effect.succeed(Chunk.unsafeFromArray(this.take()))
    return Effect.fail(this.isWhole ? Option.none() : Option.some(this.cause))
  }

  private take(): Array<Uint8Array> {
    const { pieces } = this
    this.isTaken = true
    this.pieces = []
    this.size = 0
    if (this.controller?.paused === true) this.controller.resume()
    return pieces
  }

  /** All of it that has not been taken yet. */
  readonly whole: Effect.Effect<ReadonlyArray<Uint8Array>, unknown> = Effect.suspend(() => {
    this.isWantedWhole = true
    if (this.controller?.paused === true) this.controller.resume()
    return this.isOver ? this.all() : Effect.async((resume) => {
      this.wake = () => resume(Effect.suspend(() => this.all()))
      return Effect.sync(() => this.abort())
    })
  })

  private all(): Effect.Effect<ReadonlyArray<Uint8Array>, unknown> {
    return this.isWhole ? Effect.succeed(this.pieces) : Effect.fail(this.cause)
  }
}

/** Bytes that are kept of an answer that nobody reads at the moment. */
const mostKept = 64 * 1024
