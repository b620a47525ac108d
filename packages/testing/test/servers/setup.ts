/**
 * Before the integration tests: finds the real servers that they may speak to, without installing anything, and starts
 * what must be started. After them, or when we are told to end, stops it. What became of each is told by the reporter.
 */
import type { TestProject } from "vitest/node"
import type { Absent } from "./found.js"
import * as Chromium from "./chromium.js"
import * as Llama from "./llama.js"
import * as Own from "./own.js"
import * as Swift from "./swift.js"

/** Looks for a server if a file of this run speaks to it; who watches may come to run others. */
const looking = ({ config, vitest }: TestProject) => {
  const paths = vitest.state.getPaths()
  return <A>(speaks: RegExp, find: () => Promise<A>): Promise<A | Absent> =>
    config.watch || paths.some((path) => speaks.test(path))
      ? find()
      : Promise.resolve({ missing: "no test of this run speaks to it" })
}

export default async function setup(project: TestProject): Promise<() => void> {
  const { env } = process
  const look = looking(project)
  const stops: Array<() => void> = []
  const stop = () => {
    for (const stop of stops.splice(0)) stop()
  }
  // before Vitest hears of the end, which lets nobody else hear of it
  process.prependListener("exit", stop)

  const llama = /llama-server\.test\.ts$/
  const own = /[/\\]Own\.server\.test\.ts$/
  const huggingFace = /[/\\]HuggingFace\.server\.test\.ts$/
  const [llamaServer, s3, ollama, vllm, tgi, tei, ovms, chromium] = await Promise.all([
    look(llama, () => Llama.find(env)),
    look(/\.swift\.test\.ts$/, async () => (await Own.s3(env)) ?? Swift.find(env, (stop) => stops.push(stop))),
    look(own, () => Own.ollama(env)),
    look(own, () => Own.vllm(env)),
    look(huggingFace, () => Own.tgi(env)),
    look(huggingFace, () => Own.tei(env)),
    look(own, () => Own.ovms(env)),
    look(/\.chromium\.test\.ts$/, () => Chromium.find(env))
  ])
  project.provide("servers", { llamaServer, s3, ollama, vllm, tgi, tei, ovms, chromium })
  return () => {
    process.off("exit", stop)
    stop()
  }
}
