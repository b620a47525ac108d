/**
 * The backends of a configuration file that is read again while they are used. What it says then is used by new calls,
 * while those under way end as they began. A file with a problem changes nothing.
 *
 * @since 0.1.0
 */
import * as FileSystem from "@effect/platform/FileSystem"
import * as Replaceable from "@spillway/core/Replaceable"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
import type * as BackendLayers from "./BackendLayers.js"
import * as ConfigFile from "./ConfigFile.js"
import * as Generations from "./Generations.js"
import * as NodeHttp from "./NodeHttp.js"
import * as Report from "./Report.js"

/**
 * The backends of a file, and how to have it read again.
 *
 * @since 0.1.0
 * @category models
 */
export interface Reloading {
  /** What the file said when it was first read. */
  readonly file: ConfigFile.ConfigFile
  /** All backends as one: those of the file as it was last read. */
  readonly joined: BackendLayers.Joined
  /**
   * Reads the file again, and does as it says; says in the log that it has, or what is wrong. `also` is what else is to
   * be done where it says something else than before.
   */
  readonly reload: <R>(
    also: (next: ConfigFile.ConfigFile, before: ConfigFile.ConfigFile) => Effect.Effect<void, Report.Failure, R>
  ) => Effect.Effect<void, never, R>
}

/**
 * The backends of a file, until the scope closes.
 *
 * @since 0.1.0
 * @category constructors
 */
export const make = (
  path: string,
  environment: BackendLayers.Environment
): Effect.Effect<Reloading, Report.Failure, FileSystem.FileSystem | Scope.Scope> =>
  Effect.gen(function*() {
    const files = yield* FileSystem.FileSystem
    const load = Effect.provideService(ConfigFile.load(path, (name) => environment[name]), FileSystem.FileSystem, files)
    const file = yield* load
    const client = yield* Layer.build(NodeHttp.client)
    const generations = yield* Effect.provide(Generations.make(environment), client)
    const { leaving, replace, service, use } = yield* Replaceable.make(generations.make(file))
    const moderate: BackendLayers.Joined["moderate"] = (request) => use((joined) => joined.moderate(request))
    let current = file
    return {
      file,
      // a copy of the service would know only the name and the operations that it has now
      joined: Object.assign(service, { moderate }),
      reload: (also) =>
        Effect.gen(function*() {
          const next = yield* load
          yield* replace(generations.make(next))
          const before = current
          current = next
          yield* also(next, before)
          const told = { backends: next.backends.map(({ name }) => name), stillInUse: yield* leaving }
          yield* Effect.annotateLogs(Effect.logInfo(`${path} has been read again`), told)
        }).pipe(
          Effect.catchAll((failure) =>
            Effect.annotateLogs(
              Effect.logError(`${path} has been read again, and is not used: what it said before goes on`),
              { problems: Report.explain(failure).split("\n") }
            ))
        )
    }
  })
