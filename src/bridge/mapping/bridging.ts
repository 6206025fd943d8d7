import { parseList } from '../../routeros/index.ts'
import { integer, inverted, isTrue, truth, wordIn } from './conversions.ts'
import type { DerivedRows, ObjectMapping, SourceRow } from './declaration.ts'
import { firstOf, fixed, kept, reference, rowsWith, shown, shownFrom } from './parameters.ts'
import { BRIDGE, BRIDGE_PORT, BRIDGE_VLAN, ETHERNET, LINKS, SSID } from './tables.ts'

const BRIDGES: ObjectMapping = {
  object: BRIDGE,
  needs: ['/interface/bridge'],
  source: { menu: '/interface/bridge' },
  table: { key: firstOf('name'), called: firstOf('name') },
  parameters: {
    Enable: kept('disabled', inverted),
    Status: shownFrom(['disabled'], ([disabled]) => (isTrue(disabled) ? 'Disabled' : 'Enabled')),
    Name: shown('name'),
    Standard: fixed('802.1Q-2011'),
  },
}

/** The management port of each bridge, which is the bridge as an interface, and its other ports. */
const PORTS: DerivedRows = {
  readings: {
    bridges: { menu: '/interface/bridge', properties: ['.id', 'name', 'disabled', 'running', 'pvid', 'frame-types'] },
    ports: {
      menu: '/interface/bridge/port',
      properties: ['.id', 'bridge', 'interface', 'disabled', 'inactive', 'pvid', 'frame-types', 'status', 'dynamic'],
    },
  },
  stays: { '/interface/bridge': ['name'], '/interface/bridge/port': ['bridge', 'interface'] },
  rows: ({ bridges = [], ports = [] }) => [
    ...bridges.map(({ name = '', ...row }) => ({
      ...row,
      '.menu': '/interface/bridge',
      bridge: name,
      name,
      called: name,
      management: 'true',
    })),
    ...ports.map(({ interface: port = '', bridge = '', ...row }) => ({
      ...row,
      '.menu': '/interface/bridge/port',
      bridge,
      interface: port,
      name: port,
      called: `${bridge}/${port}`,
      running: String(!isTrue(row.inactive)),
    })),
  ],
}

const FRAME_TYPES: Readonly<Record<string, string>> = {
  'admit-all': 'AdmitAll',
  'admit-only-vlan-tagged': 'AdmitOnlyVLANTagged',
  'admit-only-untagged-and-priority-tagged': 'AdmitOnlyPrioUntagged',
}

const BRIDGE_PORTS: ObjectMapping = {
  object: BRIDGE_PORT,
  needs: ['/interface/bridge', '/interface/bridge/port'],
  source: PORTS,
  table: { key: firstOf('called'), called: firstOf('called'), parent: firstOf('bridge') },
  parameters: {
    Enable: kept('disabled', inverted),
    Status: shownFrom(['disabled', 'running'], ([disabled, running]) =>
      isTrue(disabled) ? 'Down' : isTrue(running) ? 'Up' : 'LowerLayerDown',
    ),
    Name: shown('name'),
    ManagementPort: shownFrom(['management'], ([management]) => String(isTrue(management))),
    LowerLayers: reference('interface', [ETHERNET, SSID, ...LINKS]),
    PVID: kept('pvid', integer(1, 4094)),
    AcceptableFrameTypes: kept('frame-types', {
      read: (text) => wordIn(FRAME_TYPES, text ?? 'admit-all'),
      write: (value) => Object.keys(FRAME_TYPES).find((name) => FRAME_TYPES[name] === value),
    }),
  },
}

/** VLAN ids of one row that are shown; TR-181 has a row for each. */
const MAX_IDS = 256

/** Returns the ids of a list such as `10,20-25`, the first of them. */
function vlanIds(text = ''): readonly number[] {
  const ids: number[] = []
  for (const item of parseList(text) ?? []) {
    const [, from, to = from] = /^(\d{1,4})(?:-(\d{1,4}))?$/.exec(item) ?? []
    for (let id = Number(from); id >= 1 && id <= Math.min(Number(to), 4094) && ids.length < MAX_IDS; id++) ids.push(id)
  }
  return ids
}

/** A row for each VLAN id. The bridge changes those that stand alone in their row. */
const VLAN_IDS: DerivedRows = {
  readings: {
    vlans: {
      menu: '/interface/bridge/vlan',
      properties: [
        '.id',
        'bridge',
        'vlan-ids',
        'tagged',
        'untagged',
        'current-tagged',
        'current-untagged',
        'disabled',
        'dynamic',
      ],
    },
  },
  stays: { '/interface/bridge/vlan': ['bridge', 'vlan-ids'] },
  rows: ({ vlans = [] }) =>
    vlans.flatMap((row) => {
      const ids = vlanIds(row['vlan-ids'])
      return ids.map((id) => ({
        ...row,
        ...(ids.length === 1 && !isTrue(row.dynamic) ? { '.menu': '/interface/bridge/vlan' } : {}),
        vid: String(id),
        called: `${row.bridge}/${id}`,
      }))
    }),
}

const VLANS: ObjectMapping = {
  object: BRIDGE_VLAN,
  needs: ['/interface/bridge/vlan'],
  source: VLAN_IDS,
  table: { key: firstOf('vid'), called: firstOf('called'), parent: firstOf('bridge') },
  parameters: {
    Enable: kept('disabled', inverted),
    VLANID: shown('vid', integer(1, 4094)),
  },
}

/** A row for each port of each VLAN. */
const VLAN_PORTS: ObjectMapping = {
  object: 'Device.Bridging.Bridge.{i}.VLANPort.{i}.',
  needs: ['/interface/bridge/vlan', '/interface/bridge/port'],
  source: {
    readings: VLAN_IDS.readings,
    rows: (by) => VLAN_IDS.rows(by).flatMap((vlan) => [...members(vlan, 'untagged'), ...members(vlan, 'tagged')]),
  },
  table: {
    key: firstOf('member'),
    parent: firstOf('bridge'),
    where: rowsWith(['member'], ({ member }) => member !== undefined),
  },
  parameters: {
    Enable: shown('disabled', inverted),
    VLAN: reference('called', [BRIDGE_VLAN]),
    Port: reference('port', [BRIDGE_PORT]),
    Untagged: shown('untagged', truth),
  },
}

/** Ports of a VLAN: those that are set, and those that the router has added. */
function members(vlan: SourceRow, kind: 'tagged' | 'untagged'): SourceRow[] {
  const names = new Set([...(parseList(vlan[kind] ?? '') ?? []), ...(parseList(vlan[`current-${kind}`] ?? '') ?? [])])
  const { bridge = '', disabled = '', called = '', vid } = vlan
  return [...names].map((name) => ({
    bridge,
    disabled,
    called,
    member: `${vid}/${name}/${kind}`,
    port: name === bridge ? bridge : `${bridge}/${name}`,
    untagged: String(kind === 'untagged'),
  }))
}

export const BRIDGING_OBJECTS = [BRIDGES, BRIDGE_PORTS, VLANS, VLAN_PORTS]
