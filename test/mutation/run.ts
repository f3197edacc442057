import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { domains } from '../../src/domains/index.ts'
import { openServer } from '../runner/postgres.ts'
import { EQUIVALENT, equivalentKey } from './equivalent.ts'
import { domainsIn, filesOf, KINDS, type Kind, type Mutant, mutantsOf } from './mutants.ts'
import { type Outcome, report } from './report.ts'
import { Trial } from './trial.ts'

/** `npm run mutate [-- domain… kind…]`: breaks each kind of thing in each domain, and sees whether the generated tests notice. */
const ROOT = fileURLToPath(new URL('../..', import.meta.url))
const asked = process.argv.slice(2)
const known = domainsIn(ROOT)
const isKind = (name: string): name is Kind => (KINDS as readonly string[]).includes(name)
for (const name of asked)
  if (!known.includes(name) && !isKind(name)) throw new Error(`${name} is none of ${[...known, ...KINDS].join(', ')}`)
const orAll = <T>(some: T[], all: readonly T[]): readonly T[] => (some.length > 0 ? some : all)
const chosen = orAll(
  asked.filter(name => !isKind(name)),
  known,
)
const kinds = orAll(asked.filter(isKind), KINDS)

const tagOf = (name: string): string => domains.find(domain => domain.name === name)?.tag?.name ?? name

/**
 * Returns the operations of a domain: those with its tag and those whose id is in its files; for shared code, those of
 * its users.
 */
function operationsOf(domain: string): string[] {
  const names = domains.map(({ name }) => name)
  const owners = names.includes(domain) ? [domain] : names.filter(name => textOf(name).includes('defineResource'))
  const ids = owners.flatMap(name => [...textOf(name).matchAll(/operationId: '(\w+)'/g)].map(([, id]) => id as string))
  return [...owners.map(tagOf), ...ids]
}
const textOf = (domain: string): string =>
  filesOf(ROOT, domain)
    .map(file => readFileSync(`${ROOT}${file}`, 'utf8'))
    .join('\n')

async function judge(trial: Trial, mutant: Mutant, operations: string[]): Promise<Outcome> {
  const reason = EQUIVALENT[equivalentKey(mutant)]
  if (reason !== undefined) return { ...mutant, verdict: 'equivalent', by: reason }
  const started = performance.now()
  const { verdict, by } = await trial.try(mutant, operations)
  const seconds = ((performance.now() - started) / 1000).toFixed(1)
  console.log(`${verdict.padEnd(9)} ${mutant.kind.padEnd(10)} ${mutant.place} (${seconds} s) ${equivalentKey(mutant)}`)
  console.log(`          ${by.replaceAll('\n', '\n          ')}`)
  return { ...mutant, verdict, by }
}

async function runAll(): Promise<boolean> {
  const trial = new Trial(ROOT)
  let sound = true
  try {
    for (const domain of chosen) {
      const operations = operationsOf(domain)
      const fault = await trial.sound(operations)
      if (fault !== null) throw new Error(`the tests of ${domain} fail as it is:\n${fault}`)
      const outcomes: Outcome[] = []
      const mutants = mutantsOf(trial.root, domain).filter(({ kind }) => kinds.includes(kind))
      for (const mutant of mutants) outcomes.push(await judge(trial, mutant, operations))
      sound &&= report(domain, kinds, outcomes)
    }
    return sound
  } finally {
    trial.remove()
  }
}

const server = await openServer()
process.env.TEST_DATABASE_URL = server.url
try {
  process.exitCode = (await runAll()) ? 0 : 1
} finally {
  await server.remove()
}
