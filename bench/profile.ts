import { existsSync, readFileSync, rmSync } from 'node:fs'
import type { Profiler } from 'node:inspector'

/** A part of the server's CPU time, as a profile shows it. */
export const PARTS = ['database', 'XML', 'crypto', 'sockets', 'HTTP', 'garbage', 'own code', 'other'] as const
export type Part = (typeof PARTS)[number]
export type Shares = Record<Part, number>

const WAIT_MS = 20_000
/** Functions without a script of their own that move bytes to and from the kernel. */
const SOCKET_CALLS = /^(write(v|Buffer|Utf8String|Latin1String|AsciiString)|shutdown|readStart|readStop|close)$/

/** Profiles a server that loaded `profiler.ts`, while `work` runs; the share of each part of its busy time. */
export async function sharesWhile(pid: number, file: string, work: () => Promise<unknown>): Promise<Shares> {
  process.kill(pid, 'SIGUSR2')
  await work()
  process.kill(pid, 'SIGUSR2')
  for (let waited = 0; !existsSync(file); waited += 50) {
    if (waited > WAIT_MS) throw new Error('the server wrote no profile')
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
  const profile: Profiler.Profile = JSON.parse(readFileSync(`${file}.part`, 'utf8'))
  if (process.env.BENCH_KEEP_PROFILE === undefined) rmSync(`${file}.part`)
  rmSync(file)
  return sharesOf(profile)
}

/** Time by part: that of a function counts where its script belongs, that of a built-in one where its caller does. */
export function sharesOf({ nodes, samples = [], timeDeltas = [] }: Profiler.Profile): Shares {
  const byId = new Map(nodes.map((node) => [node.id, node]))
  const parents = new Map<number, number>()
  for (const { id, children = [] } of nodes) for (const child of children) parents.set(child, id)
  const partOf = new Map<number, Part | undefined>()
  const part = (id: number): Part | undefined => {
    if (partOf.has(id)) return partOf.get(id)
    const node = byId.get(id)
    const above = parents.get(id)
    const own = node === undefined ? undefined : ownPart(node.callFrame)
    const found = own ?? (above === undefined ? undefined : part(above))
    partOf.set(id, found)
    return found
  }
  // The start of a profile takes as long as some hundred sessions.
  const isProfiler = (id: number | undefined): boolean =>
    id !== undefined &&
    (byId.get(id)?.callFrame.url.includes('/bench/profiler.') === true || isProfiler(parents.get(id)))
  const shares: Shares = {
    database: 0,
    XML: 0,
    crypto: 0,
    sockets: 0,
    HTTP: 0,
    garbage: 0,
    'own code': 0,
    other: 0,
  }
  let sum = 0
  samples.forEach((id, i) => {
    const name = byId.get(id)?.callFrame.functionName ?? ''
    if (name === '(idle)' || isProfiler(id)) return
    const time = timeDeltas[i] ?? 0
    sum += time
    shares[part(id) ?? 'other'] += time
  })
  for (const name of PARTS) shares[name] = sum === 0 ? 0 : shares[name] / sum
  return shares
}

function ownPart({ functionName, url }: { functionName: string; url: string }): Part | undefined {
  if (functionName === '(garbage collector)') return 'garbage'
  if (functionName === '(program)') return 'other'
  if (url === '') return SOCKET_CALLS.test(functionName) ? 'sockets' : undefined
  if (/node_modules\/(mongodb|bson|mongoose)|\/src\/store\//.test(url)) return 'database'
  if (/node_modules\/(saxes|xmlchars|fast-xml-parser)|\/cwmp\/wire\/|node:internal\/encoding/.test(url)) return 'XML'
  if (/node:(internal\/)?crypto|\/acs\/login\/(digest|nonces)/.test(url)) return 'crypto'
  if (/node:(_http|net|internal\/(http|net|stream_base|streams))|node:stream/.test(url)) return 'HTTP'
  return url.includes('/src/') ? 'own code' : undefined
}
