import { readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { lexicographicSortSchema, printSchema } from 'graphql'
import t from 'tap'
import { testApp } from '../../helpers/app.ts'

/** What clients generate their types from: introspection is off in production. */
const FILE = fileURLToPath(new URL('../../../docs/schema.graphql', import.meta.url))
const COMMAND = 'UPDATE_SCHEMA=1 npm test -- test/plugins/graphql/schema.test.ts'

const { app } = await testApp(t)

t.test('docs/schema.graphql is the schema of the service', async t => {
  const { schema } = await app.graph()
  const printed = `${printSchema(lexicographicSortSchema(schema))}\n`
  if (process.env.UPDATE_SCHEMA) writeFileSync(FILE, printed)
  t.equal(readFileSync(FILE, 'utf8'), printed, `a change is reviewed and written by ${COMMAND}`)
})
