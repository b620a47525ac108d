/**
 * `/status/events`: what `/status.json` says, each second, as server-sent events, for a page that somebody keeps open.
 *
 * Nothing is kept for a reader: it is told what is so when it has taken what was so before, and a slow one hears less
 * often. However many there are, the monitor is asked once a second. When the gateway closes, the last event is `end`.
 *
 * @since 0.1.0
 */
import * as HttpServerResponse from "@effect/platform/HttpServerResponse"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import * as EventStream from "./EventStream.js"
import type { Route } from "./Exchange.js"
import * as OpenAiFault from "./OpenAiFault.js"
import * as Status from "./Status.js"

/**
 * The route of this module.
 *
 * @since 0.1.0
 * @category constructors
 */
export const routes = (sources: Status.Sources): ReadonlyArray<Route> => {
  const isOver = () => sources.drain.state() === "closing"
  let last = { at: -Infinity, event: "" }

  const now = Effect.flatMap(Effect.clock, (clock) =>
    Effect.suspend(() => {
      const at = clock.unsafeCurrentTimeMillis()
      if (at - last.at < everyMillis / 2 && at >= last.at) return Effect.succeed(last.event)
      return Effect.map(Status.read(sources), (status) => {
        last = { at, event: `event: status\n${EventStream.event(JSON.stringify(status))}` }
        return last.event
      })
    }))

  const events: Stream.Stream<string> = Stream.suspend(() => {
    let begun = false
    let over = false
    return Stream.repeatEffectOption(Effect.suspend(() => {
      if (over) return Effect.fail(Option.none())
      const due = begun ? Effect.sleep(everyMillis) : Effect.void
      begun = true
      return Effect.zipRight(
        due,
        Effect.suspend(() => {
          if (!isOver()) return now
          over = true
          return Effect.succeed(`event: end\n${EventStream.event("{}")}`)
        })
      )
    }))
  })

  return [{
    method: "GET",
    path: "/status/events",
    kind: "probe",
    access: "admin",
    refuse: OpenAiFault.toResponse,
    handle: () =>
      Effect.sync(() =>
        HttpServerResponse.stream(Stream.encodeText(events), {
          contentType: "text/event-stream; charset=utf-8",
          headers: { "cache-control": "no-store", "x-accel-buffering": "no" }
        })
      )
  }]
}

const everyMillis = 1000
