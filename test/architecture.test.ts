import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { ts } from '@ts-morph/common'
import t from 'tap'
import { domains } from '../src/domains/index.ts'
import { cyclesIn, domainFoldersIn, faultOf, KINDS, placeOf } from './architecture/rules.ts'
import { functionsOf, lineOf, median, ROOT, type Source, sourcesIn, visit } from './architecture/sources.ts'

const CEILING = 300
const CEILINGS: Record<string, number> = { index: 40, errors: 200, events: 200, jobs: 200, graphql: 200 }
const README_LINES = 30
const HANDLER_LINES = 15
const MEDIAN_FUNCTION = 12
const MEDIAN_FILE = 110
const VAGUE = /^(types|utils?|helpers?|constants?|interfaces?|common|misc)(\.ts)?$/

/** Calls of the global `fetch`, and libraries that open connections of HTTP; their types are no way out. */
const OTHER_WAYS_OUT = /(?<![.\w])fetch\(|^import (?!type)[^\n]*'(undici|(node:)?https?|axios|got|node-fetch)'/m

const sources = sourcesIn('src')
const folders = domainFoldersIn(join(ROOT, 'src/domains'))

/** The domain folders in the order of the list. */
const order = domains.map(({ name }) => name)

const faults = (of: (source: Source) => (string | undefined)[]): string[] =>
  sources.flatMap(source => of(source).flatMap(fault => (fault ? [`${source.path}: ${fault}`] : [])))

const describe = (target: string, fault: string | undefined) => fault && `${fault} (${target})`

t.test('imports follow the table of the house', async t => {
  t.same(
    faults(source => source.imports.map(found => describe(found.target, faultOf(source, found, order)))),
    [],
  )
})
t.test('no file imports itself by way of others', async t => t.same(cyclesIn(sources), []))

t.test('every domain is in the list, and the list names nothing else', async t =>
  t.same(order.toSorted(), folders.toSorted()),
)

t.test('a domain has the files of the house and no others', async t => {
  for (const name of folders) {
    const entries = readdirSync(join(ROOT, 'src/domains', name)).filter(entry => entry !== 'README.md')
    const kinds = entries.map(entry => entry.replace(/\.ts$/, ''))
    t.same(
      kinds.filter(kind => !KINDS.includes(kind)),
      [],
      `${name} has only known files`,
    )
    t.equal(new Set(kinds).size, kinds.length, `${name} has no file beside a folder of the same name`)
    for (const kind of ['index', 'schemas', 'routes']) t.ok(kinds.includes(kind), `${name} has ${kind}`)
  }
})

t.test('every domain has a README of a screen', async t => {
  for (const name of folders) {
    const path = join(ROOT, 'src/domains', name, 'README.md')
    const lines = existsSync(path) ? readFileSync(path, 'utf8').trimEnd().split('\n').length : 0
    t.ok(lines > 0 && lines <= README_LINES, `${name}/README.md has 1 to ${README_LINES} lines, not ${lines}`)
  }
})

t.test('no file is past its ceiling or has a name that says nothing', async t => {
  const ceiling = (path: string) => CEILINGS[placeOf(path).kind] ?? CEILING
  t.same(
    faults(({ path, lines }) => [lines > ceiling(path) ? `${lines} lines` : undefined]),
    [],
  )
  t.same(
    faults(({ path }) => [path.split('/').some(part => VAGUE.test(part)) ? 'a vague name' : undefined]),
    [],
  )
  t.same(
    sourcesIn('test').flatMap(({ path, lines }) => (lines > CEILING ? [`${path}: ${lines} lines`] : [])),
    [],
  )
})

t.test('functions and files are short', async t => {
  const functions = sources.flatMap(source => functionsOf(source).map(({ lines }) => lines))
  t.ok(median(functions) <= MEDIAN_FUNCTION, `median function: ${median(functions)} lines`)
  const files = sources.map(({ lines }) => lines)
  t.ok(median(files) <= MEDIAN_FILE, `median file: ${median(files)} lines`)
  t.same(
    faults(source =>
      functionsOf(source)
        .filter(({ node, lines }) => isHandler(node) && lines > HANDLER_LINES)
        .map(({ node, lines }) => `handler of ${lines} lines at ${lineOf(source, node)}`),
    ),
    [],
  )
})

function isHandler(node: ts.Node): boolean {
  const named = ts.isMethodDeclaration(node) ? node : node.parent
  return (ts.isMethodDeclaration(named) || ts.isPropertyAssignment(named)) && named.name.getText() === 'handler'
}

const PER_REQUEST = /^(onRequest|preParsing|preValidation|preHandler|preSerialization|onSend|onResponse|onError)$/

t.test('hooks on the way of a request make no promise', async t =>
  t.same(
    faults(source => hooksOf(source).map(({ name, line, promise }) => (promise ? `${name} at ${line}` : undefined))),
    [],
  ),
)

function hooksOf(source: Source): { name: string; line: number; promise: boolean }[] {
  const found: ReturnType<typeof hooksOf> = []
  visit(source.tree, node => {
    if (!ts.isCallExpression(node) || !node.expression.getText().endsWith('.addHook')) return
    const [name, hook] = node.arguments
    if (!name || !hook || !ts.isStringLiteral(name) || !PER_REQUEST.test(name.text)) return
    const modifiers = ts.canHaveModifiers(hook) ? (ts.getModifiers(hook) ?? []) : []
    const promise = modifiers.some(({ kind }) => kind === ts.SyntaxKind.AsyncKeyword)
    found.push({ name: name.text, line: lineOf(source, node), promise })
  })
  return found
}

t.test('only the configuration reads the environment', async t =>
  t.same(
    faults(source => [
      source.path !== 'src/config.ts' && source.tree.text.includes('process.env') ? 'process.env' : undefined,
    ]),
    [],
  ),
)

t.test('requests leave the process by app.outbound only', async t =>
  t.same(
    faults(({ path, tree }) => [
      path.startsWith('src/plugins/outbound/') ? undefined : OTHER_WAYS_OUT.exec(tree.text)?.[0],
    ]),
    [],
  ),
)

t.test('nothing is exported by default', async t =>
  t.same(
    faults(({ tree }) => [/^export (default|=)/m.test(tree.text) ? 'a default export' : undefined]),
    [],
  ),
)
