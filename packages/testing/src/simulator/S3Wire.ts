/**
 * S3: buckets and objects in memory, at path-style addresses. Every signature is checked, in headers and in queries,
 * and so is the time; nothing is limited. The secret of an access key is the key with `-secret` after it.
 *
 * A fault within a stream is, where an operation may begin to answer before it is done, an error within a 200.
 *
 * @see https://docs.aws.amazon.com/AmazonS3/latest/API/API_Operations_Amazon_Simple_Storage_Service.html
 * @since 0.1.0
 */
import * as Either from "effect/Either"
import * as Models from "./Models.js"
import * as Objects from "./S3Objects.js"
import type * as Asked from "./S3Asked.js"
import * as Operations from "./S3Operations.js"
import * as Signature from "./S3Signature.js"
import * as Xml from "./S3Xml.js"
import * as Seed from "./Seed.js"
import * as Wire from "./Wire.js"

/**
 * The wire, with `further` models besides its own: files in its bucket `models`.
 *
 * @since 0.1.0
 * @category constructors
 */
export const make = (further: ReadonlyArray<string>): Wire.Wire => {
  const buckets: Objects.Buckets = new Map([["models", library(further)]])
  const route = (method: Wire.Route["method"], path: string): Wire.Route => ({
    method,
    path,
    raw: true,
    answer: (call) => answer(buckets, call)
  })
  return {
    name: "s3",
    baseUrl: "/s3",
    variables: {
      baseUrl: "S3_ENDPOINT",
      key: "S3_ACCESS_KEY",
      more: (keys) =>
        Object.fromEntries([
          ...keys.map((key, index) => [`S3_SECRET_KEY_${index + 1}`, Signature.secretOf(key)] as const),
          ["S3_BUCKET", "models"] as const
        ])
    },
    keyed: true,
    daily: false,
    demandsJson: false,
    retryAfter: "seconds",
    credential: Signature.accessKey,
    headers: ({ id, now }) => ({
      date: new Date(now).toUTCString(),
      server: "AmazonS3",
      "x-amz-id-2": `host-${requestId(id)}`,
      "x-amz-request-id": requestId(id)
    }),
    refuse,
    streamError: (_, id) => Xml.error("InternalError", internal, requestId(id)),
    routes: (["GET", "PUT", "POST", "DELETE"] as const).flatMap((method) => [route(method, "/"), route(method, "/*")])
  }
}

const requestId = (id: number): string => Seed.identifier(id, 16)

/** Files that look like those of models, so that there is something to list. */
const library = (further: ReadonlyArray<string>): Objects.Bucket => {
  const models = Objects.bucket("models", 1_735_689_600_000)
  for (const { created, id } of Models.simulated(further)) {
    for (const [name, text] of [
      [`${id}/model.gguf`, `GGUF, or nearly: the weights of ${id}, of which there are none.`],
      [`${id}/README.md`, `# ${id}\n`]
    ] as const) {
      const content = new TextEncoder().encode(text)
      const headers = { "content-type": "application/octet-stream" }
      Objects.put(models, { key: name, content, etag: Objects.etagOf(content), modified: created * 1000, headers })
    }
  }
  return models
}

// -----------------------------------------------------------------------------
// answers
// -----------------------------------------------------------------------------

const answer = (buckets: Objects.Buckets, call: Wire.Call): Either.Either<Wire.Answer, Wire.Failure> => {
  const body = call.body instanceof Uint8Array ? call.body : new Uint8Array()
  const query = call.url.includes("?") ? call.url.slice(call.url.indexOf("?")) : ""
  const accessKey = Signature.accessKey(call.headers, query) ?? ""
  const refusal = Signature.check({ ...call, body }, accessKey)
  if (refusal !== undefined) return Either.left(rejected(refusal))
  const [bucket = "", ...key] = call.path.slice(1).split("/")
  const asked: Asked.Asked = {
    buckets,
    method: call.method,
    bucket: decoded(bucket),
    key: decoded(key.join("/")),
    query: call.query,
    headers: call.headers,
    body: Operations.plainBody(call.headers, body),
    now: call.now,
    id: call.id
  }
  const done = Operations.run(asked)
  return "code" in done
    ? Either.left(rejected(done))
    : Either.right({ input: 0, output: 0, render: () => rendered(done.perform(), call.method) })
}

const decoded = (text: string): string =>
  Either.getOrElse(
    Either.try(() => decodeURIComponent(text)),
    () => text
  )

const rendered = (result: Asked.Result, method: string): Wire.Body => {
  switch (result._tag) {
    case "Content":
      return {
        _tag: method === "HEAD" ? "Whole" : "Content",
        contentType: result.headers["content-type"] ?? "binary/octet-stream",
        content: result.content,
        status: result.status,
        headers: result.headers
      }
    case "Document":
      return {
        _tag: "Whole",
        contentType: "application/xml",
        content: Xml.declaration + result.xml,
        ...(result.headers === undefined ? {} : { headers: result.headers })
      }
    case "Late":
      // The status goes out before it is known whether it is true; blanks keep the connection awake.
      return {
        _tag: "Frames",
        contentType: "application/xml",
        opening: `${Xml.declaration} `,
        tokens: [result.xml],
        closing: ""
      }
    case "Nothing":
      return {
        _tag: "Whole",
        contentType: "application/xml",
        content: "",
        status: result.status,
        headers: result.headers ?? {}
      }
  }
}

// -----------------------------------------------------------------------------
// refusals
// -----------------------------------------------------------------------------

const rejected = ({ code, message, more = {}, status }: Signature.Refused): Wire.Failure =>
  Wire.Failure.Rejected({
    message,
    status,
    code,
    // Further elements, written already.
    param: Object.entries(more)
      .map(([name, text]) => Xml.element(name, text))
      .join("")
  })

const refusal =
  (status: number, code: string, message: string) =>
  (_: unknown, { id }: Wire.Refused): Wire.Refusal =>
    error(status, code, message, id)

const error = (status: number, code: string, message: string, id: number, more?: string): Wire.Refusal => ({
  status,
  content: Xml.declaration + Xml.error(code, message, requestId(id), more),
  contentType: "application/xml"
})

const invalid = refusal(400, "InvalidRequest", "The request is invalid.")

const internal = "We encountered an internal error. Please try again."

const notAllowed = "The specified method is not allowed against this resource."

const refuse: Wire.Wire["refuse"] = {
  NoRoute: refusal(405, "MethodNotAllowed", notAllowed),
  WrongMethod: refusal(405, "MethodNotAllowed", notAllowed),
  NoKey: refusal(403, "AccessDenied", "Access Denied"),
  UnknownKey: refusal(403, "InvalidAccessKeyId", "The AWS Access Key Id you provided does not exist in our records."),
  KeyExhausted: refusal(403, "AccountProblem", "There is a problem with your AWS account."),
  NotJson: refusal(400, "IncompleteBody", "The request body terminated unexpectedly"),
  WrongContentType: invalid,
  BodyTooLarge: refusal(400, "EntityTooLarge", "Your proposed upload exceeds the maximum allowed size"),
  Invalid: invalid,
  Rejected: ({ code = "InvalidRequest", message, param, status = 400 }, { id }) =>
    error(status, code, message, id, param),
  NoModel: invalid,
  RateLimited: refusal(503, "SlowDown", "Please reduce your request rate."),
  TooManyTokens: invalid,
  ServerError: refusal(500, "InternalError", internal),
  Overloaded: refusal(503, "ServiceUnavailable", "Service is unable to handle request.")
}
