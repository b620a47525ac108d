/**
 * A server on OpenAI's wire that is not well: so many of a hundred answers are 500, cut connections, or 429; or all of
 * them for a while, refused or left hanging, when it is told.
 */
import { createServer } from "node:http"
import { serve, settings } from "../harness.mjs"

const { latency = 30, errors = 0, resets = 0, limited = 0, seed = 1 } = settings()
const body = JSON.stringify({
  id: "chatcmpl-1",
  object: "chat.completion",
  created: 1,
  model: "bench",
  choices: [{ index: 0, message: { role: "assistant", content: "hello" }, finish_reason: "stop" }],
  usage: { prompt_tokens: 5, completion_tokens: 1, total_tokens: 6 }
})
let state = seed
/** The same chances in every run. */
const chance = () => {
  state = (state * 1_103_515_245 + 12_345) % 2_147_483_648
  return state / 2_147_483_648 * 100
}
/** @type {"well" | "refusing" | "hanging"} */
let mode = "well"
let asked = 0
let askedWhileDead = 0

const server = createServer((request, response) => {
  request.resume()
  request.on("end", () => {
    asked++
    if (mode !== "well") askedWhileDead++
    if (mode === "hanging") return
    if (mode === "refusing") return void request.socket.destroy()
    const drawn = chance()
    if (drawn < resets) return void request.socket.destroy()
    const status = drawn < resets + errors ? 500 : drawn < resets + errors + limited ? 429 : 200
    setTimeout(() => {
      response.writeHead(status, { "content-type": "application/json" })
      response.end(status === 200 ? body : JSON.stringify({ error: { message: "not now", type: "server_error" } }))
    }, latency)
  })
})

server.listen(0, "127.0.0.1", () => {
  const address = server.address()
  const port = typeof address === "object" && address !== null ? address.port : 0
  serve({ baseURL: `http://127.0.0.1:${port}/v1` }, ({ become }) => {
    if (become !== undefined) mode = become
    return { asked, askedWhileDead }
  })
})
