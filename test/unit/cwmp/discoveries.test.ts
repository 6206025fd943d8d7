import { describe, expect, it } from 'vitest'
import { silentLog } from '../../../src/base/index.ts'
import { Discoveries } from '../../../src/cwmp/acs/discovery/discoveries.ts'
import type { DiscoveryMode } from '../../../src/cwmp/acs/discovery/walk.ts'
import type { Session } from '../../../src/cwmp/acs/session/session.ts'
import { ParameterTypes } from '../../../src/cwmp/acs/session/values.ts'
import { type Device, type DeviceId, PARAMETERS_PER_COMMIT, type Protocol } from '../../../src/domain/index.ts'
import { type Asked, type ScriptedSession, scriptedSession } from '../../support/cwmp-script.ts'
import { createManualClock } from '../../support/manual-clock.ts'
import { createMemoryStores } from '../../support/memory-stores.ts'

const types = new ParameterTypes()
type Answer = ReturnType<Parameters<typeof scriptedSession>[0]>

/** A tree of `objects` objects with `leaves` parameters each. */
function treeOf(objects: number, leaves: number): Map<string, string> {
  const tree = new Map<string, string>()
  for (let o = 1; o <= objects; o++) for (let l = 1; l <= leaves; l++) tree.set(`Device.X_T.${o}.P${l}`, `${o}/${l}`)
  return tree
}

function names(tree: Map<string, string>, path: string, nextLevel: boolean) {
  const found = new Set<string>()
  for (const below of tree.keys()) {
    if (!below.startsWith(path)) continue
    const parts = below.slice(path.length).split('.')
    for (let n = 1; n <= (nextLevel ? 1 : parts.length); n++)
      found.add(path + parts.slice(0, n).join('.') + (n < parts.length ? '.' : ''))
  }
  return { ParameterList: [...found].map((Name) => ({ Name, Writable: false })) }
}

/** A device that answers from its tree, unless `special` has another answer: null ends the session. */
function cpe(tree: Map<string, string>, special: (request: Asked) => Answer | null = () => undefined) {
  return (request: Asked): Answer => {
    const other = special(request)
    if (other === null) return undefined
    if (other !== undefined) return other
    switch (request.name) {
      case 'GetParameterNames':
        return names(tree, request.body.ParameterPath, request.body.NextLevel)
      case 'GetParameterValues': {
        const asked = request.body.ParameterNames
        if (asked.some((name) => !tree.has(name))) return 9005
        return { ParameterList: asked.map((name) => ({ name, value: tree.get(name) ?? '', type: 'string' })) }
      }
      case 'GetRPCMethods':
        return { MethodList: ['GetRPCMethods', 'FactoryReset'] }
      default:
        return 9000
    }
  }
}

const many = (request: Asked) => (request.name === 'GetParameterValues' ? request.body.ParameterNames : [])

/** The ACS's memory over the sessions of one device, and its record. */
function world(mode: DiscoveryMode = 'walk', shared?: { made: Discoveries }) {
  const clock = createManualClock()
  const stores = createMemoryStores(clock)
  const made =
    shared?.made ?? new Discoveries({ mode, types, clock, log: silentLog, coverage: stores.mappingCoverage, ...stores })
  const template = scriptedSession(() => 9000).session.device
  const id = template.id
  stores.inside.devices.set(id, { ...template, softwareVersion: '1.0' })
  const record = () => structuredClone(stores.inside.devices.get(id) as Device)
  const sessions: ScriptedSession[] = []

  /** One session: what the device was asked, and how it ended. */
  async function session(
    answer: (request: Asked) => Answer,
    pause: (session: Session) => boolean = () => false,
    isNewDevice = false,
  ) {
    const script = scriptedSession(answer)
    script.session.device = record()
    script.session.made = isNewDevice ? [] : undefined
    sessions.push(script)
    const outcome = await made
      .run(script.session, () => pause(script.session))
      .catch((error: Error & { code?: string }) => error.code ?? error.name)
    await made.saveNotes(script.session)
    return { outcome, asked: script.asked, batches: script.batches().map(({ length }) => length) }
  }
  /** Sessions until the tree is read; their number. */
  async function untilDone(answer: (request: Asked) => Answer, max = 20): Promise<number> {
    for (let n = 1; n <= max; n++) if ((await session(answer)).outcome === 'done') return n
    throw new Error(`not done after ${max} sessions`)
  }
  const stored = () =>
    Object.fromEntries([...stores.inside.parameters.values()].map(({ path, value }) => [path, value]).toSorted())
  return { made, clock, stores, id, record, session, untilDone, stored, sessions }
}

const asked = (sessions: ScriptedSession[], name: Asked['name']) =>
  sessions.flatMap((script) => script.asked.filter((request) => request.name === name))

describe('a tree that was read as a whole', () => {
  it('gives the live facts of the record, and counts for its model', async () => {
    const tree = new Map([
      ['Device.DeviceInfo.UpTime', '100'],
      ['Device.Hosts.Host.1.Active', 'true'],
      ['Device.Hosts.Host.2.Active', 'true'],
      ['Device.X_T.1.P1', 'a'],
    ])
    const w = world()
    await w.untilDone(cpe(tree))
    expect(w.record()).toMatchObject({ lan: { activeHosts: 2 }, system: { upSince: w.clock.now() - 100_000 } })
    const { items } = await w.stores.mappingCoverage.list({ limit: 9 })
    expect(items).toMatchObject([
      {
        softwareVersion: '1.0',
        root: 'Device.',
        parameters: 4,
        mapped: 3,
        unmapped: [{ path: 'Device.X_T.{i}.P1', trees: 1 }],
      },
    ])
  })
})

describe('the first reading of a device', () => {
  /** Counts looks at the stored tree, and changes that drop something. */
  function counted(w: ReturnType<typeof world>) {
    const counts = { lists: 0, drops: 0 }
    const { list } = w.stores.parameters
    w.stores.parameters.list = (...args) => {
      counts.lists++
      return list(...args)
    }
    const { commit } = w.stores.devices
    w.stores.devices.commit = (change) => {
      if (change.dropSubtrees !== undefined) counts.drops++
      return commit(change)
    }
    return counts
  }

  it('looks for nothing that vanished in the session that made the record', async () => {
    const w = world()
    const counts = counted(w)
    const first = await w.session(cpe(treeOf(2, 3)), undefined, true)
    expect(first.outcome).toBe('done')
    expect(counts).toEqual({ lists: 0, drops: 0 })
    expect(Object.keys(w.stored())).toHaveLength(6)
  })

  it('hands the tree over as it is stored, while the record is the one of the session', async () => {
    const w = world()
    const { commit } = w.stores.devices
    const trees: (string[] | undefined)[] = []
    w.stores.devices.commit = (change) => {
      if (change.set?.['cwmp.discovery'] !== undefined) trees.push(change.tree?.parameters.map(({ path }) => path))
      return commit(change)
    }
    const tree = treeOf(3, 300)
    // Somebody gives the device a label while its tree is read.
    await w.session(
      cpe(tree, ({ name }) => {
        if (name === 'GetRPCMethods') void commit({ deviceId: w.id, set: { label: 'a' }, newRevision: true })
        return undefined
      }),
      undefined,
      true,
    )
    expect(trees).toEqual([[...tree.keys()], undefined])
    expect(w.record()).toMatchObject({ label: 'a', cwmp: { discovery: { outcome: 'complete' } } })
  })

  it('does so when another part of it is read later, or other work was done between', async () => {
    const w = world()
    const counts = counted(w)
    let steps = 0
    const paused = await w.session(cpe(treeOf(2, 3)), () => steps++ === 2, true)
    expect(paused.outcome).toBe('paused')
    expect((await w.session(cpe(treeOf(2, 3)), undefined, true)).outcome).toBe('done')
    expect(counts).toEqual({ lists: 1, drops: 1 })
  })
})

describe('a device that ends its session over what is asked', () => {
  it.each([1, 8, 10])('is asked for less the next time, down to what it takes (%i names)', async (limit) => {
    const tree = treeOf(4, 20)
    const w = world()
    const done = await w.untilDone(cpe(tree, (request) => (many(request).length > limit ? null : undefined)))
    expect(done).toBeLessThanOrEqual(6)
    expect(w.stored()).toEqual(Object.fromEntries([...tree].toSorted()))
    expect(w.record().cwmp).toMatchObject({ discoveredFor: '1.0', notes: { for: '1.0' } })
    // Nothing that was read is read again, no object listed twice.
    const read = asked(w.sessions, 'GetParameterNames').map(({ body }) => JSON.stringify(body))
    expect(new Set(read).size).toBe(read.length)
  })

  it('is not asked for its whole subtree again', async () => {
    const tree = treeOf(3, 3)
    const whole = (request: Asked) =>
      request.name === 'GetParameterNames' && !request.body.NextLevel ? null : undefined
    const w = world('subtree')
    // It is asked for the whole, then for a subtree, then level by level.
    expect(await w.untilDone(cpe(tree, whole))).toBe(3)
    expect(Object.keys(w.stored())).toHaveLength(9)
    // Neither by a server that starts anew and has but the record, under the same firmware.
    const later = world('subtree')
    later.stores.inside.devices.set(w.id, { ...w.record(), cwmp: { ...w.record().cwmp!, discoveredFor: '' } })
    expect(await later.untilDone(cpe(tree, whole))).toBe(1)
  })

  it('over one parameter does without that one, and is asked for full batches again', async () => {
    const tree = treeOf(4, 40)
    const poison = 'Device.X_T.1.P5'
    const w = world()
    await w.untilDone(cpe(tree, (request) => (many(request).includes(poison) ? null : undefined)))
    const { [poison]: left, ...rest } = Object.fromEntries([...tree].toSorted())
    expect(left).toBeDefined()
    expect(w.stored()).toEqual(rest)
    expect(w.record().cwmp?.notes?.skip).toEqual([poison])
    expect(w.record().cwmp?.notes?.batch).toBeUndefined()
  })

  it('over one object does without that one', async () => {
    const tree = treeOf(3, 2)
    const w = world()
    const bad = 'Device.X_T.2.'
    await w.untilDone(
      cpe(tree, (request) =>
        request.name === 'GetParameterNames' && request.body.ParameterPath === bad ? null : undefined,
      ),
    )
    expect(Object.keys(w.stored())).toHaveLength(4)
    expect(w.record().cwmp?.notes?.skip).toEqual([bad])
  })

  it('whatever it is asked is left alone for a while, longer each time', async () => {
    const w = world()
    const silent = () => undefined
    for (let n = 1; n <= 6; n++) {
      expect(w.made.isDue(w.record())).toBe(true)
      expect((await w.session(silent)).outcome).toBe('timeout')
    }
    await w.session(silent)
    expect(w.made.isDue(w.record())).toBe(false)
    w.clock.advance(300_000)
    expect(w.made.isDue(w.record())).toBe(true)
    await w.session(silent)
    w.clock.advance(300_000)
    expect(w.made.isDue(w.record())).toBe(false)
    w.clock.advance(300_000)
    expect(w.made.isDue(w.record())).toBe(true)
    // Another firmware counts as another device.
    await w.session(silent)
    expect(w.made.isDue({ ...w.record(), softwareVersion: '2.0' })).toBe(true)
  })

  it('is no reason for pauses while the reading gets on', async () => {
    const tree = treeOf(20, 2)
    const w = world()
    let left = 0
    // Every session ends after four answers.
    const flaky = cpe(tree, () => (left-- > 0 ? undefined : null))
    for (let n = 0; w.made.isDue(w.record()); n++) {
      expect(n).toBeLessThan(30)
      left = 4
      await w.session(flaky)
    }
    expect(w.record().cwmp?.discoveredFor).toBe('1.0')
    expect(Object.keys(w.stored())).toHaveLength(40)
  })

  it('by a restart of ours is not blamed', async () => {
    const w = world()
    const tree = cpe(treeOf(1, 40))
    const script = scriptedSession((request) => {
      if (many(request).length === 0) return tree(request)
      queueMicrotask(() => script.session.drop('shutdown'))
      return undefined
    })
    script.session.device = w.record()
    await expect(w.made.run(script.session, () => false)).rejects.toMatchObject({ code: 'shutdown' })
    await w.made.saveNotes(script.session)
    expect(w.record().cwmp?.notes?.batch).toBeUndefined()
  })
})

describe('a CPE that does not list its whole tree at once', () => {
  const large = (answer: number | null) => (request: Asked) =>
    request.name === 'GetParameterNames' && !request.body.NextLevel && request.body.ParameterPath === 'Device.'
      ? answer
      : undefined
  const listed = (sessions: ScriptedSession[]) =>
    asked(sessions, 'GetParameterNames').map(({ body }) => ('ParameterPath' in body ? Object.values(body) : []))

  it.each([
    ['refuses it', 9004, 1],
    ['ends its session over it', null, 2],
  ])('because it %s, is asked for each subtree at once', async (_name, answer, sessions) => {
    const tree = treeOf(50, 2).set('Device.X_U.1.P', 'u')
    const w = world('subtree')
    expect(await w.untilDone(cpe(tree, large(answer)))).toBe(sessions)
    expect(listed(w.sessions)).toEqual([
      ['Device.', false],
      ['Device.', true],
      ['Device.X_T.', false],
      ['Device.X_U.', false],
    ])
    expect(w.stored()).toEqual(Object.fromEntries([...tree].toSorted()))
    expect(w.record().cwmp?.notes).toEqual({ for: '1.0', notWhole: true })
  })

  it('nor any subtree, is asked level by level after some refusals', async () => {
    const tree = treeOf(3, 2)
    for (const name of ['A', 'B', 'C', 'D', 'E', 'F']) tree.set(`Device.X_${name}.1.P`, name)
    const w = world('subtree')
    const whole = (request: Asked) =>
      request.name === 'GetParameterNames' && !request.body.NextLevel ? 9004 : undefined
    expect(await w.untilDone(cpe(tree, whole))).toBe(1)
    expect(listed(w.sessions).filter(([, nextLevel]) => nextLevel === false)).toHaveLength(5)
    expect(w.stored()).toEqual(Object.fromEntries([...tree].toSorted()))
    expect(w.record().cwmp?.notes).toEqual({ for: '1.0', notWhole: true, walkOnly: true })
  })
})

it('a tree of 1,000 parameters is read with 9 requests', async () => {
  const w = world('subtree')
  await w.untilDone(cpe(treeOf(50, 20)))
  expect(Object.keys(w.stored())).toHaveLength(1000)
  expect(w.sessions[0]?.asked).toHaveLength(9)
})

describe('a tree that is too large for one session', () => {
  it('is read on in the next one, and nothing twice', async () => {
    const tree = treeOf(2500, 1)
    const w = world()
    const answer = cpe(tree)
    expect((await w.session(answer)).outcome).toBe('spent')
    const before = Object.keys(w.stored()).length
    expect(before).toBeGreaterThan(1000)
    expect((await w.session(answer)).outcome).toBe('done')
    expect(Object.keys(w.stored())).toHaveLength(2500)
    const listed = asked(w.sessions, 'GetParameterNames')
    expect(listed).toHaveLength(2502)
  })

  it('is done by an operation, too, which asks to be run again', async () => {
    const tree = treeOf(2500, 1)
    const w = world()
    const run = () => {
      const script = scriptedSession(cpe(tree))
      return w.made.collect(script.session, 'op1', 'Device.', 'walk', script.session.signal)
    }
    await expect(run()).rejects.toMatchObject({ code: 'sessionLimit', sent: false })
    expect(await run()).toHaveLength(2500)
  })

  it('stops when it is told to, and goes on in the same session', async () => {
    const w = world()
    const script = scriptedSession(cpe(treeOf(10, 1)))
    script.session.device = w.record()
    expect(await w.made.run(script.session, () => script.session.rpcs >= 5)).toBe('paused')
    expect(script.asked).toHaveLength(5)
    expect(await w.made.run(script.session, () => false)).toBe('done')
    expect(Object.keys(w.stored())).toHaveLength(10)
  })
})

describe('what a discovery finds', () => {
  it('includes the methods, and costs one request more', async () => {
    const w = world()
    await w.untilDone(cpe(treeOf(1, 1)))
    expect(w.record().cwmp?.methods).toEqual(['GetRPCMethods', 'FactoryReset'])
    expect(asked(w.sessions, 'GetRPCMethods')).toHaveLength(1)
  })

  it('does not include them where asking ends the session', async () => {
    const w = world()
    const leaves = (request: Asked) => (request.name === 'GetRPCMethods' ? null : undefined)
    expect(await w.untilDone(cpe(treeOf(1, 1), leaves))).toBe(2)
    expect(w.record().cwmp?.methods).toBeUndefined()
  })

  it('is taken from a device that gives everything below, whatever level was asked for', async () => {
    const tree = treeOf(5, 2)
    const w = world()
    await w.untilDone(
      cpe(tree, (request) =>
        request.name === 'GetParameterNames' ? names(tree, request.body.ParameterPath, false) : undefined,
      ),
    )
    expect(asked(w.sessions, 'GetParameterNames')).toHaveLength(1)
    expect(Object.keys(w.stored())).toHaveLength(10)
  })

  it('gives the facts of the record, wherever in the tree they stand', async () => {
    const w = world()
    const tree = new Map([
      ...treeOf(40, 20),
      ['Device.DeviceInfo.ModelName', 'H1'],
      ['Device.IP.Interface.2.IPv4Address.1.IPAddress', '10.0.0.9'],
      ['Device.Routing.Router.1.IPv4Forwarding.1.DestIPAddress', ''],
      ['Device.Routing.Router.1.IPv4Forwarding.1.Interface', 'Device.IP.Interface.2'],
    ])
    await w.untilDone(cpe(tree))
    expect(w.record()).toMatchObject({ model: 'H1', ipAddress: '10.0.0.9' })
  })

  it('keeps no secrets, though a device shows them', async () => {
    const w = world()
    const tree = new Map([
      ['Device.WiFi.AccessPoint.1.Security.KeyPassphrase', 'in the clear'],
      ['Device.WiFi.SSID.1.SSID', ''],
    ])
    w.stores.inside.parameters.set(
      `${w.id}|Device.WiFi.SSID.1.SSID`,
      parameter(w.id, 'Device.WiFi.SSID.1.SSID', 'home'),
    )
    w.clock.advance(10)
    await w.untilDone(cpe(tree))
    expect(w.stored()).toEqual({
      'Device.WiFi.AccessPoint.1.Security.KeyPassphrase': '',
      'Device.WiFi.SSID.1.SSID': 'home',
    })
  })

  it('ends without a session broken off when the device does not let its root be read', async () => {
    const w = world()
    expect(await w.session(() => 9001)).toMatchObject({ outcome: '9001' })
    expect(w.sessions[0]?.session.state).toBe('acsTurn')
    expect(w.record().cwmp?.notes?.failures).toBe(1)
  })
})

const parameter = (deviceId: DeviceId, path: string, value: string, source: Protocol = 'cwmp') => ({
  deviceId,
  path,
  value,
  type: 'string' as const,
  source,
  collectedAt: 0,
})

describe('a discovery under new firmware', () => {
  /** The parameters that the record has since an hour ago. */
  function older(w: ReturnType<typeof world>, paths: string[], source: Protocol = 'cwmp') {
    for (const path of paths) w.stores.inside.parameters.set(`${w.id}|${path}`, parameter(w.id, path, 'old', source))
    w.clock.advance(3_600_000)
  }

  it('drops objects, rows and parameters that are gone, the root before among them, and no others', async () => {
    const w = world()
    older(w, [
      'Device.X_T.1.P1',
      'Device.X_T.1.Gone',
      'Device.X_T.9.P1',
      'Device.X_Old.Deep.P',
      'InternetGatewayDevice.P',
    ])
    older(w, ['Device.LocalAgent.EndpointID'], 'usp')
    await w.untilDone(cpe(treeOf(2, 1)))
    expect(w.stored()).toEqual({
      'Device.LocalAgent.EndpointID': 'old',
      'Device.X_T.1.P1': '1/1',
      'Device.X_T.2.P1': '2/1',
    })
  })

  it('keeps what it could not read', async () => {
    const w = world()
    older(w, ['Device.X_T.1.P1', 'Device.X_T.1.P2', 'Device.X_T.2.P1'])
    await w.untilDone(
      cpe(treeOf(2, 2).set('Device.X_U.P', 'u'), (request) => {
        if (request.name === 'GetParameterNames' && request.body.ParameterPath === 'Device.X_T.2.') return 9002
        if (many(request).includes('Device.X_T.1.P1')) return 9005
        return many(request).includes('Device.X_T.1.P2') ? 9002 : undefined
      }),
    )
    expect(w.stored()).toEqual({
      'Device.X_T.1.P1': 'old',
      'Device.X_T.1.P2': 'old',
      'Device.X_T.2.P1': 'old',
      'Device.X_U.P': 'u',
    })
  })

  it('drops nothing before all is read', async () => {
    const w = world()
    older(w, ['Device.X_T.99.P1'])
    await w.session(cpe(treeOf(60, 20), (request) => (many(request).includes('Device.X_T.40.P1') ? null : undefined)))
    expect(w.stored()['Device.X_T.99.P1']).toBe('old')
  })
})

describe('names that a device lists and does not have', () => {
  it('fail no batch of the next device of that firmware: they are asked alone', async () => {
    const tree = treeOf(1, 64)
    const ghost = 'Device.X_T.1.P20'
    const answer = cpe(tree, (request) => (many(request).includes(ghost) ? 9005 : undefined))
    const w = world()
    const first = await w.session(answer)
    expect(first.batches.length).toBeGreaterThan(10)
    w.stores.inside.devices.set(w.id, { ...w.record(), cwmp: { ...w.record().cwmp!, discoveredFor: '' } })
    const second = await w.session(answer)
    expect(second.batches.toSorted((a, b) => a - b)).toEqual([1, 63])
  })

  it('or cannot tell (9002) do not make batches small for good', async () => {
    const ill = 'Device.X_T.1.P1'
    const w = world()
    const { batches } = await w.session(
      cpe(treeOf(1, 320), (request) => (many(request).includes(ill) ? 9002 : undefined)),
    )
    expect(batches.length).toBeLessThan(25)
    expect(batches.slice(-2)).toEqual([128, 64])
  })
})

describe('devices of one firmware', () => {
  /** Box `serial` of the same model, with a memory that all share. */
  async function read(
    made: Discoveries,
    stores: ReturnType<typeof world>['stores'],
    serial: number,
    answer: (request: Asked) => Answer,
  ) {
    let sessions = 0
    const device = scriptedSession(() => 9000).session.device
    const id = `00256D-Box-${serial}` as DeviceId
    stores.inside.devices.set(id, { ...device, id, serial: String(serial), softwareVersion: '1.0' })
    const sizes: number[] = []
    for (let outcome = ''; outcome !== 'done'; sessions++) {
      const script = scriptedSession(answer)
      const session = Object.assign(script.session, { deviceId: id })
      session.device = structuredClone(stores.inside.devices.get(id) as Device)
      outcome = await made.run(session, () => false).catch(() => 'failed')
      sizes.push(...script.batches().map(({ length }) => length))
      await made.saveNotes(session)
    }
    return { sessions, sizes, notes: stores.inside.devices.get(id)?.cwmp?.notes }
  }

  it('learn from two of them what a third would lose sessions over', async () => {
    const poison = 'Device.X_T.1.P3'
    const weak = cpe(treeOf(2, 30), (request) =>
      many(request).length > 8 || many(request).includes(poison) ? null : undefined,
    )
    const { made, stores } = world()
    const first = await read(made, stores, 11, weak)
    const second = await read(made, stores, 12, weak)
    expect(first.sessions).toBeGreaterThan(4)
    // One device alone may be broken: the second one learns for itself.
    expect(second.sessions).toBe(first.sessions)
    const third = await read(made, stores, 13, weak)
    expect(third.sessions).toBe(1)
    expect(Math.max(...third.sizes)).toBe(8)
    expect(third.notes).toMatchObject({ batch: 8, skip: [poison] })
  })
})

describe('an answer with the whole of a large tree', () => {
  it('is stored in parts, between which other work goes on', async () => {
    const w = world()
    const tree = treeOf(600, 4)
    const sizes: number[] = []
    const devices = {
      ...w.stores.devices,
      commit: (change: Parameters<typeof w.stores.devices.commit>[0]) => {
        if (change.parameters !== undefined) sizes.push(change.parameters.length)
        return w.stores.devices.commit(change)
      },
    }
    const made = new Discoveries({ mode: 'subtree', types, clock: w.clock, log: silentLog, ...w.stores, devices })
    const all = [...tree].map(([name, value]) => ({ name, value, type: 'string' }))
    const script = scriptedSession(
      cpe(tree, (request) => (request.name === 'GetParameterValues' ? { ParameterList: all } : undefined)),
    )
    script.session.device = w.record()
    expect(await made.run(script.session, () => false)).toBe('done')
    expect(Object.keys(w.stored())).toHaveLength(2400)
    expect(sizes.length).toBeGreaterThan(1)
    expect(Math.max(...sizes)).toBeLessThanOrEqual(PARAMETERS_PER_COMMIT)
  })
})

describe('values that could not be stored', () => {
  it('are stored in the next session, without being read again', async () => {
    const w = world()
    const { commit } = w.stores.devices
    let down = true
    const failing = {
      ...w.stores.devices,
      commit: (change: Parameters<typeof commit>[0]) =>
        down && change.parameters !== undefined ? Promise.reject(new Error('down')) : commit(change),
    }
    const made = new Discoveries({ mode: 'walk', types, clock: w.clock, log: silentLog, ...w.stores, devices: failing })
    const tree = treeOf(1, 10)
    const session = () => {
      const script = scriptedSession(cpe(tree))
      script.session.device = w.record()
      return script
    }
    const first = session()
    await expect(made.run(first.session, () => false)).rejects.toThrow('down')
    down = false
    const second = session()
    expect(await made.run(second.session, () => false)).toBe('done')
    expect(second.batches()).toEqual([])
    expect(Object.keys(w.stored())).toHaveLength(10)
  })
})
