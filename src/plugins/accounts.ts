import type { FastifyInstance } from 'fastify'
import fp from 'fastify-plugin'
import type { Transaction } from '../database/client.ts'

declare module 'fastify' {
  interface FastifyInstance {
    accounts: Accounts
  }
}

/** Throws the problem that keeps the account of `userId` from being deleted. */
type DeletionCheck = (tx: Transaction, userId: string) => Promise<void>

/** Removes the data of the user in another domain and records it. */
type ErasureStep = (tx: Transaction, userId: string) => Promise<void>

/** Lets other domains take part in the deletion of an account. */
interface Accounts {
  /** Registers `check`, which runs when the owner asks for deletion, and again when the account is erased. */
  beforeDeletion(check: DeletionCheck): void
  /** Runs all checks; throws the error of the first that fails. */
  checkDeletion: DeletionCheck
  /** Registers `step`, which runs in the transaction that erases the account, before its row is deleted. */
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
