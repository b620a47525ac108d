import * as Fs from "node:fs"
import type { Check } from "./spec.js"

/**
 * Protocol buffers as `protobufjs` writes them down in JSON, read as what their messages look like in JSON
 * (https://protobuf.dev/programming-guides/json): names in camel case, numbers of 64 bits as texts, bytes as base64.
 */
interface Message {
  readonly fields: { readonly [name: string]: Field }
  readonly nested?: Namespace
}

interface Enum {
  readonly values: { readonly [name: string]: number }
}

interface Field {
  readonly type: string
  readonly rule?: "repeated"
  /** Of a map, whose values are of `type`. */
  readonly keyType?: string
}

interface Namespace {
  readonly [name: string]: Partial<Message> & Partial<Enum>
}

/** The check of a message of that name; `undefined` when the description is not there. */
export const protos = (file: string, path: string): ((message: string) => Check) | undefined => {
  const url = new URL(`../../../../shared/specs/${file}`, import.meta.url)
  if (!Fs.existsSync(url)) return undefined
  const root = path.split(".").reduce<any>((at, step) => at.nested[step], JSON.parse(Fs.readFileSync(url, "utf8")))
  const namespace: Namespace = root.nested
  return (message) => (value) => checkType(message, value, "", [namespace])
}

type Places = ReadonlyArray<Namespace>

const whole = /^(u?int|s?fixed|sint)(32|64)$/

const scalars: { readonly [type: string]: (value: unknown) => boolean } = {
  string: (value) => typeof value === "string",
  bool: (value) => typeof value === "boolean",
  float: (value) => typeof value === "number",
  double: (value) => typeof value === "number",
  bytes: (value) => typeof value === "string" && /^[A-Za-z0-9+/_-]*=*$/.test(value),
  "google.protobuf.Value": () => true,
  "google.protobuf.Struct": isObject,
  "google.protobuf.Timestamp": (value) => typeof value === "string" && !Number.isNaN(Date.parse(value)),
  "google.protobuf.Duration": (value) => typeof value === "string" && /^-?\d+(\.\d{1,9})?s$/.test(value)
}

function isObject(value: unknown): value is { readonly [name: string]: unknown } {
  return typeof value === "object" && value !== null && !Array.isArray(value)
}

const checkType = (type: string, value: unknown, at: string, places: Places): ReadonlyArray<string> => {
  const wrong = [`${at || "/"} is no ${type}: ${JSON.stringify(value)}`]
  if (whole.test(type)) return Number.isInteger(Number(value)) ? [] : wrong
  const scalar = scalars[type]
  if (scalar !== undefined) return scalar(value) ? [] : wrong
  const place = places.find((one) => type in one)
  const found = place?.[type]
  if (found === undefined) return [`${at || "/"} is of type ${type}, which is not described`]
  if (found.values !== undefined) return typeof value === "string" && value in found.values ? [] : wrong
  if (!isObject(value)) return wrong
  const fields = found.fields ?? {}
  return Object.entries(value).flatMap(([name, one]) => {
    const field = fields[name]
    return field === undefined
      ? [`${at}/${name} is no field of ${type}`]
      : checkField(field, one, `${at}/${name}`, found.nested === undefined ? places : [found.nested, ...places])
  })
}

const checkField = (field: Field, value: unknown, at: string, places: Places): ReadonlyArray<string> => {
  if (field.keyType !== undefined) {
    return isObject(value)
      ? Object.entries(value).flatMap(([key, one]) => checkType(field.type, one, `${at}/${key}`, places))
      : [`${at} is no map`]
  }
  if (field.rule !== "repeated") return checkType(field.type, value, at, places)
  return Array.isArray(value)
    ? value.flatMap((one, index) => checkType(field.type, one, `${at}/${index}`, places))
    : [`${at} is no list`]
}
