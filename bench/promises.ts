import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'

// Runs the tests of promised times one after another with the promised bounds, which are too short for a busy machine.

const ROOT = fileURLToPath(new URL('..', import.meta.url))

const FILES = {
  'test/domains/auth/revocation.test.ts': 'an ended session is refused on every process within 1 s',
  'test/domains/audit/stream-access.test.ts': 'a stream whose access has ended is closed within 5 s',
  'test/domains/audit/live-closing.test.ts': 'a socket whose access has ended is closed within 5 s',
  'test/faults/slow.test.ts': 'slow headers and bodies are cut off within 15 s',
  'test/faults/silence.test.ts': 'a silent database: every answer within 5 s, and service within 5 s after it',
  'test/faults/restart.test.ts': 'a restarted PostgreSQL: service within 2 s after it accepts',
  'test/faults/shutdown.test.ts': 'a process under load stops within 5 s',
}

const env = { ...process.env, PROMISED_BOUNDS: '1' }
const broken = Object.entries(FILES).filter(([file, promise]) => {
  const { status, stdout } = spawnSync(process.execPath, ['test/run.ts', file], { cwd: ROOT, env, encoding: 'utf8' })
  console.log(`${status === 0 ? 'held  ' : 'broken'} ${promise}`)
  if (status !== 0) console.log(stdout)
  return status !== 0
})
process.exitCode = broken.length === 0 ? 0 : 1
