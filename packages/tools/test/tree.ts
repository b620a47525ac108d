import { copyFileSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { dirname, join } from "node:path"
import { onTestFinished } from "vitest"
import { published, root } from "../packages.mjs"

/** A small repository in a temporary folder with the given files, our real packages' manifests and our node_modules. */
export const tree = (files: Record<string, string>): string => {
  const base = mkdtempSync(join(tmpdir(), "spillway-tools-"))
  onTestFinished(() => rmSync(base, { recursive: true, force: true }))
  mkdirSync(join(base, "node_modules/@spillway"), { recursive: true })
  for (const name of ["effect", "@effect", "vitest", "@types", "typescript", ".bin"]) {
    symlinkSync(join(root, "node_modules", name), join(base, "node_modules", name))
  }
  for (const name of published) {
    mkdirSync(join(base, "packages", name, "src"), { recursive: true })
    copyFileSync(join(root, "packages", name, "package.json"), join(base, "packages", name, "package.json"))
    symlinkSync(join(base, "packages", name), join(base, "node_modules/@spillway", name))
  }
  mkdirSync(join(base, "packages/tools"))
  for (const file of ["tsconfig.base.json", ".oxlintrc.json", "packages/tools/oxlint-plugin.mjs"]) {
    copyFileSync(join(root, file), join(base, file))
  }
  for (const [file, text] of Object.entries(files)) {
    mkdirSync(dirname(join(base, file)), { recursive: true })
    writeFileSync(join(base, file), text)
  }
  return base
}
