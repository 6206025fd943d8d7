import { beforeEach, describe, expect, it } from 'vitest'
import { AppError, silentLog } from '../../../src/base/index.ts'
import { RequestNotes } from '../../../src/cwmp/acs/connection-request/request-notes.ts'
import { takeIn } from '../../../src/cwmp/acs/inform/arrival.ts'
import { type Device, type DeviceChange, deviceIdOf, type InformFacts, newDevice } from '../../../src/domain/index.ts'
import { createManualClock, type ManualClock, settled } from '../../support/manual-clock.ts'
import { createMemoryStores, type MemoryStores } from '../../support/memory-stores.ts'

const IDENTITY = { oui: '00256D', productClass: 'Box', serial: '1' }
const id = deviceIdOf(IDENTITY)
const inform: InformFacts = {
  identity: IDENTITY,
  manufacturer: 'Acme',
  events: [{ code: '6 CONNECTION REQUEST', commandKey: '' }],
  parameters: [],
  version: '1.2',
}

let clock: ManualClock
let stores: MemoryStores
let notes: RequestNotes
let commits: DeviceChange[]
let counted: string[]
/** The store fails as often as this. */
let failures: number
let start: number

const device = () => stores.inside.devices.get(id) as Device
const lastWake = () => device().cwmp?.lastWake
const informed = () => takeIn(id, inform, { devices: stores.devices, clock, wakes: notes })

beforeEach(() => {
  clock = createManualClock()
  start = clock.now()
  stores = createMemoryStores(clock)
  commits = []
  counted = []
  failures = 0
  const commit = stores.devices.commit
  stores.devices.commit = async (change) => {
    if (failures-- > 0) throw new AppError('unavailable', 'the database does not answer')
    commits.push(change)
    return commit(change)
  }
  const known = newDevice(id, IDENTITY, 'cwmp', start)
  known.cwmp = { lastInformAt: start, events: [], version: '1.2' }
  stores.inside.devices.set(id, known)
  notes = new RequestNotes({
    devices: stores.devices,
    clock,
    log: silentLog,
    onConnectionRequest: (outcome) => void counted.push(outcome),
  })
})

describe('the last connection request in the record', () => {
  it('is stored when its outcome changes, and else after five minutes', async () => {
    for (let i = 0; i < 6; i++) {
      await notes.note(device(), { outcome: 'refused' })
      clock.advance(10_000)
    }
    expect(commits.length).toBe(1)
    expect(lastWake()).toEqual({ at: start, firstAt: start, way: 'connectionRequest', outcome: 'refused' })
    await notes.note(device(), { outcome: 'basicOnly', status: 401 })
    expect(lastWake()).toMatchObject({ at: start + 60_000, firstAt: start + 60_000, outcome: 'basicOnly', status: 401 })
    clock.advance(300_000)
    await notes.note(device(), { outcome: 'basicOnly', status: 401 })
    expect(lastWake()).toMatchObject({ at: start + 360_000, firstAt: start + 60_000 })
    expect(counted).toEqual([...Array(6).fill('refused'), 'basicOnly', 'basicOnly'])
  })

  it('that was accepted costs no write: the Inform that follows carries it', async () => {
    await notes.note(device(), { outcome: 'ok', status: 204 })
    expect(commits).toEqual([])
    clock.advance(2000)
    await informed()
    expect(commits.length).toBe(1)
    expect(lastWake()).toMatchObject({ at: start, outcome: 'ok' })
    clock.advance(120_000)
    await settled()
    expect(commits.length).toBe(1)
  })

  it('that was accepted and that no Inform follows is stored after a minute, or when the server stops', async () => {
    await notes.note(device(), { outcome: 'ok', status: 204 })
    clock.advance(60_000)
    await settled()
    expect(lastWake()).toMatchObject({ at: start, outcome: 'ok' })
    clock.advance(300_000)
    await notes.note(device(), { outcome: 'ok', status: 204 })
    await notes.stop()
    expect(lastWake()).toMatchObject({ at: start + 360_000, firstAt: start, outcome: 'ok' })
  })

  it('is carried again when the commit of the Inform failed', async () => {
    await notes.note(device(), { outcome: 'ok', status: 204 })
    failures = 1
    await expect(informed()).rejects.toMatchObject({ code: 'unavailable' })
    await informed()
    expect(lastWake()).toMatchObject({ outcome: 'ok' })
  })

  it('that could not be stored is stored with the next one', async () => {
    failures = 1
    await notes.note(device(), { outcome: 'timeout' })
    expect(lastWake()).toBeUndefined()
    clock.advance(2000)
    await notes.note(device(), { outcome: 'timeout' })
    expect(lastWake()).toMatchObject({ at: start + 2000, outcome: 'timeout' })
  })

  it('makes no CWMP facts for a device that never spoke CWMP', async () => {
    const { cwmp: _cwmp, ...rest } = device()
    await notes.note(rest, { outcome: 'noUrl' })
    expect(commits).toEqual([])
  })
})
