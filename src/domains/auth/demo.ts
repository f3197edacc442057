import type { Transaction } from '../../database/client.ts'
import { demoUser, demoViewer } from '../../lib/demo.ts'
import { demoUserId, demoViewerId } from '../users/demo.ts'
import { setPassword } from '../users/queries/passwords.ts'
import { hashPassword } from './service/passwords.ts'

/** The demo users can sign in at once. */
export async function insertDemoPasswords(tx: Transaction): Promise<void> {
  await setPassword(tx, { id: demoUserId, passwordHash: await hashPassword(demoUser.password) })
  await setPassword(tx, { id: demoViewerId, passwordHash: await hashPassword(demoViewer.password) })
}
