import * as HttpApp from "@effect/platform/HttpApp"
import * as LlmService from "@spillway/core/LlmService"
import * as Gateway from "@spillway/gateway/Gateway"
import * as Effect from "effect/Effect"

/** What the tests ask a gateway, as its clients would: a `Request` in, a `Response` out, under the clock of the test. */
export interface Web {
  readonly gateway: Gateway.Service
  readonly fetch: (path: string, init?: RequestInit) => Effect.Effect<Response>
  readonly post: (path: string, body: unknown, init?: RequestInit) => Effect.Effect<Response>
}

export const serve = (service: LlmService.Service, options: Gateway.Options = {}): Effect.Effect<Web> =>
  Effect.gen(function*() {
    const gateway = yield* Effect.orDie(Gateway.make(options))
    const handler = HttpApp.toWebHandlerRuntime(yield* Effect.runtime<never>())(gateway.app)
    const fetch: Web["fetch"] = (path, init) =>
      Effect.promise(() => handler(new Request(`http://gateway.test${path}`, init)))
    const web: Web = {
      gateway,
      fetch,
      post: (path, body, init) =>
        fetch(path, { method: "POST", body: typeof body === "string" ? body : JSON.stringify(body), ...init })
    }
    return web
  }).pipe(Effect.provideService(LlmService.LlmService, service))

export const json = (response: Response): Effect.Effect<any> => Effect.promise(() => response.json())

export const text = (response: Response): Effect.Effect<string> => Effect.promise(() => response.text())

/** The data of every event of a stream, JSON decoded; `[DONE]` as it is. */
export const events = (response: Response): Effect.Effect<ReadonlyArray<any>> =>
  Effect.map(text(response), (text) => {
    const events = text.split("\n\n")
    if (events.pop() !== "") throw new Error("the last event has no end")
    return events.map((event) => {
      if (!event.startsWith("data: ") || event.includes("\n")) throw new Error(`not one line of data: ${event}`)
      const data = event.slice(6)
      return data === "[DONE]" ? data : JSON.parse(data)
    })
  })

export const hi = { model: "scripted/parrot", messages: [{ role: "user", content: "hi" }] }
