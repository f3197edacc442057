import { errorCatalogue } from '../../../lib/errors.ts'
import { paragraph } from '../../../lib/form.ts'
import { escapeHtml } from '../../../lib/html.ts'
import type { SignedInQuery } from '../schemas/google.ts'

/** Returns the result of the Google callback as HTML, for services without a front end. */
export function signedInBody({ code, error, linked }: SignedInQuery): string {
  if (code !== undefined) return exchange(code)
  if (linked !== undefined) return paragraph('The Google account is linked.')
  if (error === undefined) return paragraph('This page says what came of signing in with Google.')
  return paragraph(`Not signed in: ${errorCatalogue.get(error)?.title ?? error}.`)
}

const exchange = (code: string): string =>
  `${paragraph('Google has said who you are. A front end (APP_URL) would sign in here, within 60 seconds, by:')}
<pre>POST /api/v1/auth/exchange
${escapeHtml(JSON.stringify({ code }))}</pre>`
