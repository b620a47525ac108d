/**
 * How busy a vLLM server is, from what it tells Prometheus.
 *
 * @see https://docs.vllm.ai/en/latest/usage/metrics/
 */

/** What was read; absent where the server does not tell. */
export interface Read {
  readonly running: number
  readonly waiting: number
  readonly kvCacheUsage: number | undefined
}

/**
 * A sample: a name, labels whose values may hold anything between quotes, a value. A server behind Ray puts that before
 * the name, and has no colons in it.
 */
const sample = /^(?:ray_)?vllm[:_](\w+)(?:\{(?:[^"}]|"(?:\\.|[^"\\])*")*\})?[ \t]+(\S+)/

/** The load in a text of Prometheus's format; `undefined` when it is none, or another server's. */
export const read = (text: string): Read | undefined => {
  const values = new Map<string, Array<number>>()
  for (const line of text.split("\n")) {
    const [, name, value] = sample.exec(line) ?? []
    const number = Number(value)
    if (name === undefined || !Number.isFinite(number)) continue
    const known = values.get(name)
    if (known === undefined) values.set(name, [number])
    else known.push(number)
  }
  const running = values.get("num_requests_running")
  const waiting = values.get("num_requests_waiting")
  if (running === undefined && waiting === undefined) return undefined
  // as it was called before 0.9
  const usage = values.get("kv_cache_usage_perc") ?? values.get("gpu_cache_usage_perc")
  return { running: sum(running), waiting: sum(waiting), kvCacheUsage: usage && Math.max(...usage) }
}

/** Each of a server's engines is a sample of its own. */
const sum = (values: ReadonlyArray<number> = []): number => values.reduce((sum, value) => sum + value, 0)
