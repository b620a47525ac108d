/**
 * Which requests can be asked as one, how, and whose part of the answer is whose: for each operation that can be.
 */
import type * as Arr from "effect/Array"
import type * as Embedding from "../Embedding.js"
import * as Inference from "../Inference.js"
import type * as Rerank from "../Rerank.js"
import type * as Tensor from "../Tensor.js"
import { canonical } from "./canonical.js"
import * as TensorRows from "./tensorRows.js"

/** How requests of one operation are joined. */
export interface Joining<Request, Answer> {
  /** Requests of one kind can be joined with each other; one that is of none, with no other. */
  readonly kind: (request: Request) => string | undefined
  /** How many items (texts, documents, rows) are in it. */
  readonly size: (request: Request) => number
  /** Requests of one kind as one. */
  readonly join: (requests: Arr.NonEmptyReadonlyArray<Request>) => Request
  /** The part of each request, in their order; none where this is no answer to just those items. */
  readonly split: (answer: Answer, requests: Arr.NonEmptyReadonlyArray<Request>) => ReadonlyArray<Answer> | undefined
}

/** Texts are embedded each by itself, in whatever company. */
export const embed: Joining<Embedding.Request, Embedding.Embeddings> = {
  kind: ({ input: _, ...rest }) => canonical(rest),
  size: ({ input }) => input.length,
  join: (requests) => ({ ...requests[0], input: requests.flatMap(({ input }) => input) }),
  split: (answer, requests) => {
    const ranges = rangesOf(requests, embed.size)
    return answer.vectors.length === ranges.total
      ? ranges.each.map(([from, to]) => ({ ...answer, vectors: answer.vectors.slice(from, to) }))
      : undefined
  }
}

/** Documents are scored each by itself against the query, if it is the same: how many are wanted of them is cut here. */
export const rerank: Joining<Rerank.Request, Rerank.Ranking> = {
  // a `topN` that is none is the backend's to refuse
  kind: ({ documents: _, topN = 1, ...rest }) => Number.isInteger(topN) && topN > 0 ? canonical(rest) : undefined,
  size: ({ documents }) => documents.length,
  join: ([{ topN: _, ...first }, ...others]) => ({
    ...first,
    documents: [...first.documents, ...others.flatMap(({ documents }) => documents)]
  }),
  split: (answer, requests) => {
    const ranges = rangesOf(requests, rerank.size)
    const { results } = answer
    const isEach = results.length === ranges.total && new Set(results.map(({ index }) => index)).size === ranges.total &&
      results.every(({ index }) => index >= 0 && index < ranges.total)
    return isEach
      ? ranges.each.map(([from, to], nth) => ({
        ...answer,
        results: results.filter(({ index }) => index >= from && index < to)
          .map((result) => ({ ...result, index: result.index - from }))
          .slice(0, requests[nth]?.topN)
      }))
      : undefined
  }
}

/** Tensors whose first dimension is the batch. Of JSON only the model knows what in it might be one. */
export const infer: Joining<Inference.Request, Inference.Inference> = {
  kind: ({ input, ...rest }) =>
    input._tag === "Json" || rowsOf(input.tensors) === undefined
      ? undefined
      : canonical({ ...rest, input: input.tensors.map(({ datatype, name, shape }) => [name, datatype, shape.slice(1)]) }),
  size: ({ input }) => input._tag === "Json" ? 1 : input.tensors[0]?.shape[0] ?? 1,
  join: ([first, ...others]) => ({
    ...first,
    input: Inference.tensors(
      ...tensorsOf(first.input).map((tensor, nth) =>
        TensorRows.join(tensor, others.flatMap(({ input }) => tensorsOf(input).slice(nth, nth + 1)))
      )
    )
  }),
  split: (answer, requests) => {
    const ranges = rangesOf(requests, infer.size)
    const tensors = tensorsOf(answer.output)
    return rowsOf(tensors) === ranges.total
      ? ranges.each.map(([from, to]) => ({
        ...answer,
        output: Inference.tensors(...tensors.map((tensor) => TensorRows.slice(tensor, from, to)))
      }))
      : undefined
  }
}

const tensorsOf = (values: Inference.Values): ReadonlyArray<Tensor.Tensor> =>
  values._tag === "Tensors" ? values.tensors : []

/** How many rows all of them have. */
const rowsOf = (tensors: ReadonlyArray<Tensor.Tensor>): number | undefined => {
  const [rows, ...others] = tensors.map(TensorRows.rows)
  return rows !== undefined && rows > 0 && others.every((other) => other === rows) ? rows : undefined
}

const rangesOf = <Request>(requests: ReadonlyArray<Request>, size: (request: Request) => number) => {
  let total = 0
  const each = requests.map((request) => {
    const from = total
    total += size(request)
    return [from, total] as const
  })
  return { each, total }
}
