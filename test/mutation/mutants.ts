import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { ts } from '@ts-morph/common'

/** What is broken: each kind is a likely mistake in writing a domain. */
export const KINDS = ['condition', 'tenant', 'id', 'event', 'version', 'access', 'membership'] as const
export type Kind = (typeof KINDS)[number]

/** One place in one file, and the text that replaces it. */
export interface Mutant {
  domain: string
  kind: Kind
  /** `src/domains/tasks/queries/read.ts:36`. */
  place: string
  file: string
  start: number
  end: number
  text: string
  /** The original text, shortened. */
  was: string
}

/** Code that domains share is broken too, as a domain of its own. */
const SHARED: Record<string, string[]> = { resource: ['src/events/resource.ts', 'src/plugins/resources.ts'] }
const DOMAINS = 'src/domains'
const ROLES = ['viewer', 'member', 'admin', 'owner']
const PLATFORM_ROLES = ['user', 'moderator', 'admin']
/** No request reaches these files. */
const UNREACHED = ['demo.ts', 'jobs.ts']
const SHOWN_CHARACTERS = 90

const filesBelow = (root: string, folder: string): string[] =>
  readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .filter(path => path.endsWith('.ts') && !UNREACHED.includes(path))
    .map(path => `${folder}/${path}`)
    .sort()

export const domainsIn = (root: string): string[] => [
  ...readdirSync(join(root, DOMAINS), { withFileTypes: true })
    .filter(entry => entry.isDirectory())
    .map(({ name }) => name),
  ...Object.keys(SHARED),
]

export const filesOf = (root: string, domain: string): string[] =>
  SHARED[domain] ?? filesBelow(root, `${DOMAINS}/${domain}`)

/** Finds the mutants in the syntax of the domain's files, so a new domain needs no change here. */
export function mutantsOf(root: string, domain: string): Mutant[] {
  return filesOf(root, domain).flatMap(file => new Finder(root, domain, file).find())
}

type Found = [kind: Kind, start: number, end: number, text: string]

class Finder {
  readonly #domain: string
  readonly #file: string
  readonly #source: ts.SourceFile
  readonly #found: Found[] = []

  constructor(root: string, domain: string, file: string) {
    this.#domain = domain
    this.#file = file
    this.#source = ts.createSourceFile(file, readFileSync(join(root, file), 'utf8'), ts.ScriptTarget.Latest, true)
  }

  find(): Mutant[] {
    this.#visit(this.#source)
    const { text } = this.#source
    return this.#found.map(([kind, start, end, instead]) => ({
      domain: this.#domain,
      kind,
      file: this.#file,
      place: `${this.#file}:${this.#source.getLineAndCharacterOfPosition(start).line + 1}`,
      start,
      end,
      text: instead,
      was: text.slice(start, end).replace(/\s+/g, ' ').slice(0, SHOWN_CHARACTERS),
    }))
  }

  #visit(node: ts.Node): void {
    if (ts.isCallExpression(node)) this.#call(node)
    if (ts.isPropertyAssignment(node)) this.#property(node)
    if (ts.isTaggedTemplateExpression(node) && node.tag.getText() === 'sql') this.#template(node)
    ts.forEachChild(node, child => this.#visit(child))
  }

  #replace(kind: Kind, node: ts.Node, text: string): void {
    this.#found.push([kind, node.getStart(), node.getEnd(), text])
  }

  #call(call: ts.CallExpression): void {
    const name = ts.isPropertyAccessExpression(call.expression) ? call.expression.name.text : call.expression.getText()
    if (name === 'versionMatches') this.#replace('version', call, 'sql`true`')
    if (name === 'requireVersion') this.#replace('version', call, call.arguments[0]?.getText() ?? '')
    for (const given of call.arguments) if (given.getText() === 'ifMatch') this.#versionGiven(call, given)
    if (name === 'hasRole' && !isOf(call, 'function')) this.#replace('membership', call, 'sql`true`')
    if (name === 'record' || name === 'recordEnd') this.#replace('event', call, 'undefined')
    if (name === 'insertEvents') this.#replace('event', call, 'sql`select 1`')
    if (name === 'member' && call.arguments.length > 1) this.#membership(call)
    if (name === 'platform' || name === 'orPlatform') this.#lower(call.arguments[0], PLATFORM_ROLES)
    if (name === 'eq') this.#equality(call)
  }

  /** Drops `ifMatch` where a route passes it on; services pass it through many places, so those are left out. */
  #versionGiven(call: ts.CallExpression, given: ts.Expression): void {
    if (/routes|resources/.test(this.#file) && call.expression.getText() !== 'requireVersion')
      this.#replace('version', given, 'null')
  }

  #membership(call: ts.CallExpression): void {
    const [role, , scope] = call.arguments
    this.#lower(role, ROLES)
    this.#replace('access', call, "({ kind: 'user' } as never)")
    if (scope && ts.isStringLiteral(scope)) this.#replace('access', scope, 'undefined')
  }

  #lower(role: ts.Expression | undefined, roles: string[]): void {
    if (!role || !ts.isStringLiteral(role)) return
    const lower = roles[roles.indexOf(role.text) - 1]
    if (lower) this.#replace('access', role, `'${lower}'`)
  }

  /** Breaks `where`, each filter, and the access of a resource's routes. */
  #property(property: ts.PropertyAssignment): void {
    const { initializer, parent } = property
    const name = property.name.getText()
    const isFilter = ts.isPropertyAssignment(parent.parent) && parent.parent.name.getText() === 'filters'
    const isFilters = parent.parent.getText().startsWith('filters = ')
    if ((name === 'where' || isFilter || isFilters) && ts.isArrowFunction(initializer)) {
      if (initializer.body.getText() !== 'sql`true`') this.#replace('condition', initializer.body, 'sql`true`')
    }
    if (name === 'access' && ts.isArrayLiteralExpression(initializer)) {
      const [role, scope] = initializer.elements
      this.#lower(role, ROLES)
      if (scope) this.#replace('access', scope, 'undefined')
    }
  }

  /** Breaks `eq(tasks.id, $.id)` in a statement that writes, or finds a row by its id. */
  #equality(call: ts.CallExpression): void {
    const [column, value] = call.arguments
    const input = /^\$\.(\w+)$/.exec(value?.getText() ?? '')?.[1]
    if (!column || !input) return
    const isTenant = /organizationId$|parentId$/.test(column.getText())
    if (isTenant) this.#replace('tenant', call, 'sql`true`')
    if (isTenant) this.#replace('tenant', call, `sql\`\${${column.getText()}} <> \${$.${input}}\``)
    if (!isOf(call, 'arrow') || !this.#isById(call, column.getText())) return
    this.#replace('id', call, 'sql`true`')
  }

  #isById(node: ts.Node, column: string): boolean {
    return /(^|\.)(id|userId|taskId|hash)$/.test(column) && this.#isWritten(node)
  }

  /** Whether a statement changes rows or finds one: a lock on too many rows changes nothing. */
  #isWritten(node: ts.Node): boolean {
    for (let at: ts.Node | undefined = node; at; at = at.parent) {
      if (!ts.isCallExpression(at)) continue
      if (!['statement', 'statements'].includes(at.expression.getText())) continue
      const [name] = at.arguments
      const text = at.getText()
      const isChange = /\b(update|delete)\b[\s(]/.test(text) && !/for (no key )?update|\.for\(/.test(text)
      return isChange || /\.find['`]/.test(name?.getText() ?? '')
    }
    // A condition that statements share.
    return true
  }

  /** Breaks `where t.id = ${$.id} and t.organization_id = ${$.organizationId}`, one condition at a time. */
  #template(node: ts.TaggedTemplateExpression): void {
    const text = node.getText()
    const start = node.getStart()
    for (const match of text.matchAll(CONDITION)) {
      const [whole, lead = '', column = '', operator = '', value = ''] = match
      const from = start + match.index + lead.length
      const to = start + match.index + whole.length
      const plain = column.replace(/^\$\{|\}$/g, '')
      if (/organization_?id$/i.test(plain)) {
        this.#found.push(['tenant', from, to, `${column} <> ${value}`])
        this.#found.push(['tenant', from, to, 'true'])
      } else if (operator === '=' && /(^|[._])(id|userId|hash)$/.test(plain) && this.#isWritten(node))
        this.#found.push(['id', from, to, 'true'])
    }
    for (const match of text.matchAll(VERSION)) {
      const from = start + match.index
      this.#found.push(['version', from, from + match[0].length, 'true'])
    }
  }
}

const CONDITION = /((?:where|and|`)\s*)((?:\w+\.)?\w+|\$\{[\w.]+\}) (=) (\$\{[$\w.]+\}(?:::\w+)?|\w+\.\w+)/g
const VERSION = /\(\$\{\$\.ifMatch\}::int\[\] is null or [\w.]+ = any\(\$\{\$\.ifMatch\}::int\[\]\)\)/g

/** Whether it is called by what a statement is built of, and not declared there. */
const isOf = (node: ts.Node, what: 'function' | 'arrow'): boolean => {
  for (let at: ts.Node | undefined = node.parent; at; at = at.parent) {
    if (what === 'function' && ts.isFunctionDeclaration(at)) return true
    if (what === 'arrow' && ts.isArrowFunction(at)) return true
  }
  return false
}
