import type { Transaction } from '../../database/client.ts'
import { scopeNames } from '../../lib/access.ts'
import { sha256 } from '../../lib/crypto.ts'
import { demoId, demoKey } from '../../lib/demo.ts'
import { demoOrganizationId } from '../organizations/demo.ts'
import { demoUserId } from '../users/demo.ts'
import { insertApiKey } from './queries.ts'

export const demoApiKeyId = demoId(20)
const HINT_CHARACTERS = 4

export async function insertDemoApiKey(tx: Transaction): Promise<void> {
  await insertApiKey(tx, {
    id: demoApiKeyId,
    organizationId: demoOrganizationId,
    name: 'Demo key',
    hash: sha256(demoKey),
    hint: demoKey.slice(-HINT_CHARACTERS),
    scopes: [...scopeNames],
    expiresAt: null,
    rateLimit: null,
    createdBy: demoUserId,
  })
}
