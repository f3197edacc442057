import type { FastifyInstance } from 'fastify'
import { everyone } from '../../lib/access.ts'
import { escapeHtml, page } from '../../lib/html.ts'
import { pageSecurity } from '../security.ts'
import type { CapturedMail, Mailbox } from './mailbox.ts'

/** Shows the captured mails, in development only. */
export async function mailboxPages(app: FastifyInstance, { mailbox }: { mailbox: Mailbox }) {
  await pageSecurity(app)
  const config = { access: everyone, page: true }
  app.get('/dev/mail', { config, schema: { hide: true } }, async (_request, reply) => {
    const mails = await mailbox.list()
    reply.type('text/html; charset=utf-8')
    return page('Dev mailbox', mails.length > 0 ? mails.map(entry).join('') : '<p>No mail yet.</p>')
  })
}

const LINK = /https?:\/\/\S+/g

const entry = ({ subject, to, from, sentAt, text, attachments = [] }: CapturedMail): string => `
  <h2>${escapeHtml(subject)}</h2>
  <p class="quiet">${escapeHtml(sentAt)} · from ${escapeHtml(from)} · to ${escapeHtml(to)}</p>
  <pre>${escapeHtml(text).replace(LINK, url => `<a href="${url}">${url}</a>`)}</pre>${attachments.map(named).join('')}`

/** A link that holds the whole attachment. */
const named = ({ filename, contentType, content }: NonNullable<CapturedMail['attachments']>[number]): string =>
  `<p><a download="${escapeHtml(filename)}" href="data:${escapeHtml(contentType)};base64,${content}">${escapeHtml(filename)}</a></p>`
