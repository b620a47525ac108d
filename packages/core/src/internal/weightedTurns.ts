/**
 * Whose turn it is, each as often as its weight says, evenly interleaved: the smooth weighted round robin.
 */

/** Gives the place of the next one. Who has no weight never has a turn; at least one must have some. */
export const make = (weights: ReadonlyArray<number>): () => number => {
  const credits = weights.map(() => 0)
  const total = weights.reduce((sum, weight) => sum + weight, 0)
  return () => {
    let best = -1
    for (let place = 0; place < weights.length; place++) {
      credits[place]! += weights[place]!
      if (best < 0 || credits[place]! > credits[best]!) best = place
    }
    // who is taken pays what all have gained
    credits[best]! -= total
    return best
  }
}
