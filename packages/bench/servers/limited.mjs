/**
 * A server on OpenAI's wire that allows each key so many requests a second, by GCRA, and answers the others 429 with
 * `retry-after`.
 */
import { createServer } from "node:http"
import { serve, settings } from "../harness.mjs"

const { burst = 5, latency = 30, perSecond = 25, retryAfter = "seconds" } = settings()
const period = 1000 / perSecond
/** @type {Map<string, number>} */
const arrivals = new Map()
/** @type {Array<{ at: number, status: number }>} */
let answers = []

const body = JSON.stringify({
  id: "chatcmpl-1",
  object: "chat.completion",
  created: 1,
  model: "bench",
  choices: [{ index: 0, message: { role: "assistant", content: "hello" }, finish_reason: "stop" }],
  usage: { prompt_tokens: 5, completion_tokens: 1, total_tokens: 6 }
})
const refusal = JSON.stringify({ error: { message: "Rate limit reached", type: "requests", code: "rate_limit_exceeded" } })

/** The forms in which it says how long to wait. */
const forms = {
  seconds: (/** @type {number} */ wait) => ({ "retry-after": String(Math.ceil(wait) / 1000) }),
  whole: (/** @type {number} */ wait) => ({ "retry-after": String(Math.ceil(wait / 1000)) }),
  none: () => ({})
}

const server = createServer((request, response) => {
  request.resume()
  request.on("end", () => {
    const now = performance.now()
    const key = request.headers.authorization ?? ""
    const due = Math.max(now, arrivals.get(key) ?? 0)
    const wait = due + period - now - burst * period
    if (wait > 0) {
      answers.push({ at: now, status: 429 })
      response.writeHead(429, { "content-type": "application/json", ...forms[/** @type {keyof typeof forms} */ (retryAfter)](wait) })
      response.end(refusal)
      return
    }
    arrivals.set(key, due + period)
    answers.push({ at: now, status: 200 })
    setTimeout(() => {
      response.writeHead(200, { "content-type": "application/json" })
      response.end(body)
    }, latency)
  })
})

server.listen(0, "127.0.0.1", () => {
  const address = server.address()
  const port = typeof address === "object" && address !== null ? address.port : 0
  serve({ baseURL: `http://127.0.0.1:${port}/v1` }, () => {
    const seen = answers
    answers = []
    arrivals.clear()
    return { answers: seen }
  })
})
