import { readdirSync, readFileSync, statSync } from 'node:fs'
import { dirname, join, relative, resolve, sep } from 'node:path'

/** One import or re-export of a file; `names` as the other file exports them, `*` for all. */
export interface Import {
  specifier: string
  /** The file that is meant, relative to the root; undefined for a package. */
  target: string | undefined
  names: string[]
  isReExport: boolean
}

/** A source file: its text, its imports, and the names that it declares and exports. */
export interface SourceFile {
  path: string
  text: string
  imports: Import[]
  exports: string[]
}

/** Statements begin a line; what stands between `import` and `from` is names, braces and commas. */
const STATEMENT = /^(import|export)(?:\s+type)?\s+(?:([\w$*{},\s]*?)\s+from\s+)?['"]([^'"\n]+)['"]/gm
const DYNAMIC = /\bimport\(\s*['"]([^'"]+)['"]\s*\)/g
const DECLARED =
  /^export\s+(?:declare\s+)?(?:abstract\s+)?(?:async\s+)?(?:function\*?|class|const|let|type|interface|enum)\s+(\w+)/gm

/** Names that a file exports without a declaration in the same statement; `default` for a default export. */
const LISTED = /^export\s+(?:type\s+)?\{([^}]*)\}(?!\s*from)/gm
const DEFAULT = /^export\s+(default)\b/gm

/** Returns the TypeScript files of a folder, with paths relative to `root` and slashes on every system. */
export function readSources(root: string, folder: string): SourceFile[] {
  return filesOf(join(root, folder)).map((file) => {
    const text = readFileSync(file, 'utf8')
    const toPath = (path: string) => relative(root, path).split(sep).join('/')
    return parseSource(toPath(file), text, (specifier) => toPath(resolve(dirname(file), specifier)))
  })
}

/** Reads imports and exports out of a text; `target` resolves a relative specifier. */
export function parseSource(path: string, text: string, target: (specifier: string) => string): SourceFile {
  const imports = [...text.matchAll(STATEMENT)].map(([, kind, clause = '', specifier = '']) => ({
    specifier,
    target: specifier.startsWith('.') ? target(specifier) : undefined,
    names: namesOf(clause),
    isReExport: kind === 'export',
  }))
  for (const [, specifier = ''] of text.matchAll(DYNAMIC))
    imports.push({
      specifier,
      target: specifier.startsWith('.') ? target(specifier) : undefined,
      names: ['*'],
      isReExport: false,
    })
  const listed = [...text.matchAll(LISTED)].flatMap(([, list = '']) => namesOf(list.replace(/\w+\s+as\s+/g, '')))
  const declared = [...text.matchAll(DECLARED), ...text.matchAll(DEFAULT)].map(([, name = '']) => name)
  const exports = [...declared, ...listed]
  return { path, text, imports, exports }
}

/**
 * Returns the exports that no other file of `users` imports, also not through a chain of re-exports, as `path#name`.
 */
export function unusedExports(files: SourceFile[], users: SourceFile[]): { path: string; name: string }[] {
  const byPath = new Map([...files, ...users].map((file) => [file.path, file]))
  const used = new Set<string>()
  const mark = (path: string, name: string, seen = new Set<string>()): void => {
    const file = byPath.get(path)
    if (file === undefined || seen.has(path)) return
    seen.add(path)
    if (name === '*') for (const own of file.exports) used.add(`${path}#${own}`)
    else if (file.exports.includes(name)) used.add(`${path}#${name}`)
    for (const { target, names, isReExport } of file.imports)
      if (isReExport && target !== undefined && (names.includes('*') || names.includes(name))) mark(target, name, seen)
  }
  for (const { imports } of users)
    for (const { target, names, isReExport } of imports)
      if (target !== undefined && !isReExport) for (const name of names) mark(target, name)
  return files
    .flatMap(({ path, exports }) => exports.map((name) => ({ path, name })))
    .filter(({ path, name }) => !used.has(`${path}#${name}`))
}

/** Returns the circles of a graph: each is a set of nodes that all reach each other, in order of their names. */
export function circles(graph: ReadonlyMap<string, ReadonlySet<string>>): string[][] {
  const reach = new Map([...graph.keys()].map((from) => [from, reachable(graph, from)]))
  const found = new Map<string, string[]>()
  for (const [from, reached] of reach) {
    const circle = [...reached].filter((to) => reach.get(to)?.has(from) === true).sort()
    if (circle.includes(from) && circle.length > 1) found.set(circle.join(' <-> '), circle)
  }
  return [...found.values()]
}

function reachable(graph: ReadonlyMap<string, ReadonlySet<string>>, from: string): Set<string> {
  const reached = new Set<string>()
  const open = [from]
  for (let node = open.pop(); node !== undefined; node = open.pop())
    for (const next of graph.get(node) ?? [])
      if (!reached.has(next)) {
        reached.add(next)
        open.push(next)
      }
  return reached
}

function namesOf(clause: string): string[] {
  if (clause.includes('*')) return ['*']
  return clause
    .replace(/[{}]/g, ' ')
    .split(',')
    .map(
      (part) =>
        part
          .trim()
          .replace(/^type\s+/, '')
          .split(/\s+as\s+/)[0]
          ?.trim() ?? '',
    )
    .filter((name) => name !== '')
}

function filesOf(folder: string): string[] {
  return readdirSync(folder).flatMap((name) => {
    const path = join(folder, name)
    if (statSync(path).isDirectory()) return filesOf(path)
    return path.endsWith('.ts') ? [path] : []
  })
}
