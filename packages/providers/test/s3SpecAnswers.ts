import * as Xml from "../src/internal/xml.js"
import type { Answer } from "./fetching.js"
import type { Description, Member, Shape } from "./s3Spec.js"

/** What an operation gives, by the names of the description: an example's `output`. */
export type Members = { readonly [name: string]: unknown }

/** Writes the answers that say this of an operation. */
export const answering = ({ operations, shapes }: Description) => {
  const element = (tag: string, of: Member, value: unknown): ReadonlyArray<string> => {
    const { flattened, member, members, type } = shapes[of.shape]!
    if (type === "list") {
      const all = value as ReadonlyArray<unknown>
      return flattened === true
        ? all.flatMap((one) => element(tag, member!, one))
        : [Xml.element(tag, all.flatMap((one) => element(member!.locationName ?? "member", member!, one)))]
    }
    return [Xml.element(tag, type === "structure" ? elements(members!, value as Members) : String(value))]
  }

  const elements = (members: NonNullable<Shape["members"]>, values: Members): ReadonlyArray<string> =>
    Object.entries(members).flatMap(([name, member]) =>
      values[name] === undefined || member.location !== undefined
        ? []
        : element(member.locationName ?? name, member, values[name])
    )

  return (name: string, values: Members): Answer => {
    const { http, output } = operations[name]!
    const { members = {}, payload } = output === undefined ? {} : shapes[output.shape]!
    const headers = Object.entries(members).flatMap(([name, { location, locationName = name }]) => {
      const value = values[name]
      if (value === undefined) return []
      return location === "headers"
        ? Object.entries(value as Members).map(([key, one]) => [`${locationName}${key}`, String(one)])
        : location === "header"
        ? [[locationName.toLowerCase(), String(value)]]
        : []
    })
    const of = payload === undefined ? undefined : members[payload]
    const isBytes = of !== undefined && shapes[of.shape]!.type === "blob"
    const [document = ""] = isBytes
      ? ["x".repeat(Number(values["ContentLength"] ?? 0))]
      : of !== undefined
      ? element(of.locationName ?? payload!, of, values[payload!])
      : Object.values(members).some(({ location }) => location === undefined)
      ? [Xml.element(`${name}Result`, elements(members, values))]
      : []
    const status = "ContentRange" in values ? 206 : http.responseCode ?? 200
    return { status, headers: Object.fromEntries(headers), body: status === 204 ? "" : document }
  }
}
