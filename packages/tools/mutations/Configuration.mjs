/** Bugs that the tests of the configuration file, and of its being read again, must notice. */
const generations = { file: "packages/cli/src/Generations.ts", tests: ["packages/cli/test/Generations.test.ts"] }
const money = { file: "packages/cli/src/Money.ts", tests: ["packages/cli/test/Generations.test.ts"] }
const reading = { file: "packages/cli/src/ConfigReading.ts", tests: ["packages/cli/test/ConfigFile.test.ts"] }
const text = { file: "packages/cli/src/ConfigText.ts", tests: ["packages/cli/test/ConfigFile.test.ts"] }

export default [
  { name: "nothing is shared from file to file", ...generations, find: "that.text === text", replace: "that === text" },
  { name: "a backend is the same though its keys have changed", ...generations, find: "ConfigReading.toText([moneyText, backend])", replace: "ConfigReading.toText([moneyText, backend.name])" },
  { name: "what was spent is forgotten with the budget that was changed", ...money, find: "if (Option.isSome(before)) {", replace: "if (Option.isSome(before) && sections.budget === undefined) {" },
  { name: "what is under way is not counted in the next budget", ...money, find: "account.spentMicroDollars + account.reservedMicroDollars", replace: "account.spentMicroDollars" },
  { name: "a backend's options are lost that stand beside those of all", ...reading, find: "? { ...common, ...options } : options", replace: "? options : options" },
  { name: "a queue's own weights come after those of tenants", ...reading, find: "weights: { ...weights, ...queue?.fairness?.weights }", replace: "weights: { ...queue?.fairness?.weights, ...weights }" },
  { name: "what the environment said is repeated", ...text, find: "outer.has(field)", replace: "!outer.has(field)" }
]
