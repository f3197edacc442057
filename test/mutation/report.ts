import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { KINDS, type Kind, type Mutant } from './mutants.ts'

export interface Outcome extends Mutant {
  verdict: 'caught' | 'own' | 'survived' | 'broken' | 'equivalent'
  by: string
}
/** The stored result of a run: the number of caught mutants, and the others by name. */
interface Result {
  caught: number
  others: Pick<Outcome, 'verdict' | 'file' | 'was' | 'by'>[]
}
type Results = Record<string, Partial<Record<Kind, Result>>>

const fileOf = (name: string): string => fileURLToPath(new URL(name, import.meta.url))
const STATE = fileOf('results.json')
const TABLE = fileOf('results.md')
const HEAD = `# Do the generated tests notice?

\`npm run mutate [-- domain… kind…]\` breaks one thing at a time in a copy of the sources and runs the tests that are generated from
the OpenAPI document. A cell says how many mutants they caught of those made. Counted apart are those that only a domain's own tests
catch, because no single sound request comes to that line, and those that are equivalent.

- *condition*: a list's \`where\`, or one of its filters, is \`true\`
- *tenant*: the condition on the organization is dropped or turned round
- *id*: the id is left out of what is found, updated or deleted
- *event*: nothing is recorded
- *version*: \`If-Match\` is not looked at
- *access*: the role is one lower, the scope is not asked for, any signed-in user will do
- *membership*: a statement that checks its caller itself does not
`

type Named = [kind: Kind, other: Result['others'][number]]

const othersOf = (results: Results[string], ...verdicts: Outcome['verdict'][]): Named[] =>
  KINDS.flatMap(kind => (results[kind]?.others ?? []).map((other): Named => [kind, other])).filter(([, { verdict }]) =>
    verdicts.includes(verdict),
  )

function rowOf(domain: string, results: Results[string]): string {
  const cells = KINDS.map(kind => {
    const { caught, others } = results[kind] ?? { caught: 0, others: [] }
    const made = caught + others.filter(({ verdict }) => verdict === 'survived' || verdict === 'broken').length
    return made === 0 ? '' : `${caught}/${made}`
  })
  const apart = (['own', 'equivalent'] as const).map(verdict => othersOf(results, verdict).length || '')
  return `| ${[domain, ...cells, ...apart].join(' | ')} |`
}

function section(title: string, results: Results, ...verdicts: Outcome['verdict'][]): string[] {
  const lines = Object.values(results)
    .flatMap(domain => othersOf(domain, ...verdicts))
    .map(([kind, { file, was, by }]) => `- ${kind}, \`${file}\`: \`${was}\`${by ? `: ${by}` : ''}`)
  return lines.length === 0 ? [] : [`## ${title}\n\n${[...new Set(lines)].sort().join('\n')}\n`]
}

function render(results: Results): string {
  const columns = [...KINDS, 'own tests', 'equivalent']
  const rows = Object.keys(results)
    .sort()
    .map(domain => rowOf(domain, results[domain] ?? {}))
  const table = [`| domain | ${columns.join(' | ')} |`, `|---|${columns.map(() => '---:|').join('')}`, ...rows]
  return [
    HEAD,
    `${table.join('\n')}\n`,
    ...section('Survivors', results, 'survived', 'broken'),
    ...section('Caught by the domain’s own tests', results, 'own'),
    ...section('Equivalent', results, 'equivalent'),
  ].join('\n')
}

/** Replaces the earlier outcomes of the same kinds; returns whether every mutant was caught. */
export function report(domain: string, kinds: readonly Kind[], outcomes: Outcome[]): boolean {
  const results: Results = existsSync(STATE) ? JSON.parse(readFileSync(STATE, 'utf8')) : {}
  const former = results[domain] ?? {}
  for (const kind of kinds) {
    const judged = outcomes.filter(outcome => outcome.kind === kind)
    const others = judged
      .filter(({ verdict }) => verdict !== 'caught')
      .map(({ verdict, file, was, by }) => ({ verdict, file, was, by }))
    former[kind] = { caught: judged.length - others.length, others }
  }
  results[domain] = former
  writeFileSync(STATE, `${JSON.stringify(results, null, 2)}\n`)
  writeFileSync(TABLE, render(results))
  return othersOf(former, 'survived', 'broken').length === 0
}
