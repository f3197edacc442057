/** A page as a browser without scripts and cookies gets it. */
export interface Shown {
  status: number
  headers: Headers
  html: string
  /** The visible text. */
  text: string
}

export interface ShownForm {
  action: string
  hidden: Record<string, string>
  /** The visible fields with their values. */
  fields: Record<string, string>
}

export async function openPage(url: string, init: RequestInit = {}): Promise<Shown> {
  const answer = await fetch(url, { redirect: 'manual', ...init })
  const html = await answer.text()
  return { status: answer.status, headers: answer.headers, html, text: textOf(html) }
}

const ENTITIES: Record<string, string> = { '&amp;': '&', '&lt;': '<', '&gt;': '>', '&quot;': '"', '&#39;': "'" }
const plain = (html: string): string => html.replace(/&(amp|lt|gt|quot|#39);/g, entity => ENTITIES[entity] as string)
const textOf = (html: string): string =>
  plain(html.replace(/<style>.*<\/style>|<[^>]*>/gs, ' ').replace(/\s+/g, ' ')).trim()

export function formIn({ html }: Shown): ShownForm {
  const [, action = ''] = /<form method="post" action="([^"]*)"/.exec(html) ?? []
  if (action === '') throw new Error(`no form: ${textOf(html)}`)
  const hidden: Record<string, string> = {}
  const fields: Record<string, string> = {}
  for (const [input] of html.matchAll(/<input [^>]*>/g)) {
    const attribute = (name: string) => plain(new RegExp(` ${name}="([^"]*)"`).exec(input)?.[1] ?? '')
    const into = attribute('type') === 'hidden' ? hidden : fields
    into[attribute('name')] = attribute('value')
  }
  return { action, hidden, fields }
}

/** Sends the form of a page. Throws unless `given` has exactly its fields. */
export async function sendForm(page: Shown, base: string, given: Record<string, string> = {}): Promise<Shown> {
  const { action, hidden, fields } = formIn(page)
  const [asked, answered] = [fields, given].map(names => Object.keys(names).sort().join())
  if (asked !== answered) throw new Error(`the form asks for ${asked}, not ${answered}`)
  return openPage(new URL(action, base).href, { method: 'POST', body: new URLSearchParams({ ...hidden, ...given }) })
}
