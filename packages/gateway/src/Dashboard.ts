/**
 * `/dashboard`: one page that an operator keeps open. It is told what there is to see by `/status/events`, and does what
 * an admin may do by `/admin/…`.
 *
 * What is served here is the same for everybody and holds nothing of this gateway, so nobody needs a key for it. Where
 * the gateway has keys, the page asks for one and sends it as a bearer with each request: what a browser does not send
 * by itself no other page can have it send. The key is kept in the storage of the tab, where only the page's own scripts
 * reach it; no others run, and it can speak to nobody but this gateway (`content-security-policy`).
 *
 * @since 0.1.0
 */
import * as HttpServerResponse from "@effect/platform/HttpServerResponse"
import * as Effect from "effect/Effect"
import type { Route } from "./Exchange.js"
import * as Assets from "./internal/dashboardAssets.js"
import * as OpenAiFault from "./OpenAiFault.js"

const headers = {
  "content-security-policy": [
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "img-src 'self'",
    "connect-src 'self'",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'"
  ].join("; "),
  "x-content-type-options": "nosniff",
  "referrer-policy": "no-referrer",
  "cross-origin-opener-policy": "same-origin",
  "cross-origin-resource-policy": "same-origin",
  "cache-control": "no-cache"
}

/**
 * The page and what it is made of.
 *
 * @since 0.1.0
 * @category constants
 */
export const routes: ReadonlyArray<Route> = Assets.files.map(({ contentType, path, text }) => ({
  method: "GET",
  path,
  kind: "probe",
  access: "open",
  refuse: OpenAiFault.toResponse,
  handle: () => Effect.succeed(HttpServerResponse.text(text, { contentType, headers }))
}))
