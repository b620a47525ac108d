import { assert, describe, it } from "@effect/vitest"
import * as Held from "@spillway/core/Held"
import { Cause, Chunk, Effect, Exit } from "effect"

const log = () => {
  const entries: Array<string> = []
  return { entries, note: (entry: string) => () => void entries.push(entry) }
}

describe("Held", () => {
  it.effect("gives back the last taken first, and once", () =>
    Effect.gen(function*() {
      const { entries, note } = log()
      const held = Held.make()
      held.add(note("place"))
      held.add(() => Effect.sync(note("stream")))
      held.add(note("key"))
      yield* held.close(Exit.void)
      yield* held.close(Exit.void)
      // what is an effect runs after all that is not
      assert.deepStrictEqual(entries, ["key", "place", "stream"])
    }))

  it.effect("tells each how the call ended", () =>
    Effect.gen(function*() {
      const heard: Array<Exit.Exit<unknown, unknown>> = []
      const held = Held.make()
      held.add((exit) => void heard.push(exit))
      held.add((exit) => Effect.sync(() => heard.push(exit)))
      yield* held.close(Exit.fail("broken"))
      assert.deepStrictEqual(heard, [Exit.fail("broken"), Exit.fail("broken")])
    }))

  it.effect("gives back at once what is taken after the call has ended", () =>
    Effect.gen(function*() {
      const { entries, note } = log()
      const held = Held.make()
      yield* held.close(Exit.void)
      held.add(note("late"))
      held.add(() => Effect.sync(note("late, as an effect")))
      assert.deepStrictEqual(entries, ["late", "late, as an effect"])
    }))

  it.effect("gives back everything, whatever goes wrong in between", () =>
    Effect.gen(function*() {
      const { entries, note } = log()
      const held = Held.make()
      held.add(note("place"))
      held.add(() => Effect.sync(note("stream")))
      held.add(() => {
        throw new Error("a bug")
      })
      held.add(() => Effect.die("another"))
      held.add(note("key"))
      const exit = yield* Effect.exit(held.close(Exit.void))
      assert.isTrue(Exit.isFailure(exit) && Cause.isDie(exit.cause))
      assert.deepStrictEqual(entries, ["key", "place", "stream"])
    }))

  it.effect("hands over to another, which gives back when it is closed", () =>
    Effect.gen(function*() {
      const { entries, note } = log()
      const attempt = Held.make()
      const call = Held.make()
      attempt.add(note("key"))
      call.add(note("place"))
      attempt.moveTo(call)
      assert.deepStrictEqual(entries, [])
      yield* call.close(Exit.void)
      assert.deepStrictEqual(entries, ["key", "place"])
      yield* attempt.close(Exit.void)
      assert.deepStrictEqual(entries, ["key", "place"])
    }))

  it.effect("has the rest of a stream watched by all who asked, the first nearest to the backend", () =>
    Effect.gen(function*() {
      const { entries, note } = log()
      const watching = (name: string): Held.Watch => (rest, _, first) => {
        entries.push(`${name} after ${first.length}`)
        return Effect.succeed(Effect.tap(rest, note(name)))
      }
      const attempt = Held.make()
      const call = Held.make()
      attempt.watch(watching("attempt"))
      attempt.moveTo(call)
      call.watch(watching("call"))
      const pull = yield* call.watched(Effect.sync(() => {
        entries.push("backend")
        return Chunk.of("there")
      }), Chunk.of("hi"))
      yield* pull
      assert.deepStrictEqual(entries, ["attempt after 1", "call after 1", "backend", "attempt", "call"])
    }))
})
