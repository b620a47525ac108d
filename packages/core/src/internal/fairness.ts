/**
 * What tenants share, and how much of it each may have.
 */
import type * as Policy from "../Policy.js"
import * as Tokens from "../Tokens.js"

/** What tenants share. */
export interface Settings {
  readonly cost: keyof typeof costs
  readonly quantum?: number | undefined
  readonly weights: { readonly [tenant: string]: number }
  readonly defaultWeight: number
}

/** A call that may be asked what it costs; the answer is kept. */
export interface Payer {
  readonly call: Policy.Call
  cost: number | undefined
}

const tokensOf = ({ request }: Policy.Call) => {
  if (request === undefined) return 1
  const { input, output = 0 } = Tokens.estimate(request)
  return Math.max(input + output, 1)
}

/** What a call costs, and what a tenant has in a round unless somebody says otherwise. */
const costs = {
  calls: { of: () => 1, quantum: 1 },
  tokens: { of: (payer: Payer) => payer.cost ??= tokensOf(payer.call), quantum: 1000 }
} as const

export const costOf = ({ cost }: Settings): (payer: Payer) => number => costs[cost].of

export const quantumOf = (
  { cost, defaultWeight, quantum = costs[cost].quantum, weights }: Settings
): (tenant: string) => number => {
  const known = new Map(Object.entries(weights))
  return (tenant) => quantum * (known.get(tenant) ?? defaultWeight)
}
