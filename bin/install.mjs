// Plain JavaScript without dependencies, since this script installs them. It runs before the start and the tests on
// Node >= 20.
import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const OLDEST_NODE = 20
/**
 * The first major version that runs TypeScript directly. An older Node uses the development dependency `node` instead.
 */
const OWN_NODE = 24
/** Shows only errors: npm's warnings concern the Node of the machine, which is not the one that runs Lintel. */
const CLEAN_INSTALL = ['ci', '--include=dev', '--no-audit', '--no-fund', '--loglevel=error']

const root = fileURLToPath(new URL('..', import.meta.url))
const modules = join(root, 'node_modules')
const major = Number.parseInt(process.versions.node, 10)
const windows = process.platform === 'win32'

if (major < OLDEST_NODE) {
  fail(
    `Lintel needs Node ${OLDEST_NODE} or newer, and this is ${process.version}: install a newer one from https://nodejs.org.`,
  )
}
if (!installed()) {
  install()
  compile()
}

/**
 * Compares what npm recorded at the end of its last complete install with the lock file. An interrupted install leaves
 * no record, or a record of packages that are missing.
 */
function installed() {
  const record = readPackages(join(modules, '.package-lock.json'))
  if (!record || !hasNode()) return false
  const wanted = Object.entries(readPackages(join(root, 'package-lock.json')) ?? {})
  const present = ([path, { version, integrity, optional, devOptional }]) =>
    path === '' ||
    optional ||
    devOptional ||
    (record[path]?.version === version &&
      record[path].integrity === integrity &&
      existsSync(join(root, path, 'package.json')))
  const missing = wanted.filter(entry => !present(entry)).map(([, { dev }]) => dev)
  return missing.length === 0 || (isProduction(record) && missing.every(Boolean))
}

/** An image without development packages has its own Node and does not run the tests. */
function isProduction(record) {
  const withoutDev = !Object.values(record).some(({ dev }) => dev)
  return withoutDev && major >= OWN_NODE && process.env.npm_lifecycle_event !== 'pretest'
}

function hasNode() {
  return major >= OWN_NODE || existsSync(join(modules, 'node', 'bin', windows ? 'node.exe' : 'node'))
}

function readPackages(path) {
  try {
    return JSON.parse(readFileSync(path, 'utf8')).packages
  } catch {
    return undefined
  }
}

function install() {
  console.log('Installing dependencies (one to three minutes, once) …')
  const options = { cwd: root, stdio: 'inherit', env: withoutOwnBin(process.env), shell: windows }
  const { error, signal, status } = spawnSync('npm', CLEAN_INSTALL, options)
  if (error?.code === 'ENOENT')
    fail('Lintel needs npm, and it is not on the PATH: Node from https://nodejs.org brings it.')
  if (error || status !== 0) {
    const reason = error?.message ?? signal ?? `code ${status}`
    fail(
      `Installing the dependencies failed (npm ci: ${reason}); the lines above say why, the same command tries again.`,
    )
  }
  if (!hasNode()) {
    fail(
      'npm did not run the install script that brings Node 24: run "npm ci --ignore-scripts=false", or install Node 24.',
    )
  }
}

/**
 * The first process that runs the sources compiles them, which takes a second and 17 MB; later ones use the cached
 * result.
 */
function compile() {
  spawnSync(process.execPath, [join(root, 'bin', 'lintel.mjs'), '--check'], { cwd: root, stdio: 'ignore' })
}

/**
 * Returns `env` with our `node_modules/.bin` removed from PATH: npm must not run on the Node in the folder that it
 * empties.
 */
function withoutOwnBin(env) {
  const name = Object.keys(env).find(key => key.toUpperCase() === 'PATH') ?? 'PATH'
  const path = (env[name] ?? '').split(delimiter).filter(folder => folder !== join(modules, '.bin'))
  return { ...env, [name]: path.join(delimiter) }
}

function fail(sentence) {
  console.error(sentence)
  process.exit(1)
}
