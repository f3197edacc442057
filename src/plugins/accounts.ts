import type { FastifyInstance } from 'fastify'
import fp from 'fastify-plugin'
import type { Transaction } from '../database/client.ts'

declare module 'fastify' {
  interface FastifyInstance {
    accounts: Accounts
  }
}

/** Throws the problem that keeps `userId` from going: what must be settled first. */
type DeletionCheck = (tx: Transaction, userId: string) => Promise<void>

/** What other domains have to say before a user's account goes. */
interface Accounts {
  /** `check` runs when its owner asks for deletion, and again when the account is erased. */
  beforeDeletion(check: DeletionCheck): void
  /** Throws what the first refusing check throws. */
  checkDeletion: DeletionCheck
}

async function accounts(app: FastifyInstance) {
  const checks: DeletionCheck[] = []
  app.decorate('accounts', {
    beforeDeletion: check => void checks.push(check),
    async checkDeletion(tx, userId) {
      for (const check of checks) await check(tx, userId)
    },
  })
}

export const accountsPlugin = fp(accounts, { name: 'accounts' })
