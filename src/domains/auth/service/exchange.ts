import type { Caller } from '../../../events/caller.ts'
import { sha256 } from '../../../lib/crypto.ts'
import { authErrors } from '../errors.ts'
import type { Exchange } from '../schemas/google.ts'
import type { SignedIn } from '../schemas/sessions.ts'
import type { Sessions } from './sessions.ts'
import { redeemToken } from './tokens.ts'

/**
 * Issues tokens for the one-time code of a redirect. A code that was started with a challenge needs its verifier, and
 * one without a challenge accepts none. So a front end that sends a verifier never accepts a code that somebody else
 * started, and a person who reads the code in a URL cannot use it. Throws `token_invalid`, `account_deactivated`,
 * `email_not_verified`.
 */
export const exchangeCode = (sessions: Sessions, caller: Caller, { code, verifier }: Exchange): Promise<SignedIn> =>
  caller.transaction(async tx => {
    const { user, subject } = await redeemToken(tx, code, 'exchange')
    const challenge = verifier === undefined ? null : sha256(verifier).toString('base64url')
    if (subject !== challenge) throw authErrors.token_invalid()
    return sessions.startIn(tx, caller, user)
  })
