import { requestErrors } from './errors.ts'
import { escapeHtml } from './html.ts'

export interface Field {
  name: string
  label: string
  type: 'text' | 'email' | 'password'
  /** A token of HTML's `autocomplete`, which password managers read. */
  autocomplete: string
}

/** The form of a plain page. All members are text and are escaped when they are shown. */
export interface Form {
  /** One string for each paragraph. */
  intro: string[]
  fields: Field[]
  button: string
  /** The path that the form is sent to; the path of its page when left out. */
  action?: string
}

interface Given {
  path: string
  token: string
  /** What the user entered before. */
  values?: Record<string, string>
}

/**
 * Renders the form. The token is sent in the body, so the address that the browser then shows, stores and logs does not
 * contain it.
 */
export const renderForm = ({ intro, fields, button, action }: Form, { path, token, values = {} }: Given): string =>
  `${intro.map(paragraph).join('')}<form method="post" action="${escapeHtml(action ?? path)}">` +
  `<input type="hidden" name="token" value="${escapeHtml(token)}">` +
  `${fields.map(field => input(field, values[field.name] ?? '')).join('')}<p><button>${escapeHtml(button)}</button></form>`

export const paragraph = (text: string): string => `<p>${escapeHtml(text)}</p>`

/** A password is never sent back, so the user must enter it again. */
const input = ({ name, label, type, autocomplete }: Field, value: string): string =>
  `<p><label>${escapeHtml(label)}<br><input name="${name}" type="${type}" autocomplete="${autocomplete}" required` +
  `${type === 'password' ? '' : ` value="${escapeHtml(value)}"`}></label></p>`

const UTF8 = new TextDecoder('utf-8', { fatal: true })

/**
 * Parses a body of `application/x-www-form-urlencoded`. Throws `malformed_request` when the body or a decoded value is
 * not UTF-8.
 */
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
