/**
 * The simulator as its requests find it, and a request in it.
 *
 * @since 0.1.0
 */
import type * as Clock from "effect/Clock"
import * as Data from "effect/Data"
import type * as Effect from "effect/Effect"
import type * as Account from "./Account.js"
import type * as Fault from "./Fault.js"
import type * as Journal from "./Journal.js"
import type { Outage, Settings } from "./Settings.js"
import type * as Wire from "./Wire.js"

/**
 * A request as it comes from whatever carries it.
 *
 * @since 0.1.0
 * @category models
 */
export interface Received {
  readonly method: string
  /** Path and query. */
  readonly url: string
  readonly headers: Wire.Headers
  readonly bytes: Effect.Effect<Uint8Array, unknown>
  /** Breaks the connection under the request. */
  readonly cut: Effect.Effect<never, ConnectionReset>
}

/**
 * The connection broke, because it was to break.
 *
 * @since 0.1.0
 * @category errors
 */
export class ConnectionReset extends Data.TaggedError("ConnectionReset")<{}> {
  readonly code = "ECONNRESET"
  override readonly message = "read ECONNRESET"
}

/**
 * The simulator as the requests find it. It changes in place.
 *
 * @since 0.1.0
 * @category models
 */
export interface World {
  settings: Settings
  wires: ReadonlyMap<string, Wire.Wire>
  /** By wire, then by key. */
  readonly accounts: Map<string, Map<string, Account.Account>>
  readonly journal: Journal.Journal
  /** What the next requests meet instead of what the seed says. */
  injected: ReadonlyArray<Fault.Fault | "none">
  /** By wire; `*` stands for all. */
  readonly outages: Map<string, Outage>
  /** Each breaks the connection of a request that hangs. */
  readonly hanging: Set<() => void>
}

/**
 * A request that has come in.
 *
 * @since 0.1.0
 * @category models
 */
export interface Exchange {
  readonly world: World
  readonly received: Received
  readonly entry: Journal.Entry
  readonly clock: Clock.Clock
}

/**
 * Takes note of a request.
 *
 * @since 0.1.0
 * @category constructors
 */
export const open = (world: World, received: Received, clock: Clock.Clock): Exchange => ({
  world,
  received,
  clock,
  entry: world.journal.open(
    { method: received.method, url: received.url, headers: received.headers },
    clock.unsafeCurrentTimeMillis()
  )
})

/**
 * Ends an exchange that has not ended by itself: its client is gone.
 *
 * @since 0.1.0
 * @category combinators
 */
export const abandon = ({ clock, entry, world }: Exchange): void =>
  world.journal.close(entry, "Aborted", clock.unsafeCurrentTimeMillis())

/**
 * A request that is for a vendor.
 *
 * @since 0.1.0
 * @category models
 */
export interface Visit {
  readonly exchange: Exchange
  readonly wire: Wire.Wire
  readonly path: string
  readonly query: string
  readonly account: Account.Account | undefined
  readonly fault: Fault.Fault | undefined
}
