import { createHash } from "node:crypto"
import * as Fs from "node:fs"
import * as Xml from "../src/internal/xml.js"

/** A request as it went out: its path has the bucket in it, and its query. */
export interface Asked {
  readonly method: string
  readonly path: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: Uint8Array
}

/** Which operation a request is, as the description has it, and what is wrong with it: nothing, if it is as described. */
export interface Verdict {
  readonly operation: string | undefined
  readonly problems: ReadonlyArray<string>
}

interface Operation {
  readonly http: { readonly method: string; readonly requestUri: string; readonly responseCode?: number }
  readonly input?: { readonly shape: string }
  readonly output?: { readonly shape: string }
  readonly httpChecksum?: { readonly requestChecksumRequired?: boolean }
}

export interface Member {
  readonly shape: string
  readonly location?: "uri" | "querystring" | "header" | "headers"
  readonly locationName?: string
  readonly xmlNamespace?: { readonly uri: string }
}

export interface Shape {
  readonly type: string
  readonly members?: { readonly [name: string]: Member }
  readonly required?: ReadonlyArray<string>
  /** The member that is the body. */
  readonly payload?: string
  /** What a list is of; one that is flattened has no element of its own around them. */
  readonly member?: Member
  readonly flattened?: boolean
  readonly enum?: ReadonlyArray<string>
  readonly min?: number
  readonly max?: number
}

/** Amazon's own description of S3, in the form in which its clients are made from it. */
export interface Description {
  readonly operations: { readonly [name: string]: Operation }
  readonly shapes: { readonly [name: string]: Shape }
}

/** The description below `../shared/specs`, if it is there. */
export const description = (): Description | undefined => {
  const url = new URL("../../../../shared/specs/s3/service-2.json", import.meta.url)
  return Fs.existsSync(url) ? JSON.parse(Fs.readFileSync(url, "utf8")) : undefined
}

// what HTTP and the signature have, of whatever operation
const common =
  /^(host|accept|accept-encoding|content-length|content-type|user-agent|authorization|x-amz-(date|content-sha256|security-token))$/
const presigned = /^X-Amz-(Algorithm|Credential|Date|Expires|SignedHeaders|Signature|Security-Token)$/

/** The parts of a request: what its path fills in, its query, its headers. */
interface Parts {
  readonly uri: ReadonlyMap<string, string>
  readonly query: ReadonlyArray<readonly [name: string, value: string]>
  readonly headers: ReadonlyArray<readonly [name: string, value: string]>
  readonly body: Uint8Array
}

/** Holds requests against the description. */
export const checking = ({ operations, shapes }: Description): (asked: Asked) => Verdict => {
  const inputOf = ({ input }: Operation): Shape => (input === undefined ? { type: "structure" } : shapes[input.shape]!)

  const valueOf = ({ location, locationName }: Member, { body, headers, query, uri }: Parts): string | undefined => {
    const is = ([name]: readonly [string, string]) => name.toLowerCase() === locationName!.toLowerCase()
    if (location === "uri") return uri.get(locationName!)
    if (location === "querystring") return query.find(([name]) => name === locationName)?.[1]
    if (location === "header") return headers.find(is)?.[1]
    return location === "headers" ? "" : body.length > 0 ? "there" : undefined
  }

  const missing = (operation: Operation, parts: Parts): ReadonlyArray<string> => {
    const { members = {}, required = [] } = inputOf(operation)
    return required.filter((name) => valueOf(members[name]!, parts) === undefined)
  }

  /** Of those that it may be, the one of which the least is missing; then the one that wants the most. */
  const find = ({ body, headers, method, path }: Asked) => {
    const [pathname = "", search = ""] = path.split(/\?(.*)/s)
    const query = search.split("&").filter((pair) => pair !== "").map((pair) => {
      const [name = "", value = ""] = pair.split(/=(.*)/s)
      return [decodeURIComponent(name), decodeURIComponent(value)] as const
    })
    const candidates = Object.entries(operations).flatMap(([name, operation]) => {
      const [template = "", flags = ""] = operation.http.requestUri.split("?")
      const fixed = flags.split("&").filter((flag) => flag !== "").map((flag) => flag.split("="))
      const uri = filled(template, pathname)
      const fits = operation.http.method === method && uri !== undefined &&
        fixed.every(([name, value = ""]) => query.some((one) => one[0] === name && one[1] === value))
      if (!fits) return []
      const rest = query.filter(([name]) => !fixed.some((flag) => flag[0] === name))
      const parts: Parts = { uri, query: rest, headers: Object.entries(headers), body }
      const wanted = fixed.length + (inputOf(operation).required?.length ?? 0)
      return [{ name, operation, parts, wanted, missing: missing(operation, parts) }]
    })
    return candidates.toSorted((a, b) => a.missing.length - b.missing.length || b.wanted - a.wanted)[0]
  }

  const check = (of: Member, text: string, at: string): ReadonlyArray<string> => {
    const shape = shapes[of.shape]!
    const { enum: values, max = Infinity, min = -Infinity, type } = shape
    const fits = scalars[type]
    if (fits === undefined) return [`${at} cannot be checked: it is a ${type}`]
    const size = type === "string" ? text.length : Number(text)
    return !fits(text) || size < min || size > max || (values !== undefined && !values.includes(text))
      ? [`${at} is no ${of.shape}: ${JSON.stringify(text)}`]
      : []
  }

  const checkElement = (of: Member, element: Xml.Element, at: string): ReadonlyArray<string> => {
    const { flattened, member, members, required = [], type } = shapes[of.shape]!
    if (type === "list" && flattened !== true) {
      const name = member!.locationName ?? "member"
      return element.children.flatMap((child) =>
        child.name === name ? checkElement(member!, child, `${at}/${name}`) : [`${at}/${child.name} should be ${name}`]
      )
    }
    if (type !== "structure") {
      const inside = element.children.map((child) => `${at}/${child.name} stands in a text`)
      return [...inside, ...check(of, element.text, at)]
    }
    const named = Object.entries(members!).map(([name, member]) => [member.locationName ?? name, name, member] as const)
    const absent = named.filter(([tag, name]) => required.includes(name) && Xml.all(element, tag).length === 0)
    const seen = new Set<string>()
    return [
      ...(element.text.trim() === "" ? [] : [`${at} has a text`]),
      ...absent.map(([tag]) => `${at}/${tag} is missing`),
      ...element.children.flatMap((child) => {
        const inside = `${at}/${child.name}`
        const [, , member] = named.find(([tag]) => tag === child.name) ?? []
        if (member === undefined) return [`${inside} is no member of ${of.shape}`]
        const shape = shapes[member.shape]!
        const isMany = shape.type === "list" && shape.flattened === true
        const twice = seen.has(child.name) && !isMany ? [`${inside} occurs twice`] : []
        seen.add(child.name)
        return [...twice, ...checkElement(isMany ? shape.member! : member, child, inside)]
      })
    ]
  }

  const checkBody = (operation: Operation, parts: Parts): ReadonlyArray<string> => {
    const { members = {}, payload } = inputOf(operation)
    if (parts.body.length === 0) return []
    if (payload === undefined) return ["the body is not described"]
    const member = members[payload]!
    if (shapes[member.shape]!.type === "blob") return []
    const text = new TextDecoder().decode(parts.body)
    const document = Xml.parse(text)
    if (document?.complete !== true) return ["the body is no document"]
    const { name } = document.root
    const [, attributes = ""] = new RegExp(`^(?:<\\?xml[^>]*>\\s*)?<${name}([^>]*)>`).exec(text) ?? []
    return [
      ...(name === (member.locationName ?? payload) ? [] : [`the body's root is ${name}`]),
      ...(attributes.trim() === `xmlns="${member.xmlNamespace?.uri}"` ? [] : [`the root says${attributes}`]),
      ...checkElement(member, document.root, name)
    ]
  }

  const checkSum = ({ httpChecksum }: Operation, { body, headers }: Parts): ReadonlyArray<string> => {
    const [, sum] = headers.find(([name]) => name === "content-md5") ?? []
    if (sum === undefined) return httpChecksum?.requestChecksumRequired === true ? ["a checksum is wanted"] : []
    return sum === createHash("md5").update(body).digest("base64") ? [] : ["content-md5 is not the body's"]
  }

  const checkQuery = (members: ReadonlyArray<Member>, query: Parts["query"]): ReadonlyArray<string> =>
    query.flatMap(([name, value], index) => {
      if (query.findIndex((one) => one[0] === name) !== index) return [`?${name} occurs twice`]
      const member = members.find(({ location, locationName }) => location === "querystring" && locationName === name)
      return member !== undefined
        ? check(member, value, `?${name}`)
        : presigned.test(name)
        ? []
        : [`?${name} is not described`]
    })

  const checkHeaders = (
    { httpChecksum }: Operation,
    members: ReadonlyArray<Member>,
    headers: Parts["headers"]
  ): ReadonlyArray<string> =>
    headers.flatMap(([name, value]) => {
      const isIts = ({ location, locationName = "" }: Member) =>
        location === "header"
          ? locationName.toLowerCase() === name
          : location === "headers" && name.startsWith(locationName.toLowerCase())
      const member = members.find(isIts)
      return member !== undefined
        ? member.location === "headers" ? [] : check(member, value, name)
        // where a checksum is wanted, it is not among the members
        : common.test(name) || (name === "content-md5" && httpChecksum?.requestChecksumRequired === true)
        ? []
        : [`${name} is not described`]
    })

  return (asked) => {
    const found = find(asked)
    if (found === undefined) return { operation: undefined, problems: [`nothing is asked by ${asked.method} ${asked.path}`] }
    const { missing, name, operation, parts } = found
    const members = Object.values(inputOf(operation).members ?? {})
    return {
      operation: name,
      problems: [
        ...missing.map((name) => `${name} is missing`),
        ...members.filter(({ location }) => location === "uri").flatMap((member) =>
          check(member, parts.uri.get(member.locationName!) ?? "", member.locationName!)
        ),
        ...checkQuery(members, parts.query),
        ...checkHeaders(operation, members, parts.headers),
        ...checkBody(operation, parts),
        ...checkSum(operation, parts)
      ]
    }
  }
}

/** What a path fills into a template like `/{Bucket}/{Key+}`, of which the last may have slashes. */
const filled = (template: string, pathname: string): ReadonlyMap<string, string> | undefined => {
  const names: Array<string> = []
  const pattern = template.replace(/\{(\w+)(\+?)\}/g, (_, name: string, greedy: string) => {
    names.push(name)
    return greedy === "" ? "([^/]+)" : "(.+)"
  })
  // everything else must be escaped, or another server signs another path
  const [, ...values] = /^(?:[\w.~/-]|%[\dA-F]{2})*$/.test(pathname) ? new RegExp(`^${pattern}$`).exec(pathname) ?? [] : []
  return values.length === names.length && (names.length > 0 || pathname === template)
    ? new Map(names.map((name, index) => [name, decodeURIComponent(values[index]!)]))
    : undefined
}

const scalars: { readonly [type: string]: (text: string) => boolean } = {
  string: () => true,
  integer: (text) => /^-?\d+$/.test(text),
  long: (text) => /^-?\d+$/.test(text),
  boolean: (text) => text === "true" || text === "false",
  timestamp: (text) => new Date(text).toUTCString() === text
}
