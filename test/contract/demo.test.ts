import t from 'tap'
import { loadDemo } from '../../src/demo.ts'
import { demoKey, demoUser, demoViewer } from '../../src/lib/demo.ts'
import { testApp } from '../helpers/app.ts'
import { type Credentials, call } from '../helpers/call.ts'
import { Client } from './client.ts'
import { type Json, type Operation, Specification } from './specification.ts'

/** Sending an unchanged form on `/docs`, with the demo data and its credentials, returns data. */
const test = await testApp(t)
await loadDemo(test.app)
const specification = new Specification(test.app)
const client = new Client(test, specification)

const bearer = (token: string): Credentials => ({ headers: { authorization: `Bearer ${token}` } })

async function signIn({ email, password }: typeof demoUser): Promise<Credentials> {
  const { body } = await call(test.app, 'POST /auth/login', { body: { email, password } })
  return bearer(body.accessToken)
}

// The demo data has no platform admin: the link that a start prints makes the first one.
await test.sql(`update users set role = 'admin' where email = $1`, [demoViewer.email])
const user = await signIn(demoUser)
const admin = await signIn(demoViewer)
const key = bearer(demoKey)

const WITHOUT_DATA: Record<string, string> = {
  signInWithGoogle: 'sends the browser to Google, which the demo has no client of',
  getMyAvatar: 'is 404, because the demo user has none',
  getAvatar: 'is 404, because the demo user has none',
  listBalances: 'asks a node of a chain, which the demo has none of',
  streamChat: 'is empty while no answer is running',
  googleCallback: 'is where Google sends the browser back',
}

const callersOf = ({ access }: Operation): [string, Credentials][] => [
  access.kind === 'platform' ? ['an admin of the platform', admin] : ['the demo user', user],
  ...('scope' in access && access.scope ? [['the demo key', key] as [string, Credentials]] : []),
]

/** Returns what the form sends: the examples, and the defaults, which the server adds too. */
const examplesIn = (operation: Operation, place: string): Record<string, string> =>
  Object.fromEntries(
    operation.parameters.flatMap(({ name, in: where, example }: Json) =>
      where === place && example !== undefined ? [[name, example]] : [],
    ),
  )

for (const operation of specification.chosen(t, ({ method, id }) => method === 'GET' && !WITHOUT_DATA[id])) {
  t.test(`${operation.id}: the form as it stands is answered with data`, async t => {
    const sending = { params: examplesIn(operation, 'path'), query: examplesIn(operation, 'query') }
    for (const [name, as] of callersOf(operation)) {
      client.faults.length = 0
      const { status, body, text } = await client.send(operation, { as, ...sending })
      t.equal(status, 200, `${name}: ${text.slice(0, 300)}`)
      if (Array.isArray(body?.data)) t.ok(body.data.length > 0, `${name} gets rows`)
      t.same(client.faults, [], 'it fits the document')
    }
  })
}
