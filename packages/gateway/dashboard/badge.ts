/**
 * A state, told by a word, a shape and a colour.
 */
import { html, say, set } from "./element.js"
import * as Words from "./words.js"

export const badge = () => {
  const node = html("span", { class: "badge" })
  return {
    node,
    update: ({ mood, says }: Words.State) => {
      say(node, `${Words.shapes[mood]} ${says}`)
      set(node, "data-mood", mood)
    }
  }
}
