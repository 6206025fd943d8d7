import { readdirSync } from 'node:fs'
import { resolve } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Device, Page, PlanMember } from '../../src/domain/index.ts'
import { matchesApiKey, splitApiKey } from '../../src/security/index.ts'
import type { Store } from '../../src/store/index.ts'
import { DataFolder } from '../support/data-folder.ts'

const MIGRATIONS = readdirSync(resolve(import.meta.dirname, '../../migrations'))
  .map((file) => file.replace(/\.ts$/, ''))
  .sort()

/** All documents of all collections, by collection and id. */
async function contents(store: Store): Promise<Record<string, unknown[]>> {
  const all: Record<string, unknown[]> = {}
  for (const { name } of await store.db.listCollections().toArray())
    all[name] = await store.db.collection(name).find({}).sort({ _id: 1 }).toArray()
  return all
}

/** All items of a list that is paged. */
async function every<T>(list: (cursor: string | undefined) => Promise<Page<T>>): Promise<T[]> {
  const items: T[] = []
  let cursor: string | undefined
  do {
    const page = await list(cursor)
    items.push(...page.items)
    cursor = page.next
  } while (cursor !== undefined)
  return items
}
const behind = (cursor: string | undefined) => (cursor === undefined ? {} : { cursor })

describe('a data folder of version 0.1.0, opened by this version', () => {
  const folder = new DataFolder('0.1.0')
  let store: Store
  let devices: Device[]
  beforeAll(async () => {
    await folder.start()
    store = await folder.openStore('first')
    devices = await every((cursor) => store.devices.list({ limit: 7, ...behind(cursor) }))
  })
  afterAll(async () => {
    await store?.close()
    await folder.stop()
  })

  const bySerial = (serial: string): Device => {
    const found = devices.find((device) => device.serial === serial)
    if (found === undefined) throw new Error(`${serial} is not there`)
    return found
  }
  const planNamed = async (name: string) => {
    const found = (await every((cursor) => store.plans.listPlans({ limit: 3, ...behind(cursor) }))).find(
      (plan) => plan.name === name,
    )
    if (found === undefined) throw new Error(`there is no plan ${name}`)
    return found
  }
  const membersOf = async (name: string): Promise<PlanMember[]> => {
    const { id } = await planNamed(name)
    return every((cursor) => store.plans.listMembers(id, { limit: 2, ...behind(cursor) }))
  }

  it('has seen every migration, and a second start changes nothing', async () => {
    const before = await contents(store)
    expect(before.migrations?.map((document) => (document as { _id: string })._id)).toEqual(MIGRATIONS)
    const again = await folder.openStore('second')
    await again.close()
    expect(await contents(store)).toEqual(before)
  })

  it('shows its devices, on both protocols, with their parameters', async () => {
    expect(devices).toHaveLength(22)
    expect(devices.map(({ id }) => id)).toEqual(devices.map(({ id }) => id).sort())
    expect(devices.filter(({ owner }) => owner === 'usp')).toHaveLength(7)
    expect(bySerial('LE100000')).toMatchObject({ root: 'InternetGatewayDevice.', tags: ['north', 'pilot'] })
    expect(bySerial('VX 1é%1')).toMatchObject({ owner: 'cwmp', productClass: 'VX 200' })
    const moved = bySerial('DU100000')
    expect(moved).toMatchObject({
      owner: 'usp',
      migration: { state: 'MIGRATED' },
      readiness: { class: 'READY_STANDARD' },
    })
    expect(await store.devices.findByEndpoint(moved.binding?.endpointId ?? ('' as never))).toMatchObject({
      id: moved.id,
    })
    const parameters = await every((cursor) => store.parameters.list(moved.id, '', 50, cursor))
    expect(parameters.find(({ path }) => path === 'Device.DeviceInfo.SerialNumber')?.value).toBe('DU100000')
  })

  it('shows its groups, by selector and by hand', async () => {
    const groups = await every((cursor) => store.groups.list(4, cursor))
    expect(groups).toHaveLength(11)
    const byHand = groups.find(({ name }) => name === 'by hand')
    expect(byHand?.selector).toBeUndefined()
    expect(devices.filter(({ groups: of }) => of.includes(byHand?.id ?? ''))).toHaveLength(3)
    expect(groups.find(({ name }) => name === 'faulty')).toMatchObject({ selector: 'serial==DU2*' })
  })

  it.each([
    ['gateways to USP', 'finished', { INELIGIBLE: 1, MIGRATED: 2, REGRESSED: 1 }],
    ['what fails', 'finished', { CONFLICT: 1, MIGRATED: 1, QUARANTINED: 2 }],
    ['stranded', 'finished', { STRANDED: 1 }],
    ['silent on its way back', 'aborted', { FAILED: 1 }],
    ['aborted', 'aborted', { CANCELLED: 1, ROLLED_BACK: 1 }],
    ['soaks', 'paused', { AWAITING_USP: 1, DUAL: 2, QUEUED: 2 }],
    ['backs off', 'running', { BACKOFF: 1 }],
    ['meets another plan', 'finished', { BLOCKED: 3, INELIGIBLE: 1, MIGRATED: 1 }],
    ['absent', 'running', { PREPARING: 1, QUEUED: 1 }],
    ['not begun', 'draft', {}],
  ])('shows its plan "%s", which is %s, and its members', async (name, state, states) => {
    const plan = await planNamed(name)
    expect(plan.state).toBe(state)
    const found: Record<string, number> = {}
    for (const member of await membersOf(name)) found[member.state] = (found[member.state] ?? 0) + 1
    expect(found).toEqual(states)
    expect((await store.plans.counters(plan.id)).states).toEqual(states)
  })

  it('keeps what its members need to be brought back', async () => {
    const [stranded] = await membersOf('stranded')
    expect(stranded).toMatchObject({ attempt: 1, reason: { code: 'offline' }, facts: { afterwards: 'retry' } })
    expect(stranded?.history.at(-1)).toMatchObject({ from: 'ROLLING_BACK', to: 'STRANDED' })
    const dual = (await membersOf('soaks')).filter(({ state }) => state === 'DUAL')
    expect(dual.map(({ waiting }) => waiting)).toEqual(['soak', 'soak'])
  })

  it('opens its sealed credentials and knows its API keys', async () => {
    const credential = await store.credentials.get(bySerial('DU100000').id)
    expect(credential?.current?.username).not.toBe('')
    expect(credential?.current?.password.length).toBeGreaterThan(10)
    const given = splitApiKey(folder.key)
    const first = await store.apiKeys.get(given?.id ?? '')
    expect(first !== undefined && matchesApiKey(first, given?.secret ?? '')).toBe(true)
    const { items: keys } = await store.apiKeys.list({ limit: 10 })
    expect(keys.map(({ name, scope, revokedAt }) => [name, scope, revokedAt !== undefined])).toEqual([
      ['first key', 'write', false],
      ['reader', 'read', false],
      ['revoked', 'write', true],
    ])
  })

  it('shows its operations, its events and its open conflict', async () => {
    const operations = await every((cursor) => store.operations.list({ limit: 20, ...behind(cursor) }))
    const states: Record<string, number> = {}
    for (const { state } of operations) states[state] = (states[state] ?? 0) + 1
    expect(states).toEqual({ done: 181, expired: 2, failed: 3, queued: 2 })
    expect(await store.operations.open(bySerial('DU300000').id, 10)).toMatchObject([{ request: { verb: 'get' } }])
    const events = await store.events.since('', 1000)
    expect(events).toHaveLength(653)
    const { items } = await store.conflicts.list({ open: true, limit: 10 })
    expect(items).toMatchObject([{ deviceId: bySerial('DU200002').id, kind: 'deviceBoundToOther' }])
    expect(bySerial('DU200002').conflict).toBe(items[0]?.id)
  })

  it('has an audit chain that is whole', async () => {
    expect(await store.audit.verify(10_000)).toEqual({ entries: 395, lastHash: expect.any(String) })
    expect((await store.audit.list({ limit: 1 })).items).toMatchObject([{ seq: 395 }])
  })
})
