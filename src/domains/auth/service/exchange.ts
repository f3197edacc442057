import type { Caller } from '../../../events/caller.ts'
import { sha256 } from '../../../lib/crypto.ts'
import { authErrors } from '../errors.ts'
import type { Exchange } from '../schemas/google.ts'
import type { SignedIn } from '../schemas/sessions.ts'
import type { Sessions } from './sessions.ts'
import { redeemToken } from './tokens.ts'

/**
 * Tokens for the one-time code of a redirect. A code that began with a challenge needs its verifier, and one that began
 * without takes none: a front end that sends one never takes a code that somebody else began to sign in with, and who
 * reads the code in a URL cannot use it. Throws `token_invalid`, `account_deactivated`, `email_not_verified`.
 */
export const exchangeCode = (sessions: Sessions, caller: Caller, { code, verifier }: Exchange): Promise<SignedIn> =>
  caller.transaction(async tx => {
    const { user, subject } = await redeemToken(tx, code, 'exchange')
    const challenge = verifier === undefined ? null : sha256(verifier).toString('base64url')
    if (subject !== challenge) throw authErrors.token_invalid()
    return sessions.startIn(tx, caller, user)
  })
