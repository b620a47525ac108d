/**
 * What failed lately, and what may help against it.
 */
import type * as Monitor from "@spillway/core/Monitor"
import { badge } from "./badge.js"
import { byId } from "./element.js"
import type { Status } from "./gateway.js"
import { plain, table } from "./table.js"
import * as Words from "./words.js"

/** What failed in the same way, and when it did so last. */
interface Failures extends Monitor.CallFailure {
  readonly backend: string
  readonly times: number
}

const nameOf = ({ attempt, backend, error, model, verdict }: Failures): string => [backend, model, error, verdict, attempt].join("\n")

const alike = (backends: ReadonlyArray<Monitor.Backend>): ReadonlyArray<Failures> => {
  const found = new Map<string, Failures>()
  for (const { backend, calls } of backends) {
    for (const failure of calls?.lastFailures ?? []) {
      const one = { ...failure, backend, times: 1 }
      found.set(nameOf(one), { ...one, times: (found.get(nameOf(one))?.times ?? 0) + 1 })
    }
  }
  return [...found.values()].toSorted((one, other) => other.at - one.at).slice(0, 20)
}

export const failures = () => {
  const show = table<Failures>(byId("failures"), {
    caption: "Of the last 50 calls and attempts of each backend that failed, the latest first",
    empty: "Nothing has failed yet.",
    keyOf: nameOf,
    columns: [
      plain("Last", ({ at }) => Words.clock(at)),
      plain("Backend", ({ backend }) => backend),
      plain("Model", ({ model }) => model === "" ? "–" : model),
      plain("Error", ({ error }) => Words.spoken(error)),
      plain("What may help", ({ verdict }) => Words.verdicts[verdict]),
      {
        name: "What failed",
        make: () => {
          const { node, update } = badge()
          return {
            node,
            update: ({ attempt }) =>
              update(attempt === undefined ? { mood: "bad", says: "the call" } : { mood: "busy", says: `attempt ${attempt}` })
          }
        }
      },
      plain("Times", ({ times }) => Words.count(times), true)
    ]
  })
  return ({ backends }: Status) => show(alike(backends))
}
