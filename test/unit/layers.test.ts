import { readdirSync, readFileSync, statSync } from 'node:fs'
import { dirname, join, relative, resolve, sep } from 'node:path'
import { describe, expect, it } from 'vitest'

/** Floors of the house: an import goes to a lower one. Rooms of one floor do not meet. */
const FLOORS: Record<string, number> = {
  base: 0,
  datamodel: 1,
  config: 1,
  domain: 2,
  security: 2,
  tree: 2,
  cwmp: 3,
  usp: 3,
  store: 3,
  jobs: 3,
  bus: 3,
  operations: 4,
  planner: 5,
  simulator: 5,
  api: 6,
  demo: 6,
  cli: 7,
}
/** Inside a protocol: wire below (mtp below) the two roles, which do not meet. */
const INNER: Record<string, Record<string, number>> = {
  cwmp: { wire: 0, acs: 1, cpe: 1 },
  usp: { wire: 0, mtp: 1, controller: 2, agent: 2 },
}
/** Third parties and the one file that may import each. */
const DOORS: Record<string, string[]> = {}

const SRC = resolve(import.meta.dirname, '../../src')

function sources(folder: string): string[] {
  return readdirSync(folder).flatMap((name) => {
    const path = join(folder, name)
    if (statSync(path).isDirectory()) return sources(path)
    return path.endsWith('.ts') ? [path] : []
  })
}

function importsOf(file: string): string[] {
  const text = readFileSync(file, 'utf8')
  // Statements begin a line; what stands between `import` and `from` is names, braces and commas.
  const statements = /^(?:import|export)(?:\s+type)?\s*(?:[\w$*{},\s]*?\sfrom\s*)?['"]([^'"\n]+)['"]/gm
  const dynamic = /\bimport\(\s*['"]([^'"]+)['"]\s*\)/g
  return [...text.matchAll(statements), ...text.matchAll(dynamic)].map((match) => match[1] ?? '')
}

const edges = sources(SRC).flatMap((file) =>
  importsOf(file).map((specifier) => ({ file: relative(SRC, file).split(sep).join('/'), specifier, from: file })),
)

/** Why an import breaks the house rules; undefined when it does not. */
function problem(file: string, target: string): string | undefined {
  const [room = '', inner = ''] = file.split('/')
  const [toRoom = '', toInner = ''] = target.split('/')
  const floor = FLOORS[room]
  const toFloor = FLOORS[toRoom]
  if (floor === undefined || toFloor === undefined) return 'is in a room that has no floor'
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
    for (const room of Object.keys(FLOORS)) {
      const own = edges.filter((edge) => edge.file.startsWith(`${room}/`))
      expect(own.length, `imports read in ${room}`).toBeGreaterThan(0)
    }
  })

  it('has no import that points up, sideways or past an index.ts', () => {
    const broken = edges
      .filter((edge) => edge.specifier.startsWith('.'))
      .map((edge) => ({
        ...edge,
        target: relative(SRC, resolve(dirname(edge.from), edge.specifier))
          .split(sep)
          .join('/'),
      }))
      .filter((edge) => !edge.target.startsWith('..'))
      .flatMap((edge) => {
        const why = problem(edge.file, edge.target)
        return why === undefined ? [] : [`${edge.file} -> ${edge.target} ${why}`]
      })
    expect(broken).toEqual([])
  })

  it('notices each kind of break', () => {
    expect(problem('store/x.ts', 'operations/index.ts')).toBe('points up')
    expect(problem('store/x.ts', 'bus/index.ts')).toBe('points sideways')
    expect(problem('store/x.ts', 'domain/device/id.ts')).toBe("goes past the room's index.ts")
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
})
