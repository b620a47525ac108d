/** Bugs that the tests of `Hedging` must notice. */
const core = (file) => `packages/core/src/${file}.ts`
const properties = ["packages/core/test/Hedging.properties.test.ts"]
const cases = ["packages/core/test/Hedging.test.ts"]
const rules = { file: core("internal/hedge"), tests: properties }
const racing = { file: core("internal/racing"), tests: properties }
const delay = { file: core("internal/hedgeDelay"), tests: cases }

export default [
  { ...rules, name: "one attempt too many is made", property: "P29", find: "race.begun <= most", replace: "race.begun <= most + 1" },
  { ...rules, name: "an error that concerns all is that of one", tests: cases, find: "if (rank(error) === 0 &&", replace: "if (false &&" },
  { ...rules, name: "a backend that wants to be left alone is asked again", tests: cases, find: "isLast: race.isLast || !helps(error)", replace: "isLast: race.isLast" },
  { ...rules, name: "the last error hides what may be tried again", tests: cases, find: "race.reason === undefined || rank(error) >= rank(race.reason)", replace: "true" },
  { ...rules, name: "the first error is told in place of the last", tests: cases, find: "rank(error) >= rank(race.reason)", replace: "rank(error) > rank(race.reason)" },
  { ...racing, name: "losers go on", property: "P8, P29", find: "if (held !== winner) fiber.unsafeInterruptAsFork(FiberId.none)", replace: "" },
  { ...racing, name: "the alarm is not taken back when one has won", property: "P29", find: "isOver = true\n        disarm()", replace: "isOver = true" },
  { ...racing, name: "what the winner holds is not the call's", property: "P2", find: "held.moveTo(call.held)", replace: "" },
  { ...racing, name: "a failed attempt keeps what it took", property: "P2", find: "if (Exit.isFailure(exit)) return held.close(exit)", replace: "if (Exit.isFailure(exit)) return Effect.void" },
  { ...racing, name: "attempts are begun past the deadline", property: "P16", find: "if (now < deadline && Hedge", replace: "if (Hedge" },
  { ...racing, name: "an attempt stays when its caller goes", property: "P28", find: "        stop()\n        return Fiber.interruptAll(underWay.values())", replace: "        return Effect.void" },
  { ...racing, name: "the budget is not asked", tests: cases, find: "if (mayPay(now)) {", replace: "if (mayPay(now) || true) {" },
  { ...racing, name: "an attempt beside another is its retry", tests: cases, find: "{ previous: _, ...call }: Policy.Call", replace: "call: Policy.Call" },
  { ...racing, name: "what an attempt waits for its place counts", tests: cases, find: "[place]: () => started(isFirst) }", replace: "[place]: () => {} }\n        started(isFirst)" },
  { ...delay, name: "models share what is learned", find: "`${operation} ${model}`", replace: "operation" },
  { ...delay, name: "the shortest delay is not kept", find: "Math.max(one.sample.quantile(quantile), least)", replace: "one.sample.quantile(quantile)" },
  { ...delay, name: "a delay is learned from too few", find: "next: minSamples", replace: "next: 1" },
  { name: "what is not named is hedged too", file: core("Hedging"), tests: cases, find: "hedged.has(call.operation) ? race(way, call) : way(call)", replace: "race(way, call)" }
]
