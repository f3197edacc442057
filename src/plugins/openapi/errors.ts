import type { FastifyInstance, FastifyReply } from 'fastify'
import { everyone } from '../../lib/access.ts'
import { type ErrorDefinition, errorCatalogue, requestErrors } from '../../lib/errors.ts'
import { escapeHtml, page } from '../../lib/html.ts'
import { pageSecurity } from '../security.ts'

const INTRODUCTION = `<p>Every failure is <code>application/problem+json</code> (RFC 9457). Its <code>code</code> is stable and its
<code>type</code> leads to the entry below; <code>detail</code> and <code>errors</code> say what is particular to this one.</p>`

/** Shows all codes at `/docs/errors`, the target of a problem's `type`, and each at `/docs/errors/<code>`. */
export async function errorPages(scope: FastifyInstance) {
  await pageSecurity(scope)
  const options = { config: { access: everyone, page: true }, schema: { hide: true } }
  const html = (reply: FastifyReply, title: string, body: string) => {
    reply.type('text/html; charset=utf-8')
    return page(title, body)
  }
  scope.get('/docs/errors', options, async (_request, reply) =>
    html(reply, 'Errors', INTRODUCTION + [...errorCatalogue].map(entry).join('')),
  )
  scope.get<{ Params: { code: string } }>('/docs/errors/:code', options, async ({ params: { code } }, reply) => {
    const definition = errorCatalogue.get(code)
    if (!definition) throw requestErrors.not_found()
    return html(reply, definition.title, `${entry([code, definition])}<p><a href="/docs/errors">All errors</a></p>`)
  })
}

const entry = ([code, { status, title, help, retryAfter }]: [string, ErrorDefinition]) =>
  `<h2 id="${code}"><a href="/docs/errors/${code}">${status} <code>${code}</code></a></h2><p><b>${inline(title)}.</b> ` +
  `${inline(help)}${retryAfter === undefined ? '' : ` The answer carries <code>Retry-After: ${retryAfter}</code>.`}</p>`

/** Turns text with words in backticks into HTML. */
const inline = (text: string): string => escapeHtml(text).replace(/`([^`]+)`/g, '<code>$1</code>')
