import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { ts } from '@ts-morph/common'

export const ROOT = fileURLToPath(new URL('../..', import.meta.url))

export interface Import {
  /** Path below the root, or the name of a package. */
  target: string
  typeOnly: boolean
}
export interface Source {
  /** Path below the root: `src/domains/tasks/routes.ts`. */
  path: string
  lines: number
  imports: Import[]
  tree: ts.SourceFile
}

/** Every TypeScript file below `folder`, parsed. */
export const sourcesIn = (folder: string): Source[] =>
  readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' })
    .filter(path => path.endsWith('.ts') && !path.endsWith('.d.ts'))
    .map(path => parse(join(folder, path)))

function parse(path: string): Source {
  const text = readFileSync(join(ROOT, path), 'utf8')
  const tree = ts.createSourceFile(path, text, ts.ScriptTarget.Latest, true)
  return { path, lines: text.trimEnd().split('\n').length, imports: importsOf(path, tree), tree }
}

function importsOf(path: string, tree: ts.SourceFile): Import[] {
  const found: Import[] = []
  visit(tree, node => {
    const dynamic = ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword
    const isStatic = ts.isImportDeclaration(node) || ts.isExportDeclaration(node)
    const name = dynamic ? node.arguments[0] : isStatic ? node.moduleSpecifier : undefined
    if (!name || !ts.isStringLiteral(name)) return
    const target = name.text.startsWith('.') ? relative(ROOT, join(ROOT, dirname(path), name.text)) : name.text
    found.push({ target, typeOnly: isStatic && isTypeOnly(node) })
  })
  return found
}

function isTypeOnly(node: ts.ImportDeclaration | ts.ExportDeclaration): boolean {
  if (ts.isExportDeclaration(node)) return node.isTypeOnly
  const clause = node.importClause
  if (!clause) return false
  if (clause.isTypeOnly) return true
  const names = clause.namedBindings
  return !clause.name && !!names && ts.isNamedImports(names) && names.elements.every(element => element.isTypeOnly)
}

export function visit(node: ts.Node, see: (node: ts.Node) => void): void {
  see(node)
  ts.forEachChild(node, child => visit(child, see))
}

export const lineOf = ({ tree }: Source, node: ts.Node): number =>
  tree.getLineAndCharacterOfPosition(node.getStart()).line + 1

/** Returns the number of lines of each function, method and arrow function with a body. */
export function functionsOf(source: Source): { node: ts.Node; lines: number }[] {
  const found: { node: ts.Node; lines: number }[] = []
  visit(source.tree, node => {
    if (!ts.isFunctionLike(node) || !('body' in node) || !node.body) return
    const last = source.tree.getLineAndCharacterOfPosition(node.end).line + 1
    found.push({ node, lines: last - lineOf(source, node) + 1 })
  })
  return found
}

export function median(numbers: number[]): number {
  const sorted = numbers.toSorted((a, b) => a - b)
  return sorted[Math.floor(sorted.length / 2)] ?? 0
}
