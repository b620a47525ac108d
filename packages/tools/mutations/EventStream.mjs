/** Bugs that the tests of the gateway's streams, and of the traces of its requests, must notice. */
const tests = ["packages/gateway/test/EventStream.test.ts"]
const following = { file: "packages/gateway/src/Following.ts", tests }
const streams = { file: "packages/gateway/src/OpenStreams.ts", tests }
const events = { file: "packages/gateway/src/EventStream.ts", tests }
const drain = ["packages/gateway/test/Gateway.test.ts"]
const tracing = ["packages/gateway/test/Tracing.test.ts"]
const context = { file: "packages/core/src/TraceContext.ts", tests: ["packages/core/test/TraceContext.test.ts"] }

export default [
  { ...following, name: "a heartbeat comes late", find: "if (now < since + heartbeat) return since + heartbeat", replace: "if (now < since + 2 * heartbeat) return since + heartbeat" },
  { ...following, name: "a silent backend is a stalled reader", find: "if (reader !== undefined) {\n        if (now < since", replace: "if (reader !== undefined && heartbeat < Infinity) {\n        if (now < since" },
  { ...following, name: "the backend is asked ahead", find: "        if (isAsked) return resume(Effect.void)\n", replace: "        if (isAsked || true) return resume(Effect.void)\n" },
  { ...following, name: "a heartbeat loses what comes next", find: "if (reader === undefined) ready = parts\n", replace: "if (reader === undefined) ready = undefined\n" },
  { ...streams, name: "nobody sleeps for streams", find: "if (sleeper === undefined && shortest < Infinity) sleeper = fork(round)", replace: "" },
  { ...streams, name: "nobody looks again", find: "Effect.zipRight(clock.sleep(Duration.millis(Math.min(next - time, longestSleep))), round)", replace: "clock.sleep(Duration.millis(Math.min(next - time, longestSleep)))" },
  { ...streams, name: "silent streams are not told that they are cut", tests: drain, find: "for (const stream of [...streams]) stream.cut()", replace: "" },
  { ...events, name: "who has stalled is let be", find: "  exchange.running.fiber.unsafeInterruptAsFork(FiberId.none)\n", replace: "" },
  { ...events, name: "nobody is told why a reader was cut", find: "  exchange.failure = \"ReaderStalled\"\n", replace: "" },
  { ...events, name: "a heartbeat says nothing", find: "Effect.succeed(write(writer.heartbeat))", replace: "Effect.succeed(write(\"\"))" },
  { file: "packages/gateway/src/Tracing.ts", tests: tracing, name: "the trace ends at the gateway", find: ".pipe(Context.add(TraceContext.IsPropagated, true))", replace: "" },
  { file: "packages/gateway/src/Tracing.ts", tests: tracing, name: "what a client did wrong is the server's error", find: "status >= 500 || (status < 400 && failure !== undefined)", replace: "failure !== undefined" },
  { file: "packages/gateway/src/Gateway.ts", tests: tracing, name: "spans never end", find: "    Tracing.end(exchange, clock)\n", replace: "" },
  { ...context, name: "backends are told unasked", find: "|| fiber.currentContext.unsafeMap.get(IsPropagated.key) !== true) return undefined", replace: ") return undefined" },
  { ...context, name: "spans that nobody hears of are told", find: "return span._tag === \"ExternalSpan\" || isTraced(fiber) ? toHeaders(span) : undefined", replace: "return toHeaders(span)" },
  { ...context, name: "a state of any length is passed on", find: "{1,512}$/", replace: "{1,}$/" }
]
