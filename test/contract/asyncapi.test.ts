import { type RulesetDefinition, Spectral } from '@stoplight/spectral-core'
import { asyncapi } from '@stoplight/spectral-rulesets'
import { Ajv2020 } from 'ajv/dist/2020.js'
import t from 'tap'
import { CLOSE } from '../../src/plugins/sockets/codes.ts'
import { clientMessages, serverMessages } from '../../src/plugins/sockets/messages.ts'
import { testApp } from '../helpers/app.ts'
import { call } from '../helpers/call.ts'

type Json = ReturnType<typeof JSON.parse>

const { app } = await testApp(t)
const { status, body: document }: { status: number; body: Json } = await call(app, 'GET /asyncapi.json')

t.test('the document of the socket is served to everybody and keeps the rules of Spectral for AsyncAPI', async t => {
  t.equal(status, 200)
  const spectral = new Spectral()
  // The service does not know an email address of its operator.
  const rules = { 'asyncapi-info-contact-properties': 'off' } as const
  spectral.setRuleset({ extends: [asyncapi as RulesetDefinition], rules })
  const found = await spectral.run(document)
  t.same(
    found.map(({ code, path, message }) => `${code} at ${path.join('.')}: ${message}`),
    [],
  )
})

t.test('it has every message with an example that is valid, and every close code', async t => {
  const names = [...Object.keys(clientMessages), ...Object.keys(serverMessages)].toSorted()
  t.same(Object.keys(document.components.messages).toSorted(), names)
  t.same(Object.keys(document.channels.realtime.messages).toSorted(), names)
  const receives = Object.entries<Json>(document.operations).filter(([, { action }]) => action === 'receive')
  t.same(
    receives.map(([name]) => name),
    Object.keys(clientMessages),
    'the server receives what clients send',
  )
  const ajv = new Ajv2020({ strict: false })
  for (const { name, payload, examples, summary } of Object.values<Json>(document.components.messages)) {
    t.ok(ajv.validate(payload, examples[0].payload), `${name}: ${ajv.errorsText()}`)
    t.match(summary, /\w.*\w.*[.`]/, name)
  }
  for (const { code, client } of Object.values(CLOSE))
    t.ok(document.info.description.includes(`- ${code}, `) && document.info.description.includes(client), `${code}`)
})
