/**
 * `npm run soak`: the gateway at twice what its backend can do, for ten minutes (`--minutes N`), before a simulator that
 * fails now and then, and clients of whom some leave. What it can do is a limit of the keys, `--rate N` calls a second,
 * and far below what the machine can: else it is the machine that is tried. The exit code is 1 where something was lost, said twice, or kept
 * in memory, where less was done than can be, or where the gateway did not end as it should.
 *
 * What is offered does not wait for what is answered: who is too many must be refused, at once and by name.
 */
import { setTimeout as sleep } from "node:timers/promises"
import { isMet, quantile, show } from "../harness.mjs"
import * as Calls from "./calls.mjs"
import * as Processes from "./processes.mjs"

/**
 * @param {string} name
 * @param {number} byDefault
 * @param {number} atMost
 */
const option = (name, byDefault, atMost) => {
  const at = process.argv.indexOf(name)
  const value = at < 0 ? byDefault : Number(process.argv[at + 1])
  if (value > 0 && value <= atMost) return value
  console.error(`soak: ${name} must be a number above 0 and up to ${atMost}`)
  return process.exit(2)
}

const minutes = option("--minutes", 10, 24 * 60)
const perSecond = option("--rate", 40, 1000)
const keys = 4
const offered = 2 * perSecond
/** Until the queue is full, the pool has learned the keys' pace, and what is compiled is compiled. */
const warmUp = Math.min(15, minutes * 20)

const faults = {
  connectionReset: 0.005,
  serverError: 0.005,
  overloaded: 0.002,
  rateLimited: 0.002,
  malformed: 0.002,
  hang: 0.0005,
  streamError: 0.002,
  streamStall: 0.0005,
  streamCut: 0.002,
  streamReset: 0.002
}

let prompts = 0
let logged = 0
const house = await Processes.house({
  simulator: [
    ...["--keys", String(keys), "--requests-per-minute", String(perSecond * 60 / keys), "--burst", String(Math.ceil(perSecond / keys))],
    ...["--tokens-per-minute", "100000000", "--latency", "50 millis", "--jitter", "0.5", "--token-delay", "2 millis"],
    ...Object.entries(faults).flatMap(([fault, share]) => ["--fault", `${fault}=${share}`])
  ],
  policies: {
    queue: { concurrency: Math.ceil(perSecond * 4), capacity: Math.ceil(perSecond * 4) },
    timeout: { attempt: "5 seconds", idle: "5 seconds" },
    // what it is given is refused now and then, in a row as well; it is not down
    breaker: { failures: 50 }
  },
  onLog: (line) => {
    if (line.includes("soak ")) prompts++
    if (line.includes("\"POST /v1/chat/completions\"")) logged++
  }
})
const client = Calls.client(house.gateway.url)

/** @type {Record<Calls.Ending["kind"], number>} */
const endings = { good: 0, refused: 0, failed: 0, broken: 0, left: 0, lost: 0, wrong: 0 }
/** @type {Map<string, number>} */
const why = new Map()
let asked = 0
let open = 0
const ask = async () => {
  const name = `${process.pid}-${++asked}`
  // one in a hundred leaves, at any time
  const leaveAfter = asked % 100 === 0 ? 10 + (asked * 7919) % 700 : undefined
  open++
  const ending = await client.ask(name, { stream: asked % 2 === 0, leaveAfter })
  open--
  endings[ending.kind]++
  if (ending.why !== "") why.set(`${ending.kind}: ${ending.why}`, (why.get(`${ending.kind}: ${ending.why}`) ?? 0) + 1)
}

/** @type {Array<number>} */
const rss = []
/** @type {Array<number>} */
const descriptors = []
const began = performance.now()
const seconds = () => (performance.now() - began) / 1000
const until = warmUp + minutes * 60
let atWarm = { good: 0, at: 0 }
for (let told = 0; seconds() < until;) {
  for (let due = Math.floor(seconds() * offered) - asked; due > 0; due--) void ask()
  if (atWarm.at === 0 && seconds() >= warmUp) atWarm = { good: endings.good, at: seconds() }
  if (atWarm.at > 0 && rss.length < seconds() - warmUp) {
    rss.push(house.gateway.rss())
    descriptors.push(house.gateway.descriptors())
  }
  if (seconds() >= told + 60) {
    told += 60
    console.log(`${told / 60} min: ${endings.good} answered, ${endings.refused} refused, ${house.gateway.rss().toFixed(0)} MiB`)
  }
  await sleep(5)
}
const goodput = (endings.good - atWarm.good) / (seconds() - atWarm.at)
while (open > 0) await sleep(20)

// it ends while streams are open: they come to their end, whoever comes later is refused, and then it is gone
let begun = 0
const last = Array.from({ length: 20 }, (_, i) => {
  let isBegun = false
  return client.ask(`last-${i}`, { stream: true, onPart: () => isBegun ||= Boolean(++begun) })
})
while (begun < 10) await sleep(1)
const stopped = house.close()
const ends = await Promise.all(last)
const [code] = await stopped
client.close()

const third = Math.floor(rss.length / 3)
const middle = quantile(rss.slice(third, 2 * third), 0.5)
const end = quantile(rss.slice(-third), 0.5)
console.log(`\n${asked} calls in ${(until / 60).toFixed(1)} minutes, ${offered}/s offered, ${perSecond}/s possible`)
for (const [what, count] of [...why].sort()) console.log(`  ${String(count).padStart(8)} ${what}`)
const figures = [
  { what: "answered", value: endings.good },
  { what: "refused by name", value: endings.refused },
  { what: "failed by name", value: endings.failed + endings.broken },
  { what: "left by their clients", value: endings.left },
  { what: "lost", value: endings.lost, atMost: 0 },
  { what: "wrong, another's, or said twice", value: endings.wrong, atMost: 0 },
  { what: "goodput", value: goodput, unit: "/s", atLeast: 0.9 * perSecond },
  // a program that has just begun still grows
  { what: "memory of the last third by the second's", value: end / middle, ...(minutes >= 2 && { atMost: 1.1 }) },
  { what: "memory, median of the last third", value: end, unit: "MiB" },
  { what: "open descriptors at most", value: Math.max(...descriptors) },
  { what: "lines in the log for a call", value: logged / (asked + last.length), atLeast: 1, atMost: 1 },
  { what: "lines in the log with a prompt", value: prompts, atMost: 0 },
  { what: "streams that ended whole, or by name, at the end", value: ends.filter(({ kind }) => kind === "good" || kind === "broken" || kind === "refused" || kind === "failed").length, atLeast: last.length },
  { what: "exit code", value: Number(code), atMost: 0 }
]
show(figures)
console.log(`soak: ${asked} calls, ${endings.good} answered, ${goodput.toFixed(1)} of ${perSecond} a second, ${end.toFixed(0)} MiB`)
if (!figures.every(isMet)) process.exitCode = 1
