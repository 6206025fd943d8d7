import { BRIDGE_PORT, BRIDGE_VLAN, LINKS } from '../mapping/tables.ts'
import { type Draft, DraftRefusal } from '../write/draft.ts'
import type { RouterInstance } from '../write/instances.ts'
import { type AddedRow, disabledOf, type ObjectWriter, pathsOf } from '../write/object-writer.ts'
import type { RowMatch, Values } from '../write/write-step.ts'

const BRIDGE = 'Device.Bridging.Bridge.{i}.'
const VLAN = '/interface/bridge/vlan'
const PORT = '/interface/bridge/port'

const BRIDGES: ObjectWriter = {
  object: BRIDGE,
  parameters: [],
  async add({ table, values, row }, draft) {
    const name = await freeName('/interface/bridge', 'bridge', draft)
    draft.add({
      menu: '/interface/bridge',
      values: { name, disabled: disabledOf(values.Enable) },
      path: table,
      paths: pathsOf(`${table}{i}.`, { disabled: 'Enable' }),
      row,
    })
    return name
  },
  async remove({ path, instance }, draft) {
    draft.remove({ menu: '/interface/bridge', match: instance.match, path })
  },
}

const PORTS: ObjectWriter = {
  object: BRIDGE_PORT,
  parameters: [],
  async add(added, draft) {
    const { table, values, row } = added
    const bridge = bridgeOf(added)
    const path = `${table}{i}.`
    const name = await draft.nameAt(values.LowerLayers ?? '', `${path}LowerLayers`, LINKS)
    if (name === '') throw new DraftRefusal(`${path}LowerLayers`, 7012, 'must be given')
    const { PVID } = values
    draft.add({
      menu: PORT,
      values: {
        bridge,
        interface: name,
        disabled: disabledOf(values.Enable),
        ...(PVID === undefined ? {} : { pvid: PVID }),
      },
      path: table,
      paths: pathsOf(path, { interface: 'LowerLayers', disabled: 'Enable', pvid: 'PVID' }),
      row,
    })
    return `${bridge}/${name}`
  },
  async remove({ path, instance }, draft) {
    if (instance.menu !== PORT) throw new DraftRefusal(path, 7024, 'the management port is the bridge itself')
    draft.remove({ menu: PORT, match: instance.match, path })
  },
}

const VLANS: ObjectWriter = {
  object: BRIDGE_VLAN,
  parameters: ['VLANID'],
  async set({ path, instance, values }, draft) {
    const { VLANID = '' } = values
    draft.change(VLAN, instance.match, { 'vlan-ids': VLANID }, { path, paths: pathsOf(path, { 'vlan-ids': 'VLANID' }) })
    return VLANID
  },
  async add(added, draft) {
    const { table, values, row } = added
    const { VLANID = '' } = values
    draft.add({
      menu: VLAN,
      values: { bridge: bridgeOf(added), 'vlan-ids': VLANID, disabled: disabledOf(values.Enable ?? 'true') },
      path: table,
      paths: pathsOf(`${table}{i}.`, { 'vlan-ids': 'VLANID', disabled: 'Enable' }),
      row,
    })
    return VLANID
  },
  async remove({ path, instance }, draft) {
    if (instance.menu !== VLAN) throw new DraftRefusal(path, 7024, 'the VLAN shares its row with others, or is dynamic')
    draft.remove({ menu: VLAN, match: instance.match, path })
  },
}

/** Members of VLANs: they stand in two lists of the VLAN. */
const VLAN_PORTS: ObjectWriter = {
  object: `${BRIDGE}VLANPort.{i}.`,
  parameters: ['Untagged'],
  async set({ path, instance, values }, draft) {
    const { match, name, id } = memberOf(path, instance)
    const untagged = isTrue(values.Untagged)
    await enter(match, name, untagged, path, draft)
    return `${id}/${name}/${untagged ? 'untagged' : 'tagged'}`
  },
  async add(added, draft) {
    const { table, values } = added
    const path = `${table}{i}.`
    const bridge = bridgeOf(added)
    const vlan = await draft.nameAt(values.VLAN ?? '', `${path}VLAN`, [BRIDGE_VLAN])
    const port = await draft.nameAt(values.Port ?? '', `${path}Port`, [BRIDGE_PORT])
    const id = vlan.startsWith(`${bridge}/`) ? vlan.slice(bridge.length + 1) : ''
    if (id === '') throw new DraftRefusal(`${path}VLAN`, 7012, 'must be a VLAN of this bridge')
    const name = port === bridge ? bridge : port.startsWith(`${bridge}/`) ? port.slice(bridge.length + 1) : ''
    if (name === '') throw new DraftRefusal(`${path}Port`, 7012, 'must be a port of this bridge')
    if (values.Enable !== undefined && !isTrue(values.Enable))
      throw new DraftRefusal(`${path}Enable`, 7012, 'cannot be false: the router has no member that is switched off')
    const untagged = isTrue(values.Untagged)
    await enter({ properties: { bridge, 'vlan-ids': id } }, name, untagged, table, draft)
    return `${id}/${name}/${untagged ? 'untagged' : 'tagged'}`
  },
  async remove({ path, instance }, draft) {
    const { match, name } = memberOf(path, instance)
    for (const list of ['tagged', 'untagged'])
      await draft.edit(VLAN, match, list, { path }, (items) => items.filter((item) => item !== name))
  },
}

/** Puts a port into one list of a VLAN, and takes it out of the other. */
async function enter(match: RowMatch, name: string, untagged: boolean, path: string, draft: Draft): Promise<void> {
  const [into, from] = untagged ? ['untagged', 'tagged'] : ['tagged', 'untagged']
  await draft.edit(VLAN, match, from, { path }, (items) => items.filter((item) => item !== name))
  await draft.edit(VLAN, match, into, { path }, (items) => (items.includes(name) ? items : [...items, name]))
}

function memberOf(path: string, { row, key }: RouterInstance): { match: RowMatch; name: string; id: string } {
  const [id = '', ...rest] = key.split('/')
  const bridge = row.bridge ?? ''
  const name = rest.slice(0, -1).join('/')
  if (id === '' || name === '' || bridge === '') throw new DraftRefusal(path, 7016, 'the member is not there any more')
  return { match: { properties: { bridge, 'vlan-ids': id } }, name, id }
}

function bridgeOf({ table, above }: AddedRow): string {
  if (above?.called === undefined) throw new DraftRefusal(table, 7017, 'the row belongs to a bridge')
  return above.called
}

/** VLANs on top of an interface. */
const TERMINATIONS: ObjectWriter = {
  object: 'Device.Ethernet.VLANTermination.{i}.',
  parameters: [],
  async add({ table, values, row }, draft) {
    const path = `${table}{i}.`
    const below = await draft.nameAt(values.LowerLayers ?? '', `${path}LowerLayers`, LINKS)
    if (below === '') throw new DraftRefusal(`${path}LowerLayers`, 7012, 'must be given')
    const { VLANID = '' } = values
    const name = await freeName('/interface', `vlan${VLANID.slice(0, 4)}-${below}`.slice(0, 56), draft)
    draft.add({
      menu: '/interface/vlan',
      values: { name, 'vlan-id': VLANID, interface: below, disabled: disabledOf(values.Enable) },
      path: table,
      paths: pathsOf(path, { 'vlan-id': 'VLANID', interface: 'LowerLayers', disabled: 'Enable' }),
      row,
    })
    return name
  },
  async remove({ path, instance }, draft) {
    draft.remove({ menu: '/interface/vlan', match: instance.match, path })
  },
}

async function freeName(menu: '/interface' | '/interface/bridge', wanted: string, draft: Draft): Promise<string> {
  const taken = new Set([
    ...(await draft.rows.all(menu, ['name'])).map(({ name }) => name),
    ...draft.steps.flatMap((step) => (step.kind === 'add' ? [step.values.name] : [])),
  ])
  let name = menu === '/interface' ? wanted : `${wanted}1`
  for (let i = 2; taken.has(name); i++) name = menu === '/interface' ? `${wanted}-${i}` : `${wanted}${i}`
  return name
}

function isTrue(value: Values[string] | undefined): boolean {
  return value === 'true' || value === '1'
}

export const BRIDGING_WRITERS = [BRIDGES, PORTS, VLANS, VLAN_PORTS, TERMINATIONS]
