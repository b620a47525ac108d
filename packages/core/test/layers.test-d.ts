import type * as InvalidOptions from "@spillway/core/InvalidOptions"
import type * as LlmError from "@spillway/core/LlmError"
import * as LlmService from "@spillway/core/LlmService"
import * as Policy from "@spillway/core/Policy"
import * as Protection from "@spillway/core/Protection"
import * as Resilience from "@spillway/core/Resilience"
import * as Retry from "@spillway/core/Retry"
import * as Router from "@spillway/core/Router"
import * as Timeout from "@spillway/core/Timeout"
import { Context, Effect, Layer, type Scope, type Stream } from "effect"
import { describe, expectTypeOf, it } from "vitest"

class Http extends Context.Tag("Http")<Http, { readonly send: () => void }>() {}
class Vault extends Context.Tag("Vault")<Vault, string>() {}
class NoKey {
  readonly _tag = "NoKey"
}
class NoVault {
  readonly _tag = "NoVault"
}

declare const Plain: Layer.Layer<LlmService.LlmService>
declare const Groq: Layer.Layer<LlmService.LlmService, NoKey, Http>
declare const Claude: Layer.Layer<LlmService.LlmService, NoVault, Vault | Http>
declare const Owner: Layer.Layer<LlmService.LlmService | Vault, NoVault, Http>
declare const service: LlmService.Service

describe("a layer", () => {
  it("keeps within its policies what it needs and how it fails, and adds how its options may be wrong", () => {
    expectTypeOf(Plain.pipe(Resilience.layer())).toEqualTypeOf<
      Layer.Layer<LlmService.LlmService, InvalidOptions.InvalidOptions>
    >()
    expectTypeOf(Groq.pipe(Resilience.layer({ retry: { maxRetries: 3 } }))).toEqualTypeOf<
      Layer.Layer<LlmService.LlmService, NoKey | InvalidOptions.InvalidOptions, Http>
    >()
  })

  it("keeps within its policies all that it provides", () => {
    expectTypeOf(Owner.pipe(Resilience.layer())).toEqualTypeOf<
      Layer.Layer<LlmService.LlmService | Vault, NoVault | InvalidOptions.InvalidOptions, Http>
    >()
    expectTypeOf(Resilience.layer()(Layer.merge(Owner, Layer.succeed(Http, { send: () => {} })))).toEqualTypeOf<
      Layer.Layer<LlmService.LlmService | Vault | Http, NoVault | InvalidOptions.InvalidOptions, Http>
    >()
    expectTypeOf(Router.layer({ owner: Owner.pipe(Resilience.layer()), plain: Plain })).toEqualTypeOf<
      Layer.Layer<LlmService.LlmService, NoVault | InvalidOptions.InvalidOptions, Http>
    >()
  })

  it("of several needs what any of them needs, and fails as any of them fails", () => {
    expectTypeOf(Router.layer({ groq: Groq, claude: Claude, plain: Plain })).toEqualTypeOf<
      Layer.Layer<LlmService.LlmService, NoKey | NoVault, Http | Vault>
    >()
    expectTypeOf(Router.layer({ groq: Groq.pipe(Resilience.layer()), claude: Claude })).toEqualTypeOf<
      Layer.Layer<LlmService.LlmService, NoKey | NoVault | InvalidOptions.InvalidOptions, Http | Vault>
    >()
  })

  it("that provides something else is no backend", () => {
    // @ts-expect-error a vault is no LlmService
    Router.layer({ vault: Layer.succeed(Vault, "v") })
    // @ts-expect-error nor is it one within policies
    Layer.succeed(Vault, "v").pipe(Resilience.layer())
  })

  it("satisfies a program that asks for the service and nothing else", () => {
    const program = LlmService.generateText({ model: "groq/llama", prompt: "hi" })
    expectTypeOf(program).toEqualTypeOf<
      Effect.Effect<Effect.Effect.Success<typeof program>, LlmError.LlmError, LlmService.LlmService>
    >()
    expectTypeOf(Effect.provide(program, Router.layer({ plain: Plain }))).toEqualTypeOf<
      Effect.Effect<Effect.Effect.Success<typeof program>, LlmError.LlmError>
    >()
  })
})

describe("a policy", () => {
  it("changes neither what a call gives, nor what it needs", () => {
    const next: Policy.Next<number, Http> = () => Effect.succeed(1)
    expectTypeOf(Policy.identity(next)).toEqualTypeOf<Policy.Next<number, Http>>()
    expectTypeOf(Policy.compose(Policy.identity, Timeout.deadline)(next)).toEqualTypeOf<Policy.Next<number, Http>>()
  })

  it("is made of options that may be wrong, and lives as long as its scope where it holds something", () => {
    expectTypeOf(Retry.make()).toEqualTypeOf<Effect.Effect<Retry.Retry, InvalidOptions.InvalidOptions>>()
    expectTypeOf(Timeout.make()).toEqualTypeOf<
      Effect.Effect<Timeout.Timeout, InvalidOptions.InvalidOptions, Scope.Scope>
    >()
    expectTypeOf(Resilience.standard("groq")).toEqualTypeOf<
      Effect.Effect<Policy.Policy, InvalidOptions.InvalidOptions, Scope.Scope>
    >()
  })

  it("is put around a service data-first and data-last", () => {
    expectTypeOf(Resilience.protect(service, Policy.identity)).toEqualTypeOf<LlmService.Service>()
    expectTypeOf(Resilience.protect(Policy.identity)(service)).toEqualTypeOf<LlmService.Service>()
    expectTypeOf(Router.withModel(service, "m")).toEqualTypeOf<LlmService.Service>()
    expectTypeOf(Router.withModel("m")(service)).toEqualTypeOf<LlmService.Service>()
  })

  it("is put around what only one backend does, which stays what it is", () => {
    const own = Protection.own("dog", ({ whole }) => ({
      bark: (word: string) => whole({ operation: "dog.bark", model: "" }, Effect.succeed(word))
    }))
    type Own = { bark: (word: string) => Effect.Effect<string, LlmError.LlmError> }
    expectTypeOf(own).toEqualTypeOf<Own>()
    expectTypeOf(Resilience.protectOwn(own, Policy.identity)).toEqualTypeOf<Own>()
    expectTypeOf(Resilience.protectOwn(Policy.identity)(own)).toEqualTypeOf<Own>()
    // @ts-expect-error its operations have the backend's name before theirs
    Protection.none.whole({ operation: "bark", model: "" }, Effect.void)
  })

  it("takes no options that do not exist", () => {
    // @ts-expect-error misspelt
    Retry.make({ maxRetry: 3 })
    // @ts-expect-error a jitter is a share or one of three words
    Retry.make({ jitter: "some" })
    // @ts-expect-error the backend is named once, by who makes the policies
    Resilience.standard("groq", { queue: { backend: "other" } })
  })
})

describe("what a caller says of a call", () => {
  it("needs nothing more", () => {
    const call = service.generateText({ model: "m", prompt: "hi" })
    expectTypeOf(call.pipe(Policy.withPriority("high"), Policy.withDeadline("1 second"), Policy.withTenant("acme")))
      .toEqualTypeOf<typeof call>()
    const stream = service.streamText({ model: "m", prompt: "hi" })
    expectTypeOf(stream.pipe(Policy.withDeadlineStream("1 second"))).toEqualTypeOf<
      Stream.Stream<Stream.Stream.Success<typeof stream>, LlmError.LlmError>
    >()
  })
})
