/** A real model server (llama.cpp's), whose scripted model says exactly what is known beforehand. */
import { Context, Effect, Layer } from "effect"
import * as ChildProcess from "node:child_process"
import * as Path from "node:path"
import { inject } from "vitest"
import type {} from "./servers/found.js"

const { llamaServer } = inject("servers")

/** Why it cannot run here, if it cannot. */
export const missing = "missing" in llamaServer ? llamaServer.missing : undefined

const { command, models } = "at" in llamaServer ? llamaServer.at : { command: "", models: "" }

/** The one key that it accepts. */
export const key = "llama-key-that-is-right"

export interface Running {
  readonly origin: string
  /** What it answers to a request that is none of ours. */
  readonly ask: (path: string, body?: unknown) => Effect.Effect<string>
  /** How many requests it works on. */
  readonly processing: Effect.Effect<number>
}

/** The scripted model, for as long as a test runs. */
export class LlamaServer extends Context.Tag("LlamaServer")<LlamaServer, Running>() {}

interface Process {
  readonly child: ChildProcess.ChildProcess
  readonly kill: () => void
  readonly origin: string
}

/** A server of this model under this name, on a port of loopback that nobody uses, until the scope closes. */
export const start = (name: string, file: string, ...flags: ReadonlyArray<string>) =>
  Effect.map(
    Effect.acquireRelease(
      Effect.async<Process>((resume) => {
        const common = ["--host", "127.0.0.1", "--port", "0", "-t", "1", "--offline", "--metrics", "--api-key", key]
        const child = ChildProcess.spawn(
          command,
          [...common, "--alias", name, "-m", Path.join(models, file), ...flags],
          { stdio: ["ignore", "pipe", "pipe"] }
        )
        const kill = () => child.kill("SIGKILL")
        process.on("disconnect", kill)
        let said = ""
        const listen = (text: Buffer) => {
          said = `${said}${text}`.slice(-10_000)
          const [origin] = /(?<=listening on )http:\S+[0-9]/.exec(said) ?? []
          if (origin !== undefined) resume(Effect.succeed({ child, kill, origin }))
        }
        child.stdout.on("data", listen)
        child.stderr.on("data", listen)
        child.on("error", (error) => resume(Effect.die(error)))
        child.on("exit", (code) => resume(Effect.dieMessage(`llama-server ended with ${code}: ${said}`)))
      }),
      ({ child, kill }) =>
        Effect.async<void>((resume) => {
          process.off("disconnect", kill)
          if (child.exitCode !== null || child.signalCode !== null) return resume(Effect.void)
          child.once("exit", () => resume(Effect.void))
          kill()
        })
    ),
    ({ origin }): Running => {
      const ask: Running["ask"] = (path, body) =>
        Effect.promise(() =>
          fetch(`${origin}${path}`, {
            headers: { authorization: `Bearer ${key}` },
            ...(body !== undefined && { method: "POST", body: JSON.stringify(body) })
          }).then((response) => response.text())
        )
      return {
        origin,
        ask,
        processing: Effect.map(ask("/metrics"), (text) => Number(/^llamacpp:requests_processing (\d+)/m.exec(text)?.[1]))
      }
    }
  )

/** One that goes on without end when it is asked to. */
export const layer: Layer.Layer<LlamaServer> = Layer.scoped(
  LlamaServer,
  start("scripted", "scripted.gguf", "--jinja", "-c", "4096", "--context-shift")
)
