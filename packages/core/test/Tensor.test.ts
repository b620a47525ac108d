import { assert, describe, it } from "@effect/vitest"
import * as Inference from "@spillway/core/Inference"
import * as Tensor from "@spillway/core/Tensor"
import { FastCheck as fc, Option } from "effect"

const wholes: ReadonlyArray<readonly [Exclude<Tensor.Datatype, "BOOL" | "BYTES">, bigint, bigint]> = [
  ["UINT8", 0n, 255n],
  ["UINT16", 0n, 65535n],
  ["UINT32", 0n, 4294967295n],
  ["UINT64", 0n, 2n ** 64n - 1n],
  ["INT8", -128n, 127n],
  ["INT16", -32768n, 32767n],
  ["INT32", -(2n ** 31n), 2n ** 31n - 1n],
  ["INT64", -(2n ** 63n), 2n ** 63n - 1n]
]

const isBig = (datatype: Tensor.Datatype) => datatype === "INT64" || datatype === "UINT64"

/** A tensor, and its elements as they are to be read. */
interface Case {
  readonly tensor: Tensor.Tensor
  readonly elements: ReadonlyArray<unknown>
}

const listed = <D extends Tensor.Datatype>(datatype: D, given: fc.Arbitrary<readonly [Tensor.Given<D>, unknown]>) =>
  fc.array(given, { maxLength: 20 }).map((pairs): Case => ({
    // a union member by its datatype, which `Of<D>` is not seen to be
    tensor: Tensor.make("t", datatype, [pairs.length], pairs.map(([given]) => given)) as Tensor.Tensor,
    elements: pairs.map(([, read]) => read)
  }))

const same = <A>(arbitrary: fc.Arbitrary<A>) => arbitrary.map((value) => [value, value] as const)

const utf8 = new TextEncoder()

const cases = fc.oneof(
  listed("BOOL", same(fc.boolean())),
  ...wholes.map(([datatype, min, max]) =>
    listed(
      datatype,
      fc.bigInt({ min, max }).map((value) =>
        // both forms are taken where a number holds the value
        [
          isBig(datatype) && !Number.isSafeInteger(Number(value)) ? value : Number(value),
          isBig(datatype) ? value : Number(value)
        ] as const
      )
    )
  ),
  listed("FP16", same(fc.integer({ min: -2048, max: 2048 }))),
  listed("BF16", same(fc.integer({ min: -256, max: 256 }))),
  listed("FP32", same(fc.float())),
  listed("FP64", same(fc.double())),
  listed("BYTES", fc.string({ unit: "grapheme" }).map((text) => [text, utf8.encode(text)] as const)),
  listed("BYTES", same(fc.uint8Array()))
)

// chai takes an empty Option to be equal to any other
const flawOf = (tensor: Tensor.Tensor) => Option.getOrUndefined(Tensor.flaw(tensor))

describe("a tensor", () => {
  it("is read as it was given, whether it holds a list or the bytes of it", () => {
    fc.assert(fc.property(cases, ({ elements, tensor }) => {
      assert.isUndefined(flawOf(tensor))
      assert.deepStrictEqual(Tensor.elements(tensor), elements)
      const bytes = { ...tensor, data: Tensor.toBytes(tensor) } as Tensor.Tensor // bytes fit every datatype
      assert.isUndefined(flawOf(bytes))
      assert.deepStrictEqual(Tensor.elements(bytes), elements)
      assert.deepStrictEqual(Tensor.toBytes(bytes), bytes.data)
    }))
  })

  it("is read from bytes that lie anywhere in others", () => {
    const bytes = Uint8Array.of(9, 9, 9, 0, 0, 128, 63, 9)
    assert.deepStrictEqual(Tensor.elements(Tensor.make("x", "FP32", [1], bytes.subarray(3, 7))), [1])
  })

  it("lies in bytes little-endian, texts after their length", () => {
    assert.deepStrictEqual(
      Tensor.toBytes(Tensor.make("x", "INT32", [2], [1, -2])),
      Uint8Array.of(1, 0, 0, 0, 254, 255, 255, 255)
    )
    assert.deepStrictEqual(
      Tensor.toBytes(Tensor.make("x", "BYTES", [2], ["é", ""])),
      Uint8Array.of(2, 0, 0, 0, 195, 169, 0, 0, 0, 0)
    )
  })

  it("of bytes tells its texts, the mark at their beginning included", () => {
    const given = ["\ufeffa", "é", ""]
    const tensor = Tensor.make("x", "BYTES", [3], given)
    assert.deepStrictEqual(Tensor.texts(tensor), given)
    assert.deepStrictEqual(Tensor.texts({ ...tensor, data: Tensor.toBytes(tensor) }), given)
    assert.deepStrictEqual(Tensor.texts({ ...tensor, data: given.map((text) => utf8.encode(text)) }), given)
    assert.deepStrictEqual(Tensor.texts(Tensor.make("x", "BYTES", [1], [Uint8Array.of(255)])), ["\ufffd"])
  })

  it("without dimensions has one element, and one with an empty dimension none", () => {
    assert.isUndefined(flawOf(Tensor.make("x", "FP32", [], [1])))
    assert.isUndefined(flawOf(Tensor.make("x", "FP32", [3, 0], [])))
  })

  const flaws: ReadonlyArray<readonly [Tensor.Tensor, string]> = [
    [Tensor.make("x", "UINT8", [1], [-1]), "element 0 is no UINT8"],
    [Tensor.make("x", "UINT16", [1], [65536]), "element 0 is no UINT16"],
    [Tensor.make("x", "INT8", [2], [127, 128]), "element 1 is no INT8"],
    [Tensor.make("x", "INT32", [1], [0.5]), "element 0 is no INT32"],
    [Tensor.make("x", "INT64", [1], [2 ** 53]), "element 0 is no INT64"],
    [Tensor.make("x", "INT64", [1], [2n ** 63n]), "element 0 is no INT64"],
    [Tensor.make("x", "UINT64", [1], [-1n]), "element 0 is no UINT64"],
    [Tensor.make("x", "UINT64", [1], [-1]), "element 0 is no UINT64"],
    [Tensor.make("x", "BYTES", [1], ["\ud83d"]), "element 0 is no BYTES"],
    [Tensor.make("x", "FP32", [2, 2], [1, 2, 3]), "the shape [2, 2] has room for 4 elements, and there are 3"],
    [Tensor.make("x", "FP32", [2], new Uint8Array(7)), "3 bytes are left over after the last whole element"],
    [Tensor.make("x", "FP32", [2], new Uint8Array(4)), "the shape [2] has room for 2 elements, and there are 1"],
    [
      Tensor.make("x", "BYTES", [1], Uint8Array.of(2, 0, 0, 0, 1)),
      "5 bytes are left over after the last whole element"
    ],
    [Tensor.make("x", "FP32", [-1], []), "a shape is made of whole numbers of at least 0"],
    [Tensor.make("x", "FP32", [1.5], []), "a shape is made of whole numbers of at least 0"]
  ]

  for (const [tensor, flaw] of flaws) {
    it(`of ${tensor.datatype} and shape [${tensor.shape}] may be wrong: ${flaw}`, () => {
      assert.strictEqual(flawOf(tensor), flaw)
    })
  }

  it("of a datatype that is none is wrong, whatever prototypes are called", () => {
    for (const datatype of ["constructor", "FP8", ""]) {
      const tensor = { name: "x", datatype, shape: [], data: [1] } as unknown as Tensor.Tensor // what no compiler saw
      assert.strictEqual(flawOf(tensor), `no datatype is called ${datatype}`)
    }
  })
})

describe("floats of 16 bits", () => {
  for (const datatype of ["FP16", "BF16"] as const) {
    const patterns = Uint16Array.from({ length: 65536 }, (_, bits) => bits)
    const all = Tensor.make("x", datatype, [65536], new Uint8Array(patterns.buffer))
    const read = Tensor.elements(all)

    it(`${datatype}: all of them survive, but for what a NaN carries`, () => {
      const written = Tensor.elements({ ...all, data: Tensor.toBytes({ ...all, data: read }) })
      assert.deepStrictEqual(written, read)
    })

    it(`${datatype}: a number becomes the nearest, and of two the even one`, () => {
      const finite = read
        .map((value, bits) => ({ bits, value }))
        .filter(({ bits, value }) => bits < 32768 && value < Infinity)
      const place = fc.integer({ min: 0, max: finite.length - 2 })
      const share = fc.oneof(fc.double({ min: 0, max: 1, noNaN: true }), fc.constant(0.5))
      fc.assert(fc.property(place, share, (i, share) => {
        const [low, high] = [finite[i]!, finite[i + 1]!]
        const value = low.value + share * (high.value - low.value)
        const [got] = Tensor.elements({ ...all, data: Tensor.toBytes({ ...all, data: [value] }) })
        const [below, above] = [value - low.value, high.value - value]
        const nearest = below < above || below === above && low.bits % 2 === 0 ? low : high
        assert.strictEqual(got, nearest.value)
      }))
    })
  }

  it("mean what IEEE 754 and its short cousin say", () => {
    const read = (datatype: "FP16" | "BF16", bits: number) =>
      Tensor.elements(Tensor.make("x", datatype, [1], Uint8Array.of(bits & 255, bits >> 8)))[0]!
    assert.strictEqual(read("FP16", 0x3c00), 1)
    assert.strictEqual(read("FP16", 0xc000), -2)
    assert.strictEqual(read("FP16", 0x7bff), 65504)
    assert.strictEqual(read("FP16", 0x0001), 2 ** -24)
    assert.strictEqual(read("FP16", 0x7c00), Infinity)
    assert.isNaN(read("FP16", 0x7e00))
    assert.strictEqual(read("BF16", 0x3f80), 1)
    assert.strictEqual(read("BF16", 0x4049), 3.140625)
    const written = (value: number) => {
      const bytes = Tensor.toBytes(Tensor.make("x", "FP16", [1], [value]))
      return Tensor.elements(Tensor.make("x", "FP16", [1], bytes))[0]
    }
    assert.strictEqual(written(65519), 65504)
    assert.strictEqual(written(65520), Infinity)
    assert.strictEqual(written(-1e9), -Infinity)
    assert.isTrue(Object.is(written(-0), -0))
  })
})

describe("what came of an inference", () => {
  it("tells a tensor by its name", () => {
    const tensor = Tensor.make("y", "FP32", [1], [1])
    const found = (values: Inference.Values, name: string) => Option.getOrUndefined(Inference.tensor(values, name))
    assert.strictEqual(found(Inference.tensors(tensor), "y"), tensor)
    assert.isUndefined(found(Inference.tensors(tensor), "z"))
    assert.isUndefined(found(Inference.json({ y: 1 }), "y"))
  })
})
