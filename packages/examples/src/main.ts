/**
 * Runs an example against the real backends: `node packages/examples/dist/main.js chat`, with their keys in the
 * environment.
 */
import { NodeRuntime } from "@effect/platform-node"
import { Console, Effect } from "effect"
import * as Chat from "./Chat.js"
import * as Extract from "./Extract.js"
import * as Failover from "./Failover.js"
import * as Retrieve from "./Retrieve.js"
import * as Tools from "./Tools.js"

const show = Effect.flatMap(Console.log)

const examples: Record<string, Effect.Effect<unknown, unknown>> = {
  chat: Effect.provide(Chat.program, Chat.Live),
  failover: Effect.provide(show(Failover.program), Failover.Live),
  extract: Extract.program("Invoice A-17 for two desks: 480 euro with tax, due on 1 March 2027.").pipe(
    show,
    Effect.provide(Extract.Live)
  ),
  retrieve: Retrieve.program("When does the library open?", [
    "The library opens at nine, on Sundays at eleven.",
    "The museum is closed on Mondays.",
    "Library cards are free for children."
  ]).pipe(show, Effect.provide(Retrieve.Live)),
  tools: Tools.program("Has my order 7 come yet?").pipe(
    show,
    Effect.provideService(Tools.Orders, { find: () => Effect.succeed({ item: "a desk", arrives: "2027-03-01" }) }),
    Effect.provide(Tools.Live)
  )
}

const example = examples[process.argv[2] ?? ""]
NodeRuntime.runMain(example ?? Console.log(`Which one? ${Object.keys(examples).join(", ")}`))
