import { execFile } from 'node:child_process'
import { cpSync, readdirSync, readFileSync, statSync, symlinkSync } from 'node:fs'
import { join, relative } from 'node:path'
import { promisify } from 'node:util'
import t from 'tap'
import { ROOT } from './sources.ts'

const run = promisify(execFile)
const OMITTED = ['node_modules', '.git', '.data', '.tap']
/** The tests generated for every route that check the new domain. */
const TESTS = [
  'test/architecture.test.ts',
  'test/domains/notes/notes.test.ts',
  'test/contract.test.ts',
  'test/contract/effects.test.ts',
  'test/contract/isolation.test.ts',
  'test/contract/matrix.test.ts',
]

/** The most lines of a plain domain, without imports and empty lines. */
const PLAIN_LINES = 80

/** Returns the content of every file below `folder`, by path. */
const filesIn = (folder: string): Map<string, string> =>
  new Map(
    readdirSync(folder, { recursive: true, encoding: 'utf8' })
      .map(path => join(folder, path))
      .filter(path => !path.includes('node_modules') && statSync(path).isFile())
      .map(path => [relative(folder, path), readFileSync(path, 'utf8')]),
  )

/** Copies the repository without its history and data, to be changed. */
function copyOfAll(folder: string): void {
  for (const entry of readdirSync(ROOT).filter(entry => !OMITTED.includes(entry)))
    cpSync(join(ROOT, entry), join(folder, entry), { recursive: true })
  symlinkSync(join(ROOT, 'node_modules'), join(folder, 'node_modules'))
}

t.test(
  'a new domain is a folder, its tests, a migration and one line, and passes what every domain passes',
  async t => {
    const folder = t.testdir()
    copyOfAll(folder)
    const before = filesIn(folder)
    const node = (...args: string[]) =>
      run(process.execPath, args, { cwd: folder, env: { ...process.env, TEST_OPERATIONS: 'notes' } }).catch(
        error => error,
      )

    t.match(await node('bin/new.ts', 'notes'), { stderr: '' })

    const after = filesIn(folder)
    const changed = [...after].filter(([path, text]) => before.get(path) !== text).map(([path]) => path)
    const foreign = changed.filter(path => !/^((src|test)\/domains\/notes|migrations)\//.test(path))
    t.same(foreign, ['src/domains/index.ts'])
    const lines = (text = '') => text.split('\n').length
    t.equal(
      lines(after.get(foreign[0] as string)) - lines(before.get(foreign[0] as string)),
      2,
      'by its import and its place',
    )
    const own = [...after].filter(([path]) => path.startsWith('src/domains/notes/') && path.endsWith('.ts'))
    const code = own.flatMap(([, text]) => text.split('\n')).filter(line => line !== '' && !line.startsWith('import '))
    t.ok(code.length <= PLAIN_LINES, `${code.length} lines`)

    t.match(await node('node_modules/typescript/bin/tsc', '-p', '.'), { stdout: '' })
    t.match(await node('node_modules/@biomejs/biome/bin/biome', 'check', 'src', 'test'), { stdout: /No fixes applied/ })
    const tests = await node('test/run.ts', ...TESTS)
    t.notOk(
      tests.code,
      tests.stdout
        .split('\n')
        .filter((line: string) => line.includes('not ok'))
        .join('\n'),
    )
  },
)
