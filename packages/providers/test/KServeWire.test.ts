import * as Headers from "@effect/platform/Headers"
import { assert, describe, it } from "@effect/vitest"
import * as Inference from "@spillway/core/Inference"
import * as LlmError from "@spillway/core/LlmError"
import * as Tensor from "@spillway/core/Tensor"
import * as KServeWire from "@spillway/providers/KServeWire"
import { Either, FastCheck as fc } from "effect"
import { exchange } from "./exchange.js"
import { absent, spec } from "./spec.js"

const ask = (tensors: ReadonlyArray<Tensor.Tensor>, more: Partial<Inference.Request> = {}): Inference.Request => ({
  model: "m",
  input: Inference.tensors(...tensors),
  ...more
})

const write = (
  tensors: ReadonlyArray<Tensor.Tensor>,
  settings?: KServeWire.Settings,
  more?: Partial<Inference.Request>
) => KServeWire.toInfer(ask(tensors, more), tensors, "kserve", settings)

const written = (...args: Parameters<typeof write>) => {
  const outgoing = Either.getOrThrow(write(...args))
  const body = outgoing.body as Uint8Array
  const length = outgoing.headers![KServeWire.lengthHeader]
  const head = new TextDecoder().decode(body.slice(0, length === undefined ? undefined : Number(length)))
  return { ...outgoing, body, length, head, tail: length === undefined ? undefined : body.slice(Number(length)) }
}

const read = (body: Uint8Array | string, headers: Record<string, string> = {}, request = ask([])) =>
  KServeWire.toInference(typeof body === "string" ? new TextEncoder().encode(body) : body, {
    ...exchange(request, "kserve"),
    headers: Headers.fromInput(headers)
  })

const tensorsOf = (answer: ReturnType<typeof read>) => {
  const { output } = Either.getOrThrow(answer)
  return output._tag === "Tensors" ? output.tensors : []
}

/** What a model answers that gives back what it is given, in the form in which it was given. */
const echoed = (request: ReturnType<typeof written>): ReturnType<typeof read> => {
  const head = new TextEncoder().encode(request.head.replace("\"inputs\":[", "\"model_name\":\"m\",\"outputs\":["))
  const body = new Uint8Array([...head, ...request.tail ?? []])
  return read(body, request.length === undefined ? {} : { [KServeWire.lengthHeader]: String(head.length) })
}

const whole = (min: bigint, max: bigint) => fc.bigInt({ min, max })

const small = (datatype: "FP16" | "BF16") =>
  fc.integer({ min: 0, max: 65535 }).map((bits) =>
    Tensor.elements(Tensor.make("", datatype, [1], Uint8Array.of(bits & 255, bits >> 8)))[0]!
  )

/** Elements of each datatype, as they are read. */
const elements: { readonly [D in Tensor.Datatype]: fc.Arbitrary<Tensor.Element<D>> } = {
  BOOL: fc.boolean(),
  UINT8: whole(0n, 255n).map(Number),
  UINT16: whole(0n, 65535n).map(Number),
  UINT32: whole(0n, 2n ** 32n - 1n).map(Number),
  UINT64: whole(0n, 2n ** 64n - 1n),
  INT8: whole(-128n, 127n).map(Number),
  INT16: whole(-32768n, 32767n).map(Number),
  INT32: whole(-(2n ** 31n), 2n ** 31n - 1n).map(Number),
  INT64: whole(-(2n ** 63n), 2n ** 63n - 1n),
  FP16: small("FP16"),
  BF16: small("BF16"),
  FP32: fc.float(),
  FP64: fc.double(),
  BYTES: fc.uint8Array()
}

/** What of them JSON has a word for. */
const sayable: { readonly [D in Tensor.Datatype]?: fc.Arbitrary<Tensor.Element<D>> } = {
  FP16: elements.FP16.filter(Number.isFinite),
  BF16: elements.BF16.filter(Number.isFinite),
  FP32: elements.FP32.filter(Number.isFinite),
  FP64: elements.FP64.filter(Number.isFinite),
  BYTES: fc.string({ unit: "binary" }).map((text) => new TextEncoder().encode(text))
}

/** Tensors of that datatype, of every shape. */
const tensors = (datatype: Tensor.Datatype, element: fc.Arbitrary<Tensor.Element>) =>
  fc.array(fc.nat(3), { maxLength: 3 }).chain((shape) =>
    fc.tuple(fc.string(), fc.array(element, { minLength: Tensor.count(shape), maxLength: Tensor.count(shape) })).map(
      // a union member by its datatype
      ([name, data]) => ({ name, datatype, shape, data }) as Tensor.Tensor
    )
  )

const same = (got: ReadonlyArray<Tensor.Tensor>, given: ReadonlyArray<Tensor.Tensor>) => {
  assert.deepStrictEqual(
    got.map(({ datatype, name, shape }) => ({ datatype, name, shape })),
    given.map(({ datatype, name, shape }) => ({ datatype, name, shape }))
  )
  for (const [i, tensor] of given.entries()) {
    assert.deepStrictEqual(Tensor.elements<Tensor.Datatype>(got[i]!), Tensor.elements<Tensor.Datatype>(tensor))
  }
}

describe("tensors over KServe's wire", () => {
  for (const datatype of Object.keys(elements) as ReadonlyArray<Tensor.Datatype>) {
    // what a datatype has is what its arbitrary makes
    const any = elements[datatype] as fc.Arbitrary<Tensor.Element>
    const inJson = (sayable[datatype] ?? any) as fc.Arbitrary<Tensor.Element>

    it(`${datatype}: survive as bytes, with others before and after them`, () => {
      const list = fc.array(tensors(datatype, any), { minLength: 1, maxLength: 3 })
      fc.assert(fc.property(list, (list) => {
        same(tensorsOf(echoed(written(list, { form: "binary" }))), list)
      }))
    })

    it(`${datatype}: survive as JSON`, () => {
      const list = fc.array(tensors(datatype, inJson), { minLength: 1, maxLength: 3 })
      fc.assert(fc.property(list, (list) => {
        const request = written(list, { form: "json" })
        assert.isUndefined(request.length)
        assert.doesNotThrow(() => JSON.parse(request.head))
        same(tensorsOf(echoed(request)), list)
      }))
    })

    it(`${datatype}: survive in the form that is chosen for them`, () => {
      fc.assert(fc.property(tensors(datatype, any), (tensor) => {
        same(tensorsOf(echoed(written([tensor]))), [tensor])
      }))
    })
  }

  const forms: ReadonlyArray<readonly [Tensor.Tensor, "json" | "binary"]> = [
    [Tensor.make("x", "BOOL", [1], [true]), "json"],
    [Tensor.make("x", "UINT32", [1], [2 ** 32 - 1]), "json"],
    [Tensor.make("x", "INT64", [2], [-(2 ** 31) + 1, 2n ** 31n - 1n]), "json"],
    [Tensor.make("x", "INT64", [1], [2n ** 31n]), "binary"],
    [Tensor.make("x", "UINT64", [1], [2 ** 32 - 1]), "json"],
    [Tensor.make("x", "UINT64", [1], [2 ** 32]), "binary"],
    [Tensor.make("x", "FP16", [1], [1]), "binary"],
    [Tensor.make("x", "FP32", [1], [0.1]), "json"],
    [Tensor.make("x", "FP32", [1], [NaN]), "binary"],
    [Tensor.make("x", "FP32", [1], [-0]), "binary"],
    [Tensor.make("x", "FP64", [1], [1]), "binary"],
    [Tensor.make("x", "BYTES", [1], ["text"]), "json"],
    [Tensor.make("x", "BYTES", [1], ["a\0b"]), "binary"],
    [Tensor.make("x", "BYTES", [1], [Uint8Array.of(65)]), "binary"],
    [Tensor.make("x", "UINT8", [1], Uint8Array.of(65)), "binary"]
  ]

  for (const [tensor, form] of forms) {
    it(`go as ${form}: ${tensor.datatype} ${[...tensor.data].join(" ")}`, () => {
      assert.strictEqual(written([tensor]).length === undefined, form === "json")
    })
  }

  it("lie behind the JSON, each after the one before, texts after their length", () => {
    const texts = Tensor.make("t", "BYTES", [2], ["ab", "é"])
    const { body, head, headers, length, method, path, tail } = written(
      [Tensor.make("x", "FP32", [1, 2], [1, -2]), texts],
      { form: "binary", parameters: { priority: 1 } },
      { version: "3", outputs: ["y"] }
    )
    assert.deepStrictEqual([method, path], ["POST", "/v2/models/m/versions/3/infer"])
    assert.strictEqual(headers!["content-type"], "application/octet-stream")
    assert.strictEqual(Number(length), body.length - 8 - 12)
    assert.deepStrictEqual(JSON.parse(head), {
      inputs: [
        { name: "x", shape: [1, 2], datatype: "FP32", parameters: { binary_data_size: 8 } },
        { name: "t", shape: [2], datatype: "BYTES", parameters: { binary_data_size: 12 } }
      ],
      outputs: [{ name: "y", parameters: { binary_data: true } }],
      parameters: { priority: 1, binary_data_output: true }
    })
    assert.deepStrictEqual(
      tail,
      Uint8Array.of(0, 0, 128, 63, 0, 0, 0, 192, 2, 0, 0, 0, 97, 98, 2, 0, 0, 0, 195, 169)
    )
  })

  it("are asked back as JSON, unless they were asked for as bytes", () => {
    const { head } = written([Tensor.make("x", "FP16", [1], [1])], {}, { outputs: ["y"] })
    assert.deepStrictEqual(JSON.parse(head).outputs, [{ name: "y" }])
    assert.isUndefined(JSON.parse(head).parameters)
  })

  it("go to a model by any name", () => {
    assert.strictEqual(KServeWire.toPath("a/b c"), "/v2/models/a%2Fb%20c")
  })

  const refused: ReadonlyArray<readonly [Tensor.Tensor, KServeWire.Settings, RegExp]> = [
    [Tensor.make("x", "FP32", [2], [1]), {}, /^kserve: the tensor x cannot be sent: the shape \[2\] has room for 2/],
    [Tensor.make("x", "FP32", [1], [NaN]), { form: "json" }, /JSON has no word for one of its elements/],
    [Tensor.make("x", "BYTES", [1], [Uint8Array.of(255)]), { form: "json" }, /JSON has no word/],
    [Tensor.make("x", "INT8", [1], [128]), { form: "binary" }, /element 0 is no INT8/]
  ]

  for (const [tensor, settings, message] of refused) {
    it(`are not sent when they are wrong: ${message}`, () => {
      const error = Either.getOrThrow(Either.flip(write([tensor], settings)))
      assert.instanceOf(error, LlmError.InvalidRequest)
      assert.strictEqual(error.field, "x")
      assert.match(error.message, message)
    })
  }
})

describe("an answer over KServe's wire", () => {
  const output = (fields: object) => JSON.stringify({ model_name: "m", outputs: [{ name: "y", ...fields }] })

  it("keeps whole numbers of 64 bits, however they are written", () => {
    const json = `{"model_name": "m:12345678901234567890", "model_version":"2", "id": "9223372036854775807",
      "outputs": [{"name":"y \\" 1234567890123456789","shape":[2,2],"datatype":"INT64",
        "data":[[9223372036854775807, -9223372036854775808],[9007199254740993,0]]}]}`
    const { model, version } = Either.getOrThrow(read(json))
    assert.deepStrictEqual([model, version], ["m:12345678901234567890", "2"])
    const [tensor] = tensorsOf(read(json))
    assert.strictEqual(tensor!.name, "y \" 1234567890123456789")
    assert.deepStrictEqual(Tensor.elements<Tensor.Datatype>(tensor!), [
      9223372036854775807n,
      -9223372036854775808n,
      9007199254740993n,
      0n
    ])
  })

  it("keeps floats of many digits, and those that are whole", () => {
    const numbers = [
      "0.1234567890123456789",
      "12345678901234567890",
      "-1.2345678901234567e300",
      "1234567890123456.7890123456789012",
      "1e-7"
    ]
    const json = `{"outputs":[{"name":"y","shape":[5],"datatype":"FP64","data":[${numbers.join(",")}]}]}`
    assert.deepStrictEqual(Tensor.elements<Tensor.Datatype>(tensorsOf(read(json))[0]!), numbers.map(Number))
  })

  it("keeps texts that look like numbers, JSON and escapes", () => {
    const texts = ["1234567890123456789", "[12345678901234567890]", "\\", "\"", "\\\"12345678901234567890\\", ""]
    const json = output({ shape: [6], datatype: "BYTES", data: texts })
    const [tensor] = tensorsOf(read(json.replace("}]}", ",\"parameters\":{\"n\":12345678901234567890}}]}")))
    assert.deepStrictEqual(Tensor.texts(tensor as Tensor.Of<"BYTES">), texts)
  })

  it("may hold tensors as JSON and as bytes, in any order, whatever its type is called", () => {
    const json = JSON.stringify({
      outputs: [
        { name: "a", shape: [1], datatype: "INT16", parameters: { binary_data_size: 2 } },
        { name: "b", shape: [1], datatype: "FP32", data: [0.5] },
        { name: "c", shape: [0], datatype: "FP32" },
        { name: "d", shape: [1], datatype: "BOOL", parameters: { binary_data_size: 1 } }
      ]
    })
    const bytes = new Uint8Array([...new TextEncoder().encode(json), 1, 2, 1])
    const headers = { [KServeWire.lengthHeader]: String(json.length), "content-type": "application/json" }
    const tensors = tensorsOf(read(bytes, headers))
    assert.deepStrictEqual(
      tensors.map((tensor) => Tensor.elements<Tensor.Datatype>(tensor)),
      [[513], [0.5], [], [true]]
    )
  })

  it("holds the outputs that were asked for, if the server sends more", () => {
    const json = JSON.stringify({
      outputs: ["a", "b"].map((name) => ({ name, shape: [1], datatype: "FP32", data: [1] }))
    })
    assert.deepStrictEqual(tensorsOf(read(json, {}, ask([], { outputs: ["b"] }))).map(({ name }) => name), ["b"])
  })

  const malformed: ReadonlyArray<readonly [string, RegExp]> = [
    ["", /is no JSON/],
    ["{\"outputs\":[{,", /is no JSON/],
    ["[]", /without outputs/],
    [output({ shape: [1], data: [1] }), /without name, datatype and shape/],
    [output({ shape: [1], datatype: "COMPLEX", data: [1] }), /the output y is of a datatype that is none/],
    [output({ shape: [2], datatype: "FP32", data: [1] }), /the output y is not what it says/],
    [output({ shape: [1], datatype: "INT64", data: ["x"] }), /element 0 is no INT64/],
    [output({ shape: [1], datatype: "INT64", data: [1.5] }), /element 0 is no INT64/],
    [output({ shape: [1], datatype: "FP32", data: [null] }), /element 0 is no FP32/],
    [output({ shape: [1], datatype: "FP32" }), /there are 0/]
  ]

  for (const [body, message] of malformed) {
    it(`is malformed: ${body || "nothing"}`, () => {
      const error = Either.getOrThrow(Either.flip(read(body)))
      assert.strictEqual(error._tag, "MalformedResponse")
      assert.match(error.message, message)
    })
  }

  it("is malformed when it has fewer bytes than it says", () => {
    const json = output({ shape: [1], datatype: "FP32", parameters: { binary_data_size: 4 } })
    const bytes = new Uint8Array([...new TextEncoder().encode(json), 1, 2])
    for (const length of [json.length, json.length + 9, -1, "x"]) {
      const answer = read(bytes, { [KServeWire.lengthHeader]: String(length) })
      assert.strictEqual(Either.getOrThrow(Either.flip(answer))._tag, "MalformedResponse")
    }
  })

  it("may be an error after all", () => {
    assert.strictEqual(Either.getOrThrow(Either.flip(read("{\"error\":\"no\"}")))._tag, "ServerFault")
  })
})

describe("metadata over KServe's wire", () => {
  const of = (body: unknown) => KServeWire.toModelMetadata(body, exchange({ model: "m" }, "kserve"))

  it("tells which tensors a model takes and gives, and skips what it does not tell", () => {
    assert.deepStrictEqual(
      of({
        name: "resnet",
        versions: ["1", 2],
        platform: "OpenVINO",
        inputs: [{ name: "0", datatype: "FP32", shape: [-1, "224"] }, {}],
        rt_info: {}
      }),
      Either.right({
        name: "resnet",
        versions: ["1"],
        platform: "OpenVINO",
        inputs: [{ name: "0", datatype: "FP32", shape: [-1, 224] }],
        outputs: []
      })
    )
    assert.strictEqual(Either.getOrThrow(Either.flip(of({})))._tag, "MalformedResponse")
  })
})

const description = spec("kserve/open_inference_rest.yaml")

describe.skipIf(description === undefined)(`KServe's own description (${absent})`, () => {
  // so written there, though OpenAPI calls it {MODEL_NAME}
  const path = "/v2/models/${MODEL_NAME}/versions/${MODEL_VERSION}/infer"

  it("takes every request that goes as JSON", () => {
    const check = description!.request("post", path)
    const named = fc.array(fc.string())
    for (const datatype of Object.keys(elements) as ReadonlyArray<Tensor.Datatype>) {
      const inJson = (sayable[datatype] ?? elements[datatype]) as fc.Arbitrary<Tensor.Element>
      fc.assert(fc.property(tensors(datatype, inJson), named, (tensor, outputs) => {
        const { head } = written([tensor], { form: "json", parameters: { a: 1, b: true, c: "x" } }, { outputs })
        assert.deepStrictEqual(check(JSON.parse(head)), [])
      }), { numRuns: 20 })
    }
  })

  it("takes the JSON before the bytes, but for the data that are not in it", () => {
    const check = description!.request("post", path)
    fc.assert(fc.property(tensors("FP16", elements.FP16), (tensor) => {
      const { inputs, ...rest } = JSON.parse(written([tensor], { form: "binary" }).head)
      assert.deepStrictEqual(check({ ...rest, inputs: inputs.map((input: object) => ({ ...input, data: [] })) }), [])
    }))
  })
})

