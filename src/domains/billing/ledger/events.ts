import { defineEvents } from '../../../events/registry.ts'
import { Account, Transfer } from './schemas.ts'

export const accountEvents = defineEvents('account', { created: Account })
export const transferEvents = defineEvents('transfer', { created: Transfer })
