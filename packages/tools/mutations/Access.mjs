const access = "packages/gateway/src/Access.ts"
const allowance = "packages/gateway/src/Allowance.ts"
const limits = "packages/gateway/src/ClientLimits.ts"
const failed = "packages/gateway/src/FailedAttempts.ts"
const clients = ["packages/gateway/test/Access.test.ts"]
const properties = ["packages/gateway/test/Allowance.properties.test.ts"]
const security = ["packages/gateway/test/Security.test.ts"]

export default [
  { name: "a request is let in that there is no room for", property: "S15", file: allowance, tests: properties, find: "active < maxConcurrent ? 0 : 1000, waitFor(requests, 1, now)", replace: "active <= maxConcurrent ? 0 : 1000, waitFor(requests, 1, now)" },
  { name: "more comes back than there was", property: "S15", file: allowance, tests: properties, find: "bucket.level = Math.min(bucket.capacity, bucket.level + (now - bucket.at) * bucket.capacity / minute)", replace: "bucket.level = bucket.level + (now - bucket.at) * bucket.capacity / minute" },
  { name: "a clock that is set back takes away", property: "S15", file: allowance, tests: properties, find: "if (now > bucket.at) {", replace: "if (now !== bucket.at) {" },
  { name: "a place is not given back", property: "S15", file: allowance, tests: properties, find: "for (const allowance of allowances) allowance.active--", replace: "for (const allowance of allowances) allowance.active" },
  { name: "who is refused is told to come too early", property: "S15", file: allowance, tests: properties, find: "Math.ceil(missing / bucket.capacity * minute)", replace: "Math.ceil(missing / bucket.capacity * minute / 2)" },
  { name: "what the tenant's keys take is not taken from the tenant", property: "S15", file: allowance, tests: properties, find: "  for (const { tokens } of allowances) {\n    if", replace: "  for (const { tokens } of allowances.slice(0, 1)) {\n    if" },
  { name: "a call that failed has used its estimate", property: "S15", file: limits, tests: clients, find: "usage === \"failed\" ? 0 :", replace: "usage === \"failed\" ? input + output :" },
  { name: "a request sets its own bound", property: "S15", file: limits, tests: clients, find: "maxTokens <= most", replace: "maxTokens <= most * 2" },
  { name: "every model may be asked", property: "S13", file: limits, tests: clients, find: "if (!allowances.every(({ mayUse }) => mayUse(model))) {", replace: "if (!allowances.some(() => true)) {" },
  { name: "whoever has a key is an admin", property: "S14", file: access, tests: clients, find: "needs === \"admin\" && principal.role !== \"admin\"", replace: "needs === \"admin\" && principal.role === undefined" },
  { name: "a header chooses the tenant", property: "S13", file: access, tests: clients, find: "Context.add(Policy.CurrentTenant, tenant)", replace: "Context.add(Policy.CurrentTenant, wanted)" },
  { name: "the client decides how urgent it is", property: "S15", file: access, tests: clients, find: "Math.max(level, Policy.toLevel(", replace: "Math.max(0, Policy.toLevel(" },
  { name: "any scheme is as good as a bearer's", property: "S12", file: access, tests: clients, find: "if (scheme === \"bearer\") return rest", replace: "if (scheme !== \"basic\") return rest" },
  { name: "a hash is as good as its key", property: "S12", file: access, tests: clients, find: "principals.get(AccessKey.digest(said))", replace: "principals.get(AccessKey.digest(said)) ?? principals.get(said.slice(7))" },
  { name: "who guesses is never told to wait", property: "S12", file: failed, tests: clients, find: "return count <= free ? 0 :", replace: "return count <= 10 * free ? 0 :" },
  { name: "every address that ever failed is remembered", property: "S21", file: failed, tests: clients, find: "if (known.size > most)", replace: "if (known.size > 10 * most)" },
  { name: "metrics are open", property: "S14", file: "packages/gateway/src/Status.ts", tests: clients, find: "probe(\"/metrics\", \"admin\"", replace: "probe(\"/metrics\", \"open\"" },
  { name: "what a gateway does not name needs no admin", property: "S30", file: "packages/gateway/src/Exchange.ts", tests: security, find: "kind === \"call\" ? \"user\" : \"admin\"", replace: "kind === \"call\" ? \"user\" : \"open\"" },
  { name: "the grace has no end where nothing can be interrupted", property: "S25", file: "packages/gateway/src/Drain.ts", tests: ["packages/gateway/test/Gateway.test.ts"], find: "Effect.timeoutOption(Effect.interruptible(idle), time)", replace: "Effect.timeoutOption(idle, time)" }
]
