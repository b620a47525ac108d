/**
 * A table: its rows are named, and who stays stays where it is. On a narrow page they are cards, so the roles are said:
 * browsers forget them when a table is laid out in another way.
 */
import { html, list, say, set, type Shown } from "./element.js"

export interface Column<A> {
  readonly name: string
  readonly isNumber?: boolean
  readonly make: (value: A) => Shown<A>
}

/** A column of words. */
export const plain = <A>(name: string, read: (value: A) => string, isNumber = false): Column<A> => ({
  name,
  isNumber,
  make: () => {
    const node = html("span")
    return { node, update: (value) => say(node, read(value)) }
  }
})

export const table = <A>(
  parent: Element,
  options: {
    readonly caption: string
    readonly empty: string
    readonly columns: ReadonlyArray<Column<A>>
    readonly keyOf: (value: A) => string
  }
) => {
  const { caption, columns, empty, keyOf } = options
  const body = html("tbody", { role: "rowgroup" })
  const node = html(
    "table",
    { role: "table" },
    html("caption", {}, caption),
    html(
      "thead",
      { role: "rowgroup" },
      html("tr", { role: "row" }, ...columns.map(({ isNumber = false, name }) =>
        html("th", { role: "columnheader", scope: "col", class: isNumber && "number" }, name)))
    ),
    body
  )
  const nothing = html("p", { class: "empty" }, empty)
  parent.append(node, nothing)
  const show = list<A>(body, keyOf, (value) => {
    const cells = columns.map((column) => ({ column, shown: column.make(value) }))
    return {
      node: html("tr", { role: "row" }, ...cells.map(({ column, shown }, place) =>
        html(
          place === 0 ? "th" : "td",
          {
            role: place === 0 ? "rowheader" : "cell",
            scope: place === 0 && "row",
            class: column.isNumber && "number",
            "data-label": column.name
          },
          shown.node
        ))),
      update: (value) => {
        for (const { shown } of cells) shown.update(value)
      }
    }
  })
  return (values: ReadonlyArray<A>) => {
    set(node, "hidden", values.length === 0)
    set(nothing, "hidden", values.length > 0)
    show(values)
  }
}
