import type * as HttpClient from "@effect/platform/HttpClient"
import type * as InvalidOptions from "@spillway/core/InvalidOptions"
import type * as LlmService from "@spillway/core/LlmService"
import type * as ObjectStore from "@spillway/core/ObjectStore"
import * as Resilience from "@spillway/core/Resilience"
import * as Router from "@spillway/core/Router"
import * as Anthropic from "@spillway/providers/Anthropic"
import * as Catalogue from "@spillway/providers/Catalogue"
import * as Gemini from "@spillway/providers/Gemini"
import * as Groq from "@spillway/providers/Groq"
import * as Llvm from "@spillway/providers/Llvm"
import * as Ollama from "@spillway/providers/Ollama"
import * as Opea from "@spillway/providers/Opea"
import * as OpenAi from "@spillway/providers/OpenAi"
import * as Ovms from "@spillway/providers/Ovms"
import * as S3 from "@spillway/providers/S3"
import * as Tei from "@spillway/providers/Tei"
import * as Tgi from "@spillway/providers/Tgi"
import * as Vllm from "@spillway/providers/Vllm"
import * as Xai from "@spillway/providers/Xai"
import type { ConfigError, Layer, Redacted } from "effect"
import { describe, expectTypeOf, it } from "vitest"

type From<Services> = Layer.Layer<Services, InvalidOptions.InvalidOptions, HttpClient.HttpClient>
type Configured<Services> = Layer.Layer<
  Services,
  ConfigError.ConfigError | InvalidOptions.InvalidOptions,
  HttpClient.HttpClient
>

declare const apiKeys: readonly [Redacted.Redacted]
const protect = Resilience.layer()

describe("a backend behind policies", () => {
  it("keeps the tag of what is its own", () => {
    expectTypeOf(protect(Tei.layer({}))).toEqualTypeOf<From<LlmService.LlmService | Tei.Tei>>()
    expectTypeOf(protect(Ollama.layer())).toEqualTypeOf<From<LlmService.LlmService | Ollama.Ollama>>()
    expectTypeOf(protect(Groq.layer({ apiKeys }))).toEqualTypeOf<From<LlmService.LlmService | Groq.Groq>>()
    expectTypeOf(Tgi.layer().pipe(Resilience.layer({ retry: false }))).toEqualTypeOf<
      From<LlmService.LlmService | Tgi.Tgi>
    >()
  })

  it("as the environment says, too", () => {
    expectTypeOf(protect(Anthropic.layerConfig)).toEqualTypeOf<Configured<LlmService.LlmService | Anthropic.Anthropic>>()
    expectTypeOf(protect(Gemini.layerConfig)).toEqualTypeOf<Configured<LlmService.LlmService | Gemini.Gemini>>()
    expectTypeOf(protect(Llvm.layerConfig)).toEqualTypeOf<Configured<LlmService.LlmService | Llvm.Llvm>>()
    expectTypeOf(protect(Opea.layerConfig)).toEqualTypeOf<Configured<LlmService.LlmService | Opea.Opea>>()
    expectTypeOf(protect(OpenAi.layerConfig)).toEqualTypeOf<Configured<LlmService.LlmService | OpenAi.OpenAi>>()
    expectTypeOf(protect(Ovms.layerConfig)).toEqualTypeOf<Configured<LlmService.LlmService | Ovms.Ovms>>()
    expectTypeOf(protect(Vllm.layerConfig)).toEqualTypeOf<Configured<LlmService.LlmService | Vllm.Vllm>>()
    expectTypeOf(protect(S3.layerConfig)).toEqualTypeOf<Configured<LlmService.LlmService | ObjectStore.ObjectStore>>()
  })

  it("has no more where it has nothing of its own", () => {
    expectTypeOf(protect(Xai.layerConfig)).toEqualTypeOf<Configured<LlmService.LlmService>>()
  })

  it("is one of many to a router and to the catalogue", () => {
    expectTypeOf(Router.layer({ tei: protect(Tei.layerConfig), xai: Xai.layerConfig })).toEqualTypeOf<
      Configured<LlmService.LlmService>
    >()
    const entry: Catalogue.Entry = Catalogue.backends.ollama
    expectTypeOf(protect(entry.layer)).toEqualTypeOf<Configured<LlmService.LlmService>>()
  })

  it("is its service again without a layer", () => {
    expectTypeOf(Resilience.protectOwn<Tei.Service>).returns.toEqualTypeOf<Tei.Service>()
  })
})
