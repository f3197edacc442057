import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { KINDS, type Mutant } from './mutants.ts'

export interface Outcome extends Mutant {
  verdict: 'caught' | 'own' | 'survived' | 'broken' | 'equivalent'
  by: string
}

const RESULTS = fileURLToPath(new URL('results.md', import.meta.url))
const HEAD = `# Do the generated tests notice?

\`npm run mutate [-- domain…]\` breaks one thing at a time in a copy of the sources and runs the tests that are generated from the
OpenAPI document. A cell says how many mutants they caught of those made. Counted apart are those that only a domain's own tests
catch, because no single sound request comes to that line, and those that are equivalent.

- *condition*: a list's \`where\`, or one of its filters, is \`true\`
- *tenant*: the condition on the organization is dropped or turned round
- *id*: the id is left out of what is found, updated or deleted
- *event*: nothing is recorded
- *version*: \`If-Match\` is not looked at
- *access*: the role is one lower, the scope is not asked for, any signed-in user will do
- *membership*: a statement that checks its caller itself does not
`

const columns = [...KINDS, 'own tests', 'equivalent']
const TABLE_HEAD = `| domain | ${columns.join(' | ')} |\n|---|${columns.map(() => '---:|').join('')}`

function rowOf(domain: string, outcomes: Outcome[]): string {
  const apart = (verdict: Outcome['verdict']) => outcomes.filter(outcome => outcome.verdict === verdict).length || ''
  const judged = outcomes.filter(({ verdict }) => verdict !== 'equivalent' && verdict !== 'own')
  const cells = KINDS.map(kind => {
    const made = judged.filter(outcome => outcome.kind === kind)
    return made.length === 0 ? '' : `${made.filter(({ verdict }) => verdict === 'caught').length}/${made.length}`
  })
  return `| ${[domain, ...cells, apart('own'), apart('equivalent')].join(' | ')} |`
}

/** The part of the results that begins with `title`, line by line. */
function linesUnder(title: string): string[] {
  if (!existsSync(RESULTS)) return []
  const [, rest = ''] = readFileSync(RESULTS, 'utf8').split(`${title}\n`)
  return (rest.split('\n## ')[0] ?? '').split('\n')
}

/** Puts the domain's outcomes in the place of its former ones; whether every mutant was caught. */
export function report(domain: string, outcomes: Outcome[]): boolean {
  const isOf = (line: string) =>
    line.startsWith(`| ${domain} |`) || outcomes.some(({ file }) => line.includes(`\`${file}\``))
  const rows = linesUnder(TABLE_HEAD).filter(line => line.startsWith('| ') && !isOf(line))
  const open = outcomes.filter(({ verdict }) => verdict === 'survived' || verdict === 'broken')
  const equivalent = outcomes.filter(({ verdict }) => verdict === 'equivalent')
  const kept = (title: string) => linesUnder(title).filter(line => line.startsWith('- ') && !isOf(line))
  const survivors = [...kept('## Survivors'), ...open.map(({ kind, file, was }) => `- ${kind} \`${file}\`: \`${was}\``)]
  const reasons = [
    ...kept('## Equivalent'),
    ...equivalent.map(({ file, was, by }) => `- \`${file}\`: \`${was}\`: ${by}`),
  ]
  const own = [
    ...kept('## Caught by the domain’s own tests alone'),
    ...outcomes
      .filter(({ verdict }) => verdict === 'own')
      .map(({ kind, file, was, by }) => `- ${kind} \`${file}\`: \`${was}\`, by \`${by}\``),
  ]
  const parts = [
    HEAD,
    `${TABLE_HEAD}\n${[...rows, rowOf(domain, outcomes)].sort().join('\n')}\n`,
    ...(survivors.length > 0 ? [`## Survivors\n\n${survivors.sort().join('\n')}\n`] : []),
    ...(own.length > 0 ? [`## Caught by the domain’s own tests alone\n\n${own.sort().join('\n')}\n`] : []),
    ...(reasons.length > 0 ? [`## Equivalent\n\n${[...new Set(reasons)].sort().join('\n')}\n`] : []),
  ]
  writeFileSync(RESULTS, parts.join('\n'))
  return open.length === 0
}
