import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { type Browser, chromium } from 'playwright-core'
import t from 'tap'
import { loadDemo } from '../../src/demo.ts'
import { demoUser, demoViewer } from '../../src/lib/demo.ts'
import { listen, testApp } from '../helpers/app.ts'
import { eventually } from '../helpers/mail.ts'
import { freePort } from '../helpers/ports.ts'

const SERVER = fileURLToPath(new URL('../../examples/live/server.mjs', import.meta.url))
const CHROMIUM = '/usr/bin/chromium'
const skip = !existsSync(CHROMIUM) && `no ${CHROMIUM}`

t.test('two windows of a browser show how a room and a task list change', { skip }, async t => {
  const port = await freePort()
  const page = `http://localhost:${port}`
  const { app } = await testApp(t, { corsOrigins: [page] })
  await loadDemo(app)
  const server = spawn(process.execPath, ['--no-warnings', SERVER], { env: { PORT: String(port) } })
  t.teardown(() => server.kill())
  await eventually(
    () =>
      fetch(page).then(
        ({ ok }) => ok,
        () => false,
      ),
    'the page is served',
  )
  const browser = await chromium.launch({ executablePath: CHROMIUM, args: ['--no-sandbox'] })
  t.teardown(() => browser.close())
  const faults: string[] = []
  const url = `${page}/?server=${await listen(app)}`
  const owner = await openWindow(browser, url, demoUser, faults)
  const viewer = await openWindow(browser, url, demoViewer, faults)

  await owner.locator('#present', { hasText: 'Demo Viewer' }).waitFor()
  await viewer.locator('#messages li', { hasText: 'Good morning, everybody!' }).waitFor()
  await owner.locator('#post input').pressSequentially('<b>Hello</b> from the other window')
  await viewer.locator('#typing', { hasText: 'Demo Owner is writing' }).waitFor()
  await owner.locator('#post button').click()
  await viewer.locator('#messages li', { hasText: 'Demo Owner: <b>Hello</b> from the other window' }).waitFor()
  await owner.locator('#messages li', { hasText: 'from the other window' }).waitFor()
  t.equal(await viewer.locator('#messages li').count(), await owner.locator('#messages li').count(), 'each once')

  await owner.locator('#add input').fill('A task of one window')
  await owner.locator('#add button').click()
  await viewer.locator('#tasks li', { hasText: 'A task of one window' }).waitFor()
  await viewer.locator('#post input').fill('A viewer writes nothing')
  await viewer.locator('#post button').click()
  await viewer.locator('#refusal', { hasText: /\w/ }).waitFor()
  t.equal(await viewer.locator('#post input').inputValue(), 'A viewer writes nothing', 'a refused text is not lost')
  await viewer.close()
  await owner.locator('#present', { hasNotText: 'Demo Viewer' }).waitFor()
  t.same(faults, [], 'no error in the windows')
})

/** Opens a window in which somebody has logged in. */
async function openWindow(
  browser: Browser,
  url: string,
  { email, password }: { email: string; password: string },
  faults: string[],
) {
  const page = await (await browser.newContext()).newPage()
  page.on('pageerror', error => void faults.push(error.message))
  await page.goto(url)
  await page.getByLabel('Email').fill(email)
  await page.getByLabel('Password').fill(password)
  await page.getByText('Log in').click()
  await page.locator('#state', { hasText: 'live' }).waitFor()
  return page
}
