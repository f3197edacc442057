import type { TObject, TSchema } from '@sinclair/typebox'
import fastJsonStringify from 'fast-json-stringify'
import pg from 'pg'
import { parserOf } from '../parsers.ts'
import { camelCase, type Field } from '../query.ts'
import type { Scratch } from './scratch.ts'
import { COUNT_BYTES, LENGTH_BYTES, NULL, type WireRow } from './wire.ts'

const { builtins } = pg.types
/** One byte of text becomes at most six bytes of JSON: `\u0001`. */
const GROWTH = 6
const NESTED = ['object', 'array']

/** Appends the row as a JSON object. */
export type WriteRow = (row: WireRow, scratch: Scratch) => void

/** Returns source code that writes a constant byte by byte; a loop over its bytes takes twice as long. */
function put(text: string): string {
  const stores = [...Buffer.from(text)].map((byte, n) => `out[to + ${n}] = ${byte}`)
  return `${stores.join('; ')}; to += ${stores.length}`
}

/**
 * The method of `Scratch` that copies the text between quotes, by type. Values of other types are converted to JSON
 * from their text.
 */
const QUOTED: Record<number, string> = {
  [builtins.UUID]: 'copy',
  [builtins.TEXT]: 'copyText',
  [builtins.VARCHAR]: 'copyText',
  [builtins.TIMESTAMPTZ]: 'copyTime',
}
const DIGITS: number[] = [builtins.INT2, builtins.INT4]

/** Returns source code that writes a value that is not null, after its key. */
function putValue(oid: number, column: number, key: string): string {
  const how = QUOTED[oid]
  if (how) return `${put(`${key}"`)}; to = scratch.${how}(to, bytes, at, length); ${put('"')}`
  if (DIGITS.includes(oid)) return `${put(key)}; to = scratch.copy(to, bytes, at, length)`
  return `${put(key)}; to = scratch.write(to, jsonOf[${column}](bytes.utf8Slice(at, at + length)))`
}

/** Returns a function from the text of a value to its JSON. Nested values contain only what their schema declares. */
function jsonOf(oid: number, schema: TSchema | undefined): (text: string) => string {
  const parse = parserOf(oid)
  const stringify = NESTED.includes(schema?.type) ? fastJsonStringify(schema as object) : JSON.stringify
  return text => stringify(parse(text))
}

/**
 * Compiles a writer for the columns of a statement and the schema of its rows. It writes JSON from the received bytes
 * without an object or a string per value; objects and their serializer cost three times as much for a list. Columns
 * that the schema does not have are left out. Throws when a required property has no column.
 */
export function compileWriter(fields: Field[], { properties, required = [] }: TObject): WriteRow {
  const names = fields.map(({ name }) => camelCase(name))
  const missing = required.find(name => !names.includes(name))
  if (missing !== undefined) throw new Error(`the statement has no column for ${missing}`)
  const first = names.find(name => name in properties)
  const keys = names.map(name => `${name === first ? '{' : ','}${JSON.stringify(name)}:`)

  const values = fields.map(({ dataTypeID }, column) => {
    const length = `length = bytes.readInt32BE(at); at += ${LENGTH_BYTES}`
    const key = keys[column] as string
    if (!((names[column] as string) in properties)) return `${length}; if (length > 0) at += length`
    return `${length}
    if (length === ${NULL}) { ${put(`${key}null`)} } else { ${putValue(dataTypeID, column, key)}; at += length }`
  })
  const constantBytes = keys.join('').length + keys.length * 'null'.length + 1
  const source = `return ({ bytes, start, end }, scratch) => {
    scratch.reserve(${constantBytes} + ${GROWTH} * (end - start))
    const out = scratch.bytes
    let to = scratch.length
    let at = start + ${COUNT_BYTES}
    let length = 0
    ${values.join('\n    ')}
    ${put('}')}
    scratch.length = to
  }`
  const serializers = fields.map(({ dataTypeID }, column) => jsonOf(dataTypeID, properties[names[column] as string]))
  return new Function('jsonOf', source)(serializers)
}
