import { execFileSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import { parse, parseAllDocuments } from 'yaml'
import { Environment } from '../src/config/environment.ts'
import { testApp } from './helpers/app.ts'

const ROOT = fileURLToPath(new URL('..', import.meta.url))
const FOLDER = join(ROOT, 'deploy')
const file = (name: string): string => readFileSync(join(FOLDER, name), 'utf8')
/** The time after which a stop is forced, as in src/server.ts. */
const STOP_SECONDS = 25
/** Variables of other programs and of Node.js. */
const FOREIGN = /^(POSTGRES_|NODE_[1-9]$|BIND$)/

const programs = {
  haproxy: '/usr/sbin/haproxy',
  promtool: '/usr/bin/promtool',
  'systemd-analyze': '/usr/bin/systemd-analyze',
}
const without = (name: keyof typeof programs) => !existsSync(programs[name]) && `no ${programs[name]}`
const check = (name: keyof typeof programs, args: string[], env = {}) =>
  execFileSync(programs[name], args, { encoding: 'utf8', cwd: FOLDER, env, stdio: ['ignore', 'pipe', 'pipe'] })

interface Resource {
  kind: string
  data?: Record<string, string>
  spec: {
    selector?: { matchLabels?: object }
    template: { metadata: { labels: object }; spec: { terminationGracePeriodSeconds: number; containers: Container[] } }
  }
}
interface Container {
  env?: { name: string }[]
  ports?: { containerPort: number }[]
  livenessProbe?: Probe
  readinessProbe?: Probe
  securityContext: object
}
interface Probe {
  httpGet: { path: string }
  periodSeconds: number
}
interface Service {
  environment?: Record<string, string>
  stop_grace_period?: string
}

const resources = parseAllDocuments(file('kubernetes.yaml')).map(document => document.toJS() as Resource)
const deployments = resources.filter(({ kind }) => kind === 'Deployment')
const containers = deployments.flatMap(({ spec }) => spec.template.spec.containers)
const services: Record<string, Service> = parse(file('compose.yaml'), { merge: true }).services

t.test('the programs that read the files accept them', async t => {
  const nodes = Object.fromEntries([1, 2, 3].map(n => [`NODE_${n}`, `127.0.0.1:${n}`]))
  t.test('haproxy.cfg', { skip: without('haproxy') }, async t => {
    t.match(check('haproxy', ['-c', '-f', 'haproxy.cfg'], { BIND: ':8080', ...nodes }), 'valid')
  })
  t.test('alerts.yaml', { skip: without('promtool') }, async t => {
    t.match(check('promtool', ['check', 'rules', 'alerts.yaml']), 'SUCCESS')
  })
  t.test('lintel@.service', { skip: without('systemd-analyze') }, async t => {
    t.equal(check('systemd-analyze', ['verify', '--man=no', './lintel@.service']), '')
  })
})

t.test('every file sets only variables that the service reads', async t => {
  const known = new Set(Object.keys(Environment.properties))
  const named = [
    ...Object.values(services).flatMap(({ environment = {} }) => Object.keys(environment)),
    ...containers.flatMap(({ env = [] }) => env.map(({ name }) => name)),
    ...resources.flatMap(({ kind, data = {} }) => (kind === 'ConfigMap' ? Object.keys(data) : [])),
    ...Array.from(
      `${file('lintel@.service')}${file('Containerfile')}`.matchAll(/\b([A-Z]+_?[A-Z]+)=/g),
      ([, name]) => name,
    ),
  ].filter(name => !FOREIGN.test(name as string))
  t.ok(named.length > known.size / 4)
  t.strictSame(
    named.filter(name => !known.has(name as string)),
    [],
  )
})

t.test('whoever stops a node waits until it has drained', async t => {
  const waits = (drainMs: number | string | undefined, graceSeconds: number) =>
    graceSeconds >= Number(drainMs) / 1000 + STOP_SECONDS
  const { data } = resources.find(({ kind }) => kind === 'ConfigMap') as Resource
  for (const { spec } of deployments)
    t.ok(waits(data?.DRAIN_DELAY_MS, spec.template.spec.terminationGracePeriodSeconds))
  const { environment, stop_grace_period: grace } = services.node1 as Service
  t.ok(waits(environment?.DRAIN_DELAY_MS, Number.parseInt(grace as string, 10)))
  const unit = file('lintel@.service')
  const settingOf = (name: string) => Number(new RegExp(`${name}=(\\d+)`).exec(unit)?.[1])
  t.ok(waits(settingOf('DRAIN_DELAY_MS'), settingOf('TimeoutStopSec')))
  const probe = containers[0]?.readinessProbe as Probe
  t.ok(Number(data?.DRAIN_DELAY_MS) >= 2 * 1000 * probe.periodSeconds, 'and readiness is seen to fail before')
})

t.test('no container has rights, and selectors find their pods', async t => {
  for (const { securityContext } of containers)
    t.match(securityContext, { runAsNonRoot: true, readOnlyRootFilesystem: true, allowPrivilegeEscalation: false })
  for (const { spec } of deployments) t.match(spec.template.metadata.labels, spec.selector?.matchLabels ?? { none: '' })
  t.match(file('Containerfile'), /^USER node$/m)
})

t.test('what is copied into the image is there', async t => {
  const copied = Array.from(
    file('Containerfile').matchAll(/^COPY (?!--from)(.+) \S+$/gm),
    ([, names]) => names as string,
  )
  for (const name of copied.flatMap(names => names.split(' '))) t.ok(existsSync(join(ROOT, name)), name)
})

t.test('probes and rules ask for what the service gives', async t => {
  // Neither Redis nor a replica has to be there for its metrics.
  const redisUrl = 'redis://127.0.0.1:1'
  const replicas = { urls: ['postgres://127.0.0.1:1/none'], lagMs: 1_000 }
  const { app } = await testApp(t, { works: true, trustProxy: ['127.0.0.1/32'], redisUrl, replicas })
  for (const probe of containers.flatMap(({ livenessProbe, readinessProbe }) => [livenessProbe, readinessProbe]))
    if (probe) t.equal((await app.inject(probe.httpGet.path)).statusCode, 200, probe.httpGet.path)

  const given = (await app.inject('/metrics')).body
  const expressions = `${file('alerts.yaml')}${file('dashboard.json')}`
  const named =
    expressions.match(/\b(http|nodejs|process|webhook|outbound|event|sockets|forwarded|rate|database)_[a-z0-9_]+/g) ??
    []
  const metrics = new Set(named.map(name => name.replace(/_(bucket|count|sum)$/, '')))
  t.ok(metrics.size > 5)
  for (const metric of metrics) t.match(given, `# TYPE ${metric} `, metric)
})

t.test('the dashboard has no two panels in one place', async t => {
  const { panels } = JSON.parse(file('dashboard.json')) as { panels: { gridPos: object; id: number }[] }
  t.equal(new Set(panels.map(({ gridPos }) => JSON.stringify(gridPos))).size, panels.length)
  t.ok(readdirSync(FOLDER).includes('dashboard.json'))
})
