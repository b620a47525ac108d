/** What the format demands, checked line by line; gives the samples back by their series. */
export const read = (text: string): ReadonlyMap<string, number> => {
  const samples = new Map<string, number>()
  const types = new Map<string, string>()
  const helped = new Set<string>()
  let current = ""
  if (text !== "" && !text.endsWith("\n")) throw new Error("the last line has no end")
  for (const line of text.split("\n").slice(0, -1)) {
    const help = /^# HELP ([a-zA-Z_:][a-zA-Z0-9_:]*) ((?:[^\\\n]|\\\\|\\n)*)$/.exec(line)
    const type = /^# TYPE ([a-zA-Z_:][a-zA-Z0-9_:]*) (counter|gauge|histogram|summary)$/.exec(line)
    const sample =
      /^([a-zA-Z_:][a-zA-Z0-9_:]*)((?:\{(?:[a-zA-Z_][a-zA-Z0-9_]*="(?:[^"\\\n\r]|\\\\|\\"|\\n)*",?)+\})?) (\S+)$/.exec(line)
    if (help !== null) {
      if (helped.has(help[1]!)) throw new Error(`helped twice: ${help[1]}`)
      helped.add(help[1]!)
    } else if (type !== null) {
      if (types.has(type[1]!)) throw new Error(`typed twice: ${type[1]}`)
      types.set(type[1]!, type[2]!)
      current = type[1]!
    } else if (sample !== null) {
      const [, name, labels, value] = sample
      if (name!.replace(/_(?:bucket|sum|count)$/, "") !== current && name !== current) {
        throw new Error(`${line} stands under ${current}`)
      }
      const series = `${name}${labels}`
      if (samples.has(series)) throw new Error(`twice: ${series}`)
      samples.set(series, value === "+Inf" ? Infinity : Number(value))
    } else {
      throw new Error(`no line of the format: ${line}`)
    }
  }
  return samples
}
