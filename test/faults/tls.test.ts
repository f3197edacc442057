import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { migrate } from '../../src/database/migrate.ts'
import { appOn } from '../helpers/app.ts'
import { Cluster, withoutClusters } from './cluster.ts'

const OPENSSL = '/usr/bin/openssl'
const DATABASE = 'lintel'
const skip = withoutClusters || (!existsSync(OPENSSL) && `no ${OPENSSL}`)

/** Makes a certificate authority, and by it a certificate for `name`. */
function certificates(t: Test, name: string) {
  const cwd = t.testdir({ names: `subjectAltName=${name}` })
  const openssl = (...args: string[]) => execFileSync(OPENSSL, args, { cwd, stdio: 'ignore' })
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '2']
  openssl('req', '-x509', ...key, '-subj', '/CN=authority', '-keyout', 'authority.key', '-out', 'authority.pem')
  openssl('req', ...key.slice(0, -2), '-subj', '/CN=server', '-keyout', 'server.key', '-out', 'server.csr')
  const by = ['-CA', 'authority.pem', '-CAkey', 'authority.key', '-CAcreateserial']
  openssl('x509', '-req', '-in', 'server.csr', ...by, '-days', '2', '-extfile', 'names', '-out', 'server.crt')
  const read = (file: string) => readFileSync(join(cwd, file), 'utf8')
  return {
    authority: join(cwd, 'authority.pem'),
    files: { 'server.key': read('server.key'), 'server.crt': read('server.crt') },
  }
}

async function encrypted(t: Test, name: string) {
  const { authority, files } = certificates(t, name)
  const cluster = await Cluster.create(t, { settings: '-c ssl=on', files })
  await cluster.createDatabase(DATABASE)
  return { authority, url: (query: string) => `${cluster.urlOf(DATABASE)}?${query}` }
}

t.test('sslmode=verify-full takes the server whose certificate the CA file has signed', { skip }, async t => {
  const { authority, url } = await encrypted(t, 'IP:127.0.0.1')
  const databaseUrl = url(`sslmode=verify-full&sslrootcert=${authority}`)
  await migrate(databaseUrl)
  const { app, sql } = await appOn(t, databaseUrl)
  t.equal((await app.inject('/health/ready')).statusCode, 200)
  const plain = await sql(
    'select pid from pg_stat_ssl join pg_stat_activity using (pid) where not ssl and application_name like $1',
    ['lintel%'],
  )
  t.strictSame(plain, [], 'every connection is encrypted')
})

t.test('and refuses one of another authority, or with another name, in a sentence', { skip }, async t => {
  const own = await encrypted(t, 'IP:127.0.0.1')
  const other = certificates(t, 'IP:127.0.0.1')
  await t.rejects(migrate(own.url(`sslmode=verify-full&sslrootcert=${other.authority}`)), {
    message: /^The database of DATABASE_URL cannot be reached: .*certificate/,
  })
  const elsewhere = await encrypted(t, 'DNS:db.example')
  await t.rejects(migrate(elsewhere.url(`sslmode=verify-full&sslrootcert=${elsewhere.authority}`)), {
    message: /^The database of DATABASE_URL cannot be reached: .*IP/,
  })
})
