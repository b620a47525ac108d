import { mean, quantile, start } from "./harness.mjs"
import { setup } from "./contender.mjs"
const keys = ["bench-1", "bench-2", "bench-3", "bench-4"]
const seconds = 20, callers = 64
const server = await start("servers/limited.mjs", { perSecond: 25, burst: 5, retryAfter: process.argv[2] ?? "seconds" })
const { chat, close } = await setup({ baseURL: server.ready.baseURL, keys, concurrency: callers, retries: 20 })
const began = performance.now(); const end = began + seconds * 1000
const done = []
let failed = 0
const caller = async () => { for (let at = performance.now(); at < end; at = performance.now()) await chat().then(() => done.push([at - began, performance.now() - began]), () => failed++) }
await Promise.all(Array.from({ length: callers }, caller))
const { answers } = await server.ask({})
await close(); await server.stop()
const first = answers[0].at
const per = (f) => { const m = []; for (const x of f) m[Math.floor(x / 1000)] = (m[Math.floor(x / 1000)] ?? 0) + 1; return m.map((x) => x ?? 0).join(" ") }
console.log("server 200 per s", per(answers.filter((a) => a.status === 200).map((a) => a.at - first)))
console.log("server 429 per s", per(answers.filter((a) => a.status === 429).map((a) => a.at - first)))
console.log("first s: 200 per 100ms", (() => { const m = Array(15).fill(0); for (const a of answers) if (a.status === 200 && a.at - first < 1500) m[Math.floor((a.at - first) / 100)]++; return m.join(" ") })())
console.log("done per s", per(done.map(([, e]) => e)))
const waits = done.map(([s, e]) => e - s)
console.log("share", done.filter(([, e]) => e <= 20000).length / 2020, "/2000:", done.filter(([, e]) => e <= 20000).length / 2000, "server share", answers.filter((a) => a.status === 200 && a.at - first < 20000).length / 2020, "failed", failed)
console.log("mean", mean(waits), "p50", quantile(waits, .5), "p90", quantile(waits, .9), "p99", quantile(waits, .99), "max", Math.max(...waits), "ratio", quantile(waits, .99) / mean(waits))
const late = [...done].sort((a, b) => (b[1] - b[0]) - (a[1] - a[0])).slice(0, 40)
console.log("slowest began at", late.map(([s, e]) => `${Math.round(s)}+${Math.round(e - s)}`).join(" "))
const steady = done.filter(([s]) => s > 2000).map(([s, e]) => e - s)
console.log("steady mean", mean(steady), "p99", quantile(steady, .99), "ratio", quantile(steady, .99) / mean(steady))
process.exit(0)
