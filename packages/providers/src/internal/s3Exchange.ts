/**
 * One exchange with S3: an endpoint is leased, the request made, its answer read, the pool hears how it went, and the
 * lease is given back in every case.
 */
import type * as Headers from "@effect/platform/Headers"
import type * as KeyPool from "@spillway/core/KeyPool"
import * as LlmError from "@spillway/core/LlmError"
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Exit from "effect/Exit"
import * as Option from "effect/Option"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import * as Body from "./body.js"
import * as S3Answers from "./s3Answers.js"
import * as Attempt from "./s3Attempt.js"
import type * as S3Endpoint from "./s3Endpoint.js"
import * as S3Errors from "./s3Errors.js"
import type { Outgoing } from "./s3Requests.js"
import * as Sending from "./sending.js"
import * as Xml from "./xml.js"

/** A request that was made for an operation, by whatever endpoint, or by the one that alone knows of it. */
export interface Asked {
  readonly operation: string
  readonly request: Either.Either<Outgoing, LlmError.LlmError>
  readonly at?: string | undefined
}

/** A good answer, read to its end. */
export interface Answer {
  readonly endpoint: S3Endpoint.Endpoint
  readonly headers: Headers.Headers
  /** The root of the document; `undefined` where there is no whole one. */
  readonly root: Xml.Element | undefined
  /** The answer is not this wire; `what` says what is missing, and quotes nothing of it. */
  readonly malformed: (what: string) => LlmError.MalformedResponse
  /** The error that a failure within the answer is. */
  readonly failure: (failure: S3Errors.Failure, resource: string) => LlmError.LlmError
}

/** An exchange whose answer is read to its end. */
export const whole = <A>(
  wire: Attempt.Wire,
  asked: Asked,
  read: (answer: Answer) => Either.Either<A, LlmError.LlmError>
): Effect.Effect<A, LlmError.LlmError> =>
  Either.isLeft(asked.request) ? Effect.fail(asked.request.left) : leased(wire, asked, asked.request.right, (attempt) =>
    Effect.flatMap(
      Attempt.send(attempt, (response) => receive(attempt, response)),
      (answer) => {
        const result = read(answer)
        if (Either.isLeft(result)) return Attempt.failWith(attempt, result.left)
        attempt.lease.succeeded({})
        return Effect.succeed(result.right)
      }
    ))

// an endpoint that was asked for longer than this, and given up on, is not what the next call should wait for
const slow = 10_000

const leased = <A>(
  wire: Attempt.Wire,
  { at, operation }: Asked,
  outgoing: Outgoing,
  use: (attempt: Attempt.Attempt) => Effect.Effect<A, LlmError.LlmError>
): Effect.Effect<A, LlmError.LlmError> =>
  Effect.acquireUseRelease(
    Effect.zip(wire.pool.acquire("", { id: at }), Clock.currentTimeMillis),
    ([lease]) => use(attemptOf(wire, operation, outgoing, lease)),
    ([lease, began], exit) => Effect.map(Clock.currentTimeMillis, (now) => giveBack(wire, lease, exit, now - began))
  )

const giveBack = (
  { backend }: Attempt.Wire,
  lease: KeyPool.Lease,
  exit: Exit.Exit<unknown, unknown>,
  millis: number
): void => {
  if (Exit.isInterrupted(exit) && millis >= slow) {
    const after = Duration.millis(millis)
    lease.failed(new LlmError.TimedOut({ backend, after, message: `${lease.id} was given up on` }))
  }
  lease.release()
}

const attemptOf = (
  wire: Attempt.Wire,
  operation: string,
  outgoing: Outgoing,
  lease: KeyPool.Lease
): Attempt.Attempt => ({
  wire,
  operation,
  outgoing,
  // the pool was made of these endpoints
  endpoint: wire.endpoints.get(lease.id)!,
  lease
})

// -----------------------------------------------------------------------------
// answers
// -----------------------------------------------------------------------------

const receive = (
  attempt: Attempt.Attempt,
  response: Attempt.Response
): Effect.Effect<Answer, LlmError.LlmError | S3Errors.Failure> => {
  const { endpoint, outgoing, wire } = attempt
  const { headers, status } = response
  const malformed = (what: string) => Attempt.malformedResponse(attempt, response, what)
  const text = outgoing.method === "HEAD" ? Effect.succeed("") : Body.readText(response, headers, wire.maxResponseBytes)
  return Effect.matchEffect(text, {
    onFailure: (error) =>
      Effect.fail(
        error === Body.tooLarge
          ? malformed(`the answer has more than ${wire.maxResponseBytes} bytes`)
          : Attempt.networkFailure(attempt, "broke off its answer", error)
      ),
    onSuccess: (text) => {
      const document = Xml.parse(text)
      // S3 begins to answer before it knows how it ends: the status says 200, and the body that it failed
      return document?.root.name === "Error"
        ? Effect.fail(S3Errors.read(status, headers, text))
        : Effect.succeed({
          endpoint,
          headers,
          root: document?.complete === true ? document.root : undefined,
          malformed,
          failure: (failure: S3Errors.Failure, resource: string) => Attempt.toError(attempt, failure, resource)
        })
    }
  })
}

/** An object that is open. */
export interface Opened {
  readonly status: number
  readonly headers: Headers.Headers
  readonly bytes: Stream.Stream<Uint8Array, LlmError.LlmError>
}

/** An exchange whose answer is an object. `accept` may say that it is not what was asked for. */
export const open = (
  wire: Attempt.Wire,
  asked: Asked,
  accept: (status: number, headers: Headers.Headers) => string | undefined
): Effect.Effect<Opened, LlmError.LlmError, Scope.Scope> =>
  Either.isLeft(asked.request)
    ? Effect.fail(asked.request.left)
    : openWith(wire, asked, asked.request.right, accept)

const openWith = (
  wire: Attempt.Wire,
  asked: Asked,
  outgoing: Outgoing,
  accept: (status: number, headers: Headers.Headers) => string | undefined
): Effect.Effect<Opened, LlmError.LlmError, Scope.Scope> =>
  Effect.flatMap(
    Effect.acquireRelease(
      Effect.zip(wire.pool.acquire("", { id: asked.at }), Clock.currentTimeMillis),
      ([lease, began], exit) => Effect.map(Clock.currentTimeMillis, (now) => giveBack(wire, lease, exit, now - began))
    ),
    ([lease]) => {
      const attempt = attemptOf(wire, asked.operation, outgoing, lease)
      return Attempt.send(attempt, (response) => {
        const { headers, status } = response
        const wrong = accept(status, headers)
        return Effect.flatMap(
          Effect.acquireRelease(Body.open(response), ({ close }) => close),
          (body): Effect.Effect<Opened, LlmError.LlmError> =>
            wrong === undefined
              ? Effect.succeed({ status, headers, bytes: content(attempt, response, body) })
              : Effect.fail(Attempt.malformedResponse(attempt, response, wrong))
        )
      })
    }
  )

/** The bytes of an object, which are all there when as many came as were announced. */
const content = (
  attempt: Attempt.Attempt,
  response: Attempt.Response,
  body: Body.Body
): Stream.Stream<Uint8Array, LlmError.LlmError> => {
  const { lease, wire: { backend } } = attempt
  // what a client decompresses by itself has another length
  const length = response.headers["content-encoding"] === undefined
    ? S3Answers.count(response.headers["content-length"])
    : undefined
  let read = 0
  const interrupted = (what: string) =>
    Effect.suspend(() =>
      Effect.fail(Option.some(lease.failed(
        new LlmError.StreamInterrupted({
          backend,
          message: Attempt.said(attempt, `${backend} ${what}`),
          ...Attempt.common(attempt, response)
        })
      )))
    )
  const pull = Effect.matchEffect(body.bytes, {
    onSuccess: (chunk) => {
      for (const bytes of chunk) read += bytes.length
      return length !== undefined && read > length
        ? interrupted(`sent more than ${length} announced bytes`)
        : Effect.succeed(chunk)
    },
    onFailure: (error) => {
      if (Option.isSome(error)) return interrupted(`broke off the object: ${Sending.reasonOf(error.value)}`)
      if (length !== undefined && read < length) return interrupted(`sent ${read} of ${length} announced bytes`)
      return Effect.suspend(() => {
        lease.succeeded({})
        lease.release()
        return Effect.fail(Option.none())
      })
    }
  })
  return Stream.fromPull(Effect.succeed(pull))
}

