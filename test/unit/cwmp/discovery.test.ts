import { describe, expect, it } from 'vitest'
import { silentLog } from '../../../src/base/index.ts'
import { CpeNotebook } from '../../../src/cwmp/acs/discovery/cpe-notes.ts'
import { Discoveries } from '../../../src/cwmp/acs/discovery/discoveries.ts'
import { readValues as read, ValueReader } from '../../../src/cwmp/acs/discovery/read-values.ts'
import type { DiscoveryMode } from '../../../src/cwmp/acs/discovery/walk.ts'
import type { Session } from '../../../src/cwmp/acs/session/session.ts'
import { ParameterTypes } from '../../../src/cwmp/acs/session/values.ts'
import { execute } from '../../../src/cwmp/acs/verbs/execute.ts'
import { readPaths } from '../../../src/cwmp/acs/verbs/read-paths.ts'
import type { Baseline, DeviceId, Operation } from '../../../src/domain/index.ts'
import { type Asked, type ScriptedSession, scriptedSession } from '../../support/cwmp-script.ts'
import { createManualClock } from '../../support/manual-clock.ts'
import { createMemoryStores } from '../../support/memory-stores.ts'

const types = new ParameterTypes()

/** Reads with nothing known of the CPE. */
const readValues = (session: Session, paths: string[]) => {
  const notes = new CpeNotebook().of(session.device)
  return read(session, paths, new ValueReader(types, notes, 'get'), notes)
}

/** The notes that are kept from one session to the next. */
function discoveries(mode: DiscoveryMode = 'walk') {
  const clock = createManualClock()
  const stores = createMemoryStores(clock)
  const made = new Discoveries({ mode, types, clock, log: silentLog, ...stores })
  return { made, clock, stores }
}

const discover = (session: Session, root: string, mode: DiscoveryMode) =>
  discoveries().made.collect(session, 'op', root, mode, session.signal)

/** A small tree: a parameter by its path; objects are what stands before the dots. Tables may be empty. */
const TREE: Record<string, string> = {
  'Device.DeviceInfo.SoftwareVersion': '1.0',
  'Device.DeviceInfo.UpTime': '7',
  'Device.WiFi.SSID.1.SSID': 'one',
  'Device.WiFi.SSID.2.SSID': 'two',
  'Device.RootDataModelVersion': '2.15',
}
const EMPTY_TABLE = 'Device.WiFi.Radio.'

/** The answers of a CPE with that tree; `limit` names at most in one GetParameterValues, `unknown` names fault. */
function answers(options: { limit?: number; tooMuch?: number; unknown?: string[]; noSubtree?: number } = {}) {
  return (request: Asked) => {
    if (request.name === 'GetParameterNames') {
      const { ParameterPath: path, NextLevel } = request.body
      if (!NextLevel && options.noSubtree !== undefined) return options.noSubtree
      return { ParameterList: names(path, NextLevel) }
    }
    if (request.name !== 'GetParameterValues') return 9000
    const { ParameterNames: asked } = request.body
    if (asked.length > (options.limit ?? 100)) return options.tooMuch ?? 9004
    if (asked.some((name) => options.unknown?.includes(name))) return 9005
    return { ParameterList: asked.map((name) => ({ name, value: TREE[name] ?? `of ${name}`, type: 'string' })) }
  }
}

function names(path: string, nextLevel: boolean): { Name: string; Writable: boolean }[] {
  const found = new Set<string>()
  for (const below of [...Object.keys(TREE), EMPTY_TABLE]) {
    if (!below.startsWith(path) || below === path) continue
    const rest = below.slice(path.length).split('.')
    const first = rest.length > 1 ? `${rest[0]}.` : rest[0]
    if (nextLevel) found.add(path + first)
    else
      for (let n = 1; n <= rest.length; n++) found.add(path + rest.slice(0, n).join('.') + (n < rest.length ? '.' : ''))
  }
  return [...found].filter((name) => name !== path).map((Name) => ({ Name, Writable: Name.endsWith('.SSID') }))
}

const paths = (n: number) => Array.from({ length: n }, (_, i) => `Device.P${i}`)
const levels = ({ asked }: ScriptedSession) =>
  asked.flatMap(({ name, body }) =>
    name === 'GetParameterNames' ? [[body.ParameterPath, body.NextLevel] as const] : [],
  )

describe('reading values', () => {
  it('asks for 32 names, then for twice as many up to 256, and gives every value with its type', async () => {
    const script = scriptedSession(answers({ limit: 1000 }))
    const outcomes = await readValues(script.session, paths(800))
    expect(script.batches().map(({ length }) => length)).toEqual([32, 64, 128, 256, 256, 64])
    expect(outcomes).toHaveLength(800)
    expect(outcomes[0]).toEqual({ path: 'Device.P0', value: 'of Device.P0', type: 'string' })
  })

  it.each([9002, 9004])(
    'halves a batch that is too much for the device (%i) and stays at that size',
    async (tooMuch) => {
      const script = scriptedSession(answers({ limit: 10, tooMuch }))
      const outcomes = await readValues(script.session, paths(64))
      expect(script.batches().map(({ length }) => length)).toEqual([32, 16, ...Array.from({ length: 8 }, () => 8)])
      expect(outcomes.map(({ path }) => path)).toEqual(paths(64))
      expect(outcomes.every(({ error }) => error === undefined)).toBe(true)
    },
  )

  it('asks for no more names than were too many once', async () => {
    const script = scriptedSession(answers({ limit: 100 }))
    await readValues(script.session, paths(400))
    expect(script.batches().map(({ length }) => length)).toEqual([32, 64, 128, 64, 64, 64, 64, 48])
  })

  it('goes down to single names', async () => {
    const script = scriptedSession(answers({ limit: 1 }))
    const outcomes = await readValues(script.session, paths(8))
    expect(outcomes.map(({ value }) => value)).toEqual(paths(8).map((path) => `of ${path}`))
    expect(script.batches().at(-1)).toHaveLength(1)
  })

  it('tells the fault of a name that fails even alone, once', async () => {
    const script = scriptedSession(answers({ limit: 0, tooMuch: 9002 }))
    const outcomes = await readValues(script.session, paths(2))
    expect(outcomes.map(({ path, error }) => [path, error?.code, error?.retryable])).toEqual([
      ['Device.P0', '9002', true],
      ['Device.P1', '9002', true],
    ])
    expect(script.batches()).toHaveLength(3)
  })

  it.each([0, 13, 31])('does not fail a batch for one unknown name (at %i)', async (at) => {
    const unknown = `Device.P${at}`
    const script = scriptedSession(answers({ unknown: [unknown] }))
    const outcomes = await readValues(script.session, paths(32))
    expect(outcomes.filter(({ error }) => error !== undefined)).toMatchObject([
      { path: unknown, error: { code: '9005', retryable: false } },
    ])
    expect(outcomes.filter(({ value }) => value !== undefined)).toHaveLength(31)
    // Bisected: one batch, then two per level.
    expect(script.batches().length).toBeLessThanOrEqual(11)
  })

  it('does not ask smaller batches of the others because of an unknown name', async () => {
    const script = scriptedSession(answers({ unknown: ['Device.P0'] }))
    await readValues(script.session, paths(64))
    expect(script.batches().at(-1)).toEqual(paths(64).slice(32))
  })

  it('takes a partial path on an empty table as no rows, not as an error', async () => {
    const script = scriptedSession(answers({ unknown: [EMPTY_TABLE] }))
    expect(await readValues(script.session, [EMPTY_TABLE])).toEqual([])
  })

  it('takes what it asked for, each once, and tells what was passed over', async () => {
    const value = (name: string) => ({ name, value: 'v', type: 'string' })
    const script = scriptedSession(() => ({
      ParameterList: ['Device.P0', 'Device.P0', 'Device.Other', 'Device.T.1.A', 'Other.T.1.A'].map(value),
    }))
    expect(await readValues(script.session, ['Device.P0', 'Device.P1', 'Device.T.'])).toEqual([
      { path: 'Device.P0', value: 'v', type: 'string' },
      { path: 'Device.T.1.A', value: 'v', type: 'string' },
      { path: 'Device.P1', error: expect.objectContaining({ code: '9005', retryable: false }) },
    ])
  })

  it('ends with the session when the device falls silent', async () => {
    const script = scriptedSession(() => undefined)
    await expect(readValues(script.session, paths(40))).rejects.toMatchObject({
      name: 'TransportError',
      code: 'timeout',
      sent: true,
    })
    expect(script.session.state).toBe('closed')
    expect(script.asked).toHaveLength(1)
  })
})

describe('discovery', () => {
  const everything = Object.entries(TREE).map(([path, value]) => [path, value, path.endsWith('.SSID')])
  const seen = (outcomes: Awaited<ReturnType<typeof discover>>) =>
    outcomes.map(({ path, value, writable }) => [path, value, writable]).toSorted()

  it('walks level by level, one object per request', async () => {
    const script = scriptedSession(answers())
    const outcomes = await discover(script.session, 'Device.', 'walk')
    expect(seen(outcomes)).toEqual(everything.toSorted())
    expect(levels(script).every(([, nextLevel]) => nextLevel)).toBe(true)
    expect(
      levels(script)
        .map(([path]) => path)
        .toSorted(),
    ).toEqual([
      'Device.',
      'Device.DeviceInfo.',
      'Device.WiFi.',
      'Device.WiFi.Radio.',
      'Device.WiFi.SSID.',
      'Device.WiFi.SSID.1.',
      'Device.WiFi.SSID.2.',
    ])
  })

  it('takes the whole subtree with one request', async () => {
    const script = scriptedSession(answers())
    expect(seen(await discover(script.session, 'Device.', 'subtree'))).toEqual(everything.toSorted())
    expect(levels(script)).toEqual([['Device.', false]])
  })

  it.each([9002, 9004])('walks a device that cannot give the whole subtree (%i)', async (noSubtree) => {
    const script = scriptedSession(answers({ noSubtree }))
    expect(seen(await discover(script.session, 'Device.', 'subtree'))).toEqual(everything.toSorted())
    expect(levels(script).slice(0, 2)).toEqual([
      ['Device.', false],
      ['Device.', true],
    ])
  })

  it('names an object that faults, and goes on', async () => {
    const all = answers()
    const script = scriptedSession((request) =>
      request.name === 'GetParameterNames' && request.body.ParameterPath === 'Device.WiFi.' ? 9002 : all(request),
    )
    const outcomes = await discover(script.session, 'Device.', 'walk')
    expect(outcomes.map(({ path, error }) => `${path} ${error?.code ?? ''}`.trim()).toSorted()).toEqual(
      [...Object.keys(TREE).filter((path) => !path.startsWith('Device.WiFi.')), 'Device.WiFi. 9002'].toSorted(),
    )
  })

  it.each([
    ['a table of the model', EMPTY_TABLE, 0],
    ['an object that the one above lists', 'Device.X_ACME_Rows.', 1],
  ])('takes %s for empty when it is called unknown', async (_name, path, more) => {
    const script = scriptedSession((request) => {
      if (request.name !== 'GetParameterNames' || request.body.ParameterPath === path) return 9005
      return { ParameterList: [{ Name: path, Writable: true }] }
    })
    expect(await discover(script.session, path, 'walk')).toEqual([])
    expect(await readValues(script.session, [path])).toEqual([])
    // The read looks whether anything is listed below the object, for some CPE call every object unknown.
    expect(script.asked).toHaveLength(3 + 2 * more)
  })

  it('fails for an object that is not there, and reading it tells so', async () => {
    const script = scriptedSession((request) => (request.name === 'GetParameterNames' ? { ParameterList: [] } : 9005))
    expect(await readValues(script.session, ['Device.X_No.'])).toMatchObject([
      { path: 'Device.X_No.', error: { code: '9005' } },
    ])
    const nothing = scriptedSession(() => 9005)
    await expect(discover(nothing.session, 'Device.X_No.', 'walk')).rejects.toMatchObject({ fault: 9005 })
  })

  it('fails when the root itself faults', async () => {
    const script = scriptedSession(() => 9001)
    await expect(discover(script.session, 'Device.', 'walk')).rejects.toMatchObject({
      name: 'PeerFault',
      fault: 9001,
    })
  })

  it('stops at a device that has no end of names', async () => {
    let made = 0
    const script = scriptedSession((request) => {
      if (request.name !== 'GetParameterNames') return { ParameterList: [] }
      const { ParameterPath: path } = request.body
      return {
        ParameterList: Array.from({ length: 5000 }, () => ({ Name: `${path}P${made++}`, Writable: false })).concat({
          Name: `${path}O${made++}.`,
          Writable: false,
        }),
      }
    })
    const outcomes = await discover(script.session, 'Device.', 'walk')
    expect(outcomes.at(-1)).toMatchObject({ path: 'Device.', error: { code: 'incomplete' } })
    expect(levels(script)).toHaveLength(4)
  })

  it('is not led around in circles by a device that lists what was not asked', async () => {
    const script = scriptedSession((request) =>
      request.name === 'GetParameterNames'
        ? {
            ParameterList: ['Device.', 'InternetGatewayDevice.', request.body.ParameterPath].map((Name) => ({
              Name,
              Writable: false,
            })),
          }
        : { ParameterList: [] },
    )
    expect(await discover(script.session, 'Device.', 'walk')).toEqual([])
    expect(levels(script)).toEqual([
      ['Device.', true],
      ['Device.', false],
    ])
  })
})

describe('names that a CPE listed and did not have', () => {
  const there = ['Device.A.XNumberOfEntries', 'Device.B.YNumberOfEntries']
  const absent = (n: number) => `Device.Typo${n}NumberOfEntries`
  const isAbsent = (name: string) => name.includes('Typo')

  /** A CPE that lists these names, and has those among them that are no typing errors. */
  const lists = (listed: readonly string[]) => (request: Asked) => {
    if (request.name === 'GetParameterNames')
      return { ParameterList: listed.map((Name) => ({ Name, Writable: false })) }
    if (request.name !== 'GetParameterValues') return 9000
    const { ParameterNames: asked } = request.body
    if (asked.some(isAbsent)) return 9005
    return { ParameterList: asked.map((name) => ({ name, value: '1', type: 'unsignedInt' })) }
  }

  const valued = (outcomes: Awaited<ReturnType<typeof read>>) =>
    outcomes.flatMap(({ path, value }) => (value === undefined ? [] : [path])).toSorted()

  it('are no lesson of a get, which answers what is there', async () => {
    const { session } = scriptedSession(lists([]))
    const notes = new CpeNotebook().of(session.device)
    const get = (paths: string[]) => readPaths(session, paths, types, notes)
    expect(await get([absent(1)])).toMatchObject([{ error: { code: '9005' } }])
    expect(await get([absent(2)])).toMatchObject([{ error: { code: '9005' } }])
    const outcomes = await get([...there, absent(3)])
    expect(valued(outcomes)).toEqual(there)
    expect(outcomes).toContainEqual({ path: absent(3), error: expect.objectContaining({ code: '9005' }) })
    expect(notes.suspicion(absent(1))).toBe('none')
  })

  it('are no lesson of a get that reads an object name by name', async () => {
    const { session } = scriptedSession(lists(['Device.A.XNumberOfEntries', 'Device.A.TypoNumberOfEntries']))
    const notes = new CpeNotebook().of(session.device)
    for (let n = 0; n < 2; n++) notes.strike('Device.A.')
    const outcomes = await readPaths(session, ['Device.A.'], types, notes)
    expect(valued(outcomes)).toEqual(['Device.A.XNumberOfEntries'])
    expect(notes.suspicion('Device.A.TypoNumberOfEntries')).toBe('none')
  })

  it('are asked for in a get like any others, and with a value they are doubted no more', async () => {
    const { session } = scriptedSession(lists([]))
    const notebook = new CpeNotebook()
    const notes = notebook.of(session.device)
    const doubted = ['Device.A.Name', ...there]
    for (const path of doubted) {
      notes.suspect(path)
      notebook.of({ ...session.device, id: 'another' as DeviceId }).suspect(path)
    }
    expect(doubted.map((path) => notes.suspicion(path))).toEqual(['several', 'several', 'several'])
    const outcomes = await readPaths(session, [...doubted, absent(1)], types, notes)
    expect(valued(outcomes)).toEqual(doubted)
    expect(doubted.map((path) => notes.suspicion(path))).toEqual(['none', 'none', 'none'])
  })

  it('do not make a discovery take the numbers of entries of others for absent once it has read one', async () => {
    const script = scriptedSession(lists([there[0] ?? '', absent(1), absent(2), absent(3), there[1] ?? '']))
    const { made } = discoveries()
    const outcomes = await made.collect(script.session, 'op', 'Device.', 'subtree', script.session.signal)
    expect(valued(outcomes)).toEqual(there)
  })

  it('are asked together by a discovery, and all are taken for absent when that fails', async () => {
    const { made } = discoveries()
    const listed = Array.from({ length: 20 }, (_, n) => absent(n))
    const script = scriptedSession(lists(['Device.Name', ...listed]))
    const outcomes = await made.collect(script.session, 'op', 'Device.', 'subtree', script.session.signal)
    expect(valued(outcomes)).toEqual(['Device.Name'])
    expect(
      outcomes
        .filter(({ error }) => error?.code === '9005')
        .map(({ path }) => path)
        .toSorted(),
    ).toEqual(listed.toSorted())
    // Two were found alone, and the others with one request.
    expect(script.batches().at(-1)).toHaveLength(18)
  })

  describe('on a CPE with an option that others of its firmware lack', () => {
    const OPTION = 'Device.A.Option.'
    const known = [`${OPTION}Name`, `${OPTION}Level`]
    const lacking = `${OPTION}Typo`
    const listed = ['Device.Name', ...known, lacking]

    /** A discovery by a server to which two other CPE have shown that they lack the option. */
    async function discovered(below: (objects: string[]) => unknown) {
      const { made } = discoveries()
      const script = scriptedSession((request) => {
        if (request.name === 'GetParameterValues' && request.body.ParameterNames.some((name) => name.endsWith('.')))
          return below(request.body.ParameterNames) as never
        return lists(listed)(request)
      })
      const { device } = script.session
      for (const id of ['another', 'a third'] as DeviceId[])
        for (const path of [...known, lacking]) made.notebook.of({ ...device, id }).suspect(path)
      const collect = () => made.collect(script.session, 'op', 'Device.', 'subtree', script.session.signal)
      return { script, made, collect, outcomes: await collect().catch(() => []) }
    }

    it('are read with the values of their object, and stay doubted', async () => {
      const values = known.map((name) => ({ name, value: '1', type: 'string' }))
      const { outcomes, script, made } = await discovered(() => ({ ParameterList: values }))
      expect(valued(outcomes)).toEqual([...known, 'Device.Name'].toSorted())
      expect(outcomes.find(({ path }) => path === lacking)).toMatchObject({ error: { code: '9005' } })
      expect(script.batches()).toEqual([['Device.Name'], [...known, lacking], [OPTION]])
      expect(made.notebook.of(script.session.device).suspicion(known[0] ?? '')).toBe('several')
    })

    it('are taken for absent where the object cannot be read', async () => {
      const { outcomes } = await discovered(() => 9002)
      expect(valued(outcomes)).toEqual(['Device.Name'])
      expect(outcomes.filter(({ error }) => error?.code === '9005')).toHaveLength(3)
    })
  })

  it('are doubted no more by any discovery once the values below their object have them', async () => {
    const script = scriptedSession((request) => {
      if (request.name === 'GetParameterNames')
        return request.body.ParameterPath === 'Device.' ? lists(['Device.A.'])(request) : 9001
      return { ParameterList: [{ name: 'Device.A.Name', value: 'v', type: 'string' }] }
    })
    const { made } = discoveries()
    const notes = made.notebook.of(script.session.device)
    notes.suspect('Device.A.Name')
    await made.collect(script.session, 'op', 'Device.', 'walk', script.session.signal)
    expect(notes.suspicion('Device.A.Name')).toBe('none')
  })
})

/** The needs of verbs besides a session, with nothing known of the CPE. */
const contextOf = (session: Session) => {
  const { made } = discoveries()
  return {
    types,
    notes: made.notebook.of(session.device),
    discoveries: made,
  }
}

describe('the rows before AddObject', () => {
  const operation = {
    id: 'op1',
    request: { verb: 'add', object: 'Device.WiFi.SSID.', values: {} },
  } as Partial<Operation> as Operation

  async function add(listing: { Name: string; Writable: boolean }[] | number) {
    const script = scriptedSession((request) => {
      if (request.name === 'GetParameterNames')
        return typeof listing === 'number' ? listing : { ParameterList: listing }
      return { InstanceNumber: 3, Status: 0 }
    })
    const baselines: (Baseline | undefined)[] = []
    const result = await execute(
      script.session,
      operation,
      {
        beforeSend: async (baseline) => void baselines.push(baseline),
        signal: script.session.signal,
        timeoutMs: 1000,
      },
      contextOf(script.session),
    )
    return { result, baselines, methods: script.asked.map(({ name }) => name) }
  }

  it('are the instances that the table lists', async () => {
    const rows = ['1.', '2.', '2.SSID', 'Status'].map((name) => ({ Name: `Device.WiFi.SSID.${name}`, Writable: true }))
    const { result, baselines } = await add(rows)
    expect(baselines).toEqual([{ instances: ['Device.WiFi.SSID.1.', 'Device.WiFi.SSID.2.'] }])
    expect(result).toEqual({
      outcome: 'done',
      results: [{ path: 'Device.WiFi.SSID.', created: 'Device.WiFi.SSID.3.' }],
    })
  })

  it('are none when the device answers 9005 for an empty table', async () => {
    const { result, baselines } = await add(9005)
    expect(baselines).toEqual([{ instances: [] }])
    expect(result.outcome).toBe('done')
  })

  it.each([9001, 9002, 9003, 9004])(
    'are not taken for none after %i: a lost answer then stays unknown',
    async (code) => {
      const { result, baselines, methods } = await add(code)
      expect(baselines).toEqual([undefined])
      expect(methods).toEqual(['GetParameterNames', 'AddObject'])
      expect(result.outcome).toBe('done')
    },
  )
})
