/**
 * What the gateway itself says no to, before any backend is asked: a body that is no JSON, a field it does not know,
 * a path it does not serve, a call that comes while it shuts down.
 *
 * It belongs to no wire: each API writes it in its own clients' words.
 *
 * @since 0.1.0
 */
import * as Data from "effect/Data"
import type * as Duration from "effect/Duration"

/**
 * Why it was refused.
 *
 * @since 0.1.0
 * @category models
 */
export type Reason =
  /** The body is not JSON. */
  | "InvalidJson"
  /** A field or a header is missing, unknown, or has a value that cannot be honoured. */
  | "InvalidRequest"
  /** The body has more bytes than allowed. */
  | "BodyTooLarge"
  /** The body is compressed. */
  | "UnsupportedEncoding"
  /** It needs a key of the gateway, and has none that is right. */
  | "Unauthorized"
  /** The key that it has may not do this. */
  | "Forbidden"
  /** Its client has asked for as much as it may for now; nothing was sent. */
  | "LimitReached"
  /** A browser sent it on behalf of a page from elsewhere, or may have: it is for another host than this one. */
  | "CrossOrigin"
  /** There is nothing under this path. */
  | "UnknownRoute"
  /** There is something under this path, for another method. */
  | "MethodNotAllowed"
  /** The gateway is shutting down: new calls are refused, and those that last too long are cut. */
  | "Draining"
  /** A bug; what it was is in the log, under the id of the request. */
  | "InternalError"

/**
 * A request that the gateway refuses.
 *
 * @since 0.1.0
 * @category errors
 */
export class Refusal extends Data.TaggedError("Refusal")<{
  readonly reason: Reason
  /** What is wrong and where, for people. Holds no value that the client sent. */
  readonly message: string
  /** The field (`messages[0].content`) or the header that is wrong, where one is. */
  readonly field?: string
  /** When to come again, where that helps. */
  readonly retryAfter?: Duration.Duration
  /** The methods that the path has, where another was used. */
  readonly allow?: string
  /** How to say who one is (`www-authenticate`), where nobody did. */
  readonly challenge?: string
}> {}

/**
 * A field or a header that is wrong; the message begins with its name.
 *
 * @since 0.1.0
 * @category constructors
 */
export const field = (name: string, says: string): Refusal =>
  new Refusal({ reason: "InvalidRequest", message: `${name} ${says}`, field: name })
