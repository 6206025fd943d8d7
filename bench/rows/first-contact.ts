import { CpeLoad } from '../cpe-load.ts'
import { figure, median, printRow } from '../print.ts'
import { measure } from '../process-cpu.ts'
import { PARTS } from '../profile.ts'
import type { Reach } from '../reach.ts'
import type { World } from '../world.ts'

/** Devices in a run, and how many of them come at a time. */
const DEVICES = 60
const AT_ONCE = 6
const TREES = [
  { parameters: 105, rpcs: 12, serverMs: undefined },
  { parameters: 1000, rpcs: 40, serverMs: 15 },
]

interface Run {
  rpcs: number
  serverMs: number | undefined
  databaseMs: number | undefined
}

/** First contacts: enrolment, the whole tree and its values, until there is nothing to do; per device. */
export async function firstContactRow(world: World, rounds: number): Promise<Reach[]> {
  const reaches: Reach[] = []
  for (const { parameters, rpcs, serverMs } of TREES) {
    let devices = 0
    const contacts = async (count: number) => {
      let requests = 0
      for (let i = 0; i < count; i += AT_ONCE)
        await Promise.all(
          Array.from({ length: AT_ONCE }, async () => {
            const rpcs = await contact(world, `F${parameters}x${devices++}`, parameters)
            requests += rpcs
          }),
        )
      return requests / count
    }
    // The first ones teach the server their model, and it compiles its code.
    await contacts(DEVICES)
    const runs: Run[] = []
    for (let round = 0; round < rounds; round++) {
      const run = await measure(world.pids, () => contacts(DEVICES))
      const each = (total: number | undefined) => (total === undefined ? undefined : total / DEVICES)
      runs.push({ rpcs: run.value, serverMs: each(run.cpu.server), databaseMs: each(run.cpu.database) })
    }
    const shares = await world.shares(() => contacts(DEVICES))
    const of = (key: keyof Run) => median(runs.map((run) => run[key]))
    printRow(`First contact of a CPE with ${parameters} parameters, median of ${rounds} runs of ${DEVICES}`, [
      ['RPCs', figure(of('rpcs'), 'each', 1)],
      ['server CPU', figure(of('serverMs'), 'ms')],
      ['database CPU', figure(of('databaseMs'), 'ms')],
      ...PARTS.map((part): [string, string] => [`share of ${part}`, figure(shares[part] * 100, '%', 1)]),
    ])
    const name = `First contact with ${parameters} parameters`
    const less = { better: 'less' } as const
    reaches.push({ name: `${name}: RPCs`, value: of('rpcs'), unit: 'each', digits: 1, limit: rpcs, ...less })
    if (serverMs !== undefined)
      reaches.push({
        name: `${name}: server CPU`,
        value: of('serverMs'),
        unit: 'ms',
        digits: 1,
        limit: serverMs,
        ...less,
      })
  }
  return reaches
}

/** The sessions of one new CPE until the ACS has nothing to do; the number of RPCs. */
async function contact(world: World, serial: string, parameters: number): Promise<number> {
  const device = new CpeLoad(world.cwmpPort, serial, world.enrolmentSecret, parameters)
  try {
    await device.session('0 BOOTSTRAP')
    for (let i = 0; i < 20; i++) if ((await device.session()) === 2) return device.rpcs
    throw new Error('a device does not become warm: the ACS always has something to do')
  } finally {
    device.close()
  }
}
