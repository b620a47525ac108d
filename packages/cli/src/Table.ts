/**
 * Rows of texts under a heading, each column as wide as its widest text.
 *
 * @since 0.1.0
 */

/**
 * A column.
 *
 * @since 0.1.0
 * @category models
 */
export interface Column<Row> {
  readonly title: string
  readonly text: (row: Row) => string
  /** Numbers stand at the right. @default "left" */
  readonly align?: "left" | "right"
}

/**
 * The lines of a table: its heading, and a line for each row.
 *
 * @since 0.1.0
 * @category conversions
 */
export const lines = <Row>(columns: ReadonlyArray<Column<Row>>, rows: ReadonlyArray<Row>): ReadonlyArray<string> => {
  const cells = [columns.map(({ title }) => title), ...rows.map((row) => columns.map(({ text }) => text(row)))]
  const widths = columns.map((_, at) => Math.max(...cells.map((texts) => (texts[at] ?? "").length)))
  return cells.map((texts) =>
    texts.map((text, at) => columns[at]?.align === "right" ? text.padStart(widths[at] ?? 0) : text.padEnd(widths[at] ?? 0))
      .join("  ").trimEnd()
  )
}
