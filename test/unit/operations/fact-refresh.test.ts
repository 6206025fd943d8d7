import { describe, expect, it } from 'vitest'
import { silentLog } from '../../../src/base/index.ts'
import { loadModel } from '../../../src/datamodel/index.ts'
import {
  type Contact,
  type Device,
  deviceIdOf,
  FACTS_VERSION,
  newDevice,
  type OperationRequest,
  type OperationResult,
  refreshRules,
} from '../../../src/domain/index.ts'
import { FactRefresh } from '../../../src/operations/fact-refresh.ts'
import { Recorder } from '../../../src/operations/record.ts'
import { Slots } from '../../../src/operations/slots.ts'
import { createManualClock } from '../../support/manual-clock.ts'
import { createMemoryStores } from '../../support/memory-stores.ts'

const LEVEL = 'Device.Optical.Interface.1.OpticalSignalLevel'
const STATUS = 'Device.PPP.Interface.1.ConnectionStatus'
const IDENTITY = { oui: '0C96BF', productClass: 'Gateway', serial: '1' }
const HOUR = 3_600_000

/** A device whose facts are known, and a contact with it that answers with `values`. */
function world(values: Record<string, string>, policy?: string) {
  const clock = createManualClock()
  const stores = createMemoryStores(clock)
  const id = deviceIdOf(IDENTITY)
  const cwmp = { lastInformAt: clock.now(), events: [], version: '1.4' }
  const record: Device = {
    ...newDevice(id, IDENTITY, 'cwmp', clock.now()),
    cwmp,
    factsVersion: FACTS_VERSION,
    optical: { rxPowerDbm: -19, sources: { rxPowerDbm: LEVEL } },
    wan: { interface: 'Device.PPP.Interface.1', state: 'Connected', sources: { state: STATUS } },
  }
  stores.inside.devices.set(id, record)
  const recorder = new Recorder({ ...stores, clock, modelFor: () => loadModel('tr181-cwmp') })
  const slots = new Slots(9, () => undefined)
  const deps = { ...stores, recorder, slots, clock, log: silentLog, factRules: refreshRules(policy) }
  const refresh = new FactRefresh(deps)
  const asked: OperationRequest[] = []
  const contact: Contact = {
    deviceId: id,
    protocol: 'cwmp',
    lasting: false,
    signal: new AbortController().signal,
    workKnown: false,
    async execute({ request }): Promise<OperationResult> {
      asked.push(request)
      if (request.verb === 'subscribe') return { outcome: 'done', results: request.paths.map((path) => ({ path })) }
      if (request.verb !== 'get') throw new Error(request.verb)
      return { outcome: 'done', results: request.paths.map((path) => ({ path, value: values[path] ?? '' })) }
    },
  }
  const device = () => stores.inside.devices.get(id) as Device
  const change = (patch: Partial<Device>) => stores.inside.devices.set(id, { ...device(), ...patch })
  return { clock, refresh, contact, asked, device, change }
}

describe('live facts', () => {
  it('are read again over a contact when they are too old, each group by its age', async () => {
    const w = world({ [LEVEL]: '-28000', [STATUS]: 'Connected' })
    await w.refresh.over(w.contact)
    w.asked.length = 0
    expect(w.refresh.isDue(w.device(), 'cwmp')).toBe(false)
    w.clock.advance(7 * HOUR)
    expect(w.refresh.isDue(w.device(), 'cwmp')).toBe(true)
    await w.refresh.over(w.contact)
    expect(w.asked).toEqual([{ verb: 'get', paths: [LEVEL] }])
    expect(w.device().optical).toMatchObject({ rxPowerDbm: -28, health: 'critical' })
    expect(w.device().factsReadAt).toEqual({ optical: w.clock.now() })
    expect(w.refresh.isDue(w.device(), 'cwmp')).toBe(false)
    w.clock.advance(20 * HOUR)
    await w.refresh.over(w.contact)
    expect(w.asked.at(-1)).toEqual({ verb: 'get', paths: [STATUS, LEVEL] })
  })

  it('have sources that a CPE is asked once to report: at once, or with its next Inform', async () => {
    const w = world({})
    expect(w.refresh.isDue(w.device(), 'cwmp')).toBe(true)
    await w.refresh.over(w.contact)
    const subscribe = { verb: 'subscribe', notifType: 'ValueChange', enable: true }
    expect(w.asked).toEqual([
      { ...subscribe, id: 'isthmus-facts', paths: [STATUS] },
      { ...subscribe, id: 'isthmus-facts-passive', paths: [LEVEL], passive: true },
    ])
    expect(w.device().cwmp?.subscriptions).toEqual([
      { id: 'isthmus-facts', paths: [STATUS], bootstrapAt: 0 },
      { id: 'isthmus-facts-passive', paths: [LEVEL], passive: true, bootstrapAt: 0 },
    ])
    expect(w.refresh.isDue(w.device(), 'cwmp')).toBe(false)
  })

  it('have sources that a CPE with other paths is asked for once', async () => {
    const w = world({})
    const ownOf = (path: string) => path.replace('Device.', 'InternetGatewayDevice.')
    const execute: Contact['execute'] = async (operation, hooks) => {
      const { request } = operation
      if (request.verb !== 'subscribe') return w.contact.execute(operation, hooks)
      const own = { ...request, paths: request.paths.map(ownOf) }
      return { ...(await w.contact.execute(operation, hooks)), own: { request: own, results: [] } }
    }
    await w.refresh.over({ ...w.contact, execute })
    await w.refresh.over({ ...w.contact, execute })
    expect(w.asked.map((request) => request.verb === 'subscribe' && request.id)).toEqual([
      'isthmus-facts',
      'isthmus-facts-passive',
    ])
    expect(w.device().cwmp?.subscriptions?.[0]).toEqual({
      id: 'isthmus-facts',
      paths: [ownOf(STATUS)],
      asked: [STATUS],
      bootstrapAt: 0,
    })
  })

  it('have sources that a CPE is asked for again after a reset, as for all that stood before it', async () => {
    const w = world({})
    await w.refresh.over(w.contact)
    const { cwmp } = w.device()
    const users = { id: 'desk', paths: ['Device.WiFi.'], bootstrapAt: 0 }
    const ofUnknownAge = { id: 'old', paths: ['Device.Hosts.'] }
    const subscriptions = [...(cwmp?.subscriptions ?? []), users, ofUnknownAge]
    w.change({ cwmp: { lastInformAt: 0, events: [], version: '1.4', subscriptions, lastBootstrapAt: 5 } })
    w.asked.length = 0
    expect(w.refresh.isDue(w.device(), 'cwmp')).toBe(true)
    await w.refresh.over(w.contact)
    expect(w.asked.map((request) => request.verb === 'subscribe' && request.id)).toEqual([
      'isthmus-facts',
      'isthmus-facts-passive',
      'desk',
    ])
    expect(w.refresh.isDue(w.device(), 'cwmp')).toBe(false)
  })

  it('have sources of which a CPE refuses some: the others are reported, and a reset asks for all again', async () => {
    const w = world({})
    const refusal = { code: '9009', text: 'no', retryable: false }
    const execute: Contact['execute'] = async (operation, hooks) => {
      const done = await w.contact.execute(operation, hooks)
      const { request } = operation
      return request.verb === 'subscribe' && request.id === 'isthmus-facts'
        ? { outcome: 'failed', results: [], error: refusal }
        : done
    }
    const ids = () => w.asked.map((request) => request.verb === 'subscribe' && request.id)
    await w.refresh.over({ ...w.contact, execute })
    expect(ids()).toEqual(['isthmus-facts', 'isthmus-facts-passive'])
    expect(w.device().cwmp?.subscriptions?.map(({ id }) => id)).toEqual(['isthmus-facts-passive'])
    expect(w.refresh.isDue(w.device(), 'cwmp')).toBe(false)
    w.asked.length = 0
    w.change({ cwmp: { lastInformAt: 0, events: [], version: '1.4', lastBootstrapAt: 5 } })
    await w.refresh.over({ ...w.contact, execute })
    expect(ids()).toEqual(['isthmus-facts', 'isthmus-facts-passive'])
  })

  it('of a device that does not answer are left alone for an hour', async () => {
    const w = world({})
    const contact = { ...w.contact, execute: () => Promise.reject(new Error('gone')) }
    await w.refresh.over(contact)
    expect(w.refresh.isDue(w.device(), 'cwmp')).toBe(false)
    w.clock.advance(HOUR + 1)
    expect(w.refresh.isDue(w.device(), 'cwmp')).toBe(true)
  })

  it('of a reading that failed are left alone for an hour, and count as not read', async () => {
    const w = world({})
    w.clock.advance(7 * HOUR)
    const failed = {
      outcome: 'failed' as const,
      results: [],
      error: { code: 'notMapped', text: 'no', retryable: false },
    }
    await w.refresh.over({ ...w.contact, execute: async () => failed })
    expect(w.device().factsReadAt).toBeUndefined()
    expect(w.refresh.isDue(w.device(), 'cwmp')).toBe(false)
    w.clock.advance(HOUR + 1)
    expect(w.refresh.isDue(w.device(), 'cwmp')).toBe(true)
  })

  it('are not read over a link that no operation may use, and its silence says nothing of sessions', async () => {
    const w = world({})
    w.clock.advance(7 * HOUR)
    w.change({ owner: 'usp' })
    const gone = () => Promise.reject(new Error('gone'))
    await w.refresh.over({ ...w.contact, protocol: 'usp', execute: gone })
    expect(w.refresh.isDue(w.device(), 'usp')).toBe(false)
    expect(w.refresh.isDue(w.device(), 'cwmp')).toBe(true)
    w.clock.advance(HOUR + 1)
    expect(w.refresh.isDue(w.device(), 'usp')).toBe(true)
    w.change({ owner: 'cwmp', migration: { planId: 'p', state: 'ROLLED_BACK', at: 1 } })
    expect(w.refresh.isDue(w.device(), 'usp')).toBe(false)
    await w.refresh.over({ ...w.contact, protocol: 'usp' })
    expect(w.asked).toEqual([])
  })

  it('are not reported any more when the policy says never', async () => {
    const w = world({})
    await w.refresh.over(w.contact)
    const ids = ['isthmus-facts', 'isthmus-facts-passive']
    expect(w.device().cwmp?.subscriptions?.map(({ id }) => id)).toEqual(ids)
    const never = world({}, 'never')
    const { cwmp } = w.device()
    if (cwmp !== undefined) never.change({ cwmp })
    await never.refresh.over(never.contact)
    expect(never.asked.map((request) => request.verb === 'subscribe' && [request.id, request.enable])).toEqual(
      ids.map((id) => [id, false]),
    )
    expect(never.device().cwmp?.subscriptions).toEqual([])
  })

  it('are read by another age, or never, as the policy says', async () => {
    const often = world({ [LEVEL]: '-20000' }, 'optical=60,wan=never')
    often.clock.advance(61_000)
    await often.refresh.over(often.contact)
    expect(often.asked.map(({ verb }) => verb)).toEqual(['get', 'subscribe'])
    const never = world({}, 'never')
    never.clock.advance(1000 * HOUR)
    expect(never.refresh.isDue(never.device(), 'cwmp')).toBe(false)
  })
})
