import type { Transaction } from '../../database/client.ts'
import { demoId } from '../../lib/demo.ts'
import { insertIdentity } from '../auth/queries/identities.ts'
import { demoUserId } from '../users/demo.ts'

/** A well-known address, which holds something on most chains. */
export const demoWallet = '0xd8dA6BF26964aF9D7eEd9e03E53415D37aA96045'

export const insertDemoWallet = (tx: Transaction) =>
  insertIdentity(tx, { id: demoId(62), userId: demoUserId, provider: 'wallet', subject: demoWallet })
