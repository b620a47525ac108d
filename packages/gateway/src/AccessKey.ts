/**
 * Keys of the gateway itself, which it gives to its clients: how one is made, and the hash under which it is kept.
 *
 * A key is 32 random bytes, so its plain SHA-256 is as good as a slow hash would be for a password: there is nothing to
 * guess. Whoever reads a configuration in which hashes stand has no key.
 *
 * @since 0.1.0
 */
import { sha256 } from "@noble/hashes/sha2.js"
import { bytesToHex, utf8ToBytes } from "@noble/hashes/utils.js"
import * as Encoding from "effect/Encoding"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"

/**
 * A key as it may be written in a configuration: `sha256:` and 64 digits of its hash.
 *
 * @since 0.1.0
 * @category models
 */
export type Hash = `sha256:${string}`

/**
 * A new key, and what to keep of it.
 *
 * @since 0.1.0
 * @category models
 */
export interface Made {
  /** What the client is given; it is nowhere else. */
  readonly key: Redacted.Redacted
  readonly hash: Hash
}

/**
 * The key that 32 random bytes make. They must come from a source that nobody can guess (`crypto.getRandomValues`).
 *
 * @since 0.1.0
 * @category constructors
 * @example
 * ```ts
 * import { AccessKey } from "@spillway/gateway"
 * import { Redacted } from "effect"
 * import * as assert from "node:assert"
 *
 * const { hash, key } = AccessKey.fromBytes(crypto.getRandomValues(new Uint8Array(32)))
 * assert.match(Redacted.value(key), /^sk-spillway-[\w-]{43}$/)
 * assert.strictEqual(AccessKey.hash(key), hash)
 * ```
 */
export const fromBytes = (random: Uint8Array): Made => {
  const key = Redacted.make(`sk-spillway-${Encoding.encodeBase64Url(random)}`)
  return { key, hash: hash(key) }
}

/**
 * What to keep of a key.
 *
 * @since 0.1.0
 * @category conversions
 */
export const hash = (key: Redacted.Redacted): Hash => `sha256:${digest(Redacted.value(key))}`

/**
 * The digits of a text's hash.
 *
 * @since 0.1.0
 * @category conversions
 */
export const digest = (text: string): string => bytesToHex(sha256(utf8ToBytes(text)))

/**
 * The digits of the hash of a key that a configuration gives, either as it is, in which case it must have 16 to 512
 * visible characters, or as a hash, which need not be secret. Nothing where it is neither.
 *
 * @since 0.1.0
 * @category conversions
 */
export const configured = (given: unknown): Option.Option<string> => {
  const text = Redacted.isRedacted(given) ? Redacted.value(given) : given
  if (typeof text !== "string") return Option.none()
  const [, digits] = /^sha256:([0-9a-f]{64})$/i.exec(text) ?? []
  if (digits !== undefined) return Option.some(digits.toLowerCase())
  return Redacted.isRedacted(given) && /^[\x21-\x7e]{16,512}$/.test(text) && !text.startsWith("sha256:")
    ? Option.some(digest(text))
    : Option.none()
}
