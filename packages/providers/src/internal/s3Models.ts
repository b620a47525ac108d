/**
 * What S3 is as a backend like all others: it lists the model files of a bucket, and says whether it is there.
 */
import * as LlmError from "@spillway/core/LlmError"
import * as LlmService from "@spillway/core/LlmService"
import type * as Model from "@spillway/core/Model"
import type * as Objects from "@spillway/core/Objects"
import type * as ObjectStore from "@spillway/core/ObjectStore"
import * as Chunk from "effect/Chunk"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import type { Wire } from "./s3Attempt.js"
import * as S3Exchanges from "./s3Exchanges.js"

/** What the files of models end in. */
export const suffixes: ReadonlyArray<string> = [
  ".gguf",
  ".ggml",
  ".safetensors",
  ".onnx",
  ".pt",
  ".pth",
  ".bin",
  ".ckpt",
  ".h5",
  ".keras",
  ".tflite",
  ".pb",
  ".xml",
  ".engine",
  ".plan",
  ".mar",
  ".mlmodel",
  ".llamafile"
]

/** Where models are, and how their files are told from others. */
export interface Where {
  readonly bucket?: string | undefined
  readonly prefix: string
  readonly suffixes: ReadonlyArray<string>
}

/** The service of a store. */
export const toService = (
  store: ObjectStore.Service,
  wire: Wire,
  { bucket, prefix, suffixes }: Where
): LlmService.Service => {
  const { backend } = wire
  if (bucket === undefined) {
    const unset = new LlmError.Unsupported({
      backend,
      feature: "listModels",
      message: `${backend} has no bucket to look for models in: name one (S3_BUCKET)`
    })
    const service = LlmService.make(backend, { health: Effect.asVoid(store.listBuckets) })
    return { ...service, listModels: Effect.fail(unset) }
  }
  const isModel = (key: string) => suffixes.some((suffix) => key.toLowerCase().endsWith(suffix.toLowerCase()))
  const models = Stream.filterMap(store.list({ bucket, prefix }), (entry) =>
    entry._tag === "Object" && isModel(entry.info.key) ? Option.some(toModel(entry.info)) : Option.none())
  return LlmService.make(backend, {
    health: S3Exchanges.headBucket(wire, bucket),
    listModels: Effect.map(Stream.runCollect(models), Chunk.toReadonlyArray)
  })
}

const toModel = ({ bucket, key, lastModified }: Objects.Info): Model.Model => ({
  id: key,
  owner: bucket,
  ...(lastModified !== undefined && { created: Math.floor(lastModified / 1000) })
})
