/** Spillway as it is: every policy, one key. */
export { setup } from "../contender.mjs"
