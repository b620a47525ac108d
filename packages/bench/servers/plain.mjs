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

// the same on the wire of `/responses`, which @effect/ai-openai speaks
const message = { type: "message", id: "msg_1", role: "assistant", status: "completed", content: [{ type: "output_text", text: "hello", annotations: [], logprobs: [] }] }
const answered = {
  id: "resp_1",
  object: "response",
  created_at: 1,
  status: "completed",
  model: "bench",
  output: [message],
  error: null,
  incomplete_details: null,
  instructions: null,
  metadata: {},
  parallel_tool_calls: true,
  temperature: 1,
  tool_choice: "auto",
  tools: [],
  top_p: 1,
  usage: { input_tokens: 5, input_tokens_details: { cached_tokens: 0 }, output_tokens: 1, output_tokens_details: { reasoning_tokens: 0 }, total_tokens: 6 }
}
const responses = Buffer.from(JSON.stringify(answered))
const event = (/** @type {{ type: string, [field: string]: unknown }} */ event) => `event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`
const item = { output_index: 0, item_id: "msg_1" }
const responseParts = [
  event({ type: "response.created", sequence_number: 0, response: { ...answered, status: "in_progress", output: [] } }),
  event({ type: "response.output_item.added", sequence_number: 1, output_index: 0, item: { ...message, content: [], status: "in_progress" } }),
  ...Array.from({ length: parts }, (_, n) =>
    event({ type: "response.output_text.delta", sequence_number: n + 2, ...item, content_index: 0, delta: `word${n} `, logprobs: [] }))
]
const responseLast = event({ type: "response.output_item.done", sequence_number: parts + 2, output_index: 0, item: message })
  + event({ type: "response.completed", sequence_number: parts + 3, response: answered })

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
      return
    }
    const isResponses = request.url?.endsWith("/responses")
    if (!body.includes("\"stream\":true")) {
      const answer = isResponses ? responses : whole
      response.writeHead(200, { "content-type": "application/json", "content-length": answer.length })
      response.end(answer)
    } else {
      const pieces = isResponses ? responseParts : all
      const end = isResponses ? responseLast : last
      response.writeHead(200, { "content-type": "text/event-stream" })
      if (!body.includes("paced")) {
        response.end(isResponses ? pieces.join("") + end : burst)
        return
      }
      let n = 0
      const next = () => {
        if (n === pieces.length) response.end(end)
        else {
          response.write(pieces[n++])
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
