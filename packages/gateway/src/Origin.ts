/**
 * Where a request comes from that a browser sends: a page of the gateway itself, or one from elsewhere, which must
 * neither spend the operator's money nor work the operator's gateway.
 *
 * @since 0.1.0
 */
import type * as Headers from "@effect/platform/Headers"
import { Refusal } from "./Refusal.js"

/**
 * Whether a page of another origin sent it. What is no browser says nothing of an origin, and is from nowhere.
 *
 * @since 0.1.0
 * @category guards
 */
export const isForeign = ({ host, origin }: Headers.Headers): boolean =>
  origin !== undefined && origin !== `http://${host}` && origin !== `https://${host}`

/**
 * What a page of another origin hears.
 *
 * @since 0.1.0
 * @category errors
 */
export const refusal = new Refusal({
  reason: "CrossOrigin",
  message: "Calls from web pages of another origin are refused"
})
