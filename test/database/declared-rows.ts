import { globSync } from 'node:fs'
import { relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { getLibFiles, ts } from '@ts-morph/common'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))

export interface DeclaredColumn {
  /** `string`, `number`, `boolean`, `object`, `array`, `Buffer`, or `any` where the type says nothing. */
  kind: string
  nullable: boolean
  optional: boolean
}
/** The type that a statement in the sources declares for its rows. */
export interface DeclaredRow {
  /** Matches the names of the statement; some contain the name of a table. */
  name: RegExp
  /** As `src/domains/tasks/queries/read.ts:36`. */
  place: string
  /** Whether a schema lists the columns; others are left out. */
  isList: boolean
  columns: ReadonlyMap<string, DeclaredColumn>
}

/** Files that define statements under a name that the caller gives. */
const MAKERS = ['src/database/', 'src/events/resource.ts']

const OPTIONS: ts.CompilerOptions = {
  target: ts.ScriptTarget.ES2024,
  module: ts.ModuleKind.NodeNext,
  moduleResolution: ts.ModuleResolutionKind.NodeNext,
  allowImportingTsExtensions: true,
  noEmit: true,
  strict: true,
  exactOptionalPropertyTypes: true,
  skipLibCheck: true,
  types: ['node'],
}
const LIBRARY = '/library'

/** The compiler package contains the declarations of the language as texts, not as files. */
function compilerHost(): ts.CompilerHost {
  const host = ts.createCompilerHost(OPTIONS)
  const library = new Map(getLibFiles().map(({ fileName, text }) => [`${LIBRARY}/${fileName}`, text]))
  return {
    ...host,
    getDefaultLibLocation: () => LIBRARY,
    getDefaultLibFileName: options => `${LIBRARY}/${ts.getDefaultLibFileName(options)}`,
    fileExists: name => library.has(name) || host.fileExists(name),
    readFile: name => library.get(name) ?? host.readFile(name),
    getSourceFile(name, ...more) {
      const text = library.get(name)
      return text === undefined ? host.getSourceFile(name, ...more) : ts.createSourceFile(name, text, more[0])
    },
  }
}

/** Returns the row types of all statements in `src`, as the compiler resolves them. */
export function declaredRows(): DeclaredRow[] {
  const files = globSync('src/**/*.ts', { cwd: ROOT }).map(file => `${ROOT}${file}`)
  return new Reader(ts.createProgram(files, OPTIONS, compilerHost())).rows()
}

type Call = ts.CallExpression

class Reader {
  readonly #checker: ts.TypeChecker
  readonly #calls: Call[] = []

  constructor(program: ts.Program) {
    this.#checker = program.getTypeChecker()
    for (const file of program.getSourceFiles()) if (file.fileName.startsWith(`${ROOT}src/`)) this.#collect(file)
  }

  rows(): DeclaredRow[] {
    return this.#calls.flatMap(call => {
      const callee = call.expression.getText()
      const isMaker = MAKERS.some(maker => this.#placeOf(call).startsWith(maker))
      if (callee === 'defineResource') return this.#resource(call)
      if (isMaker || !['statement', 'statements', 'defineList'].includes(callee)) return []
      const isList = callee === 'defineList'
      const name = isList ? propertyOf(this.#literal(call.arguments[0]), 'name') : call.arguments[0]
      return this.#named(call, name, isList)
    })
  }

  #collect(node: ts.Node): void {
    if (ts.isCallExpression(node)) this.#calls.push(node)
    ts.forEachChild(node, child => this.#collect(child))
  }

  /** Returns the object itself when a constant holds it. */
  #literal(given: ts.Expression | undefined): ts.Expression | undefined {
    if (!given || !ts.isIdentifier(given)) return given
    const [constant] = this.#checker.getSymbolAtLocation(given)?.declarations ?? []
    return constant && ts.isVariableDeclaration(constant) ? constant.initializer : given
  }

  #named(call: Call, name: ts.Expression | undefined, isList: boolean): DeclaredRow[] {
    if (name === undefined) return []
    if (ts.isStringLiteralLike(name)) return [this.#row(new RegExp(`^${quoted(name.text)}$`), call, isList)]
    if (ts.isTemplateExpression(name)) {
      const source = [name.head.text, ...name.templateSpans.map(span => span.literal.text)].map(quoted).join('\\w+')
      return [this.#row(new RegExp(`^${source}$`), call, isList)]
    }
    return this.#callsThatName(name).map(([other, text]) => this.#row(new RegExp(`^${quoted(text)}$`), other, isList))
  }

  /** Returns the calls that pass the name when it is a parameter. */
  #callsThatName(name: ts.Expression): [Call, string][] {
    const symbolOfName = ts.isShorthandPropertyAssignment(name.parent)
      ? this.#checker.getShorthandAssignmentValueSymbol(name.parent)
      : this.#checker.getSymbolAtLocation(name)
    const [parameter] = symbolOfName?.declarations ?? []
    if (!parameter || !ts.isParameter(parameter)) return []
    const at = parameter.parent.parameters.indexOf(parameter as never)
    const maker = ts.isVariableDeclaration(parameter.parent.parent) ? parameter.parent.parent.name : undefined
    const symbol = maker && this.#checker.getSymbolAtLocation(maker)
    return this.#calls
      .filter(call => symbol && this.#checker.getSymbolAtLocation(call.expression) === symbol)
      .flatMap(call => {
        const given = call.arguments[at]
        return given && ts.isStringLiteralLike(given) ? [[call, given.text] as [Call, string]] : []
      })
  }

  #resource(call: Call): DeclaredRow[] {
    const collection = propertyOf(call.arguments[0], 'collection')
    if (!collection || !ts.isStringLiteralLike(collection)) return []
    const resource = this.#checker.getTypeAtLocation(call)
    const found = this.#answerOf(this.#propertyType(resource, 'find'))
    const listed = this.#answerOf(this.#propertyType(resource, 'list'))
    const name = quoted(collection.text)
    return [
      this.#of(new RegExp(`^${name}\\.(insert|find|update|delete)$`), call, found, false),
      this.#of(new RegExp(`^${name}\\.list$`), call, this.#listed(listed), true),
    ]
  }

  #row(name: RegExp, call: Call, isList: boolean): DeclaredRow {
    const answer = this.#answerOf(this.#checker.getTypeAtLocation(call))
    return this.#of(name, call, isList ? this.#listed(answer) : this.#elementOf(answer), isList)
  }

  #of(name: RegExp, call: Call, row: ts.Type, isList: boolean): DeclaredRow {
    const columns = this.#checker.getPropertiesOfType(row).map(property => {
      const type = this.#checker.getTypeOfSymbolAtLocation(property, call)
      const optional = (property.flags & ts.SymbolFlags.Optional) !== 0
      return [property.name, this.#column(type, optional)] as const
    })
    return { name, place: this.#placeOf(call), isList, columns: new Map(columns) }
  }

  /** Returns the type that a function resolves with. */
  #answerOf(type: ts.Type): ts.Type {
    const [signature] = type.getCallSignatures()
    if (!signature) throw new Error(`${this.#checker.typeToString(type)} is no function`)
    const promised = this.#checker.getAwaitedType(signature.getReturnType()) as ts.Type
    return this.#checker.getNonNullableType(promised)
  }

  /** The rows of a page are written or plain; the plain type is used. */
  #listed(list: ts.Type): ts.Type {
    const data = this.#propertyType(list, 'data')
    const plain = (data.isUnion() ? data.types : [data]).find(part => this.#checker.isArrayType(part))
    if (!plain) throw new Error(`${this.#checker.typeToString(data)} has no rows`)
    return this.#elementOf(plain)
  }

  /** Returns the type of a row; a function that wraps the statement in `one` answers with the row itself. */
  #elementOf(rows: ts.Type): ts.Type {
    return this.#checker.getIndexTypeOfType(rows, ts.IndexKind.Number) ?? rows
  }

  #propertyType(type: ts.Type, name: string): ts.Type {
    const property = this.#checker.getPropertyOfType(type, name)
    if (!property) throw new Error(`${this.#checker.typeToString(type)} has no ${name}`)
    return this.#checker.getTypeOfSymbol(property)
  }

  #column(type: ts.Type, optional: boolean): DeclaredColumn {
    const parts = type.isUnion() ? type.types : [type]
    const has = (flag: ts.TypeFlags) => parts.some(part => (part.flags & flag) !== 0)
    const isAny = has(ts.TypeFlags.Any | ts.TypeFlags.Unknown)
    const some = parts.find(part => (part.flags & (ts.TypeFlags.Null | ts.TypeFlags.Undefined)) === 0)
    const nullable = isAny || optional || has(ts.TypeFlags.Null)
    return { nullable, optional, kind: isAny || !some ? 'any' : this.#kindOf(some) }
  }

  #kindOf(type: ts.Type): string {
    if (type.flags & ts.TypeFlags.StringLike) return 'string'
    if (type.flags & ts.TypeFlags.NumberLike) return 'number'
    if (type.flags & ts.TypeFlags.BooleanLike) return 'boolean'
    if (this.#checker.isArrayType(type)) return 'array'
    return type.symbol?.name === 'Buffer' ? 'Buffer' : 'object'
  }

  #placeOf(node: ts.Node): string {
    const file = node.getSourceFile()
    return `${relative(ROOT, file.fileName)}:${file.getLineAndCharacterOfPosition(node.getStart()).line + 1}`
  }
}

const quoted = (text: string): string => text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')

/** The value of a property of an object literal. */
function propertyOf(object: ts.Expression | undefined, name: string): ts.Expression | undefined {
  if (!object || !ts.isObjectLiteralExpression(object)) return undefined
  const property = object.properties.find(member => member.name?.getText() === name)
  if (property && ts.isShorthandPropertyAssignment(property)) return property.name
  return property && ts.isPropertyAssignment(property) ? property.initializer : undefined
}
