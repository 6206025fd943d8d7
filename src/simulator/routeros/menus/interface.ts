import type { Row } from '../basis/table.ts'
import type { RouterView } from '../basis/view.ts'
import { int, mark, off, type Property, ro, text } from './kinds.ts'
import { counter, dateOf, isFrom, isRunning, running, rxBytes, rxPackets, swing, txBytes, txPackets } from './life.ts'
import { type Live, list, type Menu } from './menu.ts'

const TABLE = 'interface'

const COUNTERS: Record<string, Live> = {
  'rx-byte': rxBytes,
  'tx-byte': txBytes,
  'rx-packet': rxPackets,
  'tx-packet': txPackets,
  'rx-drop': () => '0',
  'tx-drop': () => '0',
  'tx-queue-drop': () => '0',
  'rx-error': counter('~rx', 90_000_000),
  'tx-error': () => '0',
}

const READ_COUNTERS = Object.fromEntries(Object.keys(COUNTERS).map((name) => [name, ro]))

const UNIQUE_NAME = {
  key: 'name',
  unique: { by: ['name'], text: 'failure: already have interface with such name' },
} as const

/** Properties and behaviour that interfaces of all types have. */
export function interfaceMenu(
  path: string,
  type: string,
  own: Record<string, Property>,
  parts: Partial<Menu> = {},
): Menu {
  const { live, ...rest } = parts
  return list(
    path,
    { name: text(63), running: ro, disabled: off, dynamic: mark, ...own },
    {
      table: TABLE,
      where: ['type', type],
      ...UNIQUE_NAME,
      ...rest,
      live: { running, ...live },
    },
  )
}

/** Returns the menu of all interfaces. */
export function interfaceMenus(version: string): Menu[] {
  const isV7 = isFrom(version, 7)
  return [
    list(
      '/interface',
      {
        name: text(63),
        'default-name': ro,
        type: ro,
        mtu: int(68, 65_535, 'auto'),
        'actual-mtu': ro,
        l2mtu: ro,
        'max-l2mtu': ro,
        'mac-address': ro,
        ...(isV7 ? { vrf: ro } : {}),
        'last-link-down-time': ro,
        'last-link-up-time': ro,
        'link-downs': ro,
        ...READ_COUNTERS,
        running: ro,
        disabled: off,
        inactive: mark,
        dynamic: mark,
        slave: mark,
      },
      {
        table: TABLE,
        isFixed: true,
        ...UNIQUE_NAME,
        live: {
          ...COUNTERS,
          running,
          'actual-mtu': ({ values }) => (values.mtu === 'auto' ? '1500' : (values.mtu ?? '1500')),
          'last-link-up-time': dateOf('~up'),
          'last-link-down-time': dateOf('~down'),
          'link-downs': ({ values }) => values['~downs'] ?? '0',
          ...(isV7 ? { vrf: () => 'main' } : {}),
          slave: (row, { store }) =>
            String(store.find('/interface/bridge/port', 'interface', row.values.name ?? '') !== undefined),
        },
        monitor: trafficOf,
      },
    ),
  ]
}

function trafficOf(row: Row, router: RouterView): Record<string, string> {
  const up = isRunning(row, router)
  const { now } = router
  const bits = (load: '~rx' | '~tx') => {
    const bytes = up ? Number(row.values[load] ?? '0') : 0
    return Math.max(0, Math.round(swing(`${row.id}${load}`, bytes * 8, bytes * 3, now)))
  }
  const [rx, tx] = [bits('~rx'), bits('~tx')]
  return {
    name: row.values.name ?? '',
    'rx-packets-per-second': String(Math.round(rx / 5600)),
    'rx-bits-per-second': String(rx),
    'rx-drops-per-second': '0',
    'rx-errors-per-second': '0',
    'tx-packets-per-second': String(Math.round(tx / 5600)),
    'tx-bits-per-second': String(tx),
    'tx-drops-per-second': '0',
    'tx-queue-drops-per-second': '0',
    'tx-errors-per-second': '0',
  }
}
