import type { Transaction } from '../../database/client.ts'
import { demoId, demoUser, demoViewer } from '../../lib/demo.ts'
import { demoUserId, demoViewerId } from '../users/demo.ts'
import { setPassword } from '../users/queries/passwords.ts'
import { insertIdentity } from './queries/identities.ts'
import { insertSession } from './queries/sessions.ts'
import { hashPassword } from './service/passwords.ts'

export const demoSessionId = demoId(60)
export const demoIdentityId = demoId(61)

/**
 * Gives the demo users passwords, so that they can sign in. The first also gets a second session and a Google identity,
 * neither with a secret.
 */
export async function insertDemoSignIns(tx: Transaction): Promise<void> {
  await setPassword(tx, { id: demoUserId, passwordHash: await hashPassword(demoUser.password) })
  await setPassword(tx, { id: demoViewerId, passwordHash: await hashPassword(demoViewer.password) })
  await insertSession(tx, { id: demoSessionId, userId: demoUserId, address: '203.0.113.7', userAgent: 'Demo phone' })
  await insertIdentity(tx, { id: demoIdentityId, userId: demoUserId, provider: 'google', subject: 'demo' })
}
