import { execFile, execFileSync } from 'node:child_process'
import { readdirSync, rmSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import t from 'tap'

const run = promisify(execFile)
const ROOT = fileURLToPath(new URL('../..', import.meta.url))
/** The code that may still serve while the migrations of this code run: the last release, as tag or commit. */
const PREVIOUS = 'a844b82'
/** Calls every operation until it succeeds, and looks at what it leaves. */
const CONTRACT = 'test/contract/effects.test.ts'

const git = (...args: string[]): Buffer =>
  execFileSync('git', args, { cwd: ROOT, stdio: ['ignore', 'pipe', 'ignore'], maxBuffer: 2 ** 28 })

/** Why the code of the last release cannot be had, or false. */
function missing(): string | false {
  try {
    git('cat-file', '-e', `${PREVIOUS}^{commit}`)
    return false
  } catch {
    return `the commit ${PREVIOUS} is not in this copy`
  }
}

t.test('the code of the last release keeps its contract on the schema of this one', { skip: missing() }, async t => {
  const folder = t.testdir({})
  execFileSync('tar', ['-x', '-C', folder], { input: git('archive', PREVIOUS) })
  const migrations = join(folder, 'migrations')
  const old = readdirSync(migrations).length
  rmSync(migrations, { recursive: true })
  symlinkSync(join(ROOT, 'migrations'), migrations)
  symlinkSync(join(ROOT, 'node_modules'), join(folder, 'node_modules'))
  t.ok(readdirSync(migrations).length > old, 'the schema has changed since')

  const played = await run(process.execPath, ['test/run.ts', CONTRACT], { cwd: folder, maxBuffer: 2 ** 28 }).catch(
    error => error,
  )
  t.match(played.stdout, /^# 1 files, \d{3,} assertions, 0 failed/m, played.stdout)
})
