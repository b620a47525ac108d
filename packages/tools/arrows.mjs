/**
 * Follows every import of every published package and fails on an arrow that `arrows.config.mjs` forbids.
 */
import { cruise } from "dependency-cruiser"
import { existsSync } from "node:fs"
import { join } from "node:path"
import config from "./arrows.config.mjs"
import { finish, isMain, published, root } from "./packages.mjs"

/** The forbidden arrows under `base`, one line each, and how many modules and arrows were looked at. */
export const arrows = async (base = root) => {
  const folders = published.map((name) => `packages/${name}/src`).filter((folder) => existsSync(join(base, folder)))
  const { output } = await cruise(folders, { ...config.options, baseDir: base, validate: true, ruleSet: { forbidden: config.forbidden } })
  const problems = output.summary.violations.map(({ cycle, from, rule, to }) => {
    const way = cycle === undefined ? to : cycle.map(({ name }) => name).join(" → ")
    return `${from} → ${way}: ${rule.name} (${config.forbidden.find(({ name }) => name === rule.name)?.comment})`
  })
  return { problems: [...new Set(problems)].sort(), modules: output.summary.totalCruised, arrows: output.summary.totalDependenciesCruised }
}

if (isMain(import.meta.url)) {
  const found = await arrows()
  finish("arrows", found.problems, `${found.arrows} arrows between ${found.modules} modules, none forbidden`)
}
