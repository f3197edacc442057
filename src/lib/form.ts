import { requestErrors } from './errors.ts'
import { escapeHtml } from './html.ts'

export interface Field {
  name: string
  label: string
  type: 'text' | 'email' | 'password'
  /** A token of HTML's `autocomplete`, by which password managers know what is asked. */
  autocomplete: string
}

/** What a page asks before it does something. Everything is text, which is escaped where it is shown. */
export interface Form {
  /** Each a paragraph. */
  intro: string[]
  fields: Field[]
  button: string
  /** The path it is sent to; that of its page where it is left out. */
  action?: string
}

interface Given {
  path: string
  token: string
  /** What was filled in before. */
  values?: Record<string, string>
}

/** The token travels in the body: the path that the browser then shows, keeps and logs is without it. */
export const renderForm = ({ intro, fields, button, action }: Form, { path, token, values = {} }: Given): string =>
  `${intro.map(paragraph).join('')}<form method="post" action="${escapeHtml(action ?? path)}">` +
  `<input type="hidden" name="token" value="${escapeHtml(token)}">` +
  `${fields.map(field => input(field, values[field.name] ?? '')).join('')}<p><button>${escapeHtml(button)}</button></form>`

export const paragraph = (text: string): string => `<p>${escapeHtml(text)}</p>`

/** A password is typed anew: it never travels back. */
const input = ({ name, label, type, autocomplete }: Field, value: string): string =>
  `<p><label>${escapeHtml(label)}<br><input name="${name}" type="${type}" autocomplete="${autocomplete}" required` +
  `${type === 'password' ? '' : ` value="${escapeHtml(value)}"`}></label></p>`

const UTF8 = new TextDecoder('utf-8', { fatal: true })

/** A body of `application/x-www-form-urlencoded`. Throws `malformed_request` where it or what it encodes is not UTF-8. */
export function parseForm(body: Buffer): Record<string, string> {
  try {
    const pairs = UTF8.decode(body).replaceAll('+', ' ').split('&').filter(Boolean)
    return Object.fromEntries(
      pairs.map(pair => {
        const [name = '', value = ''] = pair.split(/=(.*)/s, 2).map(decodeURIComponent)
        return [name, value]
      }),
    )
  } catch {
    throw requestErrors.malformed_request()
  }
}
