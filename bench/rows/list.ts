import { systemClock } from '../../src/base/index.ts'
import { versionKey } from '../../src/datamodel/index.ts'
import {
  DEVICE_SORT_FIELDS,
  type Device,
  type DeviceChange,
  type DeviceQuery,
  deviceIdOf,
  FACTS_VERSION,
  newDevice,
  parseSelector,
} from '../../src/domain/index.ts'
import type { Store } from '../../src/store/index.ts'
import { fill, openBeside } from '../fill.ts'
import { figure, median, printRow } from '../print.ts'
import type { Reach } from '../reach.ts'
import type { World } from '../world.ts'

const QUERIES: [string, string, string?][] = [
  ['first page of all', ''],
  ['by tag (1 of 100 has it)', 'tag==north'],
  ['by model and version (1 of 30), newest contact first', 'model==M7;softwareVersion=lt=1.10', '-cwmp.lastInformAt'],
  ['by serial prefix', 'serial==LIST00777*'],
  ['one serial number', 'serial==LIST0077777'],
  ['search: one PPPoE user', 'search==User77777@*'],
  ['search: the beginning of a MAC address (1 of 25)', 'search==02:00:01:0*'],
  ['search: an SSID that 1 of 1,000 has', 'search==casa77*'],
  ['weak signal (1 of 50), weakest first', 'optical.rxPowerDbm<-27', 'optical.rxPowerDbm'],
  ['connections that are down (1 of 100)', 'wan.state==Disconnected'],
]
const REPEATS = 15

/** The list query of the API over so many devices, with a filter that matches many, few or one. */
export async function listRow(world: World, devices: number): Promise<Reach[]> {
  const store = await openFilled(world, devices)
  try {
    await measure(world, store, devices)
  } finally {
    await store.close()
  }
  return []
}

/**
 * Measures the time that a caller waits, beside what the database says that it looks at: in the two engines one follows
 * from the other to a different degree.
 */
async function measure(world: World, store: Store, devices: number): Promise<void> {
  const rows: [string, string, string?][] = []
  for (const [name, filter, sort] of QUERIES) {
    const query = new URLSearchParams({
      limit: '100',
      ...(filter === '' ? {} : { filter }),
      ...(sort === undefined ? {} : { sort }),
    })
    const times: number[] = []
    let found = 0
    for (let i = 0; i < REPEATS; i++) {
      const start = performance.now()
      const page = await world.api.get<{ items: unknown[] }>(`/devices?${query}`)
      times.push(performance.now() - start)
      found = page.items.length
    }
    const { steps, keysExamined, documentsExamined } = await store.devices.explain(deviceQuery(filter, sort))
    const looks = `${keysExamined} keys and ${documentsExamined} documents by ${steps.join(', ')}`
    rows.push([name, figure(median(times), 'ms', 1), `${found} devices; ${looks}`])
  }
  printRow(`List query over ${devices} devices, through the API, median of ${REPEATS}; and what explain tells`, rows)
}

function deviceQuery(filter: string, sort = 'id'): DeviceQuery {
  const field = DEVICE_SORT_FIELDS.find((one) => one === sort.replace(/^-/, ''))
  return {
    limit: 100,
    ...(filter === '' ? {} : { selector: parseSelector(filter) }),
    sort: { field: field ?? 'id', descending: sort.startsWith('-') },
  }
}

async function openFilled(world: World, devices: number): Promise<Store> {
  const store = await openBeside(world)
  try {
    await fill(store, devices, (n) => [device(n)])
    return store
  } catch (error) {
    await store.close()
    throw error
  }
}

function device(n: number): DeviceChange {
  const identity = { oui: '00256D', productClass: 'List', serial: `LIST${String(n).padStart(7, '0')}` }
  const id = deviceIdOf(identity)
  const create: Device = {
    ...newDevice(id, identity, 'cwmp', systemClock.now()),
    manufacturer: 'Isthmian',
    model: `M${n % 20}`,
    softwareVersion: `1.${n % 16}.0`,
    softwareVersionKey: versionKey(`1.${n % 16}.0`),
    tags: n % 100 === 0 ? ['north'] : [],
    wan: {
      state: n % 100 === 7 ? 'Disconnected' : 'Connected',
      pppUser: `user${n}@isp.example`,
      ipAddress: `100.${64 + (n >> 16)}.${(n >> 8) % 256}.${n % 256}`,
      macAddress: `02:00:${[n >> 16, (n >> 8) % 256, n % 256].map((part) => part.toString(16).padStart(2, '0')).join(':')}:00`,
    },
    optical: { rxPowerDbm: n % 50 === 3 ? -27.5 - (n % 20) / 10 : -15 - (n % 100) / 10, health: 'good' },
    wifi: { ssids: [`Casa${n % 1000}`] },
    factsVersion: FACTS_VERSION,
    cwmp: { lastInformAt: systemClock.now() - n * 1000, events: ['2 PERIODIC'], version: '1.2' },
  }
  return { deviceId: id, create }
}
