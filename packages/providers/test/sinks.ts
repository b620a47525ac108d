/** Every way in which a program, its log or its tracer may come to show a value. */
import { Cause, Exit, Logger, type LogLevel, Tracer } from "effect"
import { Console } from "node:console"
import { Writable } from "node:stream"
import { inspect } from "node:util"

const whole = { showHidden: true, depth: Infinity, maxArrayLength: Infinity, maxStringLength: Infinity } as const

const printed = (value: unknown): string => {
  let text = ""
  const stdout = new Writable({
    write(chunk, _, done) {
      text += chunk
      done()
    }
  })
  new Console({ stdout }).log("%s %o", value, value, value)
  return text
}

// what a value makes of itself may throw, and that is shown too
const attempt = (show: () => string | undefined): string => {
  try {
    return show() ?? ""
  } catch (error) {
    return inspect(error)
  }
}

/** A value, by every means of showing it. */
export const shown = (value: unknown): string =>
  typeof value === "object" && value !== null || typeof value === "function" ? [...new Set(ways(value))].join("\n") : String(value)

const ways = (value: object): ReadonlyArray<string> => [
  attempt(() => String(value)),
  attempt(() => JSON.stringify(value, (_, part) => typeof part === "bigint" ? String(part) : part)),
  attempt(() => inspect(value, whole)),
  attempt(() => inspect(value, { ...whole, customInspect: false })),
  attempt(() => inspect(value, { ...whole, getters: true })),
  attempt(() => inspect({ ...value }, whole)),
  attempt(() => printed(value)),
  ...(Cause.isCause(value)
    ? [Cause.pretty(value), Cause.pretty(value, { renderErrorCause: true }), shown(Cause.squash(value))]
    : []),
  ...(Exit.isExit(value) && Exit.isFailure(value) ? [shown(value.cause)] : []),
  ...(value instanceof Error
    ? [value.message, value.stack ?? "", shown(value.cause), attempt(() => inspect(structuredClone(value), whole))]
    : [])
]

/** Keeps every line that the loggers of Effect would write. */
export const logging = (level: LogLevel.LogLevel) => {
  const lines: Array<string> = []
  const logger = Logger.make<unknown, void>((options) => {
    lines.push(
      Logger.stringLogger.log(options),
      Logger.logfmtLogger.log(options),
      Logger.jsonLogger.log(options),
      shown(Logger.structuredLogger.log(options))
    )
  })
  return { lines, layer: [Logger.replace(Logger.defaultLogger, logger), Logger.minimumLogLevel(level)] as const }
}

/** Keeps everything that a tracer is told. */
export const tracing = () => {
  const told: Array<unknown> = []
  const names: Array<string> = []
  const tracer = Tracer.make({
    span: (name, parent, context, links, startTime, kind) => {
      names.push(name)
      told.push(name, links)
      const attributes = new Map<string, unknown>()
      return {
        _tag: "Span",
        name,
        spanId: String(names.length),
        traceId: "trace",
        parent,
        context,
        links,
        status: { _tag: "Started", startTime },
        attributes,
        sampled: true,
        kind,
        attribute: (key, value) => {
          attributes.set(key, value)
          told.push(key, value)
        },
        event: (name, _, attributes) => void told.push(name, attributes),
        addLinks: (links) => void told.push(links),
        end: (_, exit) => void told.push(exit)
      }
    },
    context: (execution) => execution()
  })
  return { tracer, names, told }
}

/** So many characters of a key in a row give it away. */
const few = 8

/** The first place at which texts show a piece of a key, if they show any. */
export const leaked = (texts: ReadonlyArray<string>, keys: ReadonlyArray<string>): string | undefined => {
  const piecesOf = (text: string) => Array.from({ length: text.length - few + 1 }, (_, at) => text.slice(at, at + few))
  const pieces = new Set(keys.flatMap(piecesOf))
  const innocent = new Set<string>()
  for (const text of texts) {
    for (const { 0: word, index } of text.matchAll(/[\w-]{8,}/g)) {
      if (innocent.has(word)) continue
      if (piecesOf(word).some((piece) => pieces.has(piece))) return `…${text.slice(Math.max(0, index - 200), index + 100)}…`
      innocent.add(word)
    }
  }
  return undefined
}
