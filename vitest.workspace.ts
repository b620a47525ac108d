import { defineConfig } from "vitest/config"

/**
 * The projects: `unit` (no network, no key, no real time), `types` (*.test-d.ts, read by the compiler),
 * `integration` (real sockets on loopback, real clients, the real servers that `servers/setup.ts` finds), and `live`
 * (the vendors themselves; only with LIVE=1 and keys).
 */
const live = process.env["LIVE"] === "1"
const conditions = ["@spillway/source", "node", "import", "default"]

export default defineConfig({
  resolve: { conditions },
  ssr: { resolve: { conditions } },
  test: {
    passWithNoTests: true,
    reporters: ["default", "./packages/tools/reporter.mjs"],
    testTimeout: 60_000,
    maxWorkers: "100%",
    setupFiles: ["packages/testing/test/outlived.ts"],
    projects: [
      {
        extends: true,
        test: {
          name: "unit",
          include: ["packages/*/test/**/*.test.ts"],
          exclude: ["packages/*/test/{integration,live}/**"]
        }
      },
      {
        extends: true,
        test: {
          name: "types",
          include: [],
          typecheck: {
            enabled: true,
            only: true,
            include: ["packages/*/test/**/*.test-d.ts"],
            tsconfig: "./tsconfig.types.json"
          }
        }
      },
      {
        extends: true,
        test: {
          name: "integration",
          include: ["packages/*/test/integration/**/*.test.ts"],
          globalSetup: ["packages/testing/test/servers/setup.ts"],
          testTimeout: 30_000,
          hookTimeout: 60_000
        }
      },
      ...(live
        ? [{ extends: true as const, test: { name: "live", include: ["packages/*/test/live/**/*.test.ts"], testTimeout: 120_000 } }]
        : [])
    ]
  }
})
