/**
 * How an answer goes out: its status, its headers, its delays, and what goes wrong with it on purpose.
 *
 * @since 0.1.0
 */
import * as HttpServerResponse from "@effect/platform/HttpServerResponse"
import * as Chunk from "effect/Chunk"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import type * as Fault from "./Fault.js"
import * as Seed from "./Seed.js"
import type { RetryAfter } from "./Settings.js"
import type * as Wire from "./Wire.js"
import * as World from "./World.js"

/**
 * A response, or a connection that broke.
 *
 * @since 0.1.0
 * @category models
 */
export type Response = Effect.Effect<HttpServerResponse.HttpServerResponse, World.ConnectionReset>

/**
 * The connection breaks.
 *
 * @since 0.1.0
 * @category constructors
 */
export const broken = ({
  clock,
  entry,
  received,
  world
}: World.Exchange): Effect.Effect<never, World.ConnectionReset> =>
  Effect.suspend(() => {
    world.journal.close(entry, "Broken", clock.unsafeCurrentTimeMillis())
    return received.cut
  })

/**
 * Nothing at all, until somebody hangs up.
 *
 * @since 0.1.0
 * @category constructors
 */
export const hang = (exchange: World.Exchange): Effect.Effect<never, World.ConnectionReset> =>
  Effect.async((resume) => {
    const { hanging } = exchange.world
    const hangUp = () => {
      hanging.delete(hangUp)
      resume(broken(exchange))
    }
    hanging.add(hangUp)
    return Effect.sync(() => hanging.delete(hangUp))
  })

/**
 * A response in a while.
 *
 * @since 0.1.0
 * @category combinators
 */
export const after = (millis: number, then: () => Response): Response =>
  millis <= 0 ? then() : Effect.flatMap(Effect.sleep(millis), then)

/**
 * When nobody can tell, come back in so many milliseconds.
 *
 * @since 0.1.0
 * @category constants
 */
export const aWhile = 1000

/**
 * A refusal, in the vendor's words.
 *
 * @since 0.1.0
 * @category constructors
 */
export const refuse = (visit: World.Visit, failure: Wire.Failure): Response => {
  const {
    exchange: {
      clock,
      entry,
      world: { settings }
    },
    path,
    wire
  } = visit
  const id = Seed.at(settings.seed, entry.ordinal)
  // The table is indexed by the tag of the very failure that it is given.
  const refusal = (wire.refuse[failure._tag] as (failure: Wire.Failure, call: Wire.Refused) => Wire.Refusal)(failure, {
    id,
    path
  })
  const now = clock.unsafeCurrentTimeMillis()
  const waitMillis = failure._tag === "RateLimited" ? failure.waitMillis : aWhile
  return send(
    visit.exchange,
    refusal.status,
    HttpServerResponse.text(refusal.content, {
      status: refusal.status,
      contentType: refusal.contentType ?? "application/json",
      headers: {
        ...headersOf(visit, 0, refusal.limits === true),
        ...(refusal.waits === true
          ? waits[settings.retryAfter === "vendor" ? wire.retryAfter : settings.retryAfter](waitMillis, now)
          : {})
      }
    })
  )
}

const waits: {
  readonly [R in Exclude<RetryAfter, "vendor"> | "both"]: (
    millis: number,
    now: number
  ) => { readonly [name: string]: string }
} = {
  seconds: (millis) => ({ "retry-after": Math.ceil(millis / 1000).toString() }),
  date: (millis, now) => ({ "retry-after": new Date(Math.ceil((now + millis) / 1000) * 1000).toUTCString() }),
  milliseconds: (millis) => ({ "retry-after-ms": millis.toString() }),
  both: (millis) => ({ "retry-after-ms": millis.toString(), "retry-after": Math.ceil(millis / 1000).toString() }),
  none: () => ({})
}

const headersOf = (
  { account, exchange: { clock, entry, world }, wire }: World.Visit,
  elapsedMillis: number,
  limits: boolean
) =>
  wire.headers({
    id: Seed.at(world.settings.seed, entry.ordinal),
    now: clock.unsafeCurrentTimeMillis(),
    elapsedMillis,
    ...(limits && account !== undefined ? account.limits : { requests: undefined, tokens: undefined, daily: undefined })
  })

/**
 * A response that is sent whole, which ends the exchange.
 *
 * @since 0.1.0
 * @category constructors
 */
export const send = (
  { clock, entry, world }: World.Exchange,
  status: number,
  response: HttpServerResponse.HttpServerResponse
): Response => {
  entry.status = status
  world.journal.close(entry, "Answered", clock.unsafeCurrentTimeMillis())
  return Effect.succeed(response)
}

/**
 * The answer, whole or as a stream, with the fault that it is to have.
 *
 * @since 0.1.0
 * @category constructors
 */
export const deliver = (visit: World.Visit, body: Wire.Body, elapsedMillis: number): Response =>
  kinds[body._tag](visit, body as never, elapsedMillis) // each is given the body of its own tag

const whole = (
  visit: World.Visit,
  { content, contentType, headers, status = 200 }: Extract<Wire.Body, { readonly _tag: "Whole" }>,
  elapsedMillis: number
): Response => {
  const shown = noted(visit, "malformed") ? content.slice(0, Math.ceil(content.length / 2)) : content
  const options = { status, contentType, headers: { ...headersOf(visit, elapsedMillis, true), ...headers } }
  return send(
    visit.exchange,
    status,
    typeof shown === "string" ? HttpServerResponse.text(shown, options) : HttpServerResponse.uint8Array(shown, options)
  )
}

const noted = ({ exchange: { entry }, fault }: World.Visit, happens: Fault.Fault): boolean => {
  if (fault === happens) entry.fault = happens
  return fault === happens
}

const content = (
  visit: World.Visit,
  { content, contentType, headers, status = 200 }: Extract<Wire.Body, { readonly _tag: "Content" }>,
  elapsedMillis: number
): Response => {
  const { exchange, fault } = visit
  const ending = fault === undefined ? undefined : contentEndings[fault]
  const options = { status, contentType, headers: { ...headersOf(visit, elapsedMillis, true), ...headers } }
  if (ending === undefined) return send(exchange, status, HttpServerResponse.uint8Array(content, options))
  exchange.entry.status = status
  exchange.entry.fault = fault
  const half = content.slice(0, Math.floor(content.length / 2))
  const body = Stream.concat(
    Stream.make(half),
    Stream.fromEffect(ending(exchange))
  )
  return Effect.succeed(
    HttpServerResponse.stream(Stream.ensuring(body, Effect.sync(() => World.abandon(exchange))), {
      ...options,
      contentLength: content.length
    })
  )
}

// Content has a length, so that an end before it is a connection that breaks.
const contentEndings: {
  readonly [F in Fault.Fault]?: (exchange: World.Exchange) => Effect.Effect<never, World.ConnectionReset>
} = { streamStall: hang, streamCut: broken, streamReset: broken }

type Frames = Extract<Wire.Body, { readonly _tag: "Frames" }>

const frames = (visit: World.Visit, body: Frames, elapsedMillis: number): Response => {
  const { exchange, fault } = visit
  const options = { contentType: body.contentType, headers: headersOf(visit, elapsedMillis, true) }
  const delayMillis = exchange.world.settings.tokenDelayMillis
  if (delayMillis === 0 && fault === undefined) {
    // Nothing to wait for and nothing to go wrong: one write, no stream.
    exchange.entry.streamed = body.tokens.length
    return send(exchange, 200, HttpServerResponse.raw(body.opening + body.tokens.join("") + body.closing, options))
  }
  exchange.entry.status = 200
  exchange.entry.fault = fault
  return Effect.succeed(HttpServerResponse.stream(paced(visit, body, delayMillis), options))
}

const kinds = { Whole: whole, Content: content, Frames: frames }

const encoder = new TextEncoder()

// How a stream goes on once half of its tokens were sent.
type Ending = (visit: World.Visit) => Effect.Effect<Chunk.Chunk<Uint8Array>, Option.Option<World.ConnectionReset>>

const endings: { readonly [F in Fault.Fault]?: Ending } = {
  streamCut: ({ exchange: { clock, entry, world } }) => {
    world.journal.close(entry, "Broken", clock.unsafeCurrentTimeMillis())
    return Effect.fail(Option.none())
  },
  streamStall: ({ exchange }) => Effect.mapError(hang(exchange), Option.some),
  streamReset: ({ exchange }) => Effect.mapError(broken(exchange), Option.some)
}

const paced = (
  visit: World.Visit,
  { closing, opening, tokens }: Frames,
  delayMillis: number
): Stream.Stream<Uint8Array, World.ConnectionReset> => {
  const { exchange, fault, path, wire } = visit
  const { clock, entry, world } = exchange
  const half = Math.floor(tokens.length / 2)
  const shown = fault === "malformed" ? tokens.map((token, index) => (index === half ? spoiled(token) : token)) : tokens
  let started = false
  let ended = false
  const pull: Effect.Effect<Chunk.Chunk<Uint8Array>, Option.Option<World.ConnectionReset>> = Effect.suspend(() => {
    if (ended) return Effect.fail(Option.none())
    if (!started) {
      started = true
      if (opening !== "") return Effect.succeed(Chunk.of(encoder.encode(opening)))
    }
    const sent = entry.streamed
    if (sent === half && fault === "streamError") {
      ended = true
      world.journal.close(entry, "Broken", clock.unsafeCurrentTimeMillis())
      return Effect.succeed(Chunk.of(encoder.encode(wire.streamError(path, Seed.at(world.settings.seed, entry.ordinal)))))
    }
    const ending = sent === half && fault !== undefined ? endings[fault] : undefined
    if (ending !== undefined) return ending(visit)
    const token = shown[sent]
    const last = sent >= tokens.length - 1
    const next = () => {
      ended = last
      if (token !== undefined) entry.streamed++
      if (last) world.journal.close(entry, "Answered", clock.unsafeCurrentTimeMillis())
      return Chunk.of(encoder.encode(last ? `${token ?? ""}${closing}` : (token ?? "")))
    }
    return delayMillis === 0 ? Effect.sync(next) : Effect.map(Effect.sleep(delayMillis), next)
  })
  return Stream.ensuring(
    Stream.fromPull(Effect.succeed(pull)),
    Effect.sync(() => World.abandon(exchange))
  )
}

// Takes a brace away, so that the event is framed as it should be and its JSON is not.
const spoiled = (token: string): string => {
  const brace = token.lastIndexOf("}")
  return token.slice(0, brace) + token.slice(brace + 1)
}
