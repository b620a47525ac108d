/** A contender in a process of its own that makes calls as it is told and says what became of each. */
import { setTimeout as sleep } from "node:timers/promises"
import { serve, settings } from "./harness.mjs"

const { contender, ...options } = settings()
const { setup } = await import(`./contenders/${contender}.mjs`)
const { chat } = await setup(options)

/** @type {Array<{ began: number, ended: number, ok: boolean, priority?: string }>} */
let calls = []
const call = async (/** @type {string | undefined} */ priority) => {
  const began = performance.now()
  const ok = await chat(priority === undefined ? undefined : { priority }).then(() => true, () => false)
  calls.push({ began, ended: performance.now(), ok, ...(priority !== undefined && { priority }) })
}

/** So many calls, so many at once. */
const flood = async (/** @type {{ count: number, atOnce: number }} */ { atOnce, count }) => {
  let left = count
  const caller = async () => {
    while (left-- > 0) await call(undefined)
  }
  await Promise.all(Array.from({ length: atOnce }, caller))
}

/** So many calls in a second, whether the others have ended or not; every so many-th is urgent. */
const offer = async (/** @type {{ perSecond: number, seconds: number, urgentEvery?: number }} */ { perSecond, seconds, urgentEvery }) => {
  const began = performance.now()
  const all = []
  for (let n = 0; n < perSecond * seconds; n++) {
    const due = began + n * 1000 / perSecond
    if (due > performance.now()) await sleep(due - performance.now())
    all.push(call(urgentEvery === undefined ? undefined : n % urgentEvery === 0 ? "high" : "low"))
  }
  await Promise.all(all)
}

serve({}, async (question) => {
  calls = []
  await (question.perSecond === undefined ? flood(question) : offer(question))
  return { calls }
})
