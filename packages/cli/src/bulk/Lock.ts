/**
 * Keeps two processes from one journal.
 *
 * The lock is a file that names its process. One whose process is gone, as after `kill -9`, holds no longer: that a
 * number was given to another process since then is told by when that one began, where the system says so.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Option from "effect/Option"
import type * as Scope from "effect/Scope"
import * as Fs from "node:fs"
import { Refused } from "../Report.js"

/**
 * Holds the lock until the scope closes; refuses when another process holds it.
 *
 * @since 0.1.0
 * @category constructors
 */
export const hold = (file: string): Effect.Effect<void, Refused, Scope.Scope> =>
  Effect.asVoid(Effect.acquireRelease(take(file), () => Effect.ignore(Effect.try(() => Fs.unlinkSync(file)))))

const take = (file: string): Effect.Effect<void, Refused> =>
  Effect.try({
    try: () => Fs.writeFileSync(file, me(), { flag: "wx" }),
    catch: (error) => error as NodeJS.ErrnoException
  }).pipe(Effect.catchAll((error) => {
    if (error.code !== "EEXIST") return new Refused({ message: `${file} cannot be written: ${error.message}` })
    const holder = Option.getOrElse(read(file), () => "")
    return isHeld(holder)
      ? new Refused({
        message: `process ${holder.split(" ")[0]} is at this work already; if it is not, remove ${file}`
      })
      : Effect.zipRight(Effect.ignore(Effect.try(() => Fs.unlinkSync(file))), take(file))
  }))

const me = () => `${process.pid} ${startOf(process.pid)}`

const isHeld = (holder: string): boolean => {
  const [pid, start] = holder.split(" ")
  return holder !== me() && isAlive(Number(pid)) && startOf(Number(pid)) === start
}

const isAlive = (pid: number): boolean => {
  // signal 0 is tried, never sent; whoever may not be signalled is there
  const tried = Either.try({ try: () => process.kill(pid, 0), catch: (error) => error as NodeJS.ErrnoException })
  return Either.isRight(tried) || tried.left.code === "EPERM"
}

/** When a process began, as Linux tells it; nothing elsewhere. */
const startOf = (pid: number): string => {
  const stat = Option.getOrElse(read(`/proc/${pid}/stat`), () => "")
  // the second field is the program's name, which may hold anything
  return stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19] ?? ""
}

const read = Option.liftThrowable((file: string) => Fs.readFileSync(file, "utf8"))
