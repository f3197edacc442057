import { join } from 'node:path'
import t from 'tap'
import { reachOf } from './changes.ts'
import { chooseFiles } from './files.ts'
import { Graph } from './graph.ts'
import { runAll } from './pool.ts'
import { type Run, runFile, TestProcess } from './process.ts'

const never = new AbortController().signal
const graph = new Graph()
const { files } = chooseFiles([])
const reached = (...changed: string[]) => reachOf(graph, files, changed)
/** Joins the parts at run time: written as one word, the path would count as used by this file. */
const src = (path: string) => `src/${path}`
const test = (path: string) => `test/${path}.test.ts`

t.test('a change in a domain runs its tests, those of its users, and of the generated ones its operations', async t => {
  const { files: chosen, operations } = reached(src('domains/comments/service.ts'))
  for (const file of [test('domains/comments/comments'), test('contract'), test('architecture')])
    t.ok(chosen.includes(file), file)
  for (const file of [test('domains/auth/google'), test('lib/cursor'), test('faults/start')])
    t.notOk(chosen.includes(file), file)
  t.same(operations, ['comments'])
  const { files: ofUsers } = reached(src('domains/users/queries/users.ts'))
  t.ok(ofUsers.includes(test('domains/auth/registration')), 'auth uses users')
})

t.test('a change of what every request passes runs whatever starts the application', async t => {
  const { files: chosen, operations } = reached(src('plugins/errors.ts'), src('domains/comments/service.ts'))
  t.same(
    chosen.filter(file => /^test\/(domains|contract|attacks)/.test(file) && graph.needsDatabase(file)),
    files.filter(file => /^test\/(domains|contract|attacks)/.test(file) && graph.needsDatabase(file)),
  )
  t.notOk(chosen.includes(test('lib/cursor')))
  t.equal(operations, undefined, 'for all operations')
})

t.test('texts, fixtures and spawned programs count as well; what nothing reads runs nothing', async t => {
  t.same(reached(join('docs', 'guides', 'new.md')).files, [test(join('docs', 'guides'))])
  t.ok(reached(join('test', 'domains', 'tasks', 'matrix.txt')).files.includes(test('contract/matrix')))
  t.ok(reached(join('src', 'server.ts')).files.includes(test('faults/start')))
  t.same(reached('LICENSE').files, [])
  for (const path of ['package.json', 'migrations/0001_next.sql', join('test', 'helpers', 'app.ts')])
    t.equal(reached(path).files.length, files.length, path)
})

t.test('a file fails that fails, breaks, ends early or tests nothing', async t => {
  const programs = {
    'passes.ts': `import t from 'tap'; t.test('sound', async t => t.pass())`,
    'fails.ts': `import t from 'tap'; t.test('unsound', async t => t.fail('because'))`,
    'breaks.ts': `import t from 'tap'; t.test('sound', async t => t.pass()); throw new Error('broken')`,
    'leaves.ts': `import t from 'tap'; t.test('sound', async t => { process.exit(0) })`,
    'empty.ts': '',
    'skips.ts': `import 'tap'`,
  }
  const folder = t.testdir(programs)
  const runs = await Promise.all(Object.keys(programs).map(name => runFile(join(folder, name), process.env, never)))
  t.same(
    runs.map(({ passed }) => passed),
    [true, false, false, false, false, false],
  )
  t.match(runs[1]?.output, 'because')
})

/** A test that says in which process it runs. */
const says = `import t from 'tap'; t.test('sound', async t => { t.comment('process ' + process.pid); t.pass() })`
const processOf = ({ output }: Run) => /# process (\d+)/.exec(output)?.[1]

t.test('files share a process, each with its own result, until one fails', async t => {
  const programs = { 'a.ts': says, 'b.ts': says, 'fails.ts': `${says}; t.fail('because')` }
  const folder = t.testdir(programs)
  const shared = new TestProcess(process.env, never)
  const [a, b] = [await shared.run(join(folder, 'a.ts')), await shared.run(join(folder, 'b.ts'))]
  t.ok(a.passed && b.passed)
  t.ok(processOf(a) && processOf(a) === processOf(b))
  t.ok(shared.sound)
  const failed = await shared.run(join(folder, 'fails.ts'))
  t.equal(processOf(failed), processOf(a))
  t.notOk(failed.passed || shared.sound, 'it gets no other file')
  t.equal(await shared.end(), undefined)
})

t.test('a file that says so has a process of its own', async t => {
  const programs = { 'alone.ts': `// Runs in a process of its own: because.\n${says}`, 'a.ts': says, 'b.ts': says }
  const files = Object.keys(programs).map(name => join(t.testdir(programs), name))
  const runs = await runAll(files, process.env, never, () => {})
  const own = runs.filter(({ file }) => file.endsWith('alone.ts')).map(processOf)
  t.equal(own.length, 1)
  t.notOk(runs.some(run => !run.file.endsWith('alone.ts') && processOf(run) === own[0]))
})

t.test('a process that does not end is a failure that names what is open', async t => {
  const folder = t.testdir({ 'open.ts': `setInterval(() => {}, 1000); ${says}` })
  const shared = new TestProcess({ ...process.env, TEST_LEFT_OPEN_MS: '100' }, never)
  t.ok((await shared.run(join(folder, 'open.ts'))).passed)
  t.match(await shared.end(), { passed: false, output: /does not end because of: .*Timeout/ })
})
