/**
 * Everything that can go wrong between a program and a model, as one union of tagged errors, and what to do about
 * each, as one table.
 *
 * Fifteen of the errors are the backend's (or the way to it), the rest are our own. Every one names its `backend`
 * and says what happened in a `message` that holds no key and no prompt. They are Schema classes, so they encode for the
 * gateway, the log and the dashboard.
 *
 * @since 0.1.0
 */
import type * as Duration from "effect/Duration"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"

const common = {
  /** Which backend; the name its service carries. */
  backend: Schema.String,
  /** What happened, for people. Holds no key and no prompt. */
  message: Schema.String,
  /** The model asked for, where one was. */
  model: Schema.optional(Schema.String)
}

const answered = {
  ...common,
  /** The HTTP status, if there was an answer. */
  status: Schema.optional(Schema.Number),
  /** The backend's own code or type for it, as it stood in the body. */
  code: Schema.optional(Schema.String),
  /** The backend's id of the request, to quote to its support. */
  requestId: Schema.optional(Schema.String),
  /** Whether trying again is of use, where the backend says so itself. */
  shouldRetry: Schema.optional(Schema.Boolean)
}

const waitable = {
  /** How long to wait before trying again, where the backend (or we) know. */
  retryAfter: Schema.optional(Schema.DurationFromMillis)
}

// -----------------------------------------------------------------------------
// theirs
// -----------------------------------------------------------------------------

/**
 * The backend wants fewer requests or tokens per time from this key, or is refusing load.
 *
 * @since 0.1.0
 * @category errors
 */
export class RateLimited extends Schema.TaggedError<RateLimited>("@spillway/core/RateLimited")(
  "RateLimited",
  { ...answered, ...waitable }
) {}

/**
 * The key's paid or daily quota is used up; waiting seconds does not help, another key may.
 *
 * @since 0.1.0
 * @category errors
 */
export class QuotaExhausted extends Schema.TaggedError<QuotaExhausted>("@spillway/core/QuotaExhausted")(
  "QuotaExhausted",
  { ...answered, ...waitable }
) {}

/**
 * The backend does not accept this key (wrong, revoked, or not allowed any of this).
 *
 * @since 0.1.0
 * @category errors
 */
export class AuthenticationFailed
  extends Schema.TaggedError<AuthenticationFailed>("@spillway/core/AuthenticationFailed")(
    "AuthenticationFailed",
    answered
  )
{}

/**
 * The key is good, but not for this: another object, bucket or operation is still open to it.
 *
 * @since 0.1.0
 * @category errors
 */
export class PermissionDenied extends Schema.TaggedError<PermissionDenied>("@spillway/core/PermissionDenied")(
  "PermissionDenied",
  answered
) {}

/**
 * The request is wrong in itself: sending it again, anywhere, would not help.
 *
 * @since 0.1.0
 * @category errors
 */
export class InvalidRequest extends Schema.TaggedError<InvalidRequest>("@spillway/core/InvalidRequest")(
  "InvalidRequest",
  {
    ...answered,
    /** The field that is wrong, where it is known. */
    field: Schema.optional(Schema.String)
  }
) {}

/**
 * The backend has no such model (or this key may not use it).
 *
 * @since 0.1.0
 * @category errors
 */
export class ModelNotFound extends Schema.TaggedError<ModelNotFound>("@spillway/core/ModelNotFound")(
  "ModelNotFound",
  answered
) {}

/**
 * There is no such thing at the backend: an object, a bucket, an upload, an adapter. (A model is `ModelNotFound`.)
 *
 * @since 0.1.0
 * @category errors
 */
export class NotFound extends Schema.TaggedError<NotFound>("@spillway/core/NotFound")(
  "NotFound",
  {
    ...answered,
    /** What was looked for. */
    resource: Schema.optional(Schema.String)
  }
) {}

/**
 * What was asked for does not fit what is there: the object exists already, the bucket is not empty, the precondition
 * does not hold.
 *
 * @since 0.1.0
 * @category errors
 */
export class Conflict extends Schema.TaggedError<Conflict>("@spillway/core/Conflict")(
  "Conflict",
  answered
) {}

/**
 * The backend refused the prompt, or its own answer, on grounds of content.
 *
 * @since 0.1.0
 * @category errors
 */
export class ContentFiltered extends Schema.TaggedError<ContentFiltered>("@spillway/core/ContentFiltered")(
  "ContentFiltered",
  answered
) {}

/**
 * The backend broke or is overloaded (5xx, 529, an error in the midst of a stream).
 *
 * @since 0.1.0
 * @category errors
 */
export class ServerFault extends Schema.TaggedError<ServerFault>("@spillway/core/ServerFault")(
  "ServerFault",
  { ...answered, ...waitable }
) {}

/**
 * No answer came: the host could not be reached, or the connection broke before a response.
 *
 * @since 0.1.0
 * @category errors
 */
export class NetworkFailure extends Schema.TaggedError<NetworkFailure>("@spillway/core/NetworkFailure")(
  "NetworkFailure",
  { ...common, ...waitable }
) {}

/**
 * The backend answered something that is not its own wire (HTML from a proxy, broken JSON, a missing field, more
 * bytes than allowed).
 *
 * @since 0.1.0
 * @category errors
 */
export class MalformedResponse extends Schema.TaggedError<MalformedResponse>("@spillway/core/MalformedResponse")(
  "MalformedResponse",
  answered
) {}

/**
 * A stream ended without its end marker: the connection was cut, or the backend stopped in silence. Before the first
 * part it is tried again; after it, what came is the caller's to keep or drop.
 *
 * @since 0.1.0
 * @category errors
 */
export class StreamInterrupted extends Schema.TaggedError<StreamInterrupted>("@spillway/core/StreamInterrupted")(
  "StreamInterrupted",
  answered
) {}

/**
 * The backend has no such operation, or cannot do what the request asks for.
 *
 * @since 0.1.0
 * @category errors
 */
export class Unsupported extends Schema.TaggedError<Unsupported>("@spillway/core/Unsupported")(
  "Unsupported",
  {
    ...common,
    /** The operation or the field of the request. */
    feature: Schema.String
  }
) {}

/**
 * The model's answer does not decode with the schema asked for. `text` is the answer, whole; it is the program's own
 * data and is left out of `message`.
 *
 * @since 0.1.0
 * @category errors
 */
export class InvalidOutput extends Schema.TaggedError<InvalidOutput>("@spillway/core/InvalidOutput")(
  "InvalidOutput",
  { ...common, text: Schema.String }
) {}

// -----------------------------------------------------------------------------
// ours
// -----------------------------------------------------------------------------

/**
 * One attempt took longer than its timeout, or a stream fell silent for longer than its idle timeout.
 *
 * @since 0.1.0
 * @category errors
 */
export class TimedOut extends Schema.TaggedError<TimedOut>("@spillway/core/TimedOut")(
  "TimedOut",
  { ...common, after: Schema.DurationFromMillis }
) {}

/**
 * The call's deadline passed, or could no longer be met; `phase` says where the call was.
 *
 * @since 0.1.0
 * @category errors
 */
export class DeadlineExceeded extends Schema.TaggedError<DeadlineExceeded>("@spillway/core/DeadlineExceeded")(
  "DeadlineExceeded",
  { ...common, phase: Schema.Literal("queued", "attempt", "backoff", "stream") }
) {}

/**
 * The circuit to this backend is open: it has been failing, and is left alone until `retryAfter` has passed, or until
 * somebody closes it, where there is none.
 *
 * @since 0.1.0
 * @category errors
 */
export class CircuitOpen extends Schema.TaggedError<CircuitOpen>("@spillway/core/CircuitOpen")(
  "CircuitOpen",
  {
    ...common,
    ...waitable,
    /** The last failure that opened it: its name and its message, shortened. */
    fault: Schema.optional(Schema.Struct({ error: Schema.String, message: Schema.String }))
  }
) {}

/**
 * The queue's waiting room is full, or closed. Nothing was sent.
 *
 * @since 0.1.0
 * @category errors
 */
export class QueueFull extends Schema.TaggedError<QueueFull>("@spillway/core/QueueFull")(
  "QueueFull",
  { ...common, ...waitable, capacity: Schema.Number, waiting: Schema.Number }
) {}

/**
 * Every usable key is cooling down; `retryAfter` is when the first is ready again.
 *
 * @since 0.1.0
 * @category errors
 */
export class KeysCooling extends Schema.TaggedError<KeysCooling>("@spillway/core/KeysCooling")(
  "KeysCooling",
  { ...common, ...waitable }
) {}

/**
 * No key of the pool can be used any more: all are retired, or out of quota.
 *
 * @since 0.1.0
 * @category errors
 */
export class KeysExhausted extends Schema.TaggedError<KeysExhausted>("@spillway/core/KeysExhausted")(
  "KeysExhausted",
  {
    ...common,
    /** What happened to the keys, where the same happened to all of them. */
    reason: Schema.optional(Schema.Literal("AuthenticationFailed", "QuotaExhausted"))
  }
) {}

/**
 * A budget has no room for the call, or cannot tell, as nobody knows what the model costs. Nothing was sent. Whether
 * another backend may be asked is for the budget to say: see `retriability`.
 *
 * @since 0.1.0
 * @category errors
 */
export class BudgetExceeded extends Schema.TaggedError<BudgetExceeded>("@spillway/core/BudgetExceeded")(
  "BudgetExceeded",
  {
    ...common,
    /** When the budget has room again, where that is a matter of time. */
    ...waitable,
    /** The name of the limit. */
    limit: Schema.String,
    reason: Schema.Literal("LimitReached", "PriceUnknown"),
    /** Whether it is over, or another backend may be asked, which may be cheaper. */
    atLimit: Schema.Literal("refuse", "failover")
  }
) {}

/**
 * What was to be done in several places was done in some of them only. To do it again does no harm where it is done.
 *
 * @since 0.1.0
 * @category errors
 */
export class PartialFailure extends Schema.TaggedError<PartialFailure>("@spillway/core/PartialFailure")(
  "PartialFailure",
  {
    ...common,
    /** The places where it is done. */
    done: Schema.Array(Schema.String),
    /** The places where it is not, and the error of each: its name and its message. */
    failed: Schema.Array(Schema.Struct({ at: Schema.String, reason: Schema.String, message: Schema.String }))
  }
) {}

/**
 * Everything that can go wrong, as a Schema: errors encode to JSON and back.
 *
 * @since 0.1.0
 * @category models
 */
export const LlmError = Schema.Union(
  RateLimited,
  QuotaExhausted,
  AuthenticationFailed,
  PermissionDenied,
  InvalidRequest,
  ModelNotFound,
  NotFound,
  Conflict,
  ContentFiltered,
  ServerFault,
  NetworkFailure,
  MalformedResponse,
  StreamInterrupted,
  Unsupported,
  InvalidOutput,
  TimedOut,
  DeadlineExceeded,
  CircuitOpen,
  QueueFull,
  KeysCooling,
  KeysExhausted,
  BudgetExceeded,
  PartialFailure
)

/**
 * Everything that can go wrong.
 *
 * @since 0.1.0
 * @category models
 */
export type LlmError = typeof LlmError.Type

/**
 * The name of an error.
 *
 * @since 0.1.0
 * @category models
 */
export type Tag = LlmError["_tag"]

// -----------------------------------------------------------------------------
// verdicts
// -----------------------------------------------------------------------------

/**
 * What may help: nothing (`Never`), another backend (`Failover`), another key (`RotateKey`), or time (`Retry`). Each
 * includes those before it, `Never` apart.
 *
 * @since 0.1.0
 * @category models
 */
export type Retriability = "Never" | "Failover" | "RotateKey" | "Retry"

/**
 * What to do about an error, and whether the backend is to blame for it.
 *
 * @since 0.1.0
 * @category models
 */
export interface Verdict {
  readonly retriability: Retriability
  /** Whether it counts against the backend's circuit breaker. */
  readonly backendFault: boolean
}

/**
 * The verdict on each error. A new error without a verdict does not compile.
 *
 * @since 0.1.0
 * @category verdicts
 */
export const verdicts: { readonly [T in Tag]: Verdict } = {
  RateLimited: { retriability: "Retry", backendFault: false },
  QuotaExhausted: { retriability: "RotateKey", backendFault: false },
  AuthenticationFailed: { retriability: "RotateKey", backendFault: false },
  PermissionDenied: { retriability: "Failover", backendFault: false },
  InvalidRequest: { retriability: "Never", backendFault: false },
  ModelNotFound: { retriability: "Failover", backendFault: false },
  NotFound: { retriability: "Failover", backendFault: false },
  Conflict: { retriability: "Never", backendFault: false },
  ContentFiltered: { retriability: "Never", backendFault: false },
  ServerFault: { retriability: "Retry", backendFault: true },
  NetworkFailure: { retriability: "Retry", backendFault: true },
  MalformedResponse: { retriability: "Failover", backendFault: true },
  StreamInterrupted: { retriability: "Retry", backendFault: true },
  Unsupported: { retriability: "Failover", backendFault: false },
  InvalidOutput: { retriability: "Failover", backendFault: false },
  TimedOut: { retriability: "Retry", backendFault: true },
  DeadlineExceeded: { retriability: "Never", backendFault: false },
  CircuitOpen: { retriability: "Failover", backendFault: false },
  QueueFull: { retriability: "Failover", backendFault: false },
  KeysCooling: { retriability: "Retry", backendFault: false },
  KeysExhausted: { retriability: "Failover", backendFault: false },
  BudgetExceeded: { retriability: "Never", backendFault: false },
  PartialFailure: { retriability: "Retry", backendFault: false }
}

/**
 * What may help against an error: the verdict, unless the backend says otherwise. Where it wants no more attempts, time
 * does not help; where it does, time helps against what else is final. About another key it knows nothing. A budget
 * says itself whether another backend may be asked.
 *
 * @since 0.1.0
 * @category verdicts
 * @example
 * ```ts
 * import { LlmError } from "@spillway/core"
 * import * as assert from "node:assert"
 *
 * const error = new LlmError.RateLimited({ backend: "groq", message: "slow down" })
 * assert.strictEqual(LlmError.retriability(error), "Retry")
 * ```
 */
export const retriability = (error: LlmError): Retriability => {
  if (error._tag === "BudgetExceeded" && error.atLimit === "failover") return "Failover"
  const { retriability } = verdicts[error._tag]
  const said = "shouldRetry" in error ? error.shouldRetry : undefined
  return said === undefined || retriability === "RotateKey"
    ? retriability
    : said ? "Retry" : retriability === "Retry" ? "Failover" : retriability
}

/**
 * Whether an error counts against the backend's circuit breaker.
 *
 * @since 0.1.0
 * @category verdicts
 */
export const isBackendFault = (error: LlmError): boolean => verdicts[error._tag].backendFault

/**
 * How long to wait before trying again, where it is known.
 *
 * @since 0.1.0
 * @category verdicts
 */
export const retryAfter = (error: LlmError): Option.Option<Duration.Duration> =>
  "retryAfter" in error && error.retryAfter !== undefined ? Option.some(error.retryAfter) : Option.none()

/**
 * Whether a value is one of these errors.
 *
 * @since 0.1.0
 * @category guards
 */
export const isLlmError: (u: unknown) => u is LlmError = Schema.is(LlmError)
