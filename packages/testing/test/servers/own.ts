/**
 * Servers that somebody runs: they are where a variable says, and nobody starts them. Nothing of ours is asked where that
 * is: all tests wait for this, and some of them may tell what is wrong with it.
 */
import { type Environment, type Found, type S3, variable } from "./found.js"

/** What a server answers to whoever has no key; `undefined` where nobody answers. */
const ask = (url: string): Promise<Response | undefined> =>
  fetch(url, { signal: AbortSignal.timeout(5000) }).catch(() => undefined)

const own = (
  name: string,
  named: string,
  path: string,
  toUrl = (value: string) => value.replace(/\/+$/, "").replace(/\/v\d$/, "")
) =>
async (environment: Environment): Promise<Found<string>> => {
  const value = variable(environment, named)
  if (value === undefined) return { name, missing: `set ${named} to the address of one` }
  const url = toUrl(value)
  const response = URL.canParse(url) ? await ask(`${url}${path}`) : undefined
  if (response === undefined) return { name, missing: `${named} says ${value}, where nobody answers` }
  const told: any = await response.json().catch(() => undefined)
  return { name, version: String(told?.version ?? "unknown"), how: `at ${url}`, at: url }
}

/** An address, or a host with or without a port, which may be one that only a server can have. */
const ollamaUrl = (host: string): string => {
  const url = /^https?:/.test(host) ? host : `http://${/:\d+$/.test(host) ? host : `${host}:11434`}`
  return url.replace("//0.0.0.0", "//127.0.0.1").replace(/\/+$/, "")
}

export const ollama = own("Ollama", "OLLAMA_HOST", "/api/version", ollamaUrl)
export const vllm = own("vLLM", "VLLM_BASE_URL", "/version")
export const tgi = own("TGI", "TGI_BASE_URL", "/info")
export const tei = own("TEI", "TEI_BASE_URL", "/info")
export const ovms = own("OVMS", "OVMS_BASE_URL", "/v2")

/** A store of objects at `SPILLWAY_S3_ENDPOINT`, `undefined` where nothing is said of one. */
export const s3 = async (environment: Environment): Promise<Found<S3> | undefined> => {
  const name = "S3"
  const url = variable(environment, "SPILLWAY_S3_ENDPOINT")
  if (url === undefined) return undefined
  const accessKeyId = variable(environment, "SPILLWAY_S3_ACCESS_KEY")
  const secretAccessKey = variable(environment, "SPILLWAY_S3_SECRET_KEY")
  if (accessKeyId === undefined || secretAccessKey === undefined) {
    return { name, missing: "SPILLWAY_S3_ENDPOINT is set: set SPILLWAY_S3_ACCESS_KEY and SPILLWAY_S3_SECRET_KEY too" }
  }
  const response = URL.canParse(url) ? await ask(url) : undefined
  if (response === undefined) return { name, missing: `SPILLWAY_S3_ENDPOINT says ${url}, where nobody answers` }
  const region = variable(environment, "SPILLWAY_S3_REGION") ?? "us-east-1"
  const version = response.headers.get("server") ?? "unknown"
  return { name, version, how: `at ${url}`, at: { url, accessKeyId, secretAccessKey, region } }
}
