import { defineEvents } from '../../../events/registry.ts'
import { Account, Hold, Transfer, UnbalancedAccount, UnbalancedTransfer } from './schemas.ts'

/** `unbalanced` is what reconciliation has found; nothing was changed. */
export const accountEvents = defineEvents('account', { created: Account, unbalanced: UnbalancedAccount })
export const transferEvents = defineEvents('transfer', { created: Transfer, unbalanced: UnbalancedTransfer })
export const holdEvents = defineEvents('hold', { created: Hold, captured: Hold, released: Hold, expired: Hold })
