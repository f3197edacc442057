import { type Static, type TObject, Type } from '@sinclair/typebox'
import { Value } from '@sinclair/typebox/value'
import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest, RouteOptions } from 'fastify'
import fp from 'fastify-plugin'
import type { Caller } from '../events/caller.ts'
import { everyone } from '../lib/access.ts'
import { type AppError, requestErrors } from '../lib/errors.ts'
import { type Form, paragraph, parseForm, renderForm } from '../lib/form.ts'
import { escapeHtml, page as pageOf } from '../lib/html.ts'
import { Token } from '../lib/schema.ts'
import { logFault, toAppError } from './errors.ts'
import { PAGE_POLICY } from './security.ts'

const FORM_BYTES = 16_384
const MEDIA_TYPE = 'application/x-www-form-urlencoded'
const LINK_IS_OVER = 'This link was used before, has expired, or was cut off. Ask for a new one.'

const LinkQuery = Type.Object({ token: Token })

interface Page {
  /** The path below PUBLIC_URL; links lead there while APP_URL is not set. */
  path: string
  title: string
}
interface ShownPage<Q extends TObject> extends Page {
  querystring: Q
  /** Returns HTML; user input must be escaped. */
  body(query: Static<Q>): string
}
interface FormPage<B extends TObject> extends Page {
  /** The fields are text; `token` is one of them. */
  body: B
  /**
   * Returns the form for the token of a link; undefined when the token is no longer valid. It must change nothing:
   * malware scanners follow the links in mails too.
   */
  form(token: string): Promise<Form | undefined>
  /** Whether mail programs send the form by themselves, to the address of the link and whatever the body is (RFC 8058 §3.2). */
  oneClick?: true
  /** Does what the form asks for; returns one sentence about what was done. */
  submit(caller: Caller, body: Static<B>): Promise<string>
}

declare module 'fastify' {
  interface FastifyInstance {
    /**
     * Small pages for the links in mails and redirects: without scripts and cookies, and without effect until their
     * form is sent. The token of the link authorizes the request, so cross-site request forgery is not possible.
     */
    pages: {
      show<Q extends TObject>(page: ShownPage<Q>): void
      ask<B extends TObject>(page: FormPage<B>): void
    }
  }
}

const options = { config: { access: everyone, sensitive: true } }

async function pages(app: FastifyInstance) {
  await app.register(async scope => {
    // Only these pages accept forms, which other sites can send; the routes of the API still refuse them.
    scope.removeAllContentTypeParsers()
    scope.addContentTypeParser(
      MEDIA_TYPE,
      { parseAs: 'buffer', bodyLimit: FORM_BYTES },
      async (_: unknown, body: Buffer) => parseForm(body),
    )
    await scope.register(async anyMedia => {
      anyMedia.addContentTypeParser('*', { parseAs: 'buffer', bodyLimit: FORM_BYTES }, async () => ({}))
      app.decorate('pages', {
        show: page => show(scope, page),
        ask: page => (page.oneClick ? askByOneClick(scope, anyMedia, page) : ask(scope, page)),
      })
    })
  })
}

function show<Q extends TObject>(scope: FastifyInstance, page: ShownPage<Q>): void {
  scope.get<{ Querystring: Static<Q> }>(
    page.path,
    { ...options, schema: schemaOf(page, { querystring: page.querystring }), errorHandler: refuse(page) },
    async ({ query }, reply) => answer(reply, 200, page, page.body(query as Static<Q>)),
  )
}

function ask<B extends TObject>(scope: FastifyInstance, page: FormPage<B>): void {
  const errorHandler = offer(scope, page)
  scope.post<{ Body: Static<B> }>(
    page.path,
    { ...options, schema: schemaOf(page, { body: page.body }), errorHandler },
    ({ caller, body }, reply) => done(page, caller, body as Static<B>, reply),
  )
}

/** Takes the token of the address, or of the form of the page. */
function askByOneClick<B extends TObject>(scope: FastifyInstance, anyMedia: FastifyInstance, page: FormPage<B>): void {
  const errorHandler = offer(scope, page)
  anyMedia.post<{ Querystring: { token?: string }; Body: { token?: string } | undefined }>(
    page.path,
    {
      ...options,
      schema: schemaOf(page, { body: Type.Unknown(), querystring: Type.Partial(LinkQuery) }),
      errorHandler,
    },
    ({ caller, query, body }, reply) => {
      const token = query.token ?? body?.token
      if (!Value.Check(Token, token)) throw requestErrors.not_found()
      return done(page, caller, { token } as Static<B>, reply)
    },
  )
}

const done = async <B extends TObject>(page: FormPage<B>, caller: Caller, body: Static<B>, reply: FastifyReply) =>
  answer(reply, 200, page, paragraph(await page.submit(caller, body)))

/** Shows the form for the token of a link; returns the error handler of the page. */
function offer<B extends TObject>(
  scope: FastifyInstance,
  page: FormPage<B>,
): NonNullable<RouteOptions['errorHandler']> {
  const errorHandler = refuse(page, page.form)
  scope.get<{ Querystring: Static<typeof LinkQuery> }>(
    page.path,
    { ...options, schema: schemaOf(page, { querystring: LinkQuery }), errorHandler },
    async ({ query: { token } }, reply) => {
      const form = await page.form(token)
      if (!form) return answer(reply, 400, page, paragraph(LINK_IS_OVER))
      return answer(reply, 200, page, renderForm(form, { path: page.path, token }))
    },
  )
  return errorHandler
}

/** The operation is named in metrics and logs, but hidden in the document. */
const schemaOf = ({ path }: Page, schema: object) => ({ hide: true, operationId: `page:${path.slice(1)}`, ...schema })

function answer(reply: FastifyReply, status: number, { title }: Page, body: string): string {
  reply
    .code(status)
    .type('text/html; charset=utf-8')
    .headers({ 'content-security-policy': PAGE_POLICY, 'cache-control': 'no-store' })
  return pageOf(title, body)
}

/** Shows the same page with a sentence about the error and, if another try may succeed, the filled-in form. */
const refuse =
  (page: Page, formOf: FormPage<TObject>['form'] = async () => undefined): NonNullable<RouteOptions['errorHandler']> =>
  async (thrown: FastifyError, request: FastifyRequest, reply: FastifyReply) => {
    const error = toAppError(thrown)
    logFault(error, request)
    reply.headers(error.headers)
    const values = textsOf(request.body)
    const { token } = { ...textsOf(request.query), ...values }
    // A rate-limited client causes no look-up; if the look-up fails, the page has no form.
    const form = token === undefined || error.status === 429 ? undefined : await formOf(token).catch(() => undefined)
    const sentence = `<p role="alert"><b>${escapeHtml(sentenceOf(error, form))}</b></p>`
    const again = form && token !== undefined ? renderForm(form, { path: page.path, token, values }) : ''
    return answer(reply, statusOf(error), page, sentence + again)
  }

/** A wrong password in a form is not a failed HTTP authentication, for which a 401 would have to name a scheme. */
const statusOf = ({ status }: AppError): number => (status === 401 ? 403 : status)

const textsOf = (given: unknown): Record<string, string> =>
  Object.fromEntries(Object.entries(given ?? {}).filter(([, value]) => typeof value === 'string'))

function sentenceOf({ status, title, errors }: AppError, form: Form | undefined): string {
  const [first] = errors ?? []
  const field = form?.fields.find(({ name }) => first?.pointer === `#/${name}`)
  if (first && field) return `${field.label} ${first.detail.replace('NOT', 'not')}.`
  if (status === 429) return `${title}. Wait a minute, then go back and try again.`
  if (status >= 500) return `${title}. Go back in a moment and try again.`
  const isOver = form === undefined && [400, 422].includes(status)
  return isOver ? LINK_IS_OVER : `${title}.`
}

export const pagesPlugin = fp(pages, { name: 'pages', dependencies: ['errors', 'access', 'rate-limit', 'events'] })
