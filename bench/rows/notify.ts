import { AgentLoad, type Notification } from '../agent-load.ts'
import { startFloor } from '../floor.ts'
import { figure, median, printRow, ratio } from '../print.ts'
import { measure } from '../process-cpu.ts'
import type { Reach } from '../reach.ts'
import type { World } from '../world.ts'

const AGENTS = 256

const KINDS: [Notification, string][] = [
  ['event', 'Event (record and event log)'],
  ['value', 'ValueChange (parameter and event log)'],
  ['fact', 'ValueChange of a fact (record, parameter and event log)'],
]

/**
 * Notify with send_resp, each answered after it was committed, one at a time per Agent; against a bare ws + protobufjs
 * echo.
 */
export async function notifyRow(world: World, seconds: number, rounds: number): Promise<Reach[]> {
  const agents = load(world.uspPort, '/usp', world.endpointId)
  const floor = await startFloor('floor-ws', [])
  const echoes = load(floor.port, '/', world.endpointId)
  const floors: Run[] = []
  const runs = new Map<Notification, Run[]>(KINDS.map(([kind]) => [kind, []]))
  try {
    // A first contact makes the Agent known; its onboarding is over before anything is measured.
    await inTurns(agents, (agent) => agent.connect(true, 500))
    await Promise.all(echoes.map((agent) => agent.connect(false, 0)))
    for (let round = 0; round < rounds; round++) {
      floors.push(await run({ server: floor.pid }, echoes, 'value', seconds))
      for (const [kind] of KINDS) {
        const before = await world.databaseCommands()
        const found = await run(world.pids, agents, kind, seconds)
        runs.get(kind)?.push({ ...found, commands: ((await world.databaseCommands()) - before) / found.total })
      }
    }
  } finally {
    floor.stop()
    for (const agent of [...agents, ...echoes]) agent.close()
  }
  const of = (list: Run[], name: keyof Run) => median(list.map((entry) => entry[name]))
  const base = of(floors, 'serverMs')
  printRow(
    `Notify with send_resp, committed before it is answered, ${AGENTS} Agents, median of ${rounds} runs of ${seconds} s`,
    [['floor: bare ws + protobufjs, CPU', figure(base, 'ms', 4), figure(of(floors, 'perSecond'), '/s', 0)]],
  )
  for (const [kind, title] of KINDS) {
    const list = runs.get(kind) ?? []
    printRow(`  ${title}`, [
      ['server CPU', figure(of(list, 'serverMs'), 'ms', 4), ratio(of(list, 'serverMs'), base)],
      ['database CPU', figure(of(list, 'databaseMs'), 'ms', 4)],
      ['database commands', figure(of(list, 'commands'), 'each', 4)],
      ['committed', figure(of(list, 'perSecond'), '/s', 0)],
    ])
  }
  return KINDS.map(([kind, title]) => ({
    name: `Notify committed: ${title}`,
    value: of(runs.get(kind) ?? [], 'perSecond'),
    unit: '/s',
    digits: 0,
    limit: 5000,
    better: 'more',
  }))
}

interface Run {
  total: number
  perSecond: number
  serverMs: number | undefined
  databaseMs: number | undefined
  commands?: number
}

function load(port: number, path: string, controllerId: string): AgentLoad[] {
  return Array.from({ length: AGENTS }, (_, i) => new AgentLoad(port, path, controllerId, `N${i}`))
}

/** Some at a time, so that a start is no storm. */
export async function inTurns<T>(items: T[], work: (item: T) => Promise<void>, atOnce = 64): Promise<void> {
  for (let i = 0; i < items.length; i += atOnce) await Promise.all(items.slice(i, i + atOnce).map(work))
}

async function run(
  pids: { server: number; database?: number | undefined },
  agents: AgentLoad[],
  kind: Notification,
  seconds: number,
): Promise<Run> {
  const { value, wallMs, cpu } = await measure({ server: pids.server, database: pids.database }, async () => {
    const end = performance.now() + seconds * 1000
    let total = 0
    await Promise.all(
      agents.map(async (agent) => {
        for (; performance.now() < end; total++) await agent.notify(kind)
      }),
    )
    return total
  })
  const each = (total: number | undefined) => (total === undefined ? undefined : total / value)
  return {
    total: value,
    perSecond: (value * 1000) / wallMs,
    serverMs: each(cpu.server),
    databaseMs: each(cpu.database),
  }
}
