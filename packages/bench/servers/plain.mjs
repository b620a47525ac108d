/**
 * A server on OpenAI's wire that answers at once, as cheaply as can be: whole answers, streams of so many parts in one
 * write (`burst`) or one write each (`paced`), and embeddings. The model's name says which.
 */
import { createServer } from "node:http"
import { serve } from "../harness.mjs"

const head = { id: "chatcmpl-1", created: 1, model: "bench" }
const whole = Buffer.from(JSON.stringify({
  ...head,
  object: "chat.completion",
  choices: [{ index: 0, message: { role: "assistant", content: "hello" }, finish_reason: "stop" }],
  usage: { prompt_tokens: 5, completion_tokens: 1, total_tokens: 6 }
}))
const parts = 200
const part = (/** @type {number} */ n) =>
  `data: ${JSON.stringify({ ...head, object: "chat.completion.chunk", choices: [{ index: 0, delta: { content: `word${n} ` }, finish_reason: null }] })}\n\n`
const last = `data: ${JSON.stringify({ ...head, object: "chat.completion.chunk", choices: [{ index: 0, delta: {}, finish_reason: "stop" }] })}\n\ndata: [DONE]\n\n`
const all = Array.from({ length: parts }, (_, n) => part(n))
const burst = Buffer.from(all.join("") + last)

const server = createServer((request, response) => {
  /** @type {Array<Buffer>} */
  const pieces = []
  request.on("data", (piece) => pieces.push(piece))
  request.on("end", () => {
    const body = Buffer.concat(pieces).toString()
    if (request.url?.endsWith("/embeddings")) {
      const { input } = JSON.parse(body)
      const data = [input].flat().map((_, index) => ({ object: "embedding", index, embedding: [0.1, 0.2, 0.3] }))
      response.writeHead(200, { "content-type": "application/json" })
      response.end(JSON.stringify({ object: "list", model: "bench", data, usage: { prompt_tokens: 1, total_tokens: 1 } }))
    } else if (!body.includes("\"stream\":true")) {
      response.writeHead(200, { "content-type": "application/json", "content-length": whole.length })
      response.end(whole)
    } else {
      response.writeHead(200, { "content-type": "text/event-stream" })
      if (!body.includes("paced")) {
        response.end(burst)
        return
      }
      let n = 0
      const next = () => {
        if (n === parts) response.end(last)
        else {
          response.write(all[n++])
          setTimeout(next, 1)
        }
      }
      response.socket?.setNoDelay(true)
      next()
    }
  })
})

server.keepAliveTimeout = 60_000
server.listen(0, "127.0.0.1", () => {
  const address = server.address()
  const port = typeof address === "object" && address !== null ? address.port : 0
  serve({ baseURL: `http://127.0.0.1:${port}/v1` }, () => ({}))
})
