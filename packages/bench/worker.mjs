/**
 * A contender in a process of its own: makes as many calls as it is told, so many at once, and says what they cost it.
 */
import { serve, settings } from "./harness.mjs"

const { contender, ...options } = settings()
const { setup } = await import(`./contenders/${contender}.mjs`)
const { chat, stream } = await setup(options)

/** @param {() => Promise<unknown>} call @param {number} calls @param {number} atOnce */
const measured = async (call, calls, atOnce) => {
  let left = calls
  const caller = async () => {
    while (left-- > 0) await call()
  }
  const before = process.cpuUsage()
  const began = performance.now()
  await Promise.all(Array.from({ length: Math.min(atOnce, calls) }, caller))
  const wall = performance.now() - began
  const { system, user } = process.cpuUsage(before)
  return { cpu: (user + system) / calls, wall }
}

serve({}, async ({ atOnce, calls, what }) => {
  if (what === "chat") return measured(chat, calls, atOnce)
  let deltas = 0
  let first = 0
  const one = async () => {
    const began = performance.now()
    let isFirst = true
    await stream(() => {
      deltas++
      if (isFirst) first += performance.now() - began
      isFirst = false
    })
  }
  const { cpu, wall } = await measured(one, calls, atOnce)
  return { cpu: cpu * calls / deltas, wall, deltas, first: first / calls }
})
