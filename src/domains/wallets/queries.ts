import { eq, sql } from 'drizzle-orm'
import { defineList } from '../../database/list.ts'
import { identities } from '../auth/tables.ts'
import { Wallet } from './schemas.ts'

const byId = { on: identities.id, key: 'id', type: 'uuid' } as const

export const listWallets = defineList<Wallet, { userId: string }>({
  name: 'wallets.list',
  item: Wallet,
  columns: sql`id, subject as address, created_at`,
  from: sql`${identities}`,
  where: $ => sql`${eq(identities.userId, $.userId)} and ${identities.provider} = 'wallet'`,
  id: byId,
  sorts: { createdAt: byId },
  defaultSort: '-createdAt',
})
