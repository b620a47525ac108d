/**
 * Names by pattern: `*` stands for any text, also for none; everything else for itself. It takes no longer than the
 * pattern has pieces, whatever the name is.
 */

/** Whether the whole of a name fits the pattern. */
export const make = (pattern: string): (name: string) => boolean => {
  const [first, ...pieces] = pattern.split("*") as [string, ...Array<string>]
  const last = pieces.pop()
  if (last === undefined) return (name) => name === pattern
  return (name) => {
    if (!name.startsWith(first)) return false
    let at = first.length
    for (const piece of pieces) {
      const found = name.indexOf(piece, at)
      if (found < 0) return false
      at = found + piece.length
    }
    return name.length - last.length >= at && name.endsWith(last)
  }
}
