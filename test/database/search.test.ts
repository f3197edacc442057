import t from 'tap'
import { migrate } from '../../src/database/migrate.ts'
import { createOrganization, createUser } from '../helpers/actors.ts'
import { appOn, type TestApp, testApp } from '../helpers/app.ts'
import { call } from '../helpers/call.ts'
import { createEmptyDatabase } from '../helpers/database.ts'
import { createProject } from '../helpers/factories.ts'

/** A stored text, and searches that must find it: they look the same except for their case. */
const FOUND: [string, string[]][] = [
  ['Zoe\u0308 Cafe\u0301', ['zo\u00eb', 'ZOE\u0308', 'CAF\u00c9', 'cafe\u0301']],
  ['ΟΔΥΣΣΕΥΣ', ['Οδυσσευς', 'οδυσσευσ', 'ΟΔΥΣΣΕΥΣ']],
  ['Straße', ['strasse', 'STRASSE', 'STRAẞE', 'straße']],
  ['İstanbul', ['i̇stanbul', 'istanbul', 'ISTANBUL', 'İSTANBUL']],
  ['Город', ['ГОРОД', 'город']],
  ['ÅNGSTRÖM', ['ångström', 'a\u030angstro\u0308m', '\u212bngström']],
]
const OTHERS = ['nothing', 'Οδυσσεα', 'zoo']

async function inLocaleC(t: Tap): Promise<TestApp> {
  const { url, drop } = await createEmptyDatabase('C')
  await migrate(url)
  return appOn(t, url, {}, drop)
}

async function check(t: Tap, test: TestApp) {
  const { app, sql } = test
  const { id: organizationId, owner } = await createOrganization(test)
  const admin = await createUser(test, { role: 'admin' })
  const projectId = await createProject(test, { organizationId })
  const lists: Record<string, { path: string; write(name: string): Promise<unknown>; as: typeof owner }> = {
    tasks: {
      path: `/projects/${projectId}/tasks`,
      as: owner,
      write: title => call(app, `POST /projects/${projectId}/tasks`, { as: owner, body: { title } }),
    },
    projects: {
      path: `/organizations/${organizationId}/projects`,
      as: owner,
      write: name => call(app, `POST /organizations/${organizationId}/projects`, { as: owner, body: { name } }),
    },
    members: {
      path: `/organizations/${organizationId}/members`,
      as: owner,
      write: name => call(app, 'PATCH /users/me', { as: owner, body: { name } }),
    },
    users: { path: '/users', as: admin, write: name => call(app, 'PATCH /users/me', { as: owner, body: { name } }) },
  }
  for (const [what, { path, as, write }] of Object.entries(lists)) {
    for (const [written, searches] of FOUND) {
      await write(written)
      const found = async (search: string) =>
        (await call(app, `GET ${path}?search=${encodeURIComponent(search)}`, { as })).body.data.length
      for (const search of searches) t.equal(await found(search), 1, `${what}: ${search} finds ${written}`)
      for (const search of OTHERS) t.equal(await found(search), 0, `${what}: ${search} does not find ${written}`)
    }
  }
  const stored = await sql('select from tasks where title is not nfc normalized')
  t.equal(stored.length, 0, 'text is stored composed')
}

t.test('search finds what looks the same, whatever its case', async t => check(t, await testApp(t)))

t.test('so it does where the locale of the database knows ASCII only', async t => check(t, await inLocaleC(t)))

type Tap = Pick<typeof t, 'equal' | 'teardown'>
