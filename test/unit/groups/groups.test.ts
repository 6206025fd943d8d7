import { beforeEach, describe, expect, it } from 'vitest'
import { deviceIdOf, newDevice, parseSelector } from '../../../src/domain/index.ts'
import { Groups } from '../../../src/groups/index.ts'
import { ANN, BEN } from '../../support/actors.ts'
import { createManualClock } from '../../support/manual-clock.ts'
import { createMemoryStores, type MemoryStores } from '../../support/memory-stores.ts'

const code = (value: string) => expect.objectContaining({ code: value })

describe('groups', () => {
  let stores: MemoryStores
  let groups: Groups
  beforeEach(() => {
    const clock = createManualClock(1000)
    stores = createMemoryStores(clock)
    let made = 0
    const { devices, audit } = stores
    groups = new Groups({ groups: stores.groups, devices, audit, clock, newId: () => `g${++made}` })
  })

  async function device(serial: string, manufacturer: string) {
    const identity = { oui: '0C96BF', productClass: 'CPE', serial }
    const id = deviceIdOf(identity)
    await stores.devices.commit({ deviceId: id, create: { ...newDevice(id, identity, 'cwmp', 1000), manufacturer } })
    return id
  }

  it('have static members and those that the selector matches', async () => {
    const [first, second, third] = [await device('1', 'Acme'), await device('2', 'Acme'), await device('3', 'Other')]
    const group = await groups.create({ name: 'north', selector: 'manufacturer==Acme' }, ANN)
    expect(await groups.changeMembers(group.id, [third], [], ANN)).toEqual({ changed: 1, unknown: [] })
    expect(await groups.count(group)).toBe(3)
    const records = await Promise.all([first, second, third].map((id) => stores.devices.get(id)))
    const found = await groups.of(records.filter((record) => record !== undefined))
    expect([...found.values()]).toEqual([[group.id], [group.id], [group.id]])
  })

  it('resolve a query that names a group with a selector', async () => {
    const group = await groups.create({ name: 'north', selector: 'manufacturer==Acme' }, ANN)
    const own = { field: 'groups', operator: '==', values: [group.id] }
    const fits = { or: [{ or: [own, parseSelector('manufacturer==Acme')] }] }
    expect(await groups.resolve(parseSelector(`groups==${group.id}`))).toEqual(fits)
    expect(await groups.resolve(parseSelector(`groups!=${group.id}`))).toEqual({ not: fits })
    await expect(groups.resolve(parseSelector('groups==none'))).rejects.toEqual(code('invalid'))
  })

  it('do not contain a group with a selector, whichever of the two is made first', async () => {
    const dynamic = await groups.create({ name: 'north', selector: 'manufacturer==Acme' }, ANN)
    await expect(groups.create({ name: 'all', selector: `groups==${dynamic.id}` }, ANN)).rejects.toEqual(
      code('invalid'),
    )
    const plain = await groups.create({ name: 'plain' }, ANN)
    await groups.create({ name: 'user', selector: `groups==${plain.id}` }, ANN)
    await expect(groups.update(plain.id, { selector: 'manufacturer==Acme' }, undefined, ANN)).rejects.toEqual(
      code('conflict'),
    )
  })

  it('refuse a change by an old revision, and store each change in the audit log', async () => {
    const group = await groups.create({ name: 'north' }, ANN)
    await groups.update(group.id, { name: 'south' }, 1, BEN)
    await expect(groups.update(group.id, { name: 'east' }, 1, BEN)).rejects.toEqual(code('conflict'))
    await expect(groups.refuse(group.id, 'delete', 'a plan uses it', ANN)).rejects.toEqual(code('conflict'))
    await groups.remove(group.id, ANN)
    await expect(groups.get(group.id)).rejects.toEqual(code('notFound'))
    expect(stores.inside.audit.map(({ actor, action, result }) => [actor, action, result])).toEqual([
      ['apiKey:ann', 'group.create', 'ok'],
      ['apiKey:ben', 'group.update', 'ok'],
      ['apiKey:ann', 'group.delete', 'refused'],
      ['apiKey:ann', 'group.delete', 'ok'],
    ])
  })
})
