import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest'
import { versionKey } from '../../src/datamodel/index.ts'
import {
  type Device,
  type DeviceIdentity,
  deviceIdOf,
  FACTS_VERSION,
  fulfils,
  newDevice,
  parseSelector,
  SELECTOR_FIELDS,
  type SelectorField,
  searchKeys,
} from '../../src/domain/index.ts'
import type { Store } from '../../src/store/index.ts'
import { testStore } from '../support/store.ts'

const COUNT = 120
const NAMES = ['Acme', 'Acme Networks', 'acme', 'Ünïcode', '\u{1f4e1} Box', 'Zeta']
const VERSIONS = ['1.9.4', '1.10.1', '1.10', 'v2.0', '']
const TIMES = [1000, 2000, 3000]
const LEVELS = [-30.5, -27, -8, 0, 2]
const LABELS = ['lab', 'beta', 'a', 'z', 'north-1']

/** One of a few values, or none. */
const maybe = <T>(values: readonly T[]) => fc.option(fc.constantFrom(...values), { nil: undefined })
const identity: fc.Arbitrary<Omit<DeviceIdentity, 'serial'>> = fc.record({
  oui: fc.constantFrom('00256D', '0C96BF', '001349'),
  productClass: fc.constantFrom('NB-7', 'VX 200', '', 'Box'),
})
const facts = fc.record({
  manufacturer: maybe(NAMES),
  model: maybe(NAMES),
  softwareVersion: maybe(VERSIONS),
  ipAddress: maybe(['198.51.100.30', '198.51.100.31', '2001:db8::1']),
  root: maybe(['Device.', 'InternetGatewayDevice.'] as const),
  lastInformAt: maybe(TIMES),
  linked: maybe([true, false]),
  state: maybe(['MIGRATED', 'QUEUED', 'FAILED'] as const),
  tags: fc.uniqueArray(fc.constantFrom(...LABELS), { maxLength: 3 }),
  createdAt: fc.constantFrom(...TIMES),
  rxPowerDbm: maybe(LEVELS),
  ssids: maybe([['Casa', 'Guests'], ['Guests'], []]),
})

function deviceOf(
  who: Omit<DeviceIdentity, 'serial'>,
  has: typeof facts extends fc.Arbitrary<infer T> ? T : never,
  number: number,
): Device {
  const full = { ...who, serial: `S-${number}` }
  const id = deviceIdOf(full)
  const { model: _model, ...device } = newDevice(id, full, 'cwmp', has.createdAt)
  return {
    ...device,
    tags: has.tags,
    ...(has.manufacturer === undefined ? {} : { manufacturer: has.manufacturer }),
    ...(has.model === undefined ? {} : { model: has.model }),
    ...(has.root === undefined ? {} : { root: has.root }),
    ...(has.ipAddress === undefined ? {} : { ipAddress: has.ipAddress }),
    ...(has.softwareVersion === undefined
      ? {}
      : { softwareVersion: has.softwareVersion, softwareVersionKey: versionKey(has.softwareVersion) }),
    ...(has.lastInformAt === undefined ? {} : { cwmp: { lastInformAt: has.lastInformAt, events: [], version: '1.4' } }),
    ...(has.rxPowerDbm === undefined ? {} : { optical: { rxPowerDbm: has.rxPowerDbm } }),
    ...(has.ssids === undefined ? {} : { wifi: { ssids: has.ssids } }),
    ...(has.linked === undefined ? {} : { usp: { linked: has.linked, lastSeenAt: 5 } }),
    ...(has.state === undefined ? {} : { migration: { planId: 'p', state: has.state, at: 1 } }),
  }
}

/** Selectors over values that devices have, as a person writes them. */
const quoted = (value: string) => `"${value}"`
const text = (fields: SelectorField[], values: readonly string[]) =>
  fc
    .tuple(fc.constantFrom(...fields), fc.constantFrom(...values), fc.integer({ min: 0, max: 6 }))
    .map(([field, value, kind]) => {
      const start = quoted(`${[...value].slice(0, 2).join('')}*`)
      return [
        `${field}==${quoted(value)}`,
        `${field}!=${quoted(value)}`,
        `${field}==${start}`,
        `${field}!=${start}`,
        `${field}=in=(${quoted(value)},lab)`,
        `${field}=out=(${quoted(value)},lab)`,
        `${field}==*`,
      ][kind] as string
    })
const ordered = (fields: SelectorField[], values: readonly (string | number)[]) =>
  fc
    .tuple(fc.constantFrom(...fields), fc.constantFrom('==', '!=', '<', '<=', '>', '>='), fc.constantFrom(...values))
    .map(([field, operator, value]) => `${field}${operator}${quoted(String(value))}`)
const term = fc.oneof(
  text(['manufacturer', 'model'], NAMES),
  text(['tags'], LABELS),
  text(
    ['softwareVersion'],
    VERSIONS.filter((version) => version !== ''),
  ),
  text(['ipAddress'], ['198.51.100.30', '2001:db8::1']),
  text(['migration.state'], ['MIGRATED', 'FAILED']),
  ordered(['manufacturer', 'model'], NAMES),
  ordered(['softwareVersion'], ['1.9.4', '1.10', '1.9.40']),
  ordered(['optical.rxPowerDbm'], [-30.5, -27, -8, 0, -9]),
  text(['wifi.ssids'], ['Casa', 'Guests', 'casa']),
  text(['search'], ['s-1', 'S-2', 'LAB', 'guests']),
  ordered(['cwmp.lastInformAt', 'createdAt'], [1000, 2000, 2500]),
  fc.constantFrom('usp.linked==true', 'usp.linked!=true', 'usp.linked==false', 'oui==00256D', 'root==Device.'),
)
const { selector } = fc.letrec<{ selector: string; pair: string }>((tie) => ({
  selector: fc.oneof({ maxDepth: 3 }, term, tie('pair')),
  pair: fc
    .tuple(tie('selector'), fc.constantFrom(';', ','), tie('selector'))
    .map(([a, operator, b]) => `(${a}${operator}${b})`),
}))

describe('a selector', () => {
  let store: Store
  let devices: Device[]
  beforeAll(async () => {
    store = await testStore(inject('mongodbUri'))
    const made = fc.sample(fc.tuple(identity, facts), { numRuns: COUNT, seed: 8 })
    const all = made.map(([who, has], number) => deviceOf(who, has, number))
    devices = all.map((device) => ({ ...device, search: searchKeys(device) }))
    // The rules of facts know these records already: no parameter shows what is in them.
    const create = (device: Device) => ({ ...device, factsVersion: FACTS_VERSION })
    await Promise.all(all.map((device) => store.devices.commit({ deviceId: device.id, create: create(device) })))
  })
  afterAll(() => store?.close())

  const found = async (written: string) =>
    (await store.devices.list({ selector: parseSelector(written), limit: 1000 })).items.map(({ id }) => id)

  it('finds in the database the devices that it holds for, and no others', async () => {
    await fc.assert(
      fc.asyncProperty(selector, async (written) => {
        const parsed = parseSelector(written)
        const holds = devices.filter((device) => fulfils(device, parsed)).map(({ id }) => id)
        expect((await found(written)).sort()).toEqual(holds.sort())
      }),
      { numRuns: 400, seed: 11 },
    )
  })

  it('finds a device by its id as it is shown, decoded once too often, and by the beginning of either', async () => {
    for (const { id, oui, productClass, serial } of devices.slice(0, 40)) {
      expect(await found(`id==${quoted(id)}`)).toEqual([id])
      expect(await found(`id==${quoted(decodeURIComponent(id))}`)).toEqual([id])
      expect(await found(`id=in=(${quoted(decodeURIComponent(id))},x)`)).toEqual([id])
      expect(await found(`id!=${quoted(decodeURIComponent(id))}`)).toHaveLength(COUNT - 1)
      const start = `${oui}-${productClass}-${serial.slice(0, 2)}`
      expect(await found(`id==${quoted(`${start}*`)}`)).toContain(id)
      expect(await found(`id!=${quoted(`${start}*`)}`)).not.toContain(id)
    }
  })

  it('takes the names of the record and the earlier ones alike', async () => {
    const pairs = [
      ['tags==lab', 'tag==lab'],
      ['usp.linked==true', 'linked==true'],
      ['migration.state==MIGRATED', 'migration==MIGRATED'],
      ['cwmp.lastInformAt>1000', 'lastInform>1000'],
    ]
    for (const [name = '', earlier = ''] of pairs) {
      expect(await found(name)).toEqual(await found(earlier))
      expect((await found(name)).length).toBeGreaterThan(0)
    }
    expect(Object.keys(SELECTOR_FIELDS)).not.toContain('tag')
  })
})
