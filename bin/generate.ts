import { spawnSync } from 'node:child_process'
import { readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

// `npm run db:generate -- --name notes`: writes a migration for the tables that have changed and deletes old snapshots.
const META = join('migrations', 'meta')

const args = process.argv.slice(2)
if (!args.some(argument => /^--name(=.+)?$/.test(argument))) {
  console.error('Say what the migration does: npm run db:generate -- --name what_changes.')
  process.exit(1)
}
const drizzleKit = fileURLToPath(new URL('../node_modules/drizzle-kit/bin.cjs', import.meta.url))
const { status } = spawnSync(process.execPath, [drizzleKit, 'generate', ...args], { stdio: 'inherit' })
if (status === 0) removeOldSnapshots()
process.exitCode = status ?? 1

/** The generator compares only with the last snapshot; the migrations themselves are the history. */
function removeOldSnapshots(): void {
  const snapshots = readdirSync(META).filter(name => name.endsWith('_snapshot.json'))
  for (const name of snapshots.sort().slice(0, -1)) rmSync(join(META, name))
}
