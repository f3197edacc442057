import { execFile } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

const run = promisify(execFile)
const ROOT = fileURLToPath(new URL('../..', import.meta.url))
const STRICT = ['--strict', '--noEmit', '--exactOptionalPropertyTypes', '--skipLibCheck']
const MODULES = ['--module', 'nodenext', '--target', 'es2024', '--lib', 'es2024,dom,dom.iterable', '--types', 'node']

/**
 * Writes the types of the document at `base` to `api.ts` in `folder`, as a partner would, and compiles the programs
 * there.
 */
export async function compileWithClient(folder: string, base: string, programs: string[]): Promise<string> {
  const document = join(folder, 'openapi.json')
  writeFileSync(document, await (await fetch(`${base}/openapi.json`)).text())
  const types = await run(process.execPath, [join(ROOT, 'bin/client.ts'), document], { maxBuffer: 2 ** 26 })
  writeFileSync(join(folder, 'api.ts'), types.stdout)

  const tsc = join(ROOT, 'node_modules/typescript/bin/tsc')
  const options = ['--ignoreConfig', '--allowImportingTsExtensions', ...STRICT, ...MODULES]
  const files = programs.map(program => join(folder, program))
  const compiled = await run(process.execPath, [tsc, ...options, ...files], { cwd: ROOT }).catch(error => error)
  return compiled.stdout
}
