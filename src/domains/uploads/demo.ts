import type { Transaction } from '../../database/client.ts'
import type { Caller } from '../../events/caller.ts'
import { record } from '../../events/record.ts'
import { demoId } from '../../lib/demo.ts'
import { orNotFound } from '../../lib/errors.ts'
import { demoOrganizationId } from '../organizations/demo.ts'
import { demoUserId } from '../users/demo.ts'
import { uploadEvents } from './events.ts'
import { insertUpload } from './queries.ts'

export const demoUploadId = demoId(74)
const DAY_MS = 86_400_000

/** An upload that waits for its bytes. */
export async function insertDemoUpload(tx: Transaction, caller: Caller): Promise<void> {
  const announced = {
    name: 'backup.tar',
    sizeBytes: 6,
    sha256: '5891b5b522d5df086d0ff0b110fbd9d21bb4fc7163af34d08286a2e846f6be03',
  }
  const owned = { id: demoUploadId, organizationId: demoOrganizationId, createdBy: demoUserId }
  const row = { ...announced, ...owned, expiresAt: new Date(Date.now() + DAY_MS).toISOString() }
  const quota = Number.MAX_SAFE_INTEGER
  await record(tx, caller, uploadEvents.created, orNotFound(await insertUpload(tx, { ...row, quota })))
}
