import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { isIPv4 } from 'node:net'

const HEADER_BYTES = 12
const TYPES: Record<number, 4 | 6> = { 1: 4, 28: 6 }
const NAME_ERROR = 3
const TTL_SECONDS = 0

export interface NameServer {
  /** The address for `setServers`. */
  address: string
  /** The queries so far: `hooks.example.com 4`. */
  asked: string[]
}

type Names = (name: string, ask: number) => string[] | 'missing' | 'silent'

/**
 * Starts a DNS server on loopback (RFC 1035) with the addresses that `names` returns; `ask` counts the queries for a
 * name and family.
 */
export async function nameServer(t: { teardown(done: () => unknown): void }, names: Names): Promise<NameServer> {
  const socket = createSocket('udp4')
  const asked: string[] = []
  socket.on('message', (query, from) => {
    const { name, family, question } = questionOf(query)
    const key = `${name} ${family}`
    asked.push(key)
    const known = names(name, asked.filter(other => other === key).length)
    if (known === 'silent') return
    const records = known === 'missing' ? [] : known.filter(address => (isIPv4(address) ? 4 : 6) === family)
    const flags = 0x8180 | (known === 'missing' ? NAME_ERROR : 0)
    const header = Buffer.concat([query.subarray(0, 2), words(flags, 1, records.length, 0, 0)])
    socket.send(Buffer.concat([header, question, ...records.map(recordOf)]), from.port, from.address)
  })
  socket.bind(0, '127.0.0.1')
  await once(socket, 'listening')
  t.teardown(() => new Promise<void>(resolve => socket.close(() => resolve())))
  return { address: `127.0.0.1:${socket.address().port}`, asked }
}

function questionOf(query: Buffer) {
  const labels: string[] = []
  let at = HEADER_BYTES
  for (let length = query[at] ?? 0; length > 0; length = query[at] ?? 0) {
    labels.push(query.toString('latin1', at + 1, at + 1 + length))
    at += length + 1
  }
  const family = TYPES[query.readUInt16BE(at + 1)] ?? 0
  return { name: labels.join('.').toLowerCase(), family, question: query.subarray(HEADER_BYTES, at + 5) }
}

/** Builds an answer record; its name is a pointer to that in the question. */
function recordOf(address: string): Buffer {
  const bytes = isIPv4(address) ? Buffer.from(address.split('.').map(Number)) : v6(address)
  const type = isIPv4(address) ? 1 : 28
  return Buffer.concat([words(0xc00c, type, 1, 0, TTL_SECONDS, bytes.length), bytes])
}

function v6(address: string): Buffer {
  const [start = [], end = []] = address.split('::').map(half => half.split(':').filter(Boolean))
  const zeros = Array<string>(8 - start.length - end.length).fill('0')
  return words(...[...start, ...zeros, ...end].map(group => Number.parseInt(group, 16)))
}

function words(...all: number[]): Buffer {
  const bytes = Buffer.alloc(all.length * 2)
  for (const [at, word] of all.entries()) bytes.writeUInt16BE(word, at * 2)
  return bytes
}
