/**
 * The name under which a request asks for the gateway (its `host`).
 *
 * A page in a browser may give its own name an address of this machine ("DNS rebinding"), and then speaks as though from
 * here, with an origin that looks right. A gateway that asks nobody for a key must therefore know its names; one with keys
 * need not, since the page has none.
 *
 * @since 0.1.0
 */
import { Refusal } from "./Refusal.js"

/**
 * Tells whether a host is one of the names, whatever its port; any is, where there are none. Servers that join a header
 * that came twice put a comma between, and no host has one.
 *
 * @since 0.1.0
 * @category constructors
 */
export const check = (names: ReadonlyArray<string> | undefined): (host: string | undefined) => boolean => {
  const ours = names === undefined ? undefined : new Set(names.map((name) => name.toLowerCase()))
  return (host) =>
    host === undefined ||
    !host.includes(",") && (ours === undefined || ours.has(host.replace(/:\d*$/, "").toLowerCase()))
}

/**
 * What a request for another host hears.
 *
 * @since 0.1.0
 * @category errors
 */
export const refusal = new Refusal({
  reason: "CrossOrigin",
  message: "This gateway does not answer under the name that the request is for"
})
