/**
 * MD5, which S3 uses as a checksum: in the etag of what was sent in one exchange, and of what came in parts.
 */
import { md5 } from "@noble/hashes/legacy.js"
import { bytesToHex, concatBytes, hexToBytes } from "@noble/hashes/utils.js"

/** As etags have it. */
export const hex = (bytes: Uint8Array): string => bytesToHex(md5(bytes))

/** As `content-md5` has it. */
export const base64 = (bytes: Uint8Array): string => btoa(String.fromCharCode(...md5(bytes)))

/** The etag of an object that came in parts with these etags; nothing where one of them is no MD5. */
export const ofParts = (etags: ReadonlyArray<string>): string | undefined =>
  etags.every((etag) => /^[\da-f]{32}$/i.test(etag))
    ? `${hex(concatBytes(...etags.map(hexToBytes)))}-${etags.length}`
    : undefined
