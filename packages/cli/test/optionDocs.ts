/**
 * What the doc comments of options say, put into the JSON Schema of the file: so that an editor shows it, and it stands
 * nowhere twice.
 */
import * as Fs from "node:fs"
import * as Url from "node:url"
import ts from "typescript"

interface Node {
  description?: string
  readonly properties?: Record<string, Node>
  readonly items?: Node
  readonly anyOf?: ReadonlyArray<Node>
  readonly additionalProperties?: Node | boolean
}

/** The interface that describes each place of the schema; those of the same file within it are found by themselves. */
const places: ReadonlyArray<readonly [place: string, file: string, name: string]> = [
  ["", "cli/src/ConfigReading", "ConfigFile"],
  ["$defs/Backend", "cli/src/ConfigReading", "Backend"],
  ["$defs/Backend/pool", "core/src/internal/keyOptions", "Options"],
  ["$defs/Key", "core/src/internal/keyOptions", "NamedKey"],
  ["$defs/Policies", "core/src/Resilience", "Options"],
  ["$defs/Policies/telemetry", "core/src/Telemetry", "Options"],
  ["$defs/Policies/retry", "core/src/Retry", "Options"],
  ["$defs/Policies/retry/budget", "core/src/RetryBudget", "Options"],
  ["$defs/Policies/hedge", "core/src/Hedging", "Options"],
  ["$defs/Policies/queue", "core/src/RequestQueue", "Options"],
  ["$defs/Policies/adaptive", "core/src/AdaptiveRate", "Options"],
  ["$defs/Policies/breaker", "core/src/internal/circuitOptions", "Options"],
  ["$defs/Policies/timeout", "core/src/Timeout", "Options"],
  ["$defs/Policies/batching", "core/src/Batching", "Options"],
  ["$defs/Policies/coalescing", "core/src/Coalescing", "Options"],
  ["$defs/Policies/caching", "core/src/Caching", "Options"],
  ["gateway", "gateway/src/Gateway", "Options"],
  ["gateway", "cli/src/ConfigReading", "Listening"],
  ["gateway/access/keys", "gateway/src/Access", "Key"],
  ["gateway/access/keys", "gateway/src/Allowance", "Limits"],
  ["tenants", "gateway/src/Allowance", "Limits"],
  ["models", "core/src/Router", "Choice"],
  ["budget", "core/src/internal/budgetOptions", "Options"],
  ["budget/unknownPrice", "core/src/PriceBook", "Price"],
  ["pricing", "prices/src/GenAiPrices", "Options"],
  ["pricing/prices", "core/src/PriceBook", "Entry"]
]

/** The schema, with what the comments say. */
export const describe = (schema: object): Node => {
  // fields of one kind share a description, unless each is its own
  const own: Node = JSON.parse(JSON.stringify(schema))
  for (const [place, file, name] of places) {
    for (const object of objects(at(own, place))) fill(object, interfacesOf(file), name)
  }
  return own
}

const at = (schema: Node & { readonly $defs?: Record<string, Node> }, place: string): Node => {
  const steps = place.split("/").filter((step) => step !== "")
  const isDefinition = steps[0] === "$defs"
  const root: Node | undefined = isDefinition ? schema.$defs?.[steps[1]!] : schema
  const found = steps.slice(isDefinition ? 2 : 0).reduce(
    (node: Node | undefined, step) => node && objects(node).flatMap(({ properties }) => properties?.[step] ?? [])[0],
    root
  )
  if (found === undefined) throw new Error(`the schema has no ${place}`)
  return found
}

/** The objects that may stand there, in a list or under any name, too. */
const objects = (node: Node): ReadonlyArray<Node> => [
  ...(node.properties === undefined ? [] : [node]),
  ...[...node.anyOf ?? [], ...(node.items === undefined ? [] : [node.items]), ...(typeof node.additionalProperties === "object" ? [node.additionalProperties] : [])]
    .flatMap(objects)
]

const fill = (object: Node, interfaces: ReadonlyMap<string, ts.InterfaceDeclaration>, name: string): void => {
  const declaration = interfaces.get(name)
  if (declaration === undefined) throw new Error(`there is no interface ${name}`)
  for (const { types } of declaration.heritageClauses ?? []) {
    for (const type of types) if (interfaces.has(type.getText())) fill(object, interfaces, type.getText())
  }
  for (const member of declaration.members.filter(ts.isPropertySignature)) {
    const property = object.properties?.[member.name.getText()]
    if (property === undefined) continue
    const said = commentOf(member)
    if (said !== undefined) property.description = said
    const inner = member.type?.getText().match(/\w+/g)?.find((word) => word !== name && interfaces.has(word))
    if (inner !== undefined) for (const one of objects(property)) fill(one, interfaces, inner)
  }
}

const commentOf = (node: ts.Node): string | undefined => {
  const doc = ts.getJSDocCommentsAndTags(node).filter(ts.isJSDoc).at(-1)
  const otherwise = doc?.tags?.find(({ tagName }) => tagName.text === "default")
  const texts = [oneLine(doc?.comment), otherwise && `Default: ${oneLine(otherwise.comment)}`].filter((text) => text !== undefined && text !== "")
  return texts.length === 0 ? undefined : texts.join("\n")
}

const oneLine = (comment: Parameters<typeof ts.getTextOfJSDocComment>[0]) => ts.getTextOfJSDocComment(comment)?.replace(/\s*\n\s*/g, " ")

const interfacesOf = (file: string): ReadonlyMap<string, ts.InterfaceDeclaration> => {
  const path = Url.fileURLToPath(new URL(`../../${file}.ts`, import.meta.url))
  const source = ts.createSourceFile(path, Fs.readFileSync(path, "utf8"), ts.ScriptTarget.Latest, true)
  return new Map(source.statements.filter(ts.isInterfaceDeclaration).map((declaration) => [declaration.name.text, declaration]))
}
