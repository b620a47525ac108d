/**
 * By when calls must have ended: what a caller says for his policies (`Policy`), and what those go by that know none.
 */
import * as Context from "effect/Context"
import * as Option from "effect/Option"

/**
 * The moment (milliseconds on the `Clock`) by which calls made here must have ended; none unless a caller says so.
 *
 * @since 0.1.0
 * @category references
 */
export class CurrentDeadline extends Context.Reference<CurrentDeadline>()("@spillway/core/CurrentDeadline", {
  defaultValue: (): Option.Option<number> => Option.none()
}) {}

/** A deadline in milliseconds on the `Clock`; never (`Infinity`) where there is none. */
export const toMillis = (deadline: Option.Option<number>): number =>
  deadline._tag === "Some" ? deadline.value : Infinity
