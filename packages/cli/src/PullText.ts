/**
 * How far the pull of a model has come, by what its server tells of each of its layers.
 *
 * @since 0.1.0
 */
import type * as OllamaModelsWire from "@spillway/providers/OllamaModelsWire"
import * as Progress from "./Progress.js"

/**
 * What has been told.
 *
 * @since 0.1.0
 * @category models
 */
export interface Told {
  readonly status: string
  /** The bytes of each layer, and how many of them are there. */
  readonly layers: ReadonlyMap<string, { readonly total: number; readonly completed: number }>
}

/**
 * Nothing.
 *
 * @since 0.1.0
 * @category constructors
 */
export const nothing: Told = { status: "", layers: new Map() }

/**
 * What is known once this is told, too.
 *
 * @since 0.1.0
 * @category combinators
 */
export const hear = ({ layers }: Told, { completed, digest, status, total }: OllamaModelsWire.Progress): Told => ({
  status,
  // a layer that is begun anew has not lost what is there
  layers: digest === undefined || total === undefined
    ? layers
    : new Map([...layers, [digest, { total, completed: Math.max(completed ?? 0, layers.get(digest)?.completed ?? 0) }]])
})

/**
 * The line: as a bar, where its width says how many columns there are; else in words only.
 *
 * @since 0.1.0
 * @category conversions
 */
export const line = ({ layers, status }: Told, columns?: number): string => {
  const all = [...layers.values()]
  const total = all.reduce((sum, { total }) => sum + total, 0)
  const completed = all.reduce((sum, { completed }) => sum + completed, 0)
  return total === 0
    ? status.slice(0, columns)
    : Progress.barred(completed / total, `${bytes(completed)} of ${bytes(total)}  ${status}`, columns)
}

const bytes = (n: number): string => {
  const [unit = "B", size = 1] = units.find(([, size]) => n >= size) ?? []
  return size === 1 ? `${n} B` : `${(n / size).toFixed(1)} ${unit}`
}

const units: ReadonlyArray<readonly [string, number]> = [["GB", 1e9], ["MB", 1e6], ["kB", 1e3]]
