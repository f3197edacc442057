import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import { checkLintel, startLintel } from './lintel.ts'
import { emptyDatabase } from './postgres.ts'

const LAUNCHER = fileURLToPath(new URL('../../bin/lintel.mjs', import.meta.url))
/** Removes `process.execve`, which Node 20 and Windows do not have. */
const WITHOUT_EXEC = ['--import', 'data:text/javascript,process.execve=undefined', LAUNCHER]
const COMPLETE = {
  NODE_ENV: 'production',
  PUBLIC_URL: 'https://lintel.test',
  DATABASE_URL: 'postgres://127.0.0.1:1/none',
  JWT_SECRET: 'Kf4-start-tests-only-2sRx-Vn91-qD7e-Hy3a',
  ENCRYPTION_KEYS: 'pM3vX0m5n1m8Jr0yq2c7F4tZs6Qe9WbLhUdKiGoAxYk=',
}

const argumentsOf = (pid: number): string[] => readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0')
const childrenOf = (pid: number): number[] =>
  readdirSync('/proc').flatMap(entry => (/^\d+$/.test(entry) && parentOf(entry) === pid ? Number(entry) : []))

function parentOf(pid: string): number | undefined {
  try {
    return Number(/^PPid:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1])
  } catch {
    return undefined
  }
}

t.test('the launcher becomes the server: one process, with its flags, that a signal stops in order', async t => {
  const lintel = await startLintel(t, { databaseUrl: await emptyDatabase(t), args: [LAUNCHER] })
  t.ok(argumentsOf(lintel.pid).includes('--max-semi-space-size=16'))
  t.same(childrenOf(lintel.pid), [])
  t.equal(await lintel.end('SIGTERM'), 0)
  t.strictSame(lintel.faults(), [])
})

t.test('where there is no exec the launcher passes signals on and ends as the server does', async t => {
  const lintel = await startLintel(t, { databaseUrl: await emptyDatabase(t), args: WITHOUT_EXEC })
  const [server, ...others] = childrenOf(lintel.pid)
  t.same(others, [])
  t.ok(argumentsOf(server as number).includes('--max-semi-space-size=16'))
  t.equal(await lintel.end('SIGTERM'), 0)
  t.throws(() => process.kill(server as number, 0), 'the server has ended too')
  t.strictSame(lintel.faults(), [])
})

t.test('it runs in any folder, says nothing of its own, and its exit code is that of the server', async t => {
  const cwd = t.testdir({ '.env': 'LOG_LEVEL=loud\n' })
  for (const args of [[LAUNCHER], WITHOUT_EXEC, [join(LAUNCHER, '../../src/server.ts')]]) {
    t.same(await checkLintel(COMPLETE, { args }), { code: 0, said: 'The configuration is complete.\n' })
    const elsewhere = await checkLintel(COMPLETE, { args, cwd })
    t.match(elsewhere, { code: 1, said: /^LOG_LEVEL is not valid/ }, 'the .env is that of the folder')
  }
})
