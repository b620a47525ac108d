/**
 * What the page asks of the gateway: to be told, each second, what is going on, and to do what an admin says.
 */
import type { Status } from "../src/Status.js"

export type { Status }

const stored = "spillway.key"

export const hasKey = (): boolean => sessionStorage.getItem(stored) !== null

export const signOut = (): void => sessionStorage.removeItem(stored)

export const signIn = (key: string): void => sessionStorage.setItem(stored, key)

const authorization = (): { readonly authorization?: string } => {
  const key = sessionStorage.getItem(stored)
  return key === null ? {} : { authorization: `Bearer ${key}` }
}

/** What became of a request: the answer, or what was wrong with it, in words. */
export type Told = { readonly ok: true; readonly body: any } | { readonly ok: false; readonly says: string }

/** Has the gateway do something. */
export const ask = async (path: string, body: object): Promise<Told> => {
  try {
    const response = await fetch(`admin/${path}`, {
      method: "POST",
      headers: { "content-type": "application/json", ...authorization() },
      body: JSON.stringify(body)
    })
    const answer = await response.json()
    return response.ok ? { ok: true, body: answer } : { ok: false, says: answer.error.message }
  } catch {
    return { ok: false, says: "the gateway did not answer" }
  }
}

/** How it stands with what the gateway tells. */
export type Connection = "connecting" | "live" | "lost" | "ended" | "needs-key" | "refused"

export interface Listener {
  readonly status: (status: Status) => void
  readonly connection: (connection: Connection) => void
}

// it speaks each second: who hears nothing for so long is no longer connected
const patience = 6000
const pauses = [500, 1000, 2000, 5000]

/**
 * Listens until it is stopped, and again where that breaks off. (An `EventSource` could not say who is asking.)
 */
export const listen = ({ connection, status }: Listener): () => void => {
  const stopped = new AbortController()
  let failures = 0

  const hear = (event: string): boolean => {
    const lines = event.split("\n")
    const name = lines.find((line) => line.startsWith("event: "))?.slice(7)
    const data = lines.find((line) => line.startsWith("data: "))?.slice(6)
    if (name === "end") return false
    if (name === "status" && data !== undefined) {
      failures = 0
      connection("live")
      status(JSON.parse(data))
    }
    return true
  }

  /** What it came to. */
  const once = async (): Promise<Connection> => {
    const over = new AbortController()
    const end = () => over.abort()
    let alarm = setTimeout(end, patience)
    stopped.signal.addEventListener("abort", end)
    try {
      const response = await fetch("status/events", { headers: authorization(), cache: "no-store", signal: over.signal })
      if (response.status === 401) return "needs-key"
      if (response.status === 403) return "refused"
      if (!response.ok || response.body === null) return "lost"
      const reader = response.body.pipeThrough(new TextDecoderStream()).getReader()
      let text = ""
      while (true) {
        const { done, value } = await reader.read()
        if (done) return "lost"
        clearTimeout(alarm)
        alarm = setTimeout(end, patience)
        const events = (text + value).split("\n\n")
        text = events.pop() ?? ""
        if (!events.every(hear)) return "ended"
      }
    } catch {
      return "lost"
    } finally {
      clearTimeout(alarm)
      stopped.signal.removeEventListener("abort", end)
    }
  }

  const again = async () => {
    connection("connecting")
    while (true) {
      const end = await once()
      if (stopped.signal.aborted) return
      connection(end)
      if (end === "needs-key" || end === "refused") return
      await new Promise((resolve) => setTimeout(resolve, pauses[Math.min(failures++, pauses.length - 1)]))
    }
  }
  void again()
  return () => stopped.abort()
}
