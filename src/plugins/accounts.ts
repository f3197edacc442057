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

/** Takes along what is the user's in another domain, and records it. */
type ErasureStep = (tx: Transaction, userId: string) => Promise<void>

/** What other domains have to say before a user's account goes. */
interface Accounts {
  /** `check` runs when its owner asks for deletion, and again when the account is erased. */
  beforeDeletion(check: DeletionCheck): void
  /** Throws what the first refusing check throws. */
  checkDeletion: DeletionCheck
  /** `step` runs in the transaction that erases the account, before its row goes. */
  beforeErasure(step: ErasureStep): void
  prepareErasure: ErasureStep
}

async function accounts(app: FastifyInstance) {
  const checks: DeletionCheck[] = []
  const steps: ErasureStep[] = []
  app.decorate('accounts', {
    beforeDeletion: check => void checks.push(check),
    async checkDeletion(tx, userId) {
      for (const check of checks) await check(tx, userId)
    },
    beforeErasure: step => void steps.push(step),
    async prepareErasure(tx, userId) {
      for (const step of steps) await step(tx, userId)
    },
  })
}

export const accountsPlugin = fp(accounts, { name: 'accounts' })
