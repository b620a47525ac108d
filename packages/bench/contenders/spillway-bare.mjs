/** Spillway's backend alone: keys, wire and errors, no policy. */
import * as Contender from "../contender.mjs"

/** @param {import("../harness.mjs").Setup} setup */
export const setup = (setup) => Contender.setup({ ...setup, profile: "bare" })
