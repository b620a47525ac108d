/**
 * What the end of a call says of the backend that was called.
 */
import * as Cause from "effect/Cause"
import type * as Exit from "effect/Exit"
import * as Option from "effect/Option"
import * as LlmError from "../LlmError.js"
import type { Fault, Outcome } from "./circuitState.js"

/** Whether the backend was asked at all, when a call ends in this error; what is its fault is a failure in any case. */
const wasAsked: { readonly [T in LlmError.Tag]: boolean } = {
  RateLimited: true,
  QuotaExhausted: true,
  AuthenticationFailed: true,
  PermissionDenied: true,
  InvalidRequest: true,
  ModelNotFound: true,
  NotFound: true,
  Conflict: true,
  ContentFiltered: true,
  ServerFault: true,
  NetworkFailure: true,
  MalformedResponse: true,
  StreamInterrupted: true,
  Unsupported: false,
  InvalidOutput: true,
  TimedOut: true,
  DeadlineExceeded: false,
  CircuitOpen: false,
  QueueFull: false,
  KeysCooling: false,
  KeysExhausted: false,
  BudgetExceeded: false,
  PartialFailure: false
}

/** What an error says. */
export const ofError = (error: LlmError.LlmError): Outcome =>
  LlmError.isBackendFault(error)
    ? "Failure"
    : error._tag === "DeadlineExceeded" && error.phase === "attempt"
    ? "GivenUp"
    : wasAsked[error._tag] ? "Refusal" : "Neutral"

/**
 * What the end of a call says of its backend, its errors judged by `judge`. A bug says nothing, nor does an error that
 * is not one of `LlmError`.
 */
export const ofExit = (exit: Exit.Exit<unknown, unknown>, judge: (error: LlmError.LlmError) => Outcome): Outcome =>
  exit._tag === "Success" ? "Success" : Option.match(errorOf(exit.cause), {
    onNone: () => Cause.isInterruptedOnly(exit.cause) ? "GivenUp" : "Neutral",
    onSome: judge
  })

const errorOf = (cause: Cause.Cause<unknown>) => Option.filter(Cause.failureOption(cause), LlmError.isLlmError)

/** What went wrong, in short. */
export const faultOf = (exit: Exit.Exit<unknown, unknown>): Option.Option<Fault> =>
  exit._tag === "Success" ? Option.none() : Option.match(errorOf(exit.cause), {
    onNone: () =>
      Cause.isInterruptedOnly(exit.cause)
        ? Option.some({ error: "Interrupted", message: "no answer before the caller gave up" })
        : Option.none(),
    onSome: ({ _tag, message }) => Option.some({ error: _tag, message: shortened(message) })
  })

const mostWords = 200

const shortened = (message: string) => {
  const line = message.replace(/[\p{Cc}\p{Zl}\p{Zp}\s]+/gu, " ").trim()
  return line.length > mostWords ? `${line.slice(0, mostWords)}…` : line
}
