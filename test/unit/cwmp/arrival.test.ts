import { beforeEach, describe, expect, it } from 'vitest'
import { takeIn } from '../../../src/cwmp/acs/inform/arrival.ts'
import { type DeviceChange, deviceIdOf, type InformFacts, newDevice } from '../../../src/domain/index.ts'
import { createManualClock, type ManualClock } from '../../support/manual-clock.ts'
import { createMemoryStores, type MemoryStores } from '../../support/memory-stores.ts'

const IDENTITY = { oui: '00256D', productClass: 'Gateway', serial: '1' }
const id = deviceIdOf(IDENTITY)
const inform: InformFacts = {
  identity: IDENTITY,
  manufacturer: 'Acme',
  events: [{ code: '2 PERIODIC', commandKey: '' }],
  parameters: [{ name: 'Device.DeviceInfo.SoftwareVersion', value: '1.0', type: 'string' }],
  version: '1.2',
}

let clock: ManualClock
let stores: MemoryStores
let commits: DeviceChange[]

beforeEach(() => {
  clock = createManualClock()
  stores = createMemoryStores(clock)
  stores.inside.devices.set(id, newDevice(id, IDENTITY, 'cwmp', clock.now()))
  commits = []
  const commit = stores.devices.commit
  stores.devices.commit = (change) => {
    commits.push(change)
    return commit(change)
  }
})

/** Takes an Inform in ten seconds after the one before. */
async function informed(facts: InformFacts) {
  clock.advance(10_000)
  const arrival = await takeIn(id, facts, {
    devices: stores.devices,
    clock,
    wakes: { waiting: () => undefined, stored: () => undefined },
  })
  expect(arrival?.device).toEqual(stores.inside.devices.get(id))
  return arrival?.device
}

describe('an Inform', () => {
  it('with nothing new is stored with its time alone, in the step that reads the record', async () => {
    await informed(inform)
    expect(commits).toHaveLength(1)
    const device = await informed(inform)
    expect(device?.cwmp?.lastInformAt).toBe(clock.now())
    expect(commits).toHaveLength(1)
  })

  it('with a new value, event or address is committed before it is acknowledged', async () => {
    await informed(inform)
    const [version] = inform.parameters
    if (version === undefined) throw new Error('the Inform has a version')
    await informed({ ...inform, parameters: [{ ...version, value: '1.1' }] })
    expect(commits[1]).toMatchObject({ set: { softwareVersion: '1.1' }, parameters: [{ value: '1.1' }] })
    await informed({ ...inform, events: [{ code: '1 BOOT', commandKey: '' }] })
    expect(commits[2]?.events).toContainEqual(expect.objectContaining({ type: 'device.booted' }))
    await informed({ ...inform, remoteAddress: '192.0.2.7' })
    expect(commits[3]?.set).toMatchObject({ 'cwmp.remoteAddress': '192.0.2.7' })
    expect(commits).toHaveLength(4)
  })

  it('is committed with its time where the store takes many at once', async () => {
    await informed(inform)
    stores.devices.contacted = async () => undefined
    const device = await informed(inform)
    expect(device?.cwmp?.lastInformAt).toBe(clock.now())
    expect(commits[1]?.set).toEqual({ 'cwmp.lastInformAt': clock.now() })
  })
})
