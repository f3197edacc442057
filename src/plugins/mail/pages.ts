import { type Static, Type } from '@sinclair/typebox'
import type { FastifyInstance } from 'fastify'
import { everyone } from '../../lib/access.ts'
import { escapeHtml, page } from '../../lib/html.ts'
import { Token } from '../../lib/schema.ts'
import { pageSecurity } from '../security.ts'
import type { CapturedMail, Mailbox } from './mailbox.ts'

const VerifyQuery = Type.Object({ token: Token })
type VerifyQuery = Static<typeof VerifyQuery>

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

  const schema = { hide: true, querystring: VerifyQuery }
  app.get<{ Querystring: VerifyQuery }>('/dev/verify-email', { config, schema }, async (request, reply) => {
    reply.type('text/html; charset=utf-8')
    return page('Confirm an address', confirmation(request.query.token, publicUrl))
  })
}

const LINK = /https?:\/\/\S+/g

const entry = ({ subject, to, from, sentAt, text }: CapturedMail): string => `
  <h2>${escapeHtml(subject)}</h2>
  <p class="quiet">${escapeHtml(sentAt)} · from ${escapeHtml(from)} · to ${escapeHtml(to)}</p>
  <pre>${escapeHtml(text).replace(LINK, url => `<a href="${url}">${url}</a>`)}</pre>`

const confirmation = (token: string, publicUrl: string): string => `
  <p>In production this link leads to your front end (APP_URL), which then sends:</p>
  <pre>curl -i ${escapeHtml(publicUrl)}/api/v1/auth/verify-email \\
  -H 'Content-Type: application/json' -d '{"token":"${escapeHtml(token)}"}'</pre>`
