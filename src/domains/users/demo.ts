import type { Transaction } from '../../database/client.ts'
import { demoId, demoUser, demoViewer } from '../../lib/demo.ts'
import { insertUser, verifyUserEmail } from './queries/users.ts'

export const demoUserId = demoId(1)
export const demoViewerId = demoId(2)

/** Inserts the demo users without passwords; the auth domain sets those. */
export async function insertDemoUsers(tx: Transaction): Promise<void> {
  for (const [id, { email, name }] of [[demoUserId, demoUser] as const, [demoViewerId, demoViewer] as const]) {
    await insertUser(tx, { id, email, name, passwordHash: null })
    await verifyUserEmail(tx, { id })
  }
}
