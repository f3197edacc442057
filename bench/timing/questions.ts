/**
 * A request about an address by a client that must not learn whether it has an account: it must take the same time in
 * both cases.
 */
export interface Question {
  name: string
  /** With `:organization` the owner of one sends it; otherwise an anonymous client. */
  path: string
  body(email: string): object
}

const password = 'not the password of anybody'

/** To add a question, add a line: addresses are new for each question and pair, and each is used once. */
export const questions: Question[] = [
  { name: 'register', path: '/auth/register', body: email => ({ email, password, name: 'Ada Lovelace' }) },
  { name: 'login', path: '/auth/login', body: email => ({ email, password }) },
  { name: 'forgot', path: '/auth/password/forgot', body: email => ({ email }) },
  { name: 'invite', path: '/organizations/:organization/invitations', body: email => ({ email, role: 'member' }) },
  { name: 'resend', path: '/auth/verify-email/resend', body: email => ({ email }) },
]
