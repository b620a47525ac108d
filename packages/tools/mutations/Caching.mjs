/** Bugs that the tests of `Caching` must notice. */
const tests = ["packages/core/test/Caching.test.ts"]
const caching = { file: "packages/core/src/Caching.ts", tests }
const store = { file: "packages/core/src/internal/cacheStore.ts", tests }

export default [
  { ...caching, name: "tenants share answers", find: "JSON.stringify(Context.get(fiber.currentContext, Policy.CurrentTenant))", replace: "\"\"" },
  { ...caching, name: "whatever was asked is the same", find: "Policy.CurrentTenant))} ${asked}`", replace: "Policy.CurrentTenant))}`" },
  { ...caching, name: "a text is kept although it would be another", find: "settings.texts === \"all\" || request.seed", replace: "true || request.seed" },
  { ...caching, name: "a warm text is kept", find: "request.temperature === 0\n", replace: "request.temperature !== undefined\n" },
  { ...caching, name: "a text that was cut is kept", find: "if (isWhole(answer)) place.keep(answer)", replace: "place.keep(answer)" },
  { ...caching, name: "a stream that was cut is kept", find: "answer !== undefined && hasEnded(answer)", replace: "answer !== undefined" },
  { ...caching, name: "a stream is kept before its end", find: "else seen?.push(part)", replace: "else { seen?.push(part); if (part._tag === \"Finish\") keep(Completion.fromParts(seen!)) }" },
  { ...caching, name: "what is asked anew is answered from what is kept", find: "mode === \"use\" ? store.get", replace: "true ? store.get" },
  { ...caching, name: "nothing is kept of what was asked anew", find: "mode === \"bypass\" ? undefined : keyOf", replace: "mode !== \"use\" ? undefined : keyOf" },
  { ...store, name: "what is kept is kept for ever", find: "now < since + bounds.timeToLive", replace: "true" },
  { ...store, name: "a clock that was put back makes the old new", find: "since <= now && ", replace: "" },
  { ...store, name: "who is used goes when it would have gone", find: "      entries.delete(key)\n      if (!isFresh(entry, now)) {\n", replace: "      if (!isFresh(entry, now)) {\n        entries.delete(key)\n" },
  { ...store, name: "no room is given back", find: "    entries.delete(key)\n    bytes -= entry.bytes\n", replace: "    entries.delete(key)\n" },
  { ...store, name: "there is room for one more than there is", find: "entries.size <= bounds.maxEntries", replace: "entries.size <= bounds.maxEntries + 1" },
  { ...store, name: "there is room for any number of bytes", find: "&& bytes <= bounds.maxBytes) return", replace: ") return" },
  { ...store, name: "what is too large is kept", find: "if (total > bounds.maxBytes) return", replace: "" }
]
