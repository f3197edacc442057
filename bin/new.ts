import { spawnSync } from 'node:child_process'
import { existsSync, globSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

// `npm run new -- notes` writes a new domain with its test and its migration, and adds one line to the list of domains.
const USAGE = `Say what the domain is about, in the plural and lower case: npm run new -- notes.
Where one of them is not the same without its s, say it too: npm run new -- companies company.`
const ROOT = fileURLToPath(new URL('..', import.meta.url))
const TEMPLATES = fileURLToPath(new URL('new', import.meta.url))
const LIST = join('src', 'domains', 'index.ts')
const FILES = ['index.ts', 'schemas.ts', 'tables.ts', 'events.ts', 'queries.ts', 'routes.ts', 'README.md']
/** The width of the name column in matrix.txt. */
const NAME_CHARACTERS = 30
const HEADER = join('test', 'domains', 'projects', 'matrix.txt')
const HEADER_LINES = 13

const [folder = '', one = folder.replace(/s$/, '')] = process.argv.slice(2)
process.chdir(ROOT)
if (!/^[a-z]+(-[a-z]+)*$/.test(folder) || !/^[a-z]+(-[a-z]+)*$/.test(one) || one === folder) fail(USAGE)
if (existsSync(join('src', 'domains', folder))) fail(`src/domains/${folder} is there already.`)

const camel = (name: string): string => name.replace(/-(\w)/g, (_, letter: string) => letter.toUpperCase())
const capital = (name: string): string => name.charAt(0).toUpperCase() + name.slice(1)
const names: Record<string, string> = {
  folder,
  folderKey: folder.includes('-') ? `'${folder}'` : folder,
  nouns: camel(folder),
  Nouns: capital(camel(folder)),
  noun: camel(one),
  Noun: capital(camel(one)),
  table: folder.replaceAll('-', '_'),
  resource: one.replaceAll('-', '_'),
  words: folder.replaceAll('-', ' '),
  word: one.replaceAll('-', ' '),
  demo: String(nextDemoNumber()),
}

for (const file of FILES) write(join('src', 'domains', folder, file), filled(`${file}.txt`))
write(join('test', 'domains', folder, `${folder}.test.ts`), filled('test.ts.txt'))
write(join('test', 'domains', folder, 'matrix.txt'), matrix())
addToList()
run(
  'node_modules/@biomejs/biome/bin/biome',
  'check',
  '--write',
  LIST,
  `src/domains/${folder}`,
  `test/domains/${folder}`,
)
run('bin/generate.ts', '--name', names.table as string)
console.log(`
Now make it yours: src/domains/${folder}. After a change of tables.ts throw the new migration away and generate it again.
  npm run check
  npm test -- --changed`)

function fail(message: string): never {
  console.error(message)
  process.exit(1)
}

function run(...args: string[]): void {
  const { status } = spawnSync(process.execPath, args, { stdio: ['ignore', 'ignore', 'inherit'] })
  if (status !== 0) fail(`${args.join(' ')} failed.`)
}

function filled(template: string): string {
  const text = readFileSync(join(TEMPLATES, template), 'utf8')
  return text.replace(/__([A-Za-z]+?)__/g, (whole, name: string) => names[name] ?? whole)
}

function write(file: string, text: string): void {
  mkdirSync(join(file, '..'), { recursive: true })
  writeFileSync(file, text)
}

/** Each domain takes ten demo ids; returns the first free multiple of ten. */
function nextDemoNumber(): number {
  const text = globSync('src/domains/**/*.ts')
    .map(file => readFileSync(file, 'utf8'))
    .join('\n')
  const numbers = Array.from(text.matchAll(/demoId\((\d+)\)/g), ([, digits]) => Number(digits))
  return 10 * (Math.floor(Math.max(...numbers) / 10) + 1)
}

function matrix(): string {
  const header = readFileSync(HEADER, 'utf8').split('\n').slice(0, HEADER_LINES)
  const rows = filled('matrix.txt').trimEnd().split('\n')
  const aligned = rows.map(row => {
    const [name = '', ...statuses] = row.split(' ')
    return name.padEnd(NAME_CHARACTERS) + statuses.join('  ')
  })
  return `${[...header, ...aligned].join('\n')}\n`
}

function addToList(): void {
  const text = readFileSync(LIST, 'utf8')
  const imported = `import { ${names.nouns} } from './${folder}/index.ts'\n`
  const at = text.indexOf('\n/**')
  const listed = text.slice(at).replace(/,?\s*\]\s*$/, `, ${names.nouns}]\n`)
  writeFileSync(LIST, text.slice(0, at) + imported + listed)
}
