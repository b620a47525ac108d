#!/usr/bin/env node
/**
 * Runs `spillway`, and nothing else.
 *
 * @since 0.1.0
 */
import * as NodeContext from "@effect/platform-node/NodeContext"
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as Runtime from "@effect/platform/Runtime"
import * as Effect from "effect/Effect"
import * as Cli from "./Cli.js"

// what fails has said so itself, in one line
NodeRuntime.runMain(Effect.provide(Cli.run(process.argv), NodeContext.layer), {
  disableErrorReporting: true,
  disablePrettyLogger: true,
  teardown: (exit, end) => Runtime.defaultTeardown(exit, (code) => end(code === 0 ? Number(process.exitCode ?? 0) : code))
})
