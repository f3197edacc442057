import { spawn } from 'node:child_process'
import { createHmac, randomBytes } from 'node:crypto'
import { connect } from 'node:net'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import { eventually } from '../helpers/mail.ts'
import { freePort } from '../helpers/ports.ts'

const RECEIVER = fileURLToPath(new URL('../../examples/webhook-receiver/receiver.mjs', import.meta.url))
const MAX_BYTES = 1_048_576

const answers = (port: number): Promise<boolean> =>
  new Promise(resolve => {
    const socket = connect(port, 'localhost')
    socket.on('connect', () => resolve(true)).on('error', () => resolve(false))
    socket.on('connect', () => socket.destroy())
  })

const key = randomBytes(32)
const port = await freePort()
const receiver = spawn(process.execPath, [RECEIVER], {
  env: { PORT: String(port), WEBHOOK_SECRET: `whsec_${key.toString('base64')}` },
})
t.teardown(() => receiver.kill())
let printed = ''
receiver.stdout.setEncoding('utf8').on('data', text => {
  printed += text
})
await eventually(() => answers(port), 'the receiver listens')

const EVENT = JSON.stringify({ type: 'task.created', timestamp: '2026-01-31T12:00:00.000Z', data: { title: 'Łódź' } })

/** Sends a body as Standard Webhooks 1.0.0 says; returns the status. */
async function send(id: string, body: string, secret = key, ageSeconds = 0, signed = body): Promise<number> {
  const timestamp = String(Math.floor(Date.now() / 1000) - ageSeconds)
  const signature = createHmac('sha256', secret).update(`${id}.${timestamp}.${signed}`).digest('base64')
  const headers = { 'webhook-id': id, 'webhook-timestamp': timestamp, 'webhook-signature': `v1,${signature}` }
  return (await fetch(`http://localhost:${port}/`, { method: 'POST', body, headers })).status
}

t.test('the example receiver takes what is signed, and does it once', async t => {
  t.same([await send('1', EVENT), await send('1', EVENT)], [204, 204])
  await eventually(async () => printed !== '', 'the event is printed')
  t.equal(printed, 'task.created {"title":"Łódź"}\n')
})

t.test('the example receiver refuses what is signed by another, changed, old or huge', async t => {
  const before = printed
  t.equal(await send('2', EVENT, randomBytes(32)), 400)
  t.equal(await send('3', EVENT, key, 0, EVENT.replace('created', 'deleted')), 400)
  t.equal(await send('4', EVENT, key, 3_600), 400)
  t.equal(await send('5', 'no JSON', key), 400)
  t.equal((await fetch(`http://localhost:${port}/`)).status, 400)
  t.match(await send('6', 'x'.repeat(MAX_BYTES + 1)).catch(() => 413), 413)
  t.equal(await send('7', EVENT), 204, 'and goes on')
  t.equal(printed.split('\n').length, before.split('\n').length + 1)
})
