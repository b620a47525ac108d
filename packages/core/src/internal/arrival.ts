/**
 * When a call came first, for those inside it who let others wait: an attempt that is not its first stands where the
 * first one stood.
 */
import * as Context from "effect/Context"

/** Milliseconds on the `Clock`; absent in a call's first attempt. */
export class CurrentArrival extends Context.Reference<CurrentArrival>()("@spillway/core/CurrentArrival", {
  defaultValue: (): number | undefined => undefined
}) {}
