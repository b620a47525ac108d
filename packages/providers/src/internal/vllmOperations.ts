/**
 * The routes that only vLLM has.
 */
import * as Either from "effect/Either"
import type * as HttpBackend from "../HttpBackend.js"
import type * as OpenAiWire from "../OpenAiWire.js"
import * as VllmPoolingWire from "../VllmPoolingWire.js"
import * as VllmWire from "../VllmWire.js"
import * as Json from "./json.js"
import * as VllmLoad from "./vllmLoad.js"

const post = (path: string, body: object): HttpBackend.Outgoing => ({ method: "POST", path, body })

const get = (path: string) => () => Either.right<HttpBackend.Outgoing>({ method: "GET", path })

/** The tokens of a text or a chat. */
export const tokenize = (
  dialect: OpenAiWire.Dialect
): HttpBackend.Operation<VllmWire.TokenizeRequest, VllmWire.Tokens> => ({
  request: (request) => Either.map(VllmWire.toTokenizeBody(request, dialect), (body) => post("/tokenize", body)),
  response: VllmWire.toTokens
})

/** The text of tokens. */
export const detokenize: HttpBackend.Operation<VllmWire.DetokenizeRequest, string> = {
  request: ({ model, tokens }) => Either.right(post("/detokenize", { model, tokens })),
  response: VllmWire.toText
}

/** How near texts are. */
export const score: HttpBackend.Operation<VllmPoolingWire.ScoreRequest, VllmPoolingWire.Scores> = {
  request: (request) => Either.right(post("/score", VllmPoolingWire.toScoreBody(request))),
  response: VllmPoolingWire.toScores
}

/** The classes of texts. */
export const classify: HttpBackend.Operation<VllmPoolingWire.PoolingRequest, VllmPoolingWire.Classes> = {
  request: (request) => Either.right(post("/classify", VllmPoolingWire.toPoolingBody(request))),
  response: VllmPoolingWire.toClasses
}

/** What the model pools. */
export const pooling: HttpBackend.Operation<VllmPoolingWire.PoolingRequest, VllmPoolingWire.Pooled> = {
  request: (request) => Either.right(post("/pooling", VllmPoolingWire.toPoolingBody(request))),
  response: VllmPoolingWire.toPooled
}

/** How busy the engines are. */
export const metrics: HttpBackend.Operation<void, VllmLoad.Read> = {
  request: get("/metrics"),
  reads: "text",
  response: (text, { malformed }) => {
    const load = typeof text === "string" ? VllmLoad.read(text) : undefined
    return load === undefined ? Either.left(malformed("metrics without those of vLLM")) : Either.right(load)
  }
}

/** How many requests have come and are not answered yet. */
export const inFlight: HttpBackend.Operation<void, number> = {
  request: get("/load"),
  response: (body, { malformed }) => {
    const load = Json.count(Json.get(body, "server_load"))
    return load === undefined ? Either.left(malformed("a load without server_load")) : Either.right(load)
  }
}

/** Makes an adapter a model. */
export const loadLora: HttpBackend.Operation<VllmWire.Lora, void> = {
  request: ({ inPlace, name, path }) =>
    Either.right(post("/v1/load_lora_adapter", { lora_name: name, lora_path: path, load_inplace: inPlace })),
  reads: "text",
  response: () => Either.void
}

/** Takes an adapter away. */
export const unloadLora: HttpBackend.Operation<string, void> = {
  request: (name) => Either.right(post("/v1/unload_lora_adapter", { lora_name: name })),
  reads: "text",
  response: () => Either.void
}

/** The server's version. */
export const version: HttpBackend.Operation<void, string> = {
  request: get("/version"),
  response: (body, { malformed }) => {
    const version = Json.name(Json.get(body, "version"))
    return version === undefined ? Either.left(malformed("a version that is none")) : Either.right(version)
  }
}
