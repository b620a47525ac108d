/**
 * The page: it listens to the gateway, and shows what it is told.
 */
import { cards } from "./backends.js"
import { circuits } from "./circuits.js"
import { byId, say, set } from "./element.js"
import { failures } from "./failures.js"
import * as Gateway from "./gateway.js"
import * as History from "./history.js"
import { keys } from "./keys.js"
import * as Overview from "./overview.js"
import { spend } from "./spend.js"
import * as Words from "./words.js"

const history = History.make()
const charts = Overview.charts(history)
const parts = [
  Overview.tiles(history),
  cards(history),
  circuits(),
  keys(),
  failures(),
  spend(),
  charts.draw
]

// -----------------------------------------------------------------------------
// showing
// -----------------------------------------------------------------------------

let last: Gateway.Status | undefined

const show = (): void => {
  if (last === undefined) return
  const status = last
  set(byId("content"), "hidden", false)
  set(byId("sign-in"), "hidden", true)
  say(byId("version"), status.version === undefined ? "" : `v${status.version}`)
  say(byId("gateway"), `${status.state === "accepting" ? "Takes calls" : "Shutting down"}, up for ${Words.span(status.uptimeMillis)}`)
  for (const part of parts) part(status)
  const troubled = status.backends.filter((backend) => Words.stateOf(backend, status.at).mood === "bad").length
  document.title = troubled === 0 ? "Spillway" : `(${troubled}) Spillway`
}

charts.choice.addEventListener("change", show)
// who comes back to the page sees at once what happened meanwhile
document.addEventListener("visibilitychange", () => {
  if (!document.hidden) show()
})
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", charts.recolour)

// -----------------------------------------------------------------------------
// listening
// -----------------------------------------------------------------------------

const connections: { readonly [C in Gateway.Connection]: Words.State } = {
  connecting: { mood: "busy", says: "Connecting" },
  live: { mood: "good", says: "Live" },
  lost: { mood: "bad", says: "Lost, trying again" },
  ended: { mood: "warn", says: "The gateway shuts down" },
  "needs-key": { mood: "off", says: "Signed out" },
  refused: { mood: "off", says: "Signed out" }
}

let stop: (() => void) | undefined

const start = (): void => {
  stop?.()
  stop = Gateway.listen({
    status: (status) => {
      last = status
      history.add(status)
      if (!document.hidden) show()
    },
    connection: (connection) => {
      const { mood, says } = connections[connection]
      say(byId("connection"), `${Words.shapes[mood]} ${says}`)
      set(byId("connection"), "data-mood", mood)
      set(byId("sign-out"), "hidden", !Gateway.hasKey())
      if (connection === "needs-key" || connection === "refused") {
        askForKey(
          connection === "refused"
            ? "This key is not one of an admin."
            : Gateway.hasKey()
            ? "The gateway does not know this key."
            : "This gateway shows itself to its admins only."
        )
      }
    }
  })
}

const askForKey = (why: string): void => {
  Gateway.signOut()
  last = undefined
  set(byId("sign-out"), "hidden", true)
  set(byId("content"), "hidden", true)
  set(byId("sign-in"), "hidden", false)
  say(byId("sign-in-why"), why)
  byId("key").focus()
}

byId("sign-in-form").addEventListener("submit", (event) => {
  event.preventDefault()
  const input = byId<HTMLInputElement>("key")
  Gateway.signIn(input.value)
  input.value = ""
  start()
})

byId("sign-out").addEventListener("click", () => {
  stop?.()
  Gateway.signOut()
  location.reload()
})

start()
