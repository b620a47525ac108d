/**
 * A server of one's own: it has an address, and it may want a key.
 */
import * as KeyPool from "@spillway/core/KeyPool"
import * as Config from "effect/Config"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import type * as HttpBackend from "../HttpBackend.js"
import * as Address from "./address.js"

/** What there is to set of any such server. */
export interface Options {
  /** The keys, for a server that wants one. @default none */
  readonly apiKeys?: KeyPool.Options["keys"]
  /** How the keys are used; without any, what holds of the server as a whole. */
  readonly keys?: Omit<KeyPool.Options, "backend" | "keys">
  /** The address. @default that of a server on this machine */
  readonly baseUrl?: string
  /** Headers of every request. */
  readonly headers?: Readonly<Record<string, string>>
  /** How the wire is used. */
  readonly http?: HttpBackend.Options
}

/** The pool of the keys, or of the one anonymous key: a 429 then concerns the whole server. */
export const pool = (backend: string, { apiKeys, keys }: Options) =>
  apiKeys === undefined ? KeyPool.anonymous(backend, keys) : KeyPool.make({ ...keys, backend, keys: apiKeys })

/** A key as `Authorization: Bearer …`. */
export const bearer = (key: Redacted.Redacted): Readonly<Record<string, string>> => ({
  authorization: `Bearer ${Redacted.value(key)}`
})

/**
 * What the environment says: the address, which has a default, in the first of its variables that is set, and keys, if
 * there are any.
 */
export const config = (variables: {
  readonly address: string | Parameters<typeof Address.config>
  readonly baseUrl: string
  readonly keys: Parameters<typeof KeyPool.config>
}): Config.Config<Options & { readonly baseUrl: string }> =>
  Config.map(
    Config.all({
      baseUrl: Config.withDefault(
        typeof variables.address === "string"
          ? Address.config(variables.address)
          : Address.config(...variables.address),
        variables.baseUrl
      ),
      apiKeys: Config.option(KeyPool.config(...variables.keys))
    }),
    ({ apiKeys, baseUrl }) => Option.isSome(apiKeys) ? { baseUrl, apiKeys: apiKeys.value } : { baseUrl }
  )
