import { AgentLoad } from '../agent-load.ts'
import { figure, printRow } from '../print.ts'
import { leastResident } from '../process-cpu.ts'
import type { Reach } from '../reach.ts'
import type { World } from '../world.ts'
import { inTurns } from './notify.ts'

/** Resident memory that an idle link of an onboarded Agent takes. */
export async function linksRow(world: World, links: number): Promise<Reach[]> {
  // The first ones pay for what all share: models, caches, buffers, and the heap's own growth.
  const first = agents(world, 'F', 500)
  await inTurns(first, (agent) => agent.connect(true, 300), 100)
  const before = await leastResident(world.pids.server, 30_000)
  const more = agents(world, 'K', links)
  try {
    await inTurns(more, (agent) => agent.connect(true, 300), 100)
    const after = await leastResident(world.pids.server, 30_000)
    const each = before === undefined || after === undefined ? undefined : (after - before) / links
    printRow(`Memory of idle Agent links, ${links} onboarded Agents`, [
      ['server before', figure(before === undefined ? undefined : before / 1e6, 'MB', 0)],
      ['server with them', figure(after === undefined ? undefined : after / 1e6, 'MB', 0)],
      ['each', figure(each === undefined ? undefined : each / 1024, 'KB', 1)],
    ])
    const value = each === undefined ? undefined : each / 1024
    return [{ name: `Memory of an idle link, of ${links}`, value, unit: 'KB', digits: 1, limit: 25, better: 'less' }]
  } finally {
    for (const agent of [...first, ...more]) agent.close()
  }
}

function agents(world: World, prefix: string, count: number): AgentLoad[] {
  return Array.from(
    { length: count },
    (_, i) => new AgentLoad(world.uspPort, '/usp', world.endpointId, `${prefix}${i}`),
  )
}
