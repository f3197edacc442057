import type { TestApp } from './app.ts'
import { Browser } from './browser.ts'
import { type Credentials, call } from './call.ts'
import type { Person, Provider } from './provider.ts'

/** Signs in with Google like a person: in a browser, through the provider, back to the front end. */
export class GoogleVisits {
  readonly #test: TestApp
  readonly #provider: Provider
  readonly api: string
  readonly page: string

  constructor(test: TestApp, provider: Provider) {
    this.#test = test
    this.#provider = provider
    this.api = `${test.config.publicUrl}/api/v1/auth/google`
    this.page = `${test.config.appUrl}/signed-in`
  }

  /** Goes as far as the provider's response: returns the URL to which it sends the browser. */
  async answer(person: Person | null, browser = new Browser(this.#test), start = this.api) {
    this.#provider.person = person
    browser.jar(this.#provider.google.issuer).clear()
    return { browser, url: await browser.follow(start, `${this.api}/callback`) }
  }

  /** Returns the query parameters that the front end gets. */
  async outcome(person: Person | null, browser = new Browser(this.#test), start = this.api) {
    const { url } = await this.answer(person, browser, start)
    return this.land(browser, url)
  }

  async land(browser: Browser, url: string): Promise<Record<string, string>> {
    const landed = await browser.follow(url, this.page)
    if (!landed.startsWith(this.page)) throw new Error(landed)
    return Object.fromEntries(new URL(landed).searchParams)
  }

  exchange(code: string | undefined, more: object = {}) {
    return call(this.#test.app, 'POST /auth/exchange', { body: { code, ...more } })
  }

  /** Signs in completely; returns the tokens. */
  async signIn(person: Person) {
    return this.exchange((await this.outcome(person)).code)
  }

  /** Starts linking in `browser`, as a front end does. */
  async link(as: Credentials, browser = new Browser(this.#test), body?: object) {
    const answer = await call(this.#test.app, 'POST /auth/google/link', { as, ...(body ? { body } : {}) })
    browser.keep(this.api, [answer.headers['set-cookie'] ?? []].flat())
    return { browser, answer, url: answer.body.url as string }
  }
}
