import type { TSchema } from '@sinclair/typebox'
import { exampleOf } from '../openapi/examples.ts'
import { closeCodes } from './codes.ts'
import { clientMessages, serverMessages } from './messages.ts'

type Json = Record<string, unknown>

const DESCRIPTION = `The WebSocket of \`GET /api/v1/realtime\`: the events of organizations, projects, tasks and rooms, as they are committed, and messages into rooms. A client creates a
ticket with \`POST /api/v1/realtime/ticket\`, connects with it within 30 seconds, and subscribes to topics. After a lost connection it subscribes again
with the last cursor of each topic, on any process, and gets exactly what it missed.

The server closes the socket with one of these codes:

`

const messageOf = (name: string, payload: TSchema): Json => ({
  name,
  title: name,
  summary: payload.description,
  contentType: 'application/json',
  payload,
  examples: [{ name, summary: payload.description, payload: exampleOf(payload, { whole: true, ids: {} }) }],
})

const operationOf = (action: 'receive' | 'send', name: string, { description }: TSchema): Json => ({
  action,
  title: name,
  description,
  channel: { $ref: '#/channels/realtime' },
  messages: [{ $ref: `#/channels/realtime/messages/${name}` }],
})

const mapped = <T>(schemas: Record<string, TSchema>, to: (name: string, schema: TSchema) => T): Record<string, T> =>
  Object.fromEntries(Object.entries(schemas).map(([name, schema]) => [name, to(name, schema)]))

const messages: Record<string, TSchema> = { ...clientMessages, ...serverMessages }

/** Returns the AsyncAPI 3.1 document of the socket. `receive` and `send` are what the server does. */
export function asyncapi({ publicUrl, version }: { publicUrl: string; version: string }): Json {
  const { host, protocol } = new URL(publicUrl)
  return {
    asyncapi: '3.1.0',
    info: {
      title: 'Lintel, the live channel',
      version,
      description: DESCRIPTION + closeCodes,
      contact: { name: 'Lintel', url: publicUrl },
      license: { name: 'MIT License', url: 'https://opensource.org/license/mit' },
      tags: [{ name: 'events', description: 'Everything that changes.' }],
    },
    defaultContentType: 'application/json',
    servers: {
      here: { host, protocol: protocol === 'https:' ? 'wss' : 'ws', pathname: '/api/v1', description: 'This service.' },
    },
    channels: {
      realtime: {
        address: '/realtime',
        title: 'The live channel',
        description: 'One socket for up to 50 topics. Messages are JSON texts.',
        servers: [{ $ref: '#/servers/here' }],
        messages: mapped(messages, name => ({ $ref: `#/components/messages/${name}` })),
        bindings: { ws: { method: 'GET', query: TICKET, bindingVersion: '0.1.0' } },
      },
    },
    operations: {
      ...mapped(clientMessages, (name, schema) => operationOf('receive', name, schema)),
      ...mapped(serverMessages, (name, schema) => operationOf('send', name, schema)),
    },
    components: { messages: mapped(messages, messageOf) },
  }
}

const TICKET = {
  type: 'object',
  required: ['ticket'],
  properties: { ticket: { type: 'string', description: 'Of `POST /api/v1/realtime/ticket`; it opens one socket.' } },
}
