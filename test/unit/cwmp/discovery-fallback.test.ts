import { describe, expect, it } from 'vitest'
import { silentLog } from '../../../src/base/index.ts'
import { Discoveries } from '../../../src/cwmp/acs/discovery/discoveries.ts'
import { ParameterTypes } from '../../../src/cwmp/acs/session/values.ts'
import { execute } from '../../../src/cwmp/acs/verbs/execute.ts'
import type { Device, Operation } from '../../../src/domain/index.ts'
import { type Asked, scriptedSession } from '../../support/cwmp-script.ts'
import { createManualClock } from '../../support/manual-clock.ts'
import { createMemoryStores } from '../../support/memory-stores.ts'

const types = new ParameterTypes()
type Answer = ReturnType<Parameters<typeof scriptedSession>[0]>

const TREE: Record<string, string> = {
  'Device.RootDataModelVersion': '2.15',
  'Device.DeviceInfo.SoftwareVersion': '1.0',
  'Device.DeviceInfo.UpTime': '7',
  'Device.X_ACME.Mode': 'a',
}

/** Names as a CPE lists them; `dots` false leaves out the dot after objects. */
function names(path: string, nextLevel: boolean, dots = true) {
  const found = new Set<string>()
  for (const below of Object.keys(TREE)) {
    if (!below.startsWith(path)) continue
    const parts = below.slice(path.length).split('.')
    for (let n = 1; n <= (nextLevel ? 1 : parts.length); n++)
      found.add(path + parts.slice(0, n).join('.') + (dots && n < parts.length ? '.' : ''))
  }
  return { ParameterList: [...found].map((Name) => ({ Name, Writable: false })) }
}

/** Values of names and of partial paths. */
function values(asked: string[]): Answer {
  const found = Object.entries(TREE).filter(([path]) =>
    asked.some((name) => (name.endsWith('.') ? path.startsWith(name) : path === name)),
  )
  if (asked.some((name) => !name.endsWith('.') && TREE[name] === undefined)) return 9005
  return { ParameterList: found.map(([name, value]) => ({ name, value, type: 'xsd:string' })) }
}

function cpe(listing: (path: string, nextLevel: boolean) => Answer, reading: (asked: string[]) => Answer = values) {
  return (request: Asked): Answer => {
    if (request.name === 'GetParameterNames') return listing(request.body.ParameterPath, request.body.NextLevel)
    if (request.name === 'GetParameterValues') return reading(request.body.ParameterNames)
    return request.name === 'GetRPCMethods' ? { MethodList: [] } : 9000
  }
}

function world() {
  const clock = createManualClock()
  const stores = createMemoryStores(clock)
  const made = new Discoveries({ mode: 'walk', types, clock, log: silentLog, ...stores })
  const template = scriptedSession(() => 9000).session.device
  const { id } = template
  stores.inside.devices.set(id, { ...template, softwareVersion: '1.0' })
  for (const [path, value] of [
    ['Device.DeviceInfo.SoftwareVersion', '1.0'],
    ['Device.ManagementServer.ConnectionRequestURL', 'http://192.0.2.1/cr'],
  ] as const)
    stores.inside.parameters.set(`${id}|${path}`, {
      deviceId: id,
      path,
      value,
      type: 'string',
      source: 'cwmp',
      collectedAt: 0,
    })
  const record = () => structuredClone(stores.inside.devices.get(id) as Device)
  async function session(answer: (request: Asked) => Answer, informed: string[] = []) {
    const script = scriptedSession(answer)
    script.session.device = record()
    script.session.informed = informed
    const outcome = await made
      .run(script.session, () => false)
      .catch((error: Error & { code?: string }) => error.code ?? error.name)
    await made.saveNotes(script.session)
    return { outcome, asked: script.asked }
  }
  const stored = () => [...stores.inside.parameters.values()].map(({ path }) => path).toSorted()
  const told = () => stores.inside.events.filter(({ type }) => type === 'device.discoveryIncomplete')
  return { made, clock, stores, id, record, session, stored, told }
}

const NOTHING = { ParameterList: [] }

describe('a CPE whose names cannot be listed', () => {
  it.each([
    ['lists the root alone, level by level', (path: string) => ({ ParameterList: [{ Name: path, Writable: false }] })],
    ['lists nothing at all', () => NOTHING],
  ])('that %s is read by the values of its root', async (_name, listing) => {
    const w = world()
    expect(await w.session(cpe(listing))).toMatchObject({ outcome: 'done' })
    expect(w.stored()).toEqual(expect.arrayContaining(Object.keys(TREE)))
    expect(w.record().cwmp).toMatchObject({ discoveredFor: '1.0', discovery: { outcome: 'complete' } })
  })

  it('level by level is listed as a whole', async () => {
    const w = world()
    const listing = (path: string, nextLevel: boolean) => (nextLevel ? NOTHING : names(path, false))
    expect(await w.session(cpe(listing, (asked) => (asked[0] === 'Device.' ? 9004 : values(asked))))).toMatchObject({
      outcome: 'done',
    })
    expect(w.stored()).toEqual(expect.arrayContaining(Object.keys(TREE)))
  })

  it('that leaves out the dot after objects is read all the same', async () => {
    const w = world()
    expect(await w.session(cpe((path, nextLevel) => names(path, nextLevel, false)))).toMatchObject({ outcome: 'done' })
    expect(w.stored()).toEqual(expect.arrayContaining(['Device.DeviceInfo.UpTime', 'Device.RootDataModelVersion']))
  })

  it('in one subtree is read there by the values of that subtree', async () => {
    const w = world()
    const listing = (path: string, nextLevel: boolean) => (path === 'Device.X_ACME.' ? 9002 : names(path, nextLevel))
    await w.session(cpe(listing))
    expect(w.stored()).toContain('Device.X_ACME.Mode')
    expect(w.record().cwmp?.discovery).toMatchObject({ outcome: 'complete' })
    expect(w.told()).toEqual([])
  })
})

describe('a discovery that found nothing', () => {
  const silent = cpe(
    () => NOTHING,
    () => NOTHING,
  )

  it('is not done: it says so, drops nothing, and is tried again', async () => {
    const w = world()
    const before = w.stored()
    expect(await w.session(silent)).toMatchObject({ outcome: 'empty' })
    expect(w.stored()).toEqual(before)
    expect(w.record().cwmp?.discoveredFor).toBeUndefined()
    expect(w.record().cwmp?.discovery).toMatchObject({ outcome: 'empty' })
    expect(w.told()).toMatchObject([{ data: { outcome: 'empty' } }])
    expect(w.made.isDue(w.record())).toBe(true)
    await w.session(silent)
    expect(w.told(), 'the same is not said twice').toHaveLength(1)
    for (let n = 0; n < 10; n++) await w.session(silent)
    expect(w.made.isDue(w.record()), 'after some tries there are pauses').toBe(false)
  })

  it('says so when the CPE refuses its root', async () => {
    const w = world()
    await w.session(() => 9001)
    expect(w.record().cwmp?.discovery).toMatchObject({ outcome: 'empty', reason: expect.stringContaining('9001') })
    expect(w.told()).toHaveLength(1)
  })

  it('fails as an operation', async () => {
    const { session } = scriptedSession(silent)
    const { made } = world()
    const operation = { id: 'op', request: { verb: 'discover' } } as Operation
    const hooks = { signal: session.signal, beforeSend: async () => {}, timeoutMs: 1000 }
    const context = { types, notes: made.notebook.of(session.device), discoveries: made }
    expect(await execute(session, operation, hooks, context)).toMatchObject({
      outcome: 'failed',
      error: { code: 'nothingFound' },
    })
  })
})

describe('a discovery that could not see a part', () => {
  const partly = cpe(
    (path, nextLevel) => (path === 'Device.X_ACME.' ? 9002 : names(path, nextLevel)),
    (asked) => (asked.includes('Device.X_ACME.') ? 9002 : values(asked)),
  )

  it('says which, and reads that part alone when it is tried again', async () => {
    const w = world()
    expect(await w.session(partly)).toMatchObject({ outcome: 'done' })
    expect(w.record().cwmp).toMatchObject({ discovery: { outcome: 'partial', unread: ['Device.X_ACME.'] } })
    expect(w.told()).toMatchObject([{ data: { outcome: 'partial', unread: ['Device.X_ACME.'] } }])
    expect(w.made.isDue(w.record())).toBe(false)
    w.clock.advance(86_400_000)
    expect(w.made.isDue(w.record())).toBe(true)
    const { asked } = await w.session(cpe((path, nextLevel) => names(path, nextLevel)))
    const listed = asked.flatMap(({ name, body }) => (name === 'GetParameterNames' ? [body.ParameterPath] : []))
    expect(listed).toEqual(['Device.X_ACME.'])
    expect(w.stored()).toEqual(expect.arrayContaining(Object.keys(TREE)))
    expect(w.record().cwmp?.discovery).toMatchObject({ outcome: 'complete', unread: [] })
    w.clock.advance(864_000_000)
    expect(w.made.isDue(w.record())).toBe(false)
  })
})

it('what the Inform tells stays in the record though a walk does not list it', async () => {
  const w = world()
  const url = 'Device.ManagementServer.ConnectionRequestURL'
  w.clock.advance(1000)
  await w.session(
    cpe((path, nextLevel) => names(path, nextLevel)),
    [url],
  )
  expect(w.stored()).toContain(url)
})
