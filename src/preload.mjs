import { enableCompileCache, registerHooks } from 'node:module'
import { fileURLToPath } from 'node:url'

/**
 * Makes the start faster and the process smaller; without it everything works the same.
 *
 * drizzle-orm is loaded as CommonJS. Its package.json has 179 kB, which the ES module loader of Node 24.14 and later
 * parses again for each of 150 modules: 0.35 s of every start and 130 MB of memory.
 *
 * It is JavaScript: one file whose types have to be stripped loads the compiler, 14 MB, before its results can be had from
 * the cache.
 */
const COMMONJS = ['node', 'require']

enableCompileCache(fileURLToPath(new URL('../node_modules/.cache/lintel', import.meta.url)))
registerHooks({
  resolve: (specifier, context, next) =>
    next(specifier, specifier.startsWith('drizzle-orm') ? { ...context, conditions: COMMONJS } : context),
})
