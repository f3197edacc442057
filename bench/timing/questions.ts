/** What somebody who is not to know may ask about an address: it must take as long whether or not the address has an account. */
export interface Question {
  name: string
  /** With `:organization`, its owner asks; without, a stranger. */
  path: string
  body(email: string): object
}

const password = 'not the password of anybody'

/** To add one is to add a line: addresses are new for each question and pair, and each is asked about once. */
export const questions: Question[] = [
  { name: 'register', path: '/auth/register', body: email => ({ email, password, name: 'Ada Lovelace' }) },
  { name: 'login', path: '/auth/login', body: email => ({ email, password }) },
  { name: 'forgot', path: '/auth/password/forgot', body: email => ({ email }) },
  { name: 'invite', path: '/organizations/:organization/invitations', body: email => ({ email, role: 'member' }) },
  { name: 'resend', path: '/auth/verify-email/resend', body: email => ({ email }) },
]
