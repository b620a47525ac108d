/**
 * What the documents promise is true: exports are documented, snippets are the files they name (`--write` makes them
 * so), and examples compile and run.
 */
import { existsSync } from "node:fs"
import { join } from "node:path"
import { doctags } from "./doctags.mjs"
import { examples } from "./examples.mjs"
import { finish, published, root, run } from "./packages.mjs"
import { snippets } from "./snippets.mjs"

const pages = ["README.md", "CONTRIBUTING.md", ...published.map((name) => `packages/${name}/README.md`)]
  .filter((file) => existsSync(join(root, file)))
const { ok, output } = run("tsc", ["-b"])
const { compiled, problems, ran } = await examples({ pages })
finish(
  "docs",
  [...(ok ? [] : [output]), ...doctags(), ...snippets({ files: pages, write: process.argv.includes("--write") }), ...problems],
  `exports documented, ${compiled} examples compiled, ${ran} of them run`
)
