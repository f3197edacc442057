import { enableCompileCache, registerHooks } from 'node:module'
import { fileURLToPath } from 'node:url'

/**
 * Makes the start faster and the process smaller; without it everything works the same.
 *
 * It loads drizzle-orm as CommonJS. Its package.json has 179 kB, which the ES module loader of Node 24.14 and later
 * parses again for each of 150 modules: 0.35 s of every start and 130 MB of memory.
 *
 * This file is JavaScript: one file whose types have to be stripped loads the compiler, 14 MB, before the cache can be
 * used.
 */
const COMMONJS = ['node', 'require']

enableCompileCache(fileURLToPath(new URL('../node_modules/.cache/lintel', import.meta.url)))
registerHooks({
  resolve: (specifier, context, next) =>
    next(specifier, specifier.startsWith('drizzle-orm') ? { ...context, conditions: COMMONJS } : context),
})
