import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { describe, expect, it } from 'vitest'
import { FLOORS } from '../support/floors.ts'
import { circles, parseSource, readSources, unusedExports } from '../support/source-graph.ts'

/** Inside a protocol: wire below (mtp below) the two roles, which do not meet. */
const INNER: Record<string, Record<string, number>> = {
  cwmp: { wire: 0, acs: 1, cpe: 1 },
  usp: { wire: 0, mtp: 1, controller: 2, agent: 2 },
}
/** Third parties and the one file that may import each. */
const DOORS: Record<string, string[]> = {
  // The simulated routers are peers of the adapters, and share nothing with them.
  'net-snmp': ['routeros/snmp/net-snmp.ts', 'simulator/routeros/snmp/agent.ts'],
  ssh2: ['routeros/ssh/ssh2.ts', 'simulator/routeros/console/ssh-server.ts'],
}

const ROOT = resolve(import.meta.dirname, '../..')
const files = readSources(join(ROOT, 'src'), '.')
/** Those that use the exports of src beside src itself; their paths are relative to src, too. */
const outside = ['test', 'bench', 'migrations'].flatMap((folder) => readSources(join(ROOT, 'src'), join('..', folder)))

const edges = files.flatMap(({ path, imports }) =>
  imports.map(({ specifier, target, isReExport }) => ({ file: path, specifier, target, isReExport })),
)

/** Circles that are left: each waits for its room to be rebuilt. A row goes when its circle does; none is added. */
const FILE_CIRCLES: string[] = []
const FOLDER_CIRCLES: string[] = []
/**
 * A number of a paragraph without the public standard that has it: those are cited as TR-069 3.7.1, RFC 7616 3.4 or
 * R-NOT.1.
 */
const PRIVATE =
  /\b(?:sections? \d[\d.]*|reference of TR-\d+|TR-\d+ reference|(?:field|schema|design) notes|design document)/gi

/** A comment that begins with a clause, or a sentence in it that has one for its subject. */
const CLAUSE = /^(?:What|Whether|Who|Nobody|How|Where|When|Which|Why)\b|[.:] (?:What|Whether|Who|Nobody)\b/

/** Returns the comments of a source, each on one line and without its signs; lines of `//` in a row are one comment. */
function commentsOf(text: string): string[] {
  const found = text.matchAll(/\/\*\*[\s\S]*?\*\/|(?:^[ \t]*\/\/ .*\n?)+|[ \t]\/\/ .*/gm)
  return [...found].map(([comment]) =>
    comment
      .replace(/^[ \t]*(?:\/\*\*|\/\/|\*\/?)|\*\/$/gm, '')
      .replace(/\s+/g, ' ')
      .trim(),
  )
}

/**
 * Returns the nodes of a graph to which the imports of a room lead, by the paths of their files; an index.ts of a room
 * passes on its own exports.
 */
function graphOf(node: (path: string) => string): Map<string, Set<string>> {
  const graph = new Map(files.map(({ path }) => [node(path), new Set<string>()]))
  for (const { file, target } of edges) {
    const isIndex = file.endsWith('/index.ts')
    if (target === undefined || isIndex || target.split('/')[0] !== file.split('/')[0]) continue
    if (node(target) !== node(file)) graph.get(node(file))?.add(node(target))
  }
  return graph
}

/** The number of times that a file names something, its declaration included and comments aside. */
function usesIn(path: string, name: string): number {
  const text = files.find((file) => file.path === path)?.text ?? ''
  const code = text.split('\n').filter((line) => !/^\s*(\/?\*|\/\/)/.test(line))
  return code.join('\n').match(new RegExp(`\\b${name}\\b`, 'g'))?.length ?? 0
}

/** The reason for which an import breaks the house rules; undefined when it does not. */
function problem(file: string, target: string): string | undefined {
  const [room = '', inner = ''] = file.split('/')
  const [toRoom = '', toInner = ''] = target.split('/')
  const floor = FLOORS[room]
  const toFloor = FLOORS[toRoom]
  if (floor === undefined || toFloor === undefined) return 'is in a room that has no floor'
  if (/(^|\/)index\.ts$/.test(target) && file !== target && file.startsWith(target.replace(/index\.ts$/, '')))
    return 'comes back through the index.ts of its own folder'
  if (room !== toRoom) {
    if (toFloor > floor) return 'points up'
    if (toFloor === floor) return 'points sideways'
    return target === `${toRoom}/index.ts` ? undefined : "goes past the room's index.ts"
  }
  const table = INNER[room]
  if (table === undefined || inner === toInner || !(inner in table) || !(toInner in table)) return undefined
  if ((table[toInner] ?? 0) > (table[inner] ?? 0)) return 'points up inside the protocol'
  if (table[toInner] === table[inner]) return 'points sideways inside the protocol'
  return target.split('/').length === 3 && target.endsWith('/index.ts')
    ? undefined
    : "goes past the inner room's index.ts"
}

describe('the house', () => {
  it('sees the imports of every room', () => {
    expect(readdirSync(join(ROOT, 'src')).sort()).toEqual(Object.keys(FLOORS).sort())
    for (const room of Object.keys(FLOORS)) {
      const own = edges.filter((edge) => edge.file.startsWith(`${room}/`))
      expect(own.length, `imports read in ${room}`).toBeGreaterThan(0)
    }
  })

  it('has no import that points up, sideways or past an index.ts', () => {
    const broken = edges.flatMap(({ file, target }) => {
      if (target === undefined || target.startsWith('..')) return []
      const why = problem(file, target)
      return why === undefined ? [] : [`${file} -> ${target} ${why}`]
    })
    expect(broken).toEqual([])
  })

  it('notices each kind of break', () => {
    expect(problem('store/x.ts', 'operations/index.ts')).toBe('points up')
    expect(problem('store/x.ts', 'bus/index.ts')).toBe('points sideways')
    expect(problem('store/x.ts', 'domain/device/id.ts')).toBe("goes past the room's index.ts")
    expect(problem('domain/device/x.ts', 'domain/index.ts')).toBe('comes back through the index.ts of its own folder')
    expect(problem('cwmp/acs/x.ts', 'cwmp/cpe/index.ts')).toBe('points sideways inside the protocol')
    expect(problem('usp/wire/x.ts', 'usp/mtp/index.ts')).toBe('points up inside the protocol')
    expect(problem('usp/agent/x.ts', 'usp/wire/index.ts')).toBeUndefined()
    expect(problem('api/x.ts', 'operations/index.ts')).toBeUndefined()
  })

  it('lets each third party in by one door file', () => {
    const users = new Map<string, Set<string>>()
    for (const { file, specifier } of edges) {
      if (specifier.startsWith('.') || specifier.startsWith('node:')) continue
      const name = specifier
        .split('/')
        .slice(0, specifier.startsWith('@') ? 2 : 1)
        .join('/')
      users.set(name, (users.get(name) ?? new Set()).add(file))
    }
    const crowded = [...users].filter(([name, files]) => files.size > (DOORS[name]?.length ?? 1))
    expect(crowded.map(([name, files]) => `${name}: ${[...files].join(', ')}`)).toEqual([])
    expect(users.size).toBeGreaterThan(5)
  })

  it('has no circle of imports between files, also not of types', () => {
    expect(circles(graphOf((path) => path)).map((circle) => circle.join(' <-> '))).toEqual(FILE_CIRCLES)
  })

  it('has no circle of imports between the folders of a room', () => {
    expect(
      circles(graphOf(dirname))
        .map((circle) => circle.join(' <-> '))
        .sort(),
    ).toEqual(FOLDER_CIRCLES)
  })

  it('knows the letters of the facets in the room of the models alone', () => {
    const others = files.filter(({ path, text }) => !path.startsWith('datamodel/') && /\bfacets\b/.test(text))
    expect(others.map(({ path }) => path)).toEqual([])
  })

  it('begins no comment with a clause, and no sentence of a comment with a noun clause', () => {
    const found = [...files, ...outside].flatMap(({ path, text }) =>
      commentsOf(text).flatMap((comment) => (CLAUSE.test(comment) ? [`${path}: ${comment.slice(0, 60)}`] : [])),
    )
    expect(found.filter((line) => !line.includes('layers.test.ts'))).toEqual([])
    const wrong = ['/** Whether it is so. */', '// What is left.', '/**\n * True here. Who\n * asks waits. */']
    const right = [
      '/** True: it is so. */',
      "const url = 'http://what'",
      '/** Reads it. When it is late, it throws. */',
    ]
    expect([...wrong, ...right].filter((text) => commentsOf(text).some((comment) => CLAUSE.test(comment)))).toEqual(
      wrong,
    )
  })

  it('exports nothing that no other file imports', () => {
    const unused = unusedExports(files, [...files, ...outside])
    expect(unused.map(({ path, name }) => `${path}#${name}`)).toEqual([])
  })

  it('has nothing that tests alone use', () => {
    const dead = unusedExports(files, [...files, ...outside.filter(({ path }) => !path.startsWith('../test/'))])
    const idle = dead.filter((one) => usesIn(one.path, one.name) < 2)
    expect(idle.map(({ path, name }) => `${path}#${name}`)).toEqual([])
  })

  it('notices circles and exports that nobody imports', () => {
    const at = (specifier: string) => specifier.slice(2)
    const one = parseSource('one.ts', "import type { B } from './two.ts'\nexport interface A { b: B }\n", at)
    const two = parseSource(
      'two.ts',
      "import type { A } from './one.ts'\nexport type B = A[]\nexport const C = 1\n",
      at,
    )
    const index = parseSource('index.ts', "export * from './two.ts'\n", at)
    const user = parseSource('user.ts', "import { C } from './index.ts'\n", at)
    const graph = new Map(
      [one, two].map(({ path, imports }) => [path, new Set(imports.map(({ target = '' }) => target))]),
    )
    expect(circles(graph)).toEqual([['one.ts', 'two.ts']])
    expect(unusedExports([one, two], [one, two, index])).toEqual([{ path: 'two.ts', name: 'C' }])
    expect(unusedExports([one, two], [one, two, index, user])).toEqual([])
  })

  it('writes many documents by a statement for each: see updateEach', () => {
    const many = /\.(?:updateMany|deleteMany)\(/
    // Nothing of the job queue is written in a transaction.
    const found = files.filter(({ path, text }) => many.test(text) && !path.endsWith('jobs/job-queue.ts'))
    expect(found.map(({ path }) => path)).toEqual([])
  })

  it('cites no document that a reader cannot have', () => {
    const pages = [
      'README.md',
      'ARCHITECTURE.md',
      'CHANGELOG.md',
      ...readdirSync(join(ROOT, 'docs')).map((name) => `docs/${name}`),
    ]
    const texts = [
      ...[...files, ...outside].map(({ path, text }) => ({ path, text })),
      ...pages
        .filter((path) => path.endsWith('.md'))
        .map((path) => ({ path, text: readFileSync(join(ROOT, path), 'utf8') })),
    ]
    const cited = texts.flatMap(({ path, text }) => [...text.matchAll(PRIVATE)].map(([words]) => `${path}: ${words}`))
    expect(cited.filter((line) => !line.includes('layers.test.ts'))).toEqual([])
  })
})
