// The configuration stands in vitest.workspace.ts; vitest looks for it under this name.
export { default } from "./vitest.workspace.js"
