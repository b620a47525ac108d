/**
 * Calls of a client that trusts nobody: each has a name of its own in its prompt, which the simulator says again, and is
 * held to have come back once, whole, and to who asked; or to have been refused, or broken off, in words that say so.
 */
import { Agent, request } from "node:http"

/**
 * How a call ended: `good`; `refused` or `failed` with a status and an error that has a code; `broken` off in the midst
 * of a stream by an event that has one; `left` by us; `lost`, when it ended otherwise; `wrong`, when what came was not
 * the answer.
 *
 * @typedef {{ kind: "good" | "refused" | "failed" | "broken" | "left" | "lost" | "wrong", why: string }} Ending
 */

/** @param {string} url */
export const client = (url) => {
  const agent = new Agent({ keepAlive: true, maxSockets: Infinity })
  return {
    /**
     * @param {string} name
     * @param {{ stream: boolean, leaveAfter?: number | undefined, onPart?: () => void }} options
     * @returns {Promise<Ending>}
     */
    ask: (name, { leaveAfter, onPart, stream }) =>
      new Promise((resolve) => {
        const end = (/** @type {Ending["kind"]} */ kind, /** @type {string} */ why) => {
          clearTimeout(leaving)
          clearTimeout(waiting)
          resolve({ kind, why })
        }
        const call = request(`${url}/v1/chat/completions`, { method: "POST", agent, headers: { "content-type": "application/json" } })
        const leaving = leaveAfter === undefined ? undefined : setTimeout(() => {
          end("left", "")
          call.destroy()
        }, leaveAfter)
        const waiting = setTimeout(() => {
          end("lost", "no end within two minutes")
          call.destroy()
        }, 120_000)
        call.on("error", (error) => end("lost", `${/** @type {NodeJS.ErrnoException} */ (error).code ?? error.message}`))
        call.on("response", (response) => {
          let text = ""
          response.setEncoding("utf8").on("data", (data) => {
            text += data
            onPart?.()
          })
          response.on("error", (error) => end("lost", `in the answer: ${error.message}`))
          response.on("close", () => end("lost", "the connection closed in the answer"))
          response.on("end", () => {
            const { kind, why } = stream && response.statusCode === 200
              ? ofStream(name, text)
              : ofWhole(name, response.statusCode ?? 0, text)
            end(kind, why)
          })
        })
        call.end(JSON.stringify({ model: "openai/gpt-4o-mini", stream, messages: [{ role: "user", content: `soak ${name} soak` }] }))
      }),
    close: () => agent.destroy()
  }
}

/**
 * @param {string} name
 * @param {number} status
 * @param {string} text
 * @returns {Ending}
 */
const ofWhole = (name, status, text) => {
  const body = parse(text)
  if (status === 200) return ofText(name, body?.choices?.[0]?.message?.content)
  const code = body?.error?.code
  return typeof code !== "string"
    ? { kind: "wrong", why: `status ${status} without an error` }
    : { kind: status === 429 || status === 503 ? "refused" : "failed", why: code }
}

/**
 * @param {string} name
 * @param {string} text
 * @returns {Ending}
 */
const ofStream = (name, text) => {
  const events = text.split("\n\n").filter((event) => event.startsWith("data: ")).map((event) => event.slice(6))
  const last = events.at(-1)
  if (last !== "[DONE]") {
    const code = parse(last ?? "")?.error?.code
    return typeof code === "string" ? { kind: "broken", why: code } : { kind: "lost", why: "a stream without an end" }
  }
  return ofText(name, events.slice(0, -1).map((event) => parse(event)?.choices?.[0]?.delta?.content ?? "").join(""))
}

/**
 * @param {string} name
 * @param {unknown} text
 * @returns {Ending}
 */
const ofText = (name, text) => {
  if (typeof text !== "string") return { kind: "wrong", why: "no text" }
  const times = text.split(`soak ${name} soak`).length - 1
  return times === 1 && text.startsWith(`You said: “soak ${name} soak`)
    ? { kind: "good", why: "" }
    : { kind: "wrong", why: times > 1 ? "said twice" : "another's answer" }
}

/** @param {string} text @returns {any} */
const parse = (text) => {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
