import t from 'tap'
import { testApp } from '../helpers/app.ts'
import type { Credentials } from '../helpers/call.ts'
import { startServices } from '../helpers/services.ts'
import { ChangeLog } from './changes.ts'
import { Client } from './client.ts'
import { eachBy } from './each.ts'
import { type Json, type Operation, Specification } from './specification.ts'
import { World } from './world.ts'

/** Checks for every operation: the encoding and media type of a body, and requests without one. */
const services = await startServices(t)
const test = await testApp(t, services)
const specification = new Specification(test.app)
const client = new Client(test, specification)
const log = await ChangeLog.open(test)
const writes = specification.chosen(t, ({ method, uploads }) => method !== 'GET' && !uploads)
const mayBeEmpty = ({ body }: Operation) => body === undefined || [body.type].flat().includes('null')

interface Prepared {
  send(body: Json, headers?: Record<string, string>): ReturnType<Client['send']>
  sound: Json
}

async function prepare(operation: Operation): Promise<Prepared> {
  const at = await World.create(test, client, specification)
  const as: Credentials = operation.access.kind === 'platform' ? at.platformAdmin : at.organization.owner
  const params = await at.paramsOf(operation, as)
  const sound = await at.bodyOf(operation, params, as)
  const send: Prepared['send'] = (body, headers = {}) => client.send(operation, { as, params, body, headers })
  return { send, sound }
}

const each = eachBy(t, client)

/** How many of `all` each operation gets; the next operation gets the next ones, since the rule is the same for all. */
const SOME = 3
const someOf = <T>(all: T[], operation: Operation): T[] => {
  const at = writes.indexOf(operation) * SOME
  return Array.from({ length: SOME }, (_, n) => all[(at + n) % all.length] as T)
}

/** Bytes inside JSON that are not UTF-8 (RFC 3629 §3). */
const NO_UTF_8: Record<string, number[]> = {
  'a byte of Latin-1': [0xe9],
  'a byte that never is': [0xff],
  'a sequence cut off': [0xe2, 0x82],
  'a continuation alone': [0x80],
  'an overlong form': [0xc0, 0xaf],
  'a surrogate': [0xed, 0xa0, 0x80],
  'past the last character': [0xf4, 0x90, 0x80, 0x80],
}
const OTHER_CHARSETS = [
  'latin1',
  'ISO-8859-1',
  '"utf-16"',
  'utf-16le',
  'utf-8; charset=latin1',
  'us-ascii',
  'utf-88',
  '',
]
const CODINGS = ['gzip', 'GZIP', 'br', 'deflate', 'zstd', 'identity, gzip', 'x-unknown']

each(writes, 'bytes that are no UTF-8, another charset and an encoding are refused', async (t, operation) => {
  const { send, sound } = await prepare(operation)
  const text = JSON.stringify(sound ?? { a: 'b' })
  const bytes = Buffer.from(text)
  const at = text.indexOf('"') + 1
  await log.forget()
  for (const [why, wrong] of someOf(Object.entries(NO_UTF_8), operation)) {
    const spoilt = Buffer.concat([bytes.subarray(0, at), Buffer.from(wrong), bytes.subarray(at)])
    t.match(await send(spoilt), { status: 400, body: { code: 'malformed_request' } }, why)
  }
  t.equal((await send(Buffer.from(`\ufeff${text}`, 'utf16le'))).status, 400, 'UTF-16')
  for (const charset of someOf(OTHER_CHARSETS, operation)) {
    const type = { 'content-type': `application/json; charset=${charset}` }
    t.equal((await send(text, type)).status, 415, charset)
  }
  for (const coding of someOf(CODINGS, operation)) {
    const { status, headers } = await send(text, { 'content-encoding': coding })
    t.same([status, headers['accept-encoding']], [415, 'identity'], coding)
  }
  t.same(await log.take(), [], 'nothing has changed')
})

const FORMS: [string, Record<string, string>][] = [
  ['', { 'content-type': 'application/json' }],
  ['', { 'content-type': 'application/json; charset=UTF-8' }],
  ['', { 'content-type': 'Application/JSON;charset="utf-8"', 'content-encoding': 'Identity' }],
  ['\ufeff', { 'content-type': 'application/json; charset=utf8' }],
]

each(
  writes.filter(({ body }) => body !== undefined),
  'UTF-8 by any of its names is taken, with a byte order mark too',
  async (t, operation) => {
    const expected = await prepare(operation).then(({ send, sound }) => send(sound))
    const [mark, headers] = FORMS[writes.indexOf(operation) % FORMS.length] as (typeof FORMS)[number]
    const { send, sound } = await prepare(operation)
    const { status } = await send(`${mark}${JSON.stringify(sound)}`, headers)
    // The requested account already exists by then and has got its mail.
    t.ok([expected.status, 409, 429].includes(status), `${JSON.stringify(headers)}: ${status}`)
  },
)

const NOTHING: Record<string, string>[] = [
  {},
  { 'content-type': 'application/json' },
  { 'content-type': 'application/json', 'content-length': '0' },
  { 'content-type': 'application/json', 'transfer-encoding': 'chunked' },
  { 'content-type': 'application/x-www-form-urlencoded', 'content-length': '0' },
  { 'content-type': 'text/plain', 'transfer-encoding': 'chunked' },
  { 'content-type': 'multipart/form-data', 'content-length': '0' },
  { 'content-type': 'nonsense', 'content-length': '0' },
  { 'content-type': 'application/json; charset=latin1', 'content-encoding': 'gzip', 'content-length': '0' },
  { 'transfer-encoding': 'chunked' },
]

t.test('a body without anything that is required may be left out', async t => {
  const demands = ({ required = [], minProperties = 0, type }: Json) =>
    required.length + minProperties > 0 || type !== 'object'
  const faults = writes.filter(
    ({ body, ...operation }) => body && !mayBeEmpty({ ...operation, body }) && !demands(body),
  )
  t.same(
    faults.map(({ id }) => id),
    [],
    'wrap its schema in Nullable',
  )
  for (const operation of writes.filter(({ body }) => body))
    t.equal(operation.requiresBody, !mayBeEmpty(operation), `${operation.id}: the document says it`)
})

each(writes.filter(mayBeEmpty), 'no body is none under whatever media type', async (t, operation) => {
  for (const headers of [{ 'content-type': 'application/json' }, ...someOf(NOTHING, operation)]) {
    const { send } = await prepare(operation)
    const { status } = await send(undefined, headers)
    t.ok(status >= 200 && status < 300, `${JSON.stringify(headers)}: ${status}`)
  }
})

each(
  writes.filter(operation => !mayBeEmpty(operation)),
  'where a body is wanted, none is refused',
  async (t, operation) => {
    const { send } = await prepare(operation)
    for (const headers of someOf(NOTHING, operation)) {
      const { status } = await send(undefined, headers)
      t.ok([400, 415, 422].includes(status), `${JSON.stringify(headers)}: ${status}`)
    }
  },
)
