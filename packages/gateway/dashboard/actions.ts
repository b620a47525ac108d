/**
 * What an admin has the gateway do, and how the page asks whether it is meant.
 */
import { byId, html, say, set } from "./element.js"
import * as Gateway from "./gateway.js"

const told = byId("told")
let silence: ReturnType<typeof setTimeout> | undefined

/** Tells what became of something, for a while. */
const tell = (says: string, mood: "good" | "bad"): void => {
  say(told, says)
  set(told, "data-mood", mood)
  clearTimeout(silence)
  silence = setTimeout(() => say(told, ""), mood === "bad" ? 15_000 : 6000)
}

/** Has the gateway do something, and tells what became of it. */
export const act = async (path: string, body: object, done: string | ((answer: any) => string)): Promise<void> => {
  const answer = await Gateway.ask(path, body)
  if (answer.ok) tell(typeof done === "string" ? done : done(answer.body), "good")
  else tell(`That failed: ${answer.says}`, "bad")
}

export interface Question {
  readonly title: string
  readonly text: string
  /** What the button says that does it. */
  readonly answer: string
  readonly isHarmful?: boolean
  /** What else is asked. */
  readonly fields?: ReadonlyArray<HTMLElement>
}

const dialog = byId<HTMLDialogElement>("asking")

/** Asks before something is done; whoever closes the dialog has said no. The focus goes back to where it was. */
export const confirm = ({ answer, fields = [], isHarmful = false, text, title }: Question): Promise<boolean> =>
  new Promise((resolve) => {
    let isMeant = false
    const yes = html("button", { type: "submit", class: isHarmful ? "harmful" : "primary" }, answer)
    const no = html("button", { type: "button", click: () => dialog.close() }, "Cancel")
    const form = html(
      "form",
      {},
      html("h2", { id: "asking-title" }, title),
      html("p", {}, text),
      ...fields,
      html("div", { class: "row end" }, no, yes)
    )
    form.addEventListener("submit", (event) => {
      event.preventDefault()
      isMeant = true
      dialog.close()
    })
    dialog.replaceChildren(form)
    dialog.addEventListener("close", () => resolve(isMeant), { once: true })
    dialog.showModal()
    if (fields.length === 0) no.focus()
  })

/** A button that does one thing at a time. */
export const button = (label: string, name: string, run: () => Promise<void>): HTMLButtonElement => {
  const node = html("button", { type: "button", "aria-label": name }, label)
  node.addEventListener("click", () => {
    if (node.getAttribute("aria-busy") === "true") return
    set(node, "aria-busy", "true")
    void run().finally(() => set(node, "aria-busy", undefined))
  })
  return node
}

/** A button that says one thing or the other. */
export const relabel = (button: HTMLButtonElement, label: string, name: string): void => {
  say(button, label)
  set(button, "aria-label", name)
}
