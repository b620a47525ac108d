/**
 * The arrows that must never be drawn between the modules of this repository, as a dependency-cruiser configuration.
 * Type imports count. A module of core that is not named here is a word; a module of providers that is not named here
 * is a backend: so a new file is held to the stricter side until somebody says otherwise.
 */
const policies =
  "^packages/core/src/(Policy|Retry|RetryBudget|AdaptiveRate|RequestQueue|CircuitBreaker|RateLimit|Budget|Timeout|Batching|Caching|Coalescing|Hedging|Telemetry|Resilience|Router|ObjectStores|internal/(catalogues|turnstile|fairness|queueRefusals|protecting|caller|batcher|hedgeDelay|racing|sharedAnswer|sharedCalls|sharedStream))\\.ts$"
const backends = "^packages/providers/src/(?!HttpBackend|OpenAiCompat|Catalogue|index|\\w+Wire|\\w+Stream)\\w+\\.ts$"
const wires = "^packages/providers/src/\\w+(Wire|Stream)\\.ts$"
const modules = (names) => `(^|/)node_modules/(${names})/`
const src = (names) => `^packages/(${names})/src/`

const never = (name, comment, from, to) => ({ name, comment, severity: "error", from, to })

export default {
  forbidden: [
    never("no-cycle", "Arrow 1: no cycles, types included.", {}, { circular: true }),
    never("core-knows-only-effect", "Arrow 2; tokenx is one file and imports nothing.", { path: src("core") }, { pathNot: [src("core"), modules("effect|tokenx")] }),
    never(
      "words-know-no-policy",
      "Arrow 3.",
      { path: src("core"), pathNot: [policies, "/index\\.ts$"] },
      { path: policies }
    ),
    never("providers-know-no-policy", "Arrow 4.", { path: src("providers") }, { path: policies }),
    never(
      "providers-know-only-words",
      "What providers may import.",
      { path: src("providers") },
      { pathNot: [src("core|providers"), modules("effect|@effect/platform|eventsource-parser|@noble/hashes")] }
    ),
    never("prices-know-no-policy", "Arrow 4.", { path: src("prices") }, { path: policies }),
    never(
      "prices-know-only-words",
      "What prices may import.",
      { path: src("prices") },
      { pathNot: [src("core|prices"), modules("effect|@pydantic/genai-prices")] }
    ),
    never(
      "backends-know-no-backend",
      "Arrow 5; only the catalogue knows them all.",
      { path: "^packages/providers/src/(.+)\\.ts$", pathNot: "/(Catalogue|index)\\.ts$" },
      { path: backends, pathNot: "^packages/providers/src/$1\\.ts$" }
    ),
    never("node-knows-no-policy", "Arrow 4.", { path: src("node") }, { path: policies }),
    never(
      "node-knows-only-words",
      "What the client for Node may import.",
      { path: src("node") },
      { pathNot: [src("core|node"), modules("effect|@effect/platform|undici")], dependencyTypesNot: ["core"] }
    ),
    never("gateway-knows-only-wires", "Arrow 6.", { path: src("gateway") }, { path: src("providers"), pathNot: wires }),
    never(
      "gateway-knows-no-more",
      "What the gateway may import.",
      { path: src("gateway") },
      { pathNot: [src("core|providers|gateway"), modules("effect|@effect/platform|@noble/hashes")] }
    ),
    never(
      "testing-knows-only-wires",
      "What testing may import.",
      { path: src("testing") },
      { path: [src("providers|prices|gateway|cli"), modules("@effect/platform-node")], pathNot: wires }
    ),
    never(
      "only-cli-touches-node",
      "Arrow 7; the client for Node may, of course.",
      { path: src("core|prices|providers|gateway|testing") },
      { dependencyTypes: ["core"] }
    ),
    never(
      "sources-know-no-test",
      "Arrow 8; the command line may start the simulator.",
      { path: src("core|prices|providers|node|gateway|cli") },
      { path: ["^packages/[^/]+/test/", src("testing"), modules("vitest|@effect/vitest")], pathNot: "^packages/testing/src/Simulator" }
    ),
    never(
      "only-cli-starts-the-simulator",
      "Arrow 8.",
      { path: src("core|prices|providers|node|gateway") },
      { path: src("testing") }
    ),
    never("tools-are-never-imported", "They only check.", { pathNot: "^packages/tools/" }, { path: "^packages/tools/" }),
    never("every-import-resolves", "An arrow that cannot be followed cannot be judged.", {}, { couldNotResolve: true })
  ],
  options: {
    tsPreCompilationDeps: true,
    doNotFollow: { path: "node_modules" },
    enhancedResolveOptions: {
      exportsFields: ["exports"],
      conditionNames: ["@spillway/source", "import", "types", "node", "default"]
    }
  }
}
