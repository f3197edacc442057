import type { FastifyInstance } from 'fastify'
import fp from 'fastify-plugin'
import type { Keyring } from '../lib/encryption.ts'

declare module 'fastify' {
  interface FastifyInstance {
    /** Encrypts secrets that are stored in the database. */
    keyring: Keyring
  }
}

async function encryption(app: FastifyInstance, { keyring }: { keyring: Keyring }) {
  app.decorate('keyring', keyring)
}

export const encryptionPlugin = fp(encryption, { name: 'encryption' })
