/** A real model server (llama.cpp's), whose scripted model says exactly what is known beforehand. */
import { Context, Effect, Layer } from "effect"
import * as ChildProcess from "node:child_process"
import * as Fs from "node:fs"
import * as Path from "node:path"
import * as Url from "node:url"

const command = process.env["SPILLWAY_LLAMA_SERVER"] ?? ""
const models = process.env["SPILLWAY_MODELS"] ??
  Url.fileURLToPath(new URL("../../../../shared/models", import.meta.url))

/** Why it cannot run here, if it cannot. */
export const missing = command === ""
  ? "SPILLWAY_LLAMA_SERVER does not say where llama-server is: source .ci/servers.sh first"
  : !Fs.existsSync(command)
  ? `there is no ${command}`
  : !Fs.existsSync(Path.join(models, "scripted.gguf"))
  ? "there are no models where SPILLWAY_MODELS says"
  : undefined

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

/** A server of this model under this name, on a port of loopback that nobody uses, until the scope closes. */
export const start = (name: string, file: string, ...flags: ReadonlyArray<string>) =>
  Effect.map(
    Effect.acquireRelease(
      Effect.async<{ readonly child: ChildProcess.ChildProcess; readonly origin: string }>((resume) => {
        const common = ["--host", "127.0.0.1", "--port", "0", "-t", "1", "--offline", "--metrics", "--api-key", key]
        const child = ChildProcess.spawn(
          command,
          [...common, "--alias", name, "-m", Path.join(models, file), ...flags],
          { stdio: ["ignore", "pipe", "pipe"] }
        )
        let said = ""
        const listen = (text: Buffer) => {
          said = `${said}${text}`.slice(-10_000)
          const [origin] = /(?<=listening on )http:\S+[0-9]/.exec(said) ?? []
          if (origin !== undefined) resume(Effect.succeed({ child, origin }))
        }
        child.stdout.on("data", listen)
        child.stderr.on("data", listen)
        child.on("error", (error) => resume(Effect.die(error)))
        child.on("exit", (code) => resume(Effect.dieMessage(`llama-server ended with ${code}: ${said}`)))
      }),
      ({ child }) =>
        Effect.async<void>((resume) => {
          if (child.exitCode !== null || child.signalCode !== null) return resume(Effect.void)
          child.once("exit", () => resume(Effect.void))
          child.kill("SIGKILL")
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
