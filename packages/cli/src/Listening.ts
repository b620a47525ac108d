/**
 * Where a server listens: the options that say so, and what is refused.
 *
 * @since 0.1.0
 */
import * as Options from "@effect/cli/Options"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type * as NodeHttp from "./NodeHttp.js"
import { Refused } from "./Report.js"

/**
 * `--port`, if it is given.
 *
 * @since 0.1.0
 * @category options
 */
export const portIfGiven = (byDefault: number): Options.Options<Option.Option<number>> =>
  Options.integer("port").pipe(
    Options.withAlias("p"),
    Options.withDescription(`The port to listen on, 0 for any that is free (default ${byDefault})`),
    Options.optional
  )

/**
 * `--port`.
 *
 * @since 0.1.0
 * @category options
 */
export const port = (byDefault: number): Options.Options<number> =>
  Options.map(portIfGiven(byDefault), Option.getOrElse(() => byDefault))

/**
 * `--host`, if it is given.
 *
 * @since 0.1.0
 * @category options
 */
export const hostIfGiven: Options.Options<Option.Option<string>> = Options.text("host").pipe(
  Options.withDescription("The address to listen on (default 127.0.0.1)"),
  Options.optional
)

/**
 * Where a server listens that is told nothing else.
 *
 * @since 0.1.0
 * @category constants
 */
export const loopback = "127.0.0.1"

/**
 * `--host`.
 *
 * @since 0.1.0
 * @category options
 */
export const host: Options.Options<string> = Options.map(hostIfGiven, Option.getOrElse(() => loopback))

/**
 * `--allow-remote`.
 *
 * @since 0.1.0
 * @category options
 */
export const allowRemote: Options.Options<boolean> = Options.boolean("allow-remote").pipe(
  Options.withDescription(
    "Listen on an address that other machines reach, although nothing asks them who they are: only behind something " +
      "that does"
  )
)

/**
 * The address, unless it is one that other machines reach, and whoever comes is asked for nothing.
 *
 * @since 0.1.0
 * @category constructors
 */
export const address = (options: {
  readonly host: string
  readonly port: number
  /** Whether who comes is asked for a key, or need not be. */
  readonly allowRemote: boolean
  /** What could be done so that they may come. */
  readonly otherwise: string
}): Effect.Effect<NodeHttp.Address, Refused> =>
  options.port < 0 || options.port > 65_535
    ? new Refused({ message: `${options.port} is no port: choose one from 0 to 65535` })
    : !options.allowRemote && !isLoopback(options.host)
    ? new Refused({
      message: `whoever reaches ${options.host} could spend the keys behind it: listen on 127.0.0.1, or ${options.otherwise}`
    })
    : Effect.succeed({ host: options.host, port: options.port })

/**
 * The names under which somebody on this machine asks a server that listens there; none are needed where others come.
 *
 * @since 0.1.0
 * @category destructors
 */
export const localNames = (host: string): ReadonlyArray<string> | undefined =>
  isLoopback(host) ? ["localhost", "127.0.0.1", "[::1]", host] : undefined

const isLoopback = (host: string): boolean =>
  host === "localhost" || host === "::1" || /^127\.\d{1,3}\.\d{1,3}\.\d{1,3}$/.test(host)
