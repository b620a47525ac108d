/**
 * `spillway simulate`: the simulator of providers alone, with all its knobs.
 *
 * @since 0.1.0
 */
import * as Command from "@effect/cli/Command"
import * as Options from "@effect/cli/Options"
import * as Simulator from "@spillway/testing/Simulator"
import * as Console from "effect/Console"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as HashMap from "effect/HashMap"
import * as Option from "effect/Option"
import * as Listening from "../Listening.js"
import * as Report from "../Report.js"
import * as Simulated from "../Simulated.js"

const optional = <A>(option: Options.Options<A>, description: string): Options.Options<A | undefined> =>
  option.pipe(Options.withDescription(description), Options.optional, Options.map(Option.getOrUndefined))

const duration = (name: string, description: string) =>
  Options.map(
    optional(Options.text(name), `${description}, such as "250 millis" or "2 seconds"`),
    // whether it reads as one is for the simulator to say, as of every option
    (text) => text as Duration.DurationInput | undefined
  )

const knobs = {
  keys: optional(Options.integer("keys"), "How many keys there are: sim-key-1, sim-key-2 … (default 4)"),
  requestsPerMinute: optional(
    Options.float("requests-per-minute"),
    "Requests that each key may make a minute (default 500)"
  ),
  tokensPerMinute: optional(
    Options.float("tokens-per-minute"),
    "Tokens that each key may use a minute (default 200000)"
  ),
  requestsPerDay: optional(
    Options.float("requests-per-day"),
    "Requests that each key may make a day, on Groq's wire (default 14400)"
  ),
  burst: optional(Options.float("burst"), "How many of a key's requests may come at once (default: a minute's)"),
  latency: duration("latency", "Time to the first token"),
  jitter: optional(Options.float("jitter"), "By which share the latency varies, 0 to 1 (default 0)"),
  tokenDelay: duration("token-delay", "Time from token to token"),
  answerTokens: optional(Options.integer("answer-tokens"), "How many tokens an answer is filled up to (default 48)"),
  faults: Options.map(
    optional(
      Options.keyValueMap("fault"),
      "Which share of the requests meets a fault, such as serverError=0.05; may be given several times. " +
        `Faults: ${Simulator.faults.join(", ")}`
    ),
    (shares) =>
      shares && Object.fromEntries(HashMap.map(shares, Number)) as Simulator.Options["faults"]
  ),
  seed: optional(
    Options.text("seed"),
    "What faults, jitter and ids are drawn from: the same seed, the same sequence (default 1)"
  ),
  models: Options.text("model").pipe(
    Options.withDescription("A further model that every provider has; may be given several times"),
    Options.repeated
  ),
  outage: optional(
    Options.choice("outage", ["none", "refuse", "error", "hang"]),
    "Whether the providers are down from the start, and how"
  ),
  retryAfter: optional(
    Options.choice("retry-after", ["vendor", "seconds", "date", "milliseconds", "none"]),
    "In which form a 429 says how long to wait (default vendor)"
  )
}

/**
 * The command.
 *
 * @since 0.1.0
 * @category commands
 */
export const command = Command.make(
  "simulate",
  { port: Listening.port(8788), host: Listening.host, allowRemote: Listening.allowRemote, ...knobs },
  ({ allowRemote, host, port, ...options }) =>
    Effect.gen(function*() {
      const address = yield* Listening.address({ allowRemote, host, port, otherwise: "say --allow-remote" })
      const { environment, url } = yield* Simulated.start(address, options)
      yield* Console.log(
        `The simulator listens on ${url}. These variables lead a program to it:\n\n` +
          [...environment].map(([name, value]) => `export ${name}=${value}`).join("\n")
      )
      yield* Effect.never
    }).pipe(Effect.scoped, Report.guard)
).pipe(
  Command.withDescription(
    "Serve a simulator of OpenAI, Anthropic, Groq and Ollama, with keys, rate limits, delays and faults of your choice"
  )
)
