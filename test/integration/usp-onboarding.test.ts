import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { type Device, deviceIdOf, refreshRules } from '../../src/domain/index.ts'
import type { GetSupportedDM } from '../../src/usp/wire/index.ts'
import { settled } from '../support/manual-clock.ts'
import { described, OddAgent, type OddAgentQuirks, supportedObject } from '../support/odd-agent.ts'
import type { AnyRequest, RawAgent } from '../support/raw-agent.ts'
import { CONTROLLER_ID, startController, type TestController } from '../support/usp-controller.ts'

const identityOf = (serial: string) => ({ oui: '00256D', productClass: 'Box', serial })
const EVERYTHING = described('Device.', [
  supportedObject('Device.', { events: ['Boot!'] }),
  supportedObject('Device.DeviceInfo.', { params: ['SoftwareVersion', 'ProvisioningCode'] }),
  supportedObject('Device.LocalAgent.', { events: ['Periodic!', 'TransferComplete!'] }),
  ...['IP.Interface', 'WiFi.SSID', 'WiFi.AccessPoint', 'LocalAgent.Controller'].map((table) =>
    supportedObject(`Device.${table}.{i}.`),
  ),
])
const ALL = ['boot', 'complete', 'created', 'deleted', 'periodic', 'transfer', 'value'].map((name) => `isthmus-${name}`)

let world: TestController
beforeEach(async () => {
  world = await startController()
})
afterEach(async () => {
  await world.stop()
  vi.useRealTimers()
})

/** Another process over the same stores. */
async function restart(): Promise<void> {
  const { stores, clock } = world
  await world.stop()
  world = await startController({}, { stores, clock })
}
const deviceOf = (quirks: OddAgentQuirks = {}, serial = 'S1') =>
  new OddAgent(identityOf(serial), CONTROLLER_ID, { supported: () => EVERYTHING, ...quirks })
const asked = (agent: RawAgent): AnyRequest[] => agent.inbox.flatMap((msg) => (msg.kind === 'request' ? [msg] : []))
const names = (agent: RawAgent) => asked(agent).map(({ name }) => name)
const device = (serial = 'S1'): Device | undefined => world.stores.inside.devices.get(deviceIdOf(identityOf(serial)))
const models = () => [...world.stores.inside.supportedModels.values()]
const contradictions = () => world.stores.inside.events.filter(({ type }) => type === 'supportedModel.contradicted')
const audited = (action: string) => world.stores.inside.audit.filter((entry) => entry.action === action)

async function arrive(cpe: OddAgent): Promise<RawAgent> {
  const agent = await world.connect(`os::00256D-${cpe.identity.serial}`)
  agent.answer = (request) => cpe.answer(request)
  agent.hello()
  return agent
}
/** Arrives and is onboarded. */
async function onboarded(cpe: OddAgent): Promise<RawAgent> {
  const agent = await arrive(cpe)
  await world.contact()
  return agent
}

describe('our subscriptions on an Agent', () => {
  it('are made, each change audited, and cost nothing when it comes again', async () => {
    const cpe = deviceOf()
    const agent = await onboarded(cpe)
    expect(cpe.ids()).toEqual(ALL)
    expect(audited('subscription.add')).toHaveLength(ALL.length)
    for (const row of cpe.subscriptions.values()) expect(row).toMatchObject({ Persistent: 'true', Enable: 'true' })
    agent.socket.terminate()
    const again = await onboarded(cpe)
    expect(names(again)).toEqual(['get', 'get'])
    expect(world.stores.inside.audit).toHaveLength(ALL.length)
  })

  it('have the sources of the live facts of a device that is written over USP, and follow them', async () => {
    const state = 'Device.PPP.Interface.1.ConnectionStatus'
    const { stores, clock } = world
    await world.stop()
    world = await startController({ factRules: refreshRules(undefined) }, { stores, clock })
    const cpe = deviceOf()
    const factRow = () => [...cpe.subscriptions.values()].find(({ ID }) => ID === 'isthmus-facts')
    const again = async (source: string | undefined, owner: Device['owner'] = 'usp') => {
      const record = device()
      if (record === undefined) throw new Error('no device')
      const { wan: _wan, ...rest } = record
      const wan =
        source === undefined ? {} : { wan: { interface: 'Device.IP.Interface.1', sources: { state: source } } }
      stores.inside.devices.set(record.id, { ...rest, ...wan, owner })
      const agent = await onboarded(cpe)
      agent.socket.terminate()
      return factRow()?.ReferenceList
    }
    const agent = await onboarded(cpe)
    agent.socket.terminate()
    expect(factRow()).toBeUndefined()
    expect(await again(state)).toBe(state)
    expect(factRow()).toMatchObject({ NotifType: 'ValueChange', Persistent: 'true', Enable: 'true' })
    expect(await again('Device.PPP.Interface.2.ConnectionStatus')).toBe('Device.PPP.Interface.2.ConnectionStatus')
    expect(await again(state, 'cwmp')).toBeUndefined()
    expect(await again(undefined)).toBeUndefined()
  })

  it('that the device lost at a restart are made anew', async () => {
    const cpe = deviceOf()
    const agent = await onboarded(cpe)
    agent.socket.terminate()
    cpe.subscriptions.clear()
    await onboarded(cpe)
    expect(cpe.ids()).toEqual(ALL)
  })

  it('with another list are deleted and added, those switched off are switched on, those of old are taken away', async () => {
    const cpe = deviceOf({
      supported: () => described('Device.', [supportedObject('Device.WiFi.SSID.{i}.')]),
    })
    const other = cpe.have({
      ID: 'isthmus-boot',
      Recipient: 'Device.LocalAgent.Controller.1',
      ReferenceList: 'Device.X!',
    })
    const operators = cpe.have({ ID: 'mine', NotifType: 'ValueChange', ReferenceList: 'Device.A' })
    const boot = cpe.have({ ID: 'isthmus-boot', NotifType: 'Event', ReferenceList: 'Device.Boot!', Enable: 'false' })
    const created = cpe.have({ ID: 'isthmus-created', NotifType: 'ObjectCreation', ReferenceList: 'Device.Old.' })
    const gone = cpe.have({ ID: 'isthmus-value', NotifType: 'ValueChange', ReferenceList: 'Device.Gone' })
    const spaced = cpe.have({
      ID: 'isthmus-deleted',
      NotifType: 'ObjectDeletion',
      ReferenceList: ' Device.WiFi.SSID.*. ',
    })
    cpe.quirks.supported = () =>
      described('Device.', [
        supportedObject('Device.DeviceInfo.', { params: ['ModelName'] }),
        supportedObject('Device.WiFi.SSID.{i}.'),
      ])
    await onboarded(cpe)
    const rows = cpe.subscriptions
    expect(rows.get(other)).toMatchObject({ ReferenceList: 'Device.X!' })
    expect(rows.has(operators) && rows.has(spaced)).toBe(true)
    expect(rows.get(boot)).toMatchObject({ Enable: 'true' })
    expect(rows.has(created) || rows.has(gone)).toBe(false)
    const [anew] = [...rows.values()].filter(({ ID }) => ID === 'isthmus-created')
    expect(anew).toMatchObject({ ReferenceList: 'Device.WiFi.SSID.' })
    expect(audited('subscription.delete')).toHaveLength(2)
    expect(audited('subscription.enable')).toHaveLength(1)
  })

  it.each([
    ['row by row', {}],
    ['as a whole Message', { wholeAdd: true }],
  ])(
    'are made as far as the Agent takes them; what it refuses %s is audited as refused, once',
    async (_name, quirk) => {
      const cpe = deviceOf({ refuseRow: ({ ID }) => (ID === 'isthmus-periodic' ? 7026 : undefined), ...quirk })
      const agent = await onboarded(cpe)
      expect(cpe.ids()).toEqual(ALL.filter((id) => id !== 'isthmus-periodic'))
      const refused = audited('subscription.add').filter(({ result }) => result !== 'ok')
      expect(refused).toMatchObject([{ after: { ID: 'isthmus-periodic' }, result: 'refused' }])
      agent.socket.terminate()
      await onboarded(cpe)
      expect(audited('subscription.add').filter(({ result }) => result !== 'ok')).toHaveLength(1)
      expect(device()?.usp?.onboardedFor).toBe('1.0')
    },
  )

  it('need not persist where the Agent refuses that', async () => {
    const cpe = deviceOf({ refuseSetting: 'Persistent' })
    await onboarded(cpe)
    expect(cpe.ids()).toEqual(ALL)
  })

  it('that cannot be deleted are not added a second time', async () => {
    const cpe = deviceOf({ keepsRows: true })
    cpe.have({ ID: 'isthmus-created', NotifType: 'ObjectCreation', ReferenceList: 'Device.Old.' })
    const agent = await onboarded(cpe)
    expect(cpe.ids()).toEqual(ALL)
    expect(audited('subscription.delete')).toMatchObject([{ result: 'refused' }])
    expect(names(agent).filter((name) => name === 'add')).toHaveLength(1)
  })

  it.each(['path', 'message'] as const)(
    'are known as ours where an expression does not find our row (%s)',
    async (how) => {
      const cpe = deviceOf({ noExpressions: how })
      const agent = await onboarded(cpe)
      expect(cpe.ids()).toEqual(ALL)
      agent.socket.terminate()
      const again = await onboarded(cpe)
      expect(names(again)).not.toContain('add')
      expect(device()).toMatchObject({ manufacturer: 'Acme', softwareVersion: '1.0' })
    },
  )

  it('are left as they are while the model of the Agent is not known', async () => {
    const cpe = deviceOf({ supported: () => 7006 })
    cpe.have({ ID: 'isthmus-created', NotifType: 'ObjectCreation', ReferenceList: 'Device.WiFi.SSID.' })
    await onboarded(cpe)
    const [row] = [...cpe.subscriptions.values()].filter(({ ID }) => ID === 'isthmus-created')
    expect(row).toMatchObject({ ReferenceList: 'Device.WiFi.SSID.' })
    expect(cpe.ids()).toEqual(ALL)
  })
})

describe('our own Controller row', () => {
  it('is set at first contact and after a factory reset, and left to the operator after that', async () => {
    const cpe = deviceOf()
    const ours = () => cpe.controllers.get(2)
    const right = { PeriodicNotifInterval: '300', OnBoardingComplete: 'true' }
    const agent = await onboarded(cpe)
    expect(ours()).toMatchObject(right)
    agent.socket.terminate()
    cpe.reset()
    const reset = await onboarded(cpe)
    expect(ours()).toMatchObject(right)
    expect(cpe.ids()).toEqual(ALL)
    reset.socket.terminate()
    Object.assign(ours() ?? {}, { PeriodicNotifInterval: '60' })
    expect(names(await onboarded(cpe))).not.toContain('set')
    expect(ours()).toMatchObject({ PeriodicNotifInterval: '60' })
    expect(cpe.controllers.get(1)).toEqual({ EndpointID: 'self::another' })
  })
})

describe('a factory reset', () => {
  const ended = () => world.completions.filter(({ kind }) => kind === 'reset')

  it.each([{}, { noOnBoardingComplete: true }])(
    'is seen by what the Agent has lost, and it is onboarded anew (%o)',
    async (quirks) => {
      const cpe = deviceOf(quirks)
      const agent = await onboarded(cpe)
      expect(ended()).toEqual([])
      agent.socket.terminate()
      cpe.reset()
      const again = await onboarded(cpe)
      expect(cpe.controllers.get(2)).toMatchObject({ PeriodicNotifInterval: '300' })
      expect(names(again)).toContain('get_supported_protocol')
      expect(cpe.ids()).toEqual(ALL)
      expect(ended()).toMatchObject([{ deviceId: device()?.id, protocol: 'usp' }])
    },
  )

  it('is not seen in an Agent that never takes subscriptions', async () => {
    const cpe = deviceOf({ refuseRow: () => 7000, noOnBoardingComplete: true })
    const agent = await onboarded(cpe)
    agent.socket.terminate()
    await onboarded(cpe)
    expect(ended()).toEqual([])
  })
})

describe('while a link stands', () => {
  const periodic = { obj_path: 'Device.LocalAgent.', event_name: 'Periodic!', params: {} }
  const notify = (event: typeof periodic) => ({ subscription_id: 'isthmus-periodic', send_resp: true, event })

  it('subscriptions that are gone or switched off come back with a Periodic!', async () => {
    const cpe = deviceOf()
    const agent = await onboarded(cpe)
    const [first, second] = [...cpe.subscriptions.keys()]
    cpe.subscriptions.delete(first ?? 0)
    Object.assign(cpe.subscriptions.get(second ?? 0) ?? {}, { Enable: 'false' })
    agent.notify(notify(periodic))
    await agent.heard()
    expect(cpe.ids(), 'not with each of them').toHaveLength(ALL.length - 1)
    world.clock.advance(3_600_000)
    agent.notify(notify(periodic))
    await vi.waitUntil(() => cpe.ids().length === ALL.length, 60_000)
    expect([...cpe.subscriptions.values()].every(({ Enable }) => Enable === 'true')).toBe(true)
  })
})

it('a new firmware does not set back the interval that an operator has chosen', async () => {
  const cpe = deviceOf({ noOnBoardingComplete: true })
  const agent = await onboarded(cpe)
  Object.assign(cpe.controllers.get(2) ?? {}, { PeriodicNotifInterval: '10' })
  agent.socket.terminate()
  cpe.softwareVersion = '2.0'
  await onboarded(cpe)
  expect(cpe.controllers.get(2)).toMatchObject({ PeriodicNotifInterval: '10' })
  expect(device()?.usp?.onboardedFor).toBe('2.0')
})

it('a new firmware is one event, though the Agent notifies of it while it is onboarded', async () => {
  const cpe = deviceOf()
  const agent = await onboarded(cpe)
  agent.socket.terminate()
  cpe.softwareVersion = '2.0'
  const again = await arrive(cpe)
  const change = { param_path: 'Device.DeviceInfo.SoftwareVersion', param_value: '2.0' }
  again.notify({ subscription_id: 'isthmus-value', send_resp: true, value_change: change })
  again.notify({ subscription_id: 'other', send_resp: true, value_change: change })
  await world.contact()
  await again.heard()
  await vi.waitUntil(() => device()?.usp?.onboardedFor === '2.0', 60_000)
  const told = world.stores.inside.events.filter(({ type }) => type === 'device.firmwareChanged')
  expect(told).toHaveLength(1)
  const changed = world.stores.inside.events.filter(({ type }) => type === 'parameter.changed')
  expect(changed).toHaveLength(1)
})

describe('what an Agent tells of itself', () => {
  it('is kept as far as it was asked, whatever else it shows', async () => {
    const cpe = deviceOf()
    const agent = await world.connect('os::00256D-S1')
    agent.answer = (request) => {
      const answer = cpe.answer(request)
      if (answer?.kind !== 'response' || answer.name !== 'get_resp') return answer
      const [info] = answer.body.req_path_results.filter((result) => result.requested_path === 'Device.DeviceInfo.')
      const shown = info?.resolved_path_results
      shown?.push({ resolved_path: 'Device.DeviceInfo.ProcessStatus.Process.1.', result_params: { PID: '1' } })
      shown?.push({ resolved_path: 'Device.NAT.', result_params: { X: '1' } })
      Object.assign(shown?.[0]?.result_params ?? {}, {
        'ProcessStatus.CPUUsage': '9',
        Endless: 'x'.repeat(5000),
        'X_ACME-COM_AdminPassword': 'geheim',
      })
      return answer
    }
    agent.hello()
    await world.contact()
    const kept = [...world.stores.inside.parameters.values()].map(({ path }) => path)
    expect(kept).toContain('Device.DeviceInfo.ModelName')
    expect(kept.filter((path) => /Process|NAT|Endless/.test(path))).toEqual([])
    expect(JSON.stringify([...world.stores.inside.parameters.values()])).not.toContain('geheim')
  })
})

describe('onboarding that fails', () => {
  it('does not fail over an audit log that does not answer, whose entries are appended later', async () => {
    await world.stop()
    let away = true
    const append: TestController['stores']['audit']['append'] = (entry) =>
      away ? Promise.reject(new Error('no audit')) : world.stores.audit.append(entry)
    world = await startController({ audit: { ...world.stores.audit, append } })
    const cpe = deviceOf()
    await onboarded(cpe)
    expect(device()?.usp?.onboardedFor).toBe('1.0')
    expect(world.stores.inside.audit).toHaveLength(0)
    away = false
    world.clock.advance(60_000)
    await vi.waitUntil(() => audited('subscription.add').length === cpe.ids().length, 60_000)
  })

  it('leaves the device within reach, and is tried again with growing pauses', async () => {
    await world.stop()
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] })
    let healthy = false
    world = await startController()
    world.beforeCommit(({ set }) =>
      healthy || set?.['usp.onboardedFor'] === undefined ? undefined : Promise.reject(new Error('not now')),
    )
    const cpe = deviceOf()
    const agent = await onboarded(cpe)
    expect(device()?.usp).toMatchObject({ linked: true })
    expect(device()?.usp?.onboardedFor).toBeUndefined()
    const round = async () => {
      world.clock.advance(30_000)
      const pong = new Promise((resolve) => agent.socket.once('ping', resolve))
      vi.advanceTimersByTime(30_000)
      await pong
      await agent.heard()
      await settled()
    }
    healthy = true
    await round()
    await vi.waitUntil(() => device()?.usp?.onboardedFor === '1.0', 60_000)
    const before = names(agent).length
    await round()
    expect(names(agent)).toHaveLength(before)
  })

  it('because the Agent refuses everything is no reason to turn it away', async () => {
    const cpe = deviceOf()
    const agent = await world.connect('os::00256D-S1')
    agent.answer = (request) => {
      const identity = request.name === 'get' && request.body.param_paths.length === 3 && request.body.max_depth === 0
      if (identity) return cpe.answer(request)
      return { msgId: request.msgId, kind: 'error', body: { err_code: 7006, err_msg: '', param_errs: [] } }
    }
    agent.hello()
    expect(await world.contact()).toMatchObject({ deviceId: device()?.id })
  })

  it('does not run twice at once when the device tells of its boot meanwhile', async () => {
    const cpe = deviceOf()
    const agent = await world.connect('os::00256D-S1')
    let held: AnyRequest | undefined
    agent.answer = (request) => {
      if (request.name !== 'get_supported_dm') return cpe.answer(request)
      held = request
      return undefined
    }
    agent.hello()
    await agent.takeRequest('get_supported_dm')
    const event = { obj_path: 'Device.', event_name: 'Boot!', params: { Cause: 'LocalReboot' } }
    await agent.takeReply(agent.notify({ subscription_id: 'isthmus-boot', send_resp: true, event }))
    const answer = held === undefined ? undefined : cpe.answer(held)
    if (answer !== undefined) agent.send(answer)
    await world.contact()
    await agent.heard()
    expect(names(agent).filter((name) => name === 'add')).toHaveLength(1)
    expect(names(agent).filter((name) => name === 'get_supported_dm')).toHaveLength(1)
  })
})

describe('the supported model', () => {
  const paths = (agent: RawAgent) =>
    asked(agent).flatMap(({ name, body }) => (name === 'get_supported_dm' ? (body as GetSupportedDM).obj_paths : []))

  it('is asked of two Agents of a model that come together, and again for another firmware', async () => {
    const cpes = ['S1', 'S2', 'S3', 'S4', 'S5'].map((serial) => deviceOf({}, serial))
    const agents = await Promise.all(cpes.map(arrive))
    for (let i = 0; i < cpes.length; i++) await world.contact()
    expect(agents.flatMap(paths)).toEqual(['Device.', 'Device.'])
    for (const cpe of cpes) expect(cpe.ids()).toEqual(ALL)
    const [cpe] = cpes
    if (cpe === undefined) throw new Error('no device')
    cpe.softwareVersion = '2.0'
    // It restarts: its link goes.
    agents[0]?.socket.terminate()
    await vi.waitUntil(() => device()?.usp?.linked === false, 60_000)
    expect(paths(await onboarded(cpe))).toEqual(['Device.'])
    expect(device()).toMatchObject({ softwareVersion: '2.0', usp: { onboardedFor: '2.0' } })
  })

  it('that one device has told holds for that device alone, over restarts, until a second one tells the same', async () => {
    const liar = deviceOf({ supported: () => described('Device.', [supportedObject('Device.DeviceInfo.')]) })
    await onboarded(liar)
    expect(liar.ids()).not.toContain('isthmus-created')
    const honest = ['S2', 'S3', 'S4'].map((serial) => deviceOf({}, serial))
    for (const cpe of honest) {
      await onboarded(cpe)
      expect(cpe.ids()).toEqual(ALL)
    }
    expect(models().map(({ describedBy }) => describedBy.length)).toEqual([1, 2])
    await restart()
    expect(paths(await onboarded(liar))).toEqual([])
    expect(liar.ids()).not.toContain('isthmus-created')
    const late = deviceOf({}, 'S5')
    expect(paths(await onboarded(late))).toEqual([])
    expect(late.ids()).toEqual(ALL)
  })

  it('that contradicts what another device told is an event with both', async () => {
    await onboarded(deviceOf({ supported: () => described('Device.', [supportedObject('Device.DeviceInfo.')]) }))
    expect(contradictions()).toEqual([])
    await onboarded(deviceOf({}, 'S2'))
    expect(contradictions()).toMatchObject([
      { deviceId: device('S2')?.id, data: { model: 'Acme|Box|1.0', against: [{ describedBy: [device('S1')?.id] }] } },
    ])
  })

  it('of others that does not fit an Agent is asked of that Agent, and its own holds for it', async () => {
    for (const serial of ['S1', 'S2']) await onboarded(deviceOf({}, serial))
    const lacksTables = deviceOf(
      {
        supported: () =>
          described('Device.', [
            supportedObject('Device.DeviceInfo.', { params: ['SoftwareVersion', 'ProvisioningCode'] }),
          ]),
        refuseRow: ({ ReferenceList = '' }) => (ReferenceList.includes('Device.WiFi.') ? 7012 : undefined),
      },
      'S3',
    )
    expect(paths(await onboarded(lacksTables))).toEqual(['Device.'])
    expect(contradictions()).toMatchObject([{ deviceId: device('S3')?.id }])
    expect(models().map(({ describedBy }) => describedBy.length)).toEqual([2, 1])
    const fits = deviceOf({}, 'S4')
    expect(paths(await onboarded(fits))).toEqual([])
    expect(fits.ids()).toEqual(ALL)
  })

  it('is asked of few when each device refuses what all have described', async () => {
    const refuses = { refuseRow: ({ ID }: Record<string, string>) => (ID === 'isthmus-periodic' ? 7026 : undefined) }
    const cpes = Array.from({ length: 15 }, (_, i) => deviceOf(refuses, `S${i}`))
    let asked = 0
    for (const cpe of cpes) asked += paths(await onboarded(cpe)).length
    expect(asked).toBe(2 + 10)
    expect(contradictions()).toEqual([])
  })

  it('is believed of nobody when devices describe it in too many ways, and restricts nothing then', async () => {
    const odd = Array.from({ length: 5 }, (_, i) =>
      deviceOf({ supported: () => described('Device.', [supportedObject(`Device.X_${i}.`)]) }, `S${i}`),
    )
    for (const cpe of odd) await onboarded(cpe)
    const late = deviceOf({}, 'S9')
    expect(paths(await onboarded(late))).toEqual([])
    expect(late.ids()).toEqual(ALL)
    expect(models()).toHaveLength(5)
  })

  it('that was deleted is asked again', async () => {
    for (const serial of ['S1', 'S2']) await onboarded(deviceOf({}, serial))
    const [model] = models()
    const at = world.clock.now()
    await world.stores.supportedModels.delete(model?.id ?? '', {
      type: 'supportedModel.deleted',
      at,
      data: { model: model?.key },
    })
    const asked: string[] = []
    for (const serial of ['S3', 'S4', 'S5']) asked.push(...paths(await onboarded(deviceOf({}, serial))))
    expect(asked).toEqual(['Device.', 'Device.'])
  })

  it('is asked of another Agent when the link of the first breaks', async () => {
    const silent = await arrive(deviceOf({ supported: () => undefined }))
    await silent.takeRequest('get_supported_dm')
    const cpe = deviceOf({}, 'S2')
    const second = await arrive(cpe)
    await vi.waitUntil(() => device('S2')?.usp?.linked === true, 60_000)
    await second.heard()
    expect(paths(second)).toEqual([])
    silent.socket.terminate()
    await vi.waitUntil(() => cpe.ids().length === ALL.length, 60_000)
    expect(paths(second)).toEqual(['Device.'])
  })

  it('is put together of subtrees where the whole is too large (7005), instances that differ included', async () => {
    const tree: Record<string, ReturnType<typeof described>> = {
      'Device.WiFi.': described('Device.WiFi.', [
        supportedObject('Device.WiFi.'),
        supportedObject('Device.WiFi.SSID.{i}.', { params: ['SSID'] }),
      ]),
      'Device.LocalAgent.': described('Device.LocalAgent.', [supportedObject('Device.LocalAgent.')]),
      'Device.USPServices.': described('Device.USPServices.', [
        supportedObject('Device.USPServices.{i}.', { divergent: ['Device.USPServices.7.'] }),
      ]),
      'Device.USPServices.7.': described('Device.USPServices.7.', [supportedObject('Device.USPServices.7.X.')]),
    }
    const shallow = described('Device.', [
      supportedObject('Device.', { events: ['Boot!'] }),
      ...['WiFi', 'LocalAgent', 'USPServices'].map((name) => supportedObject(`Device.${name}.`)),
    ])
    const cpe = deviceOf({
      supported: ({ obj_paths: [path = ''], first_level_only }) =>
        path === 'Device.' ? (first_level_only ? shallow : described(path, [], 7005)) : tree[path],
    })
    const agent = await onboarded(cpe)
    expect(paths(agent)).toEqual([
      'Device.',
      'Device.',
      'Device.WiFi.',
      'Device.LocalAgent.',
      'Device.USPServices.',
      'Device.USPServices.7.',
    ])
    expect(cpe.ids()).toEqual(['boot', 'complete', 'created', 'deleted'].map((name) => `isthmus-${name}`))
    const [kept] = models()
    expect(kept?.objects.map(({ path }) => path)).toEqual([
      'Device.',
      'Device.WiFi.',
      'Device.WiFi.SSID.{i}.',
      'Device.LocalAgent.',
      'Device.USPServices.{i}.',
      'Device.USPServices.7.X.',
    ])
  })

  it.each([
    ['an Error', 7006],
    ['an error of the path', described('Device.', [], 7006)],
    ['nothing', described('Device.', [])],
  ])('that an Agent answers with %s is not kept, and asked again later', async (_name, answer) => {
    const cpe = deviceOf({ supported: () => answer })
    const agent = await onboarded(cpe)
    expect(models()).toEqual([])
    expect(device()?.usp?.onboardedFor).toBe('1.0')
    agent.socket.terminate()
    const soon = await onboarded(cpe)
    expect(paths(soon)).toEqual([])
    soon.socket.terminate()
    world.clock.advance(600_000)
    cpe.quirks.supported = () => EVERYTHING
    expect(paths(await onboarded(cpe))).toEqual(['Device.'])
    expect(models()).toMatchObject([{ key: 'Acme|Box|1.0', describedBy: [device()?.id] }])
    expect(models()[0]?.objects).toHaveLength(7)
  })

  it('is asked of each device that does not tell its firmware, and not shared', async () => {
    for (const serial of ['S1', 'S2', 'S3']) {
      const cpe = deviceOf({}, serial)
      cpe.softwareVersion = ''
      const agent = await onboarded(cpe)
      expect(paths(agent)).toEqual(['Device.'])
      expect(cpe.ids()).toEqual(ALL)
      agent.socket.terminate()
      expect(paths(await onboarded(cpe))).toEqual([])
    }
    expect(models()).toMatchObject([
      { key: 'Acme|Box|', describedBy: ['S1', 'S2', 'S3'].map((serial) => device(serial)?.id) },
    ])
  })
})
