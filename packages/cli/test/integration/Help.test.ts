import { describe, expect, it } from "vitest"
import * as Spillway from "./spillway.js"

describe.skipIf(Spillway.missing !== undefined)(`spillway --help${Spillway.missing ? ` (skipped: ${Spillway.missing})` : ""}`, () => {
  it.each(["serve", "run"])("tells of %s, wherever it is asked for", async (command) => {
    const [after, late] = await Promise.all([Spillway.run([command, "--help"]), Spillway.run([command, "--config", "x", "--help"])])
    expect(after.code).toBe(0)
    expect(after.stdout).toMatch(new RegExp(`\\n\\$ ${command}\\b`))
    expect(late.stdout).toBe(after.stdout)
  })

  it("has no colours where there is no terminal", async () => {
    const { stdout } = await Spillway.run(["--help"])
    expect(stdout).not.toContain("\u001b")
  })
})
