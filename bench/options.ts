import { parseArgs } from 'node:util'
import { type Work, works } from './works.ts'

const USAGE = `npm run bench -- [options]
  --only read,list,create,mixed,transfer,transfer-hot   works to measure (all)
  --connections 1,32,256          connections of the load generator (all three)
  --rounds 5                      measurements of each server, in turn
  --seconds 3                     length of one measurement
  --tasks 100000                  rows to seed
  --keep                          use the database of the last run, and leave it
  --floor                         measure the floor alone
  --quick                         32 connections, 3 rounds of 1.5 s
  --out bench/results             folder of the report`

/** Reads options that are all numbers: `numberOptions({ rounds: 5 })` takes `--rounds 7`. */
export function numberOptions<const Names extends string>(defaults: Record<Names, number>): Record<Names, number> {
  const entries = Object.entries<number>(defaults)
  const options = Object.fromEntries(
    entries.map(([name, value]) => [name, { type: 'string', default: String(value) } as const]),
  )
  const { values } = parseArgs({ options })
  return Object.fromEntries(entries.map(([name]) => [name, Number(values[name])])) as Record<Names, number>
}

export interface Options {
  works: Work[]
  connections: number[]
  rounds: number
  seconds: number
  tasks: number
  keep: boolean
  floorOnly: boolean
  out: string
}

export function readOptions(): Options {
  const { values } = parseArgs({
    options: {
      only: { type: 'string', default: works.join() },
      connections: { type: 'string' },
      rounds: { type: 'string' },
      seconds: { type: 'string' },
      tasks: { type: 'string', default: '100000' },
      keep: { type: 'boolean', default: false },
      floor: { type: 'boolean', default: false },
      quick: { type: 'boolean', default: false },
      out: { type: 'string', default: 'bench/results' },
      help: { type: 'boolean', default: false },
    },
  })
  if (values.help) {
    console.log(USAGE)
    process.exit()
  }
  const { quick } = values
  return {
    works: values.only.split(',').map(asWork),
    connections: (values.connections ?? (quick ? '32' : '1,32,256')).split(',').map(Number),
    rounds: Number(values.rounds ?? (quick ? 3 : 5)),
    seconds: Number(values.seconds ?? (quick ? 1.5 : 3)),
    tasks: Number(values.tasks),
    keep: values.keep,
    floorOnly: values.floor,
    out: values.out,
  }
}

function asWork(name: string): Work {
  const work = works.find(known => known === name)
  if (!work) throw new Error(`no work named "${name}": ${works.join(', ')}`)
  return work
}
