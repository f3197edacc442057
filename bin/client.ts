import { readFileSync } from 'node:fs'
import { registerHooks } from 'node:module'

/**
 * Prints the TypeScript types of a typed client (`openapi-fetch`) for an OpenAPI document: `npm run client --
 * openapi.json`. The generator needs the JavaScript API of the compiler. TypeScript 7 has none, so the hook gives it
 * the copy in `@ts-morph/common`.
 */
const compiler = `import common from ${JSON.stringify(import.meta.resolve('@ts-morph/common'))}; export default common.ts`
const url = `data:text/javascript,${encodeURIComponent(compiler)}`
registerHooks({
  resolve: (specifier, context, next) =>
    specifier === 'typescript' ? { url, shortCircuit: true } : next(specifier, context),
})

const [file] = process.argv.slice(2)
if (file === undefined) fail('Name the file of an OpenAPI document, like one that npm run --silent openapi prints.')
const { astToString, default: typesOf } = await import('openapi-typescript')
process.stdout.write(astToString(await typesOf(read(file))))

function read(file: string) {
  try {
    return JSON.parse(readFileSync(file, 'utf8'))
  } catch (error) {
    return fail(`${file} is not a file of JSON: ${(error as Error).message}.`)
  }
}

function fail(sentence: string): never {
  console.error(sentence)
  process.exit(1)
}
