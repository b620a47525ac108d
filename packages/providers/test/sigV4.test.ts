/**
 * The signer, held to the examples that AWS has published, with the credentials that AWS made up for them.
 *
 * @see https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html#example-signature-calculations
 * @see https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-query-string-auth.html#query-string-auth-v4-signing-example
 */
import { assert, describe, it } from "@effect/vitest"
import { FastCheck as fc } from "effect"
import * as SigV4 from "../src/internal/sigV4.js"

const signing = {
  credentials: { accessKeyId: "AKIAIOSFODNN7EXAMPLE", secretAccessKey: "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY" },
  region: "us-east-1",
  now: Date.UTC(2013, 4, 24)
}
const host = "examplebucket.s3.amazonaws.com"
const request = { method: "GET", host, path: "/", query: [], headers: {} } satisfies SigV4.Signable

const authorization = (names: string, signature: string) =>
  `AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request, SignedHeaders=${names}, Signature=${signature}`

describe("SigV4 signs as AWS's examples do", () => {
  it("GET Object, of a range", () => {
    assert.deepStrictEqual(
      SigV4.sign({ ...request, path: "/test.txt", headers: { range: "bytes=0-9" } }, signing, SigV4.emptyHash),
      {
        "x-amz-content-sha256": "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        "x-amz-date": "20130524T000000Z",
        authorization: authorization(
          "host;range;x-amz-content-sha256;x-amz-date",
          "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41"
        )
      }
    )
  })

  it("PUT Object, whose key has a dollar sign", () => {
    const payload = SigV4.hash(new TextEncoder().encode("Welcome to Amazon S3."))
    assert.strictEqual(payload, "44ce7dd67c959e0d3524ffac1771dfbba87d2b6b4b4e99e42034a8b803f8b072")
    const signed = SigV4.sign(
      {
        ...request,
        method: "PUT",
        path: SigV4.encodePath("/test$file.text"),
        headers: { date: "Fri, 24 May 2013 00:00:00 GMT", "x-amz-storage-class": "REDUCED_REDUNDANCY" }
      },
      signing,
      payload
    )
    assert.strictEqual(
      signed["authorization"],
      authorization(
        "date;host;x-amz-content-sha256;x-amz-date;x-amz-storage-class",
        "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd"
      )
    )
  })

  it("GET Bucket Lifecycle, whose query has a name without a value", () => {
    const signed = SigV4.sign({ ...request, query: [["lifecycle", ""]] }, signing, SigV4.emptyHash)
    assert.strictEqual(
      signed["authorization"],
      authorization(
        "host;x-amz-content-sha256;x-amz-date",
        "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543"
      )
    )
  })

  it("GET Bucket (List Objects), in whatever order the query was written", () => {
    for (const query of [[["max-keys", "2"], ["prefix", "J"]], [["prefix", "J"], ["max-keys", "2"]]] as const) {
      assert.strictEqual(
        SigV4.sign({ ...request, query }, signing, SigV4.emptyHash)["authorization"],
        authorization(
          "host;x-amz-content-sha256;x-amz-date",
          "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7"
        )
      )
    }
  })

  it("a presigned GET Object", () => {
    assert.strictEqual(
      SigV4.presign({ ...request, path: "/test.txt" }, signing, 86_400),
      "?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKIAIOSFODNN7EXAMPLE%2F20130524%2Fus-east-1%2Fs3%2Faws4_request" +
        "&X-Amz-Date=20130524T000000Z&X-Amz-Expires=86400&X-Amz-SignedHeaders=host" +
        "&X-Amz-Signature=aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404"
    )
  })
})

describe("SigV4", () => {
  it("signs the session's token with the rest", () => {
    const credentials = { ...signing.credentials, sessionToken: "a/token+of=mine" }
    const signed = SigV4.sign(request, { ...signing, credentials }, SigV4.emptyHash)
    assert.strictEqual(signed["x-amz-security-token"], "a/token+of=mine")
    assert.include(signed["authorization"], "SignedHeaders=host;x-amz-content-sha256;x-amz-date;x-amz-security-token,")
    assert.include(
      SigV4.presign(request, { ...signing, credentials }, 60),
      "&X-Amz-Security-Token=a%2Ftoken%2Bof%3Dmine&X-Amz-SignedHeaders=host&"
    )
  })

  it("a signature is the same for the same, and another for anything else", () => {
    const one = fc.record({
      method: fc.constantFrom("GET", "PUT"),
      host: fc.constantFrom("a.example", "a.example:9000"),
      path: fc.constantFrom("/", "/b/key", "/b/key%20"),
      query: fc.array(fc.tuple(fc.constantFrom("a", "b"), fc.constantFrom("", "1", "+", " ")), { maxLength: 2 }),
      headers: fc.constantFrom<Record<string, string>>({}, { range: "bytes=0-1" }, { "x-amz-meta-a": "b" })
    })
    const by = fc.record({
      credentials: fc.record({
        accessKeyId: fc.constantFrom("AK1", "AK2"),
        secretAccessKey: fc.constantFrom("secret-1", "secret-2")
      }),
      region: fc.constantFrom("us-east-1", "eu-west-1"),
      now: fc.constantFrom(0, 1000, 86_400_000)
    })
    const payload = fc.constantFrom(SigV4.emptyHash, SigV4.unsignedPayload)
    // a query is a set of pairs, whatever their order
    const meaning = (...input: readonly [SigV4.Signable, SigV4.Signing, string]) =>
      JSON.stringify([{ ...input[0], query: input[0].query.map(String).toSorted() }, input[1], input[2]])
    fc.assert(
      fc.property(one, by, payload, one, by, payload, (one, by, payload, other, otherBy, otherPayload) => {
        const first = SigV4.sign(one, by, payload)["authorization"]
        const second = SigV4.sign(other, otherBy, otherPayload)["authorization"]
        assert.strictEqual(SigV4.sign(structuredClone(one), structuredClone(by), payload)["authorization"], first)
        assert.strictEqual(first === second, meaning(one, by, payload) === meaning(other, otherBy, otherPayload))
      }),
      { numRuns: 300 }
    )
  })

  it("encodes all but what needs no encoding, byte by byte", () => {
    assert.strictEqual(SigV4.encode("a-z_0.9~"), "a-z_0.9~")
    assert.strictEqual(SigV4.encode(" !'()*+,/:;=?@[]"), "%20%21%27%28%29%2A%2B%2C%2F%3A%3B%3D%3F%40%5B%5D")
    assert.strictEqual(SigV4.encode("é€😀"), "%C3%A9%E2%82%AC%F0%9F%98%80")
    assert.strictEqual(SigV4.encodePath("/b/a b/c+d//e"), "/b/a%20b/c%2Bd//e")
    assert.strictEqual(SigV4.encodeQuery([["prefix", "a/b c"], ["list-type", "2"]]), "?list-type=2&prefix=a%2Fb%20c")
    assert.strictEqual(SigV4.encodeQuery([]), "")
  })
})
