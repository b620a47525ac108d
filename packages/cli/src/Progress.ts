/**
 * How far bulk work has come, as one line.
 *
 * @since 0.1.0
 */
import * as Duration from "effect/Duration"

/**
 * How it stands.
 *
 * @since 0.1.0
 * @category models
 */
export interface Standing {
  /** Lines there are. */
  readonly lines: number
  /** Lines that had been answered before this start. */
  readonly before: number
  /** Lines that were answered, and that failed, since. */
  readonly answered: number
  readonly failed: number
  readonly retries: number
  /** What the work has cost in all, as far as it is known, in millionths of a dollar. */
  readonly spent: number
  /** Answers whose cost is not known. */
  readonly unpriced: number
  /** Calls that wait until their backend can be asked again. */
  readonly held: number
}

/**
 * How many lines are done with a second, lately.
 *
 * @since 0.1.0
 * @category models
 */
export interface Pace {
  /** Learns how many are done with by now (in milliseconds), and says how many a second that makes of late. */
  readonly perSecond: (now: number, done: number) => number
}

/**
 * A pace by what happened within the last `windowMillis`, where nothing was done with at `since`.
 *
 * @since 0.1.0
 * @category constructors
 */
export const pace = (windowMillis: number, since: number): Pace => {
  let seen: Array<{ readonly at: number; readonly done: number }> = [{ at: since, done: 0 }]
  return {
    perSecond: (now, done) => {
      // the last one before the window tells how many there were when it began
      const begun = seen.findLastIndex(({ at }) => at <= now - windowMillis)
      seen = [...seen.slice(Math.max(begun, 0)), { at: now, done }]
      const first = seen[0] ?? { at: now, done }
      return now <= first.at ? 0 : (done - first.done) * 1000 / (now - first.at)
    }
  }
}

/**
 * The line: as a bar, where its width says how many columns there are; else in words only.
 *
 * @since 0.1.0
 * @category conversions
 */
export const line = (standing: Standing, perSecond: number, columns?: number): string => {
  const { answered, before, failed, held, lines, retries } = standing
  const done = before + answered + failed
  const left = lines - done
  const words = [
    `${number(done)}/${number(lines)}`,
    `${rate(perSecond)}/s`,
    ...(left > 0 && perSecond > 0 ? [`${time(left * 1000 / perSecond)} left`] : []),
    money(standing),
    ...(retries > 0 ? [count(retries, "retry", "retries")] : []),
    ...(failed > 0 ? [`${number(failed)} failed`] : []),
    ...(held > 0 ? [`${number(held)} held up`] : [])
  ].join("  ")
  return barred(lines === 0 ? 1 : done / lines, words, columns)
}

/**
 * Words behind a bar that shows a share (from 0 to 1), where there are columns for one.
 *
 * @since 0.1.0
 * @category conversions
 */
export const barred = (share: number, words: string, columns?: number): string => {
  const room = columns === undefined ? 0 : Math.min(30, columns - words.length - 3)
  return room < 5 ? words.slice(0, columns) : `${bar(share, room)} ${words}`
}

const bar = (share: number, room: number): string => {
  const full = Math.floor(share * room)
  return `${"█".repeat(full)}${"░".repeat(room - full)}`
}

/**
 * Money, as far as it is known.
 *
 * @since 0.1.0
 * @category conversions
 */
export const money = ({ spent, unpriced }: Pick<Standing, "spent" | "unpriced">): string =>
  spent === 0 && unpriced > 0 ? "cost unknown" : `$${(spent / 1_000_000).toFixed(4)}${unpriced > 0 ? " or more" : ""}`

/**
 * A time, in the two units that matter.
 *
 * @since 0.1.0
 * @category conversions
 */
export const time = (millis: number): string =>
  millis < 1000
    ? `${Math.round(millis)}ms`
    : Duration.format(Duration.seconds(Math.round(millis / 1000))).split(" ").slice(0, 2).join(" ")

/**
 * A number, its thousands apart.
 *
 * @since 0.1.0
 * @category conversions
 */
export const number = (n: number): string => n.toLocaleString("en-US")

/**
 * So many of something.
 *
 * @since 0.1.0
 * @category conversions
 */
export const count = (n: number, one: string, many: string): string => `${number(n)} ${n === 1 ? one : many}`

const rate = (perSecond: number): string => perSecond < 10 ? perSecond.toFixed(1) : String(Math.round(perSecond))
