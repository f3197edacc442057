import { Readable } from 'node:stream'
import type { FastifyInstance } from 'fastify'
import type { Transaction } from '../../database/client.ts'
import type { Caller } from '../../events/caller.ts'
import { record } from '../../events/record.ts'
import { demoId } from '../../lib/demo.ts'
import { orNotFound } from '../../lib/errors.ts'
import { Measure } from '../../lib/measure.ts'
import { demoOrganizationId } from '../organizations/demo.ts'
import { demoUserId } from '../users/demo.ts'
import { fileEvents } from './events.ts'
import { insertFile } from './queries.ts'

const TEXT = Buffer.from('hello\n')

export const demoFileId = demoId(70)

export async function insertDemoFile(tx: Transaction, caller: Caller, { storage }: FastifyInstance): Promise<void> {
  const measure = new Measure()
  measure.add(TEXT)
  await storage.write(demoFileId, Readable.from([TEXT]))
  const shared = { id: demoFileId, organizationId: demoOrganizationId, createdBy: demoUserId, name: 'hello.txt' }
  const row = { ...shared, ...(await measure.result()) }
  await record(tx, caller, fileEvents.created, orNotFound(await insertFile(tx, { ...row, quota: row.sizeBytes })))
}
