import { type Completion, type LlmError, LlmService, type Prompt, type StructuredOutput, Tool, ToolLoop } from "@spillway/core"
import { Context, Data, Effect, pipe, Schema, type Stream } from "effect"
import { describe, expectTypeOf, it } from "vitest"

class Clock extends Context.Tag("Clock")<Clock, { readonly now: Effect.Effect<string> }>() {}
class Db extends Context.Tag("Db")<Db, { readonly find: (id: number) => Effect.Effect<string, NotFound> }>() {}
class NotFound extends Data.TaggedError("NotFound")<{}> {}
class Person extends Schema.Class<Person>("Person")({ name: Schema.String, born: Schema.NumberFromString }) {}

const request = { model: "m", prompt: "p" }
const clock = Tool.make("clock", { parameters: Schema.Struct({}) })
const find = Tool.make("find", { parameters: Schema.Struct({ id: Schema.NumberFromString }) })

describe("Tool.handle", () => {
  it("gives the handler the decoded parameters, and keeps its errors and needs", () => {
    const handled = Tool.handle(find, (parameters) => {
      expectTypeOf(parameters).toEqualTypeOf<{ readonly id: number }>()
      return Effect.flatMap(Db, (db) => db.find(parameters.id))
    })
    expectTypeOf(handled).toEqualTypeOf<Tool.Handled<NotFound, Db>>()
  })

  it("reads the same data-last", () => {
    const handled = pipe(find, Tool.handle(({ id }) => Effect.flatMap(Db, (db) => db.find(id))))
    expectTypeOf(handled).toEqualTypeOf<Tool.Handled<NotFound, Db>>()
  })
})

describe("ToolLoop", () => {
  const tools = [
    Tool.handle(clock, () => Effect.flatMap(Clock, (clock) => clock.now)),
    Tool.handle(find, ({ id }) => Effect.flatMap(Db, (db) => db.find(id)))
  ] as const

  it("unites the errors and the needs of all handlers", () => {
    type Expected = Effect.Effect<
      ToolLoop.Progress,
      LlmError.LlmError | ToolLoop.StepLimitReached | NotFound,
      LlmService.LlmService | Clock | Db
    >
    expectTypeOf(ToolLoop.run(request, { tools })).toEqualTypeOf<Expected>()
    expectTypeOf(ToolLoop.run(request, { tools: [...tools] })).toEqualTypeOf<Expected>()
    expectTypeOf(pipe(request, ToolLoop.run({ tools, maxSteps: 3 }))).toEqualTypeOf<Expected>()
  })

  it("needs no more than the service when the handlers need nothing", () => {
    expectTypeOf(ToolLoop.run(request, { tools: [Tool.handle(clock, () => Effect.succeed(1))] })).toEqualTypeOf<
      Effect.Effect<ToolLoop.Progress, LlmError.LlmError | ToolLoop.StepLimitReached, LlmService.LlmService>
    >()
    expectTypeOf(ToolLoop.run(request, { tools: [] })).toEqualTypeOf<
      Effect.Effect<ToolLoop.Progress, LlmError.LlmError | ToolLoop.StepLimitReached, LlmService.LlmService>
    >()
  })

  it("streams parts, results and the end", () => {
    expectTypeOf(ToolLoop.stream(request, { tools })).toEqualTypeOf<
      Stream.Stream<
        Completion.Part | Prompt.ToolResultPart | ({ readonly _tag: "Done" } & ToolLoop.Progress),
        LlmError.LlmError | ToolLoop.StepLimitReached | NotFound,
        LlmService.LlmService | Clock | Db
      >
    >()
  })

  it("has the tools, so that the request has none", () => {
    // @ts-expect-error the loop's tools are its options
    ToolLoop.run({ ...request, tools: [] satisfies Array<Tool.Definition>, x: 1 }, { tools: [] })
  })
})

describe("LlmService.generateObject", () => {
  type Expected = Effect.Effect<StructuredOutput.Output<Person>, LlmError.LlmError, LlmService.LlmService>

  it("gives what the schema decodes to, both ways round", () => {
    expectTypeOf(LlmService.generateObject(request, Person)).toEqualTypeOf<Expected>()
    expectTypeOf(LlmService.generateObject(Person)(request)).toEqualTypeOf<Expected>()
    expectTypeOf(pipe(request, LlmService.generateObject(Person))).toEqualTypeOf<Expected>()
  })

  it("takes no schema that needs something", () => {
    const needy = Schema.transformOrFail(Schema.String, Schema.String, {
      decode: () => Effect.flatMap(Clock, (clock) => clock.now),
      encode: (text) => Effect.succeed(text)
    })
    // @ts-expect-error Clock is not there when the answer is decoded
    LlmService.generateObject(request, needy)
  })
})
