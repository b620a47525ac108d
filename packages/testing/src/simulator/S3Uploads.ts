/**
 * What S3 does with uploads in parts.
 *
 * @since 0.1.0
 */
import * as Asked from "./S3Asked.js"
import * as Objects from "./S3Objects.js"
import * as Xml from "./S3Xml.js"
import * as Seed from "./Seed.js"

/**
 * Begins an upload.
 *
 * @since 0.1.0
 * @category conversions
 */
export const begin = ({ headers, id: seed, key, now }: Asked.Asked, bucket: Objects.Bucket): Asked.Answer =>
  Asked.done(() => {
    const id = Seed.identifier(Seed.at(seed, 7), 64)
    bucket.uploads.set(id, { id, key, headers: Asked.described(headers), initiated: now, parts: new Map() })
    return {
      _tag: "Document",
      xml: Xml.root("InitiateMultipartUploadResult", [
        Xml.element("Bucket", bucket.name),
        Xml.element("Key", key),
        Xml.element("UploadId", id)
      ])
    }
  })

/**
 * Whatever is asked of an upload that is there.
 *
 * @since 0.1.0
 * @category conversions
 */
export const ofUpload = (asked: Asked.Asked, bucket: Objects.Bucket, id: string): Asked.Answer => {
  const upload = bucket.uploads.get(id)
  if (upload === undefined || upload.key !== asked.key) return Asked.noUpload(id)
  switch (asked.method) {
    case "GET":
      return listParts(asked, bucket, upload)
    case "PUT":
      return sendPart(asked, upload)
    case "POST":
      return complete(asked, bucket, upload)
    case "DELETE":
      return Asked.done(() => {
        bucket.uploads.delete(id)
        return { _tag: "Nothing", status: 204 }
      })
    default:
      return Asked.notAllowed
  }
}

const sendPart = (asked: Asked.Asked, upload: Objects.Upload): Asked.Answer => {
  const { body, headers, now, query } = asked
  const number = Number(query.get("partNumber"))
  if (!Number.isInteger(number) || number < 1 || number > 10_000) {
    return Asked.invalid("Part number must be an integer between 1 and 10000, inclusive")
  }
  const keep = (content: Uint8Array): string => {
    const etag = Objects.etagOf(content)
    upload.parts.set(number, { number, content, etag, modified: now })
    return Asked.quoted(etag)
  }
  if (headers["x-amz-copy-source"] === undefined) {
    return Asked.done(() => ({ _tag: "Nothing", status: 200, headers: { etag: keep(body.slice()) } }))
  }
  const source = Asked.sourceOf(asked)
  if ("code" in source) return source
  const range = Asked.rangeOf(headers["x-amz-copy-source-range"], source.content.length)
  if (range === null) return Asked.invalid("The x-amz-copy-source-range value is not within the source")
  return Asked.done(() => ({
    _tag: "Late",
    xml: Xml.root("CopyPartResult", [
      Xml.element("LastModified", Asked.instant(now)),
      Xml.element("ETag", keep(source.content.slice(...(range ?? []))))
    ])
  }))
}

const listParts = ({ query }: Asked.Asked, bucket: Objects.Bucket, upload: Objects.Upload): Asked.Answer => {
  const most = Math.min(Number(query.get("max-parts") ?? "1000"), 1000)
  const after = Number(query.get("part-number-marker") ?? "0")
  return Asked.done(() => {
    const all = Array.from(upload.parts.values())
      .filter(({ number }) => number > after)
      .toSorted((one, other) => one.number - other.number)
    const some = all.slice(0, most)
    return {
      _tag: "Document",
      xml: Xml.root("ListPartsResult", [
        Xml.element("Bucket", bucket.name),
        Xml.element("Key", upload.key),
        Xml.element("UploadId", upload.id),
        Xml.element("PartNumberMarker", after),
        Xml.element("NextPartNumberMarker", some.at(-1)?.number ?? 0),
        Xml.element("MaxParts", most),
        Xml.element("IsTruncated", String(all.length > some.length)),
        ...some.map(({ content, etag, modified, number }) =>
          Xml.element("Part", [
            Xml.element("PartNumber", number),
            Xml.element("LastModified", Asked.instant(modified)),
            Xml.element("ETag", Asked.quoted(etag)),
            Xml.element("Size", content.length)
          ])
        )
      ])
    }
  })
}

const leastPart = 5 * 1024 * 1024

const complete = (asked: Asked.Asked, bucket: Objects.Bucket, upload: Objects.Upload): Asked.Answer => {
  const xml = new TextDecoder().decode(asked.body)
  const wanted = Xml.inside(xml, "Part").map((one) => ({
    number: Number(Xml.textOf(one, "PartNumber")),
    etag: Xml.textOf(one, "ETag")?.replaceAll(`"`, "")
  }))
  if (Xml.inside(xml, "CompleteMultipartUpload").length !== 1 || wanted.length === 0) return Asked.malformed
  const parts: Array<Objects.Part> = []
  for (const [index, { etag, number }] of wanted.entries()) {
    const part = upload.parts.get(number)
    if (index > 0 && number <= (wanted[index - 1]?.number ?? 0)) {
      return Asked.refused(400, "InvalidPartOrder", "The list of parts was not in ascending order.")
    }
    if (part === undefined || part.etag !== etag) {
      return Asked.refused(400, "InvalidPart", "One or more of the specified parts could not be found.")
    }
    if (index < wanted.length - 1 && part.content.length < leastPart) {
      return Asked.refused(400, "EntityTooSmall", "Your proposed upload is smaller than the minimum allowed size")
    }
    parts.push(part)
  }
  return (
    Asked.exists(asked, bucket) ??
    Asked.done(() => {
      const { headers, id, key } = upload
      const etag = Objects.etagOfParts(parts)
      bucket.uploads.delete(id)
      Objects.put(bucket, { key, content: Objects.join(parts), etag, modified: asked.now, headers })
      return {
        _tag: "Late",
        xml: Xml.root("CompleteMultipartUploadResult", [
          Xml.element("Location", `/${bucket.name}/${key}`),
          Xml.element("Bucket", bucket.name),
          Xml.element("Key", key),
          Xml.element("ETag", Asked.quoted(etag))
        ])
      }
    })
  )
}

/**
 * The uploads of a bucket.
 *
 * @since 0.1.0
 * @category conversions
 */
export const list = ({ query }: Asked.Asked, bucket: Objects.Bucket): Asked.Answer => {
  const encoded = Asked.encodedAs(query)
  const most = Math.min(Number(query.get("max-uploads") ?? "1000"), 1000)
  const [key, id] = [query.get("key-marker") ?? "", query.get("upload-id-marker") ?? ""]
  const prefix = query.get("prefix") ?? ""
  return Asked.done(() => {
    const all = Array.from(bucket.uploads.values())
      .filter((one) => one.key.startsWith(prefix) && Objects.compare(`${one.key}\0${one.id}`, `${key}\0${id}`) > 0)
      .toSorted((one, other) => Objects.compare(`${one.key}\0${one.id}`, `${other.key}\0${other.id}`))
    const some = all.slice(0, most)
    const last = some.at(-1)
    const more = last !== undefined && all.length > some.length
    return {
      _tag: "Document",
      xml: Xml.root("ListMultipartUploadsResult", [
        Xml.element("Bucket", bucket.name),
        ...(query.has("encoding-type") ? [Xml.element("EncodingType", "url")] : []),
        Xml.element("IsTruncated", String(more)),
        ...(more
          ? [Xml.element("NextKeyMarker", encoded(last.key)), Xml.element("NextUploadIdMarker", last.id)]
          : []),
        ...some.map((one) =>
          Xml.element("Upload", [
            Xml.element("Key", encoded(one.key)),
            Xml.element("UploadId", one.id),
            Xml.element("Initiated", Asked.instant(one.initiated))
          ])
        )
      ])
    }
  })
}
