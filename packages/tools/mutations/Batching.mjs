/** Bugs that the tests of `Batching` must notice. */
const core = (file) => `packages/core/src/${file}.ts`
const properties = ["packages/core/test/Batching.properties.test.ts"]
const cases = ["packages/core/test/Batching.test.ts"]
const room = { file: core("internal/batchRoom"), tests: properties }
const batcher = { file: core("internal/batcher"), tests: properties }
const shares = { file: core("internal/shares"), tests: properties }
const joining = { file: core("internal/joining"), tests: cases }

export default [
  { ...room, name: "a batch holds one item too many", property: "P47", find: "batch.size + size <= maxItems", replace: "batch.size + size <= maxItems + 1" },
  { ...room, name: "tokens are not counted", property: "P47", find: " && batch.tokens + tokens <= maxTokens", replace: "" },
  { ...room, name: "what has left is sent all the same", property: "P47", find: "if (!batch.items.delete(item)) return", replace: "return" },
  { ...room, name: "a batch that is full is sent again when it is due", property: "P47", find: "batches.delete(kind)\n        left.push(batch)", replace: "left.push(batch)" },
  { ...batcher, name: "tenants share a batch", property: "P47", find: "JSON.stringify([caller.tenant, kind])", replace: "JSON.stringify([kind])" },
  {
    ...batcher,
    name: "each one who comes puts the departure off",
    property: "P48",
    find: "else if (batch.items.size === 1) departures.set(",
    replace: "else forget(batch), departures.set("
  },
  { ...batcher, name: "nobody is sent before the next full batch", property: "P48", find: "() => room.take(batch) && depart(batch)", replace: "() => undefined" },
  { ...batcher, name: "one at fault fails all", property: "P49", find: `_tag === "InvalidRequest" || _tag === "ContentFiltered"`, replace: `_tag === "ContentFiltered"` },
  { ...batcher, name: "one is split off at a time", property: "P49", find: "Math.ceil(rest.length / 2)", replace: "1" },
  { ...batcher, name: "those who have gone are asked for again", tests: cases, find: "sent.filter((entry) => waiting.has(entry))", replace: "[...sent]" },
  { ...batcher, name: "every error is looked for in halves", tests: cases, find: "!Option.exists(Cause.failureOption(exit.cause), mayBeOfOne)", replace: "false" },
  { ...batcher, name: "the last who goes leaves the call behind", tests: cases, find: "? Fiber.interrupt(journey.fiber) : Effect.void", replace: "? Effect.void : Effect.void" },
  { ...batcher, name: "the earliest deadline is everybody's", tests: cases, find: "deadline: Math.max(", replace: "deadline: Math.min(" },
  { ...batcher, name: "the least urgent priority is everybody's", tests: cases, find: "level: Math.min(", replace: "level: Math.max(" },
  { ...batcher, name: "the answer is told in the order of those who still wait", property: "P9", find: "sent.forEach((entry, nth) => {", replace: "[...waiting].forEach((entry, nth) => {" },
  { ...shares, name: "remainders are rounded", property: "P50", find: "times * weight + Math.floor(over * weight / sum)", replace: "times * weight + Math.round(over * weight / sum)" },
  { ...shares, name: "remainders are lost", property: "P50", find: "order.slice(0, left)", replace: "order.slice(0, 0)" },
  { ...shares, name: "cached tokens are shared out by themselves", property: "P50", find: "of(usage.cachedInputTokens, inputTokens ?? weights)", replace: "of(usage.cachedInputTokens, weights)" },
  { ...joining, name: "an answer of any length will do", find: "answer.vectors.length === ranges.total", replace: "answer.vectors.length > 0" },
  { ...joining, name: "a ranking may have a document twice", find: "results.length === ranges.total && new Set", replace: "new Set" },
  { ...joining, name: "who wants the best few gets all", find: ".slice(0, requests[nth]?.topN)", replace: "" },
  { ...joining, name: "outputs may have other rows than inputs", find: "rowsOf(tensors) === ranges.total", replace: "rowsOf(tensors) !== undefined" },
  { name: "a tensor may hold more than its shape says", file: core("internal/tensorRows"), tests: cases, find: "Option.isNone(Tensor.flaw(tensor)) ? tensor.shape[0] : undefined", replace: "tensor.shape[0]" }
]
