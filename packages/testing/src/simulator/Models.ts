/**
 * The models that the simulated vendors have.
 *
 * @since 0.1.0
 */

/**
 * A model, by the name under which it is asked for.
 *
 * @since 0.1.0
 * @category models
 */
export interface Model {
  readonly id: string
  readonly kind: "chat" | "reasoning" | "embedding"
  /** The name under which it answers; another one where the vendor answers with a dated one. */
  readonly snapshot: string
  readonly title: string
  readonly owner: string
  /** When it came to be, in seconds since 1970. */
  readonly created: number
  /** How many tokens fit into a conversation. */
  readonly context: number
  /** How long its vectors are. */
  readonly dimensions: number
}

/**
 * A model, with what is usual for whatever is not said.
 *
 * @since 0.1.0
 * @category constructors
 */
export const make = (id: string, known: Partial<Omit<Model, "id">> = {}): Model => ({
  id,
  kind: /embed/i.test(id) ? "embedding" : /-reasoning$/i.test(id) ? "reasoning" : "chat",
  snapshot: id,
  title: id,
  owner: "spillway-simulator",
  created: 1_735_689_600,
  context: 128_000,
  dimensions: 256,
  ...known
})

/**
 * The models that every wire has: they pretend to be nobody's.
 *
 * @since 0.1.0
 * @category constructors
 */
export const simulated = (further: ReadonlyArray<string>): ReadonlyArray<Model> =>
  ["sim-chat", "sim-reasoning", "sim-embed", ...further].map((id) => make(id))
