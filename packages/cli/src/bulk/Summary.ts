/**
 * What came of bulk work, for people and for programs.
 *
 * @since 0.1.0
 */
import type * as Output from "./Output.js"
import type * as Patience from "./Patience.js"
import * as Progress from "../Progress.js"

/**
 * What came of it.
 *
 * @since 0.1.0
 * @category models
 */
export interface Summary {
  readonly files: Output.Files
  readonly standing: Progress.Standing
  readonly inputTokens: number
  readonly outputTokens: number
  readonly millis: number
  readonly damaged: number
  readonly stopped: Patience.Stopped | undefined
}

/**
 * Lines that have neither an answer nor an error.
 *
 * @since 0.1.0
 * @category destructors
 */
export const left = ({ standing: { answered, before, failed, lines } }: Summary): number =>
  lines - before - answered - failed

/**
 * What the process ends with: 0 when every line has its answer, 2 when one has not, and `interrupted` where that is
 * because somebody stopped it.
 *
 * @since 0.1.0
 * @category destructors
 */
export const exitCode = (summary: Summary): number =>
  summary.standing.failed + left(summary) === 0 ? 0 : summary.stopped?.reason === "interrupted" ? interrupted : 2

/**
 * What a process ends with that is stopped by Ctrl-C.
 *
 * @since 0.1.0
 * @category constants
 */
export const interrupted = 130

/**
 * As JSON.
 *
 * @since 0.1.0
 * @category conversions
 */
export const toJson = (summary: Summary) => {
  const { damaged, files, inputTokens, millis, outputTokens, standing, stopped } = summary
  const { answered, before, failed, lines, retries, spent, unpriced } = standing
  return {
    lines,
    answered,
    answeredBefore: before,
    failed,
    left: left(summary),
    inputTokens,
    outputTokens,
    dollars: spent / 1_000_000,
    unpriced,
    retries,
    millis,
    out: files.out,
    ...(failed > 0 && { failedOut: files.failed }),
    ...(damaged > 0 && { damaged }),
    ...(stopped !== undefined && { stopped: stopped.reason })
  }
}

/**
 * In words.
 *
 * @since 0.1.0
 * @category conversions
 */
export const toText = (summary: Summary): string => {
  const { damaged, files, inputTokens, millis, outputTokens, standing, stopped } = summary
  const { answered, before, failed, lines, retries } = standing
  const rest = left(summary)
  return [
    [
      Progress.count(lines, "line", "lines"),
      `${Progress.number(before + answered)} answered${before > 0 ? ` (${Progress.number(before)} of them before)` : ""}`,
      ...(failed > 0 ? [`${Progress.number(failed)} failed`] : []),
      ...(rest > 0 ? [`${Progress.number(rest)} left`] : [])
    ].join(", "),
    [
      `${Progress.number(inputTokens)} tokens in`,
      `${Progress.number(outputTokens)} out`,
      Progress.money(standing),
      Progress.count(retries, "retry", "retries"),
      Progress.time(millis)
    ].join(", "),
    `answers: ${files.out}`,
    ...(failed > 0 ? [`failed lines: ${files.failed}; start again to ask them again`] : []),
    ...(damaged > 0 ? [`${files.journal} has ${Progress.count(damaged, "damaged line", "damaged lines")}, asked again`] : []),
    ...(stopped === undefined ? [] : [explain(stopped)])
  ].join("\n")
}

const explain = ({ detail, reason }: Patience.Stopped): string =>
  `stopped: ${reasons[reason]}${detail === undefined ? "" : ` (${detail})`}; the same command goes on from here`

const reasons: { readonly [R in Patience.Reason]: string } = {
  interrupted: "you said so",
  deadline: "its time is over",
  budget: "the budget is spent",
  price: "nobody knows what a model costs, and there is a budget",
  standstill: "nothing has gone on for too long"
}
