/**
 * The configuration file: which backends there are, with which keys, behind which policies, what models are called,
 * what may be spent, and who may use it all. `ConfigSchema` says what may stand in it; every problem is told by its line
 * and field, all of them at once.
 *
 * ```yaml
 * policies:                       # of every backend; its own come before them, option by option
 *   retry: { maxRetries: 3 }
 * backends:
 *   groq:
 *     keys:
 *       - ${GROQ_API_KEY}
 *       - { key: "${GROQ_SPARE_KEY}", name: spare, requestsPerMinute: 30 }
 *     pool: { strategy: most-headroom }
 *     policies: { queue: { concurrency: 20 } }
 *   ollama:
 *     address: http://localhost:11434
 * models:                         # asked for by the left name, tried from the first to the last
 *   fast: [groq/llama-3.3-70b-versatile, ollama/llama3.2]
 * budget:
 *   limits: [{ of: tenant, dollars: 5, per: day }]
 * ```
 *
 * @since 0.1.0
 */
import * as FileSystem from "@effect/platform/FileSystem"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as ConfigReading from "./ConfigReading.js"
import * as ConfigText from "./ConfigText.js"
import * as ConfigTrial from "./ConfigTrial.js"
import { Refused } from "./Report.js"

export type { Backend, ConfigFile, Listening, Policies, Pricing } from "./ConfigReading.js"

/**
 * Reads and tries out a file's text; every problem is told at once, as `file:line: field: message`.
 *
 * @since 0.1.0
 * @category constructors
 */
export const read = (
  file: string,
  source: string,
  environment: (name: string) => string | undefined
): Effect.Effect<ConfigReading.ConfigFile, Refused> =>
  Either.match(ConfigReading.parse(source, environment), {
    onLeft: (problems) => Effect.fail(refused(file, problems)),
    onRight: ({ config, text }) =>
      Effect.flatMap(ConfigTrial.problems(config, text), (problems) =>
        problems.length === 0 ? Effect.succeed(config) : Effect.fail(refused(file, problems)))
  })

/**
 * Reads and tries out a file.
 *
 * @since 0.1.0
 * @category constructors
 */
export const load = (
  file: string,
  environment: (name: string) => string | undefined
): Effect.Effect<ConfigReading.ConfigFile, Refused, FileSystem.FileSystem> =>
  Effect.flatMap(FileSystem.FileSystem, (files) => files.readFileString(file)).pipe(
    Effect.mapError((error) => new Refused({ message: `${file} cannot be read: ${error.message}` })),
    Effect.flatMap((source) => read(file, source, environment))
  )

const refused = (file: string, problems: ReadonlyArray<ConfigText.Problem>) =>
  new Refused({ message: ConfigText.explain(file, problems) })
