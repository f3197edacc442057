import { type Static, Type } from '@sinclair/typebox'
import type { FastifyInstance } from 'fastify'
import { everyone } from '../../lib/access.ts'
import { escapeHtml, page } from '../../lib/html.ts'
import { Token } from '../../lib/schema.ts'
import { pageSecurity } from '../security.ts'
import type { CapturedMail, Mailbox } from './mailbox.ts'

const LinkQuery = Type.Object({ token: Token })
type LinkQuery = Static<typeof LinkQuery>

/** What the callback of a sign-in with Google says to the front end. */
const SignedInQuery = Type.Partial(Type.Object({ code: Token, linked: Token, error: Token }))
type SignedInQuery = Static<typeof SignedInQuery>

/** Where the links of mails lead, by their path below APP_URL, and what a front end then sends; `signedIn` for who has an account. */
const links: { path: string; title: string; operation: string; body?: object; signedIn?: string }[] = [
  { path: 'verify-email', title: 'Confirm an address', operation: 'auth/verify-email' },
  {
    path: 'reset-password',
    title: 'Choose a new password',
    operation: 'auth/password/reset',
    body: { password: 'a new password of yours' },
  },
  {
    path: 'first-admin',
    title: 'Become the first admin',
    operation: 'auth/first-admin',
    body: { email: 'admin@example.com', password: 'a new password of yours', name: 'Admin' },
  },
  { path: 'confirm-email', title: 'Confirm a change of address', operation: 'auth/email/confirm' },
  {
    path: 'invitation',
    title: 'Join an organization',
    operation: 'invitations/register',
    body: { name: 'Your Name', password: 'a new password of yours' },
    signedIn: 'invitations/accept',
  },
]

interface PagesOptions {
  mailbox: Mailbox
  publicUrl: string
}

/** In development only: the captured mails, and where their links lead while there is no front end. */
export async function mailboxPages(app: FastifyInstance, { mailbox, publicUrl }: PagesOptions) {
  await pageSecurity(app)
  const config = { access: everyone, page: true }

  app.get('/dev/mail', { config, schema: { hide: true } }, async (_request, reply) => {
    const mails = await mailbox.list()
    reply.type('text/html; charset=utf-8')
    return page('Dev mailbox', mails.length > 0 ? mails.map(entry).join('') : '<p>No mail yet.</p>')
  })

  const schema = { hide: true, querystring: LinkQuery }
  for (const { path, title, operation, body, signedIn } of links)
    app.get<{ Querystring: LinkQuery }>(`/dev/${path}`, { config, schema }, async ({ query }, reply) => {
      reply.type('text/html; charset=utf-8')
      const { token } = query
      const signed =
        signedIn === undefined ? '' : withAccount(curl(`${publicUrl}/api/v1/${signedIn}`, { token }, SIGNED))
      return page(title, instruction(curl(`${publicUrl}/api/v1/${operation}`, { token, ...body })) + signed)
    })

  const back = { config, schema: { hide: true, querystring: SignedInQuery } }
  app.get<{ Querystring: SignedInQuery }>('/dev/signed-in', back, async ({ query }, reply) => {
    reply.type('text/html; charset=utf-8')
    return page('Back from Google', signedInBody(query, publicUrl))
  })
}

const LINK = /https?:\/\/\S+/g

const entry = ({ subject, to, from, sentAt, text }: CapturedMail): string => `
  <h2>${escapeHtml(subject)}</h2>
  <p class="quiet">${escapeHtml(sentAt)} · from ${escapeHtml(from)} · to ${escapeHtml(to)}</p>
  <pre>${escapeHtml(text).replace(LINK, url => `<a href="${url}">${url}</a>`)}</pre>`

const SIGNED = "-H 'Authorization: Bearer …' \\\n  "

const curl = (url: string, body: object, headers = ''): string => `
  <pre>curl -i ${escapeHtml(url)} \\
  ${escapeHtml(headers)}-H 'Content-Type: application/json' -d '${escapeHtml(JSON.stringify(body))}'</pre>`

const instruction = (request: string): string => `
  <p>In production this link leads to your front end (APP_URL), which then sends:</p>${request}`

const signedInBody = ({ code, error }: SignedInQuery, publicUrl: string): string => {
  if (code !== undefined) return instruction(curl(`${publicUrl}/api/v1/auth/exchange`, { code }))
  if (error === undefined) return '<p>The Google account is linked.</p>'
  return `<p>Not signed in: <a href="/docs/errors/${escapeHtml(error)}">${escapeHtml(error)}</a></p>`
}

const withAccount = (request: string): string => `
  <p>Or, for who has an account with the address and is signed in:</p>${request}`
