/**
 * Which Spillway this is.
 *
 * @since 0.1.0
 */
import { createRequire } from "node:module"

const manifest: { readonly version: string } = createRequire(import.meta.url)("../package.json")

/**
 * The version of the package.
 *
 * @since 0.1.0
 * @category constants
 */
export const version: string = manifest.version
