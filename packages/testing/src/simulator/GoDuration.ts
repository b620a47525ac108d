/**
 * Durations as Go prints them, which is how OpenAI and Groq say when a limit is whole again.
 *
 * @since 0.1.0
 */

/**
 * Milliseconds as Go prints a duration: `12ms`, `7.66s`, `1m26.4s`, `6m0s`, `1h0m0s`.
 *
 * @since 0.1.0
 * @category conversions
 */
export const fromMillis = (millis: number): string => {
  if (millis === 0) return "0s"
  if (millis < 1000) return `${millis}ms`
  const hours = Math.floor(millis / 3_600_000)
  const minutes = Math.floor(millis / 60_000) % 60
  const seconds = (millis % 60_000) / 1000
  return `${hours > 0 ? `${hours}h` : ""}${hours > 0 || minutes > 0 ? `${minutes}m` : ""}${seconds}s`
}
