/**
 * How OpenVINO Model Server refuses: in one sentence, with a status that says little. A wrong key is a 500, broken JSON
 * a 412, and whatever a graph refuses a 400 that quotes the graph.
 *
 * @see https://github.com/openvinotoolkit/model_server/blob/main/src/http_server.cpp
 * @since 0.1.0
 */
import type * as Fields from "./Fields.js"
import type * as Wire from "./Wire.js"

const body = (error: string): string => JSON.stringify({ error })

const refusal = (status: number, error: string): Wire.Refusal => ({ status, content: body(error) })

/** What a node of a graph says when it ends with this status. */
const graph = (path: string, status: string, why: string): string => {
  const node = path.includes("embeddings") ? "Embeddings" : path.includes("rerank") ? "Rerank" : "LLM"
  return (
    `Mediapipe execution failed. MP status - ${status}: CalculatorGraph::Run() failed: \n` +
    `Calculator::Process() for node "${node}Executor" failed: ${why}`
  )
}

/**
 * What is written into the midst of a stream: JSON that nobody escaped, and no event.
 *
 * @since 0.1.0
 * @category conversions
 */
export const inStream = (path: string): string =>
  `{"error": "${graph(path, "INTERNAL", "the pipeline broke")}; error in send packet routine"}`

// The newer server took /v1 for the same routes as /v3.
const isOpenAi = (path: string): boolean => path.includes("/v3/") || path.startsWith("/v1/")

const unauthorized = () => refusal(500, "Unauthorized request due to invalid or missing api-key")

/**
 * How it refuses.
 *
 * @since 0.1.0
 * @category conversions
 */
export const refuse: Wire.Wire["refuse"] = {
  NoRoute: () => refusal(400, "Invalid request URL"),
  WrongMethod: () => refusal(406, "Unsupported method"),
  NoKey: unauthorized,
  UnknownKey: unauthorized,
  // it knows one key, and no account
  KeyExhausted: unauthorized,
  NotJson: (_, { path }) =>
    refusal(412, `The file is not valid json${isOpenAi(path) ? " - Cannot parse JSON body" : ""}`),
  WrongContentType: () => refusal(500, "Failed to deduce model name from all possible ways"),
  BodyTooLarge: () => ({ status: 413, content: "", contentType: "text/html" }),
  Invalid: ({ violation }, { path }) => refusal(400, graph(path, "INVALID_ARGUMENT", explained(violation))),
  Rejected: ({ message, status = 400 }, { path }) =>
    refusal(status, isOpenAi(path) && status === 400 ? graph(path, "INVALID_ARGUMENT", message) : message),
  NoModel: ({ model }, { path }) =>
    model === "" && isOpenAi(path)
      ? refusal(412, "The file is not valid json - model field is missing in JSON body")
      : refusal(
          404,
          isOpenAi(path)
            ? "Mediapipe graph definition with requested name is not found"
            : "Model with requested name is not found"
        ),
  // It has no limits; who stands before it may.
  RateLimited: () => ({ status: 429, content: "Too Many Requests", contentType: "text/plain", waits: true }),
  TooManyTokens: (_, { path }) => refusal(400, graph(path, "INVALID_ARGUMENT", "max_tokens exceeds limit")),
  ServerError: () => refusal(500, "Internal inference error"),
  Overloaded: () => refusal(503, "Server is not ready")
}

const explained = ({ expected, path, problem }: Fields.Violation): string => {
  const field = path.join(".")
  return problem === "Missing"
    ? `${field} missing in request`
    : problem === "BelowMinimum" || problem === "AboveMaximum"
      ? `${field} out of range(${expected[0]})`
      : `${field} is not ${expected.length === 0 ? "expected" : `a ${expected.join(" or ")}`}`
}
