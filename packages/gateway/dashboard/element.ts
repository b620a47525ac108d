/**
 * Elements of the page, made and kept current by the fewest changes: what is not touched keeps its focus, and is not
 * read out again.
 */

export type Attributes = { readonly [name: string]: string | number | boolean | undefined | (() => void) }

type Child = Node | string

const fill = <E extends Element>(element: E, attributes: Attributes, children: ReadonlyArray<Child>): E => {
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === "function") element.addEventListener(name, value)
    else set(element, name, value)
  }
  element.append(...children)
  return element
}

/** An element; a function among its attributes listens to the event of that name. */
export const html = <T extends keyof HTMLElementTagNameMap>(
  tag: T,
  attributes: Attributes = {},
  ...children: ReadonlyArray<Child>
): HTMLElementTagNameMap[T] => fill(document.createElement(tag), attributes, children)

export const svg = <T extends keyof SVGElementTagNameMap>(
  tag: T,
  attributes: Attributes = {},
  ...children: ReadonlyArray<Child>
): SVGElementTagNameMap[T] => fill(document.createElementNS("http://www.w3.org/2000/svg", tag), attributes, children)

/** The element of the page with this id, which is there. */
export const byId = <E extends HTMLElement = HTMLElement>(id: string): E => document.getElementById(id) as E

/** Sets an attribute, or takes it away. */
export const set = (element: Element, name: string, value: string | number | boolean | undefined): void => {
  if (value === undefined || value === false) element.removeAttribute(name)
  else if (element.getAttribute(name) !== String(value === true ? "" : value)) {
    element.setAttribute(name, String(value === true ? "" : value))
  }
}

/** Changes the text of an element that holds nothing else. */
export const say = (element: Element, text: string): void => {
  if (element.textContent !== text) element.textContent = text
}

/** How much of a bar is filled, from 0 to 1. */
export const fillTo = (bar: HTMLElement, share: number): void => {
  bar.style.width = `${Math.round(Math.min(Math.max(share, 0), 1) * 1000) / 10}%`
}

/** A part of the page that follows a value. */
export interface Shown<A> {
  readonly node: Element
  readonly update: (value: A) => void
}

/** Shows a list in which each has a name of its own; who stays stays where it is, with its focus. */
export const list = <A>(parent: Element, keyOf: (value: A) => string, make: (value: A) => Shown<A>) => {
  const shown = new Map<string, Shown<A>>()
  return (values: ReadonlyArray<A>): void => {
    const wanted = new Set(values.map(keyOf))
    for (const [key, { node }] of shown) {
      if (wanted.has(key)) continue
      node.remove()
      shown.delete(key)
    }
    let next = parent.firstElementChild
    for (const value of values) {
      const key = keyOf(value)
      const one = shown.get(key) ?? make(value)
      shown.set(key, one)
      one.update(value)
      if (one.node === next) next = next.nextElementSibling
      else parent.insertBefore(one.node, next)
    }
  }
}
