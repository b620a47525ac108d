/** Bugs that the tests of `CircuitBreaker` must notice. */
const service = "packages/core/src/CircuitBreaker.ts"
const circuit = "packages/core/src/internal/circuit.ts"
const rule = "packages/core/src/internal/circuitRule.ts"
const snapshot = "packages/core/src/internal/circuitSnapshot.ts"
const window = "packages/core/src/internal/circuitWindow.ts"
const properties = ["packages/core/test/CircuitBreaker.properties.test.ts"]
const cases = ["packages/core/test/CircuitBreaker.test.ts"]
const hang = ["packages/core/test/CircuitBreaker.hang.test.ts"]
const hand = ["packages/core/test/CircuitBreaker.hand.test.ts"]
const rates = ["packages/core/test/CircuitBreaker.rates.test.ts"]

export default [
  { name: "a probe goes a moment early", property: "P30", file: circuit, tests: properties, find: "return now < state.until ?", replace: "return now < state.until - 1 ?" },
  { name: "isolated, it lets calls through", property: "P30", file: circuit, tests: properties, find: `case "Isolated":\n      return [undefined, state]`, replace: `case "Isolated":\n      return [{ generation: state.generation, kind: "call" }, state]` },
  { name: "one probe more than may be under way", property: "P31", file: circuit, tests: properties, find: "state.probing < settings.probes &&", replace: "state.probing <= settings.probes &&" },
  { name: "probes are sent that can decide nothing", property: "P31", file: circuit, tests: properties, find: "state.probing + state.succeeded + state.failed < mostProbes(settings)", replace: "true" },
  { name: "a neutral probe keeps its slot", property: "P31", file: circuit, tests: properties, find: "const probing = state.probing - ended.probing", replace: "const probing = said === undefined ? state.probing : state.probing - ended.probing" },
  { name: "a failed probe closes it", property: "P32", file: circuit, tests: cases, find: "return failed > settings.failedProbes", replace: "return failed < 0" },
  { name: "a change of state keeps the generation", property: "P32", file: circuit, tests: properties, find: "generation: generation + 1", replace: "generation" },
  { name: "> for ≥ at the failures in a row", property: "P33", file: rule, tests: properties, find: "memory.row >= Math.max(rule.failures, waiting / 2)", replace: "memory.row > Math.max(rule.failures, waiting / 2)" },
  { name: "a few failures that come back first open it", property: "P33", file: rule, tests: properties, find: "Math.max(rule.failures, waiting / 2)", replace: "rule.failures" },
  { name: "> for ≥ at the rate", property: "P33", file: rule, tests: rates, find: "failureRate >= rule.rate.failureRate", replace: "failureRate > rule.rate.failureRate" },
  { name: "a rate is known from too few calls", property: "P33", file: rule, tests: properties, find: "...(calls >= rate.minimumCalls && { failureRate", replace: "...(calls >= 1 && { failureRate" },
  { name: "a ring forgets no failures", property: "P33", file: window, tests: properties, find: "window.failures + failures - (forgotten & 1)", replace: "window.failures + failures" },
  { name: "a window of time sees one bucket more", property: "P33", file: window, tests: properties, find: "slotOf(window, now) - slot < bucketCount", replace: "slotOf(window, now) - slot <= bucketCount" },
  { name: "a window of time forgets nothing while nobody calls", property: "P33", file: window, tests: properties, find: "slotOf(window, now) - slot < bucketCount", replace: "true" },
  { name: "a window of time keeps what it sees no more", file: window, tests: rates, find: "slot - bucket.slot < bucketCount", replace: "true" },
  { name: "slow answers are not counted", property: "P33", file: rule, tests: properties, find: "millis >= rule.rate.slowAfter", replace: "millis > 2 * rule.rate.slowAfter" },
  { name: "late results are counted", property: "P34", file: circuit, tests: properties, find: "if (ticket.generation !== state.generation) return state", replace: "if (ticket.generation > state.generation) return state" },
  { name: "a ring is saved as it lies in memory", property: "P35", file: snapshot, tests: properties, find: "`${marks.subarray(next).join(\"\")}${marks.subarray(0, next).join(\"\")}`", replace: "marks.join(\"\")" },
  { name: "a half full ring goes on at its beginning", property: "P35", file: snapshot, tests: properties, find: "next: oldestFirst.length % size", replace: "next: 0" },
  { name: "what was open for ever is not when it was saved", property: "P35", file: snapshot, tests: properties, find: "decode: (moment) => moment ?? Infinity", replace: "decode: (moment) => moment ?? 0" },
  { name: "probes of another time keep their slots", property: "P35", file: snapshot, tests: properties, find: "        probing: 0,\n", replace: "" },
  { name: "answers that took less than no time are learned from", file: circuit, tests: ["packages/core/test/CircuitBreaker.snapshot.test.ts"], find: "(Math.max(millis, 0) - usual) / 8", replace: "(millis - usual) / 8" },
  { name: "a saved open time is believed", file: snapshot, tests: ["packages/core/test/CircuitBreaker.snapshot.test.ts"], find: `{ ...state, until: Math.min(state.until, now + settings.maxOpenFor) }`, replace: "state" },
  { name: "probes that never answer are waited for", property: "P36", file: circuit, tests: properties, find: ": probe({ ...state, until: now + settings.probeWait })", replace: ": [undefined, state]" },
  { name: "an open circuit waits for the return of a clock that was put back", property: "P36", file: circuit, tests: properties, find: `state.why === "hand" ? state : inTime(state, now + settings.maxOpenFor)`, replace: "state" },
  { name: "a half-open circuit waits for the return of a clock that was put back", property: "P36", file: circuit, tests: properties, find: "inTime(state, now + settings.probeWait)", replace: "state" },
  { name: "a window of time sees what a clock that was put back has yet to see", property: "P33", file: window, tests: rates, find: "return ahead > 0 ?", replace: "return ahead < 0 ?" },
  { name: "the open time has no longest", property: "P36", file: circuit, tests: properties, find: "Math.min(settings.openFor * settings.growth ** reopened, settings.maxOpenFor)", replace: "settings.openFor * settings.growth ** reopened" },
  { name: "the open time goes on growing when it has closed", file: circuit, tests: cases, find: "? open(state, why, 0, now, settings)", replace: "? open(state, why, state.generation, now, settings)" },
  { name: "the longest open time is exceeded by chance", file: circuit, tests: properties, find: "* chance - 1))), 1), settings.maxOpenFor)", replace: "* chance - 1))), 1), Infinity)" },
  { name: "who gave up at once is a failure", file: circuit, tests: hang, find: "return millis >= settings.patience && (", replace: "return (" },
  { name: "who wants more than the backend gives is a failure", file: circuit, tests: hang, find: "millis >= 2 * state.usual", replace: "true" },
  { name: "refusals teach how long answers take", file: circuit, tests: hang, find: `if (outcome !== "Success" ||`, replace: `if (said !== "well" ||` },
  { name: "time in the queue does not count", file: service, tests: hang, find: "Math.min(at - (call.arrival.since ?? since), unanswered.longest())", replace: "0" },
  { name: "time in the queue counts though nobody else waited in vain", file: service, tests: hang, find: "Math.min(at - (call.arrival.since ?? since), unanswered.longest())", replace: "at - (call.arrival.since ?? since)" },
  { name: "a stream that was left early was given up in vain", file: service, tests: hang, find: `answeredAfter !== undefined && said === "GivenUp"`, replace: `said === "Neutral"` },
  { name: "who isolated it ends the isolation of others", file: circuit, tests: hand, find: "state.holders > 1", replace: "state.holders > 2" },
  { name: "who isolated it ends what was said later", file: circuit, tests: hand, find: `state._tag !== "Isolated" || state.generation !== generation`, replace: `state._tag !== "Isolated"` }
]
