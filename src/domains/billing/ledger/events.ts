import { defineEvents } from '../../../events/registry.ts'
import { Account, Hold, Transfer } from './schemas.ts'

export const accountEvents = defineEvents('account', { created: Account })
export const transferEvents = defineEvents('transfer', { created: Transfer })
export const holdEvents = defineEvents('hold', { created: Hold, captured: Hold, released: Hold, expired: Hold })
