import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { WriteStep } from '../../src/bridge/write/write-step.ts'
import { type RouterCommand, RouterOsError } from '../../src/routeros/index.ts'
import { ModelRefusal } from '../../src/usp/index.ts'
import { BridgeRouter, MemoryIntents } from '../support/bridge-router.ts'

let bridge: BridgeRouter
let intents: MemoryIntents
beforeEach(async () => {
  intents = new MemoryIntents()
  bridge = await BridgeRouter.start({ profile: 'v7.18' }, intents)
})
afterEach(() => bridge.stop())

const NAME: WriteStep = {
  kind: 'set',
  menu: '/system/identity',
  match: { properties: {} },
  values: { name: 'core' },
  path: 'Device.DeviceInfo.HostName',
}
const addressOf = (address: string): WriteStep => ({
  kind: 'add',
  menu: '/ip/address',
  values: { address, interface: 'bridge' },
  path: 'Device.IP.Interface.1.IPv4Address.',
  paths: { address: 'Device.IP.Interface.1.IPv4Address.{i}.IPAddress' },
})
const portOff = (name: string): WriteStep => ({
  kind: 'set',
  menu: '/interface/ethernet',
  match: { properties: { name } },
  values: { disabled: 'yes' },
  path: 'Device.Ethernet.Interface.3.',
  paths: { disabled: 'Device.Ethernet.Interface.3.Enable' },
})

const set = (...steps: WriteStep[]) => bridge.writer.write(async () => ({ steps, doing: 'set' }))
const problemsOf = async (done: Promise<void>) => {
  const error = await done.then(
    () => undefined,
    (reason: unknown) => reason,
  )
  expect(error).toBeInstanceOf(ModelRefusal)
  return (error as ModelRefusal).problems
}
const changes = () => bridge.sent.filter(({ writes }) => writes).map(({ path }) => path)
const nameNow = async () => (await bridge.print('/system/identity'))[0]?.name

describe('writes of a router', () => {
  it('are done in order', async () => {
    await set(NAME, addressOf('10.9.9.1/24'), portOff('ether5'))
    expect(changes()).toEqual(['/system/identity/set', '/ip/address/add', '/interface/ethernet/set'])
    expect(await nameNow()).toBe('core')
    expect(await bridge.print('/ip/address')).toContainEqual(
      expect.objectContaining({ address: '10.9.9.1/24', interface: 'bridge' }),
    )
    expect(bridge.intents.open).toBeUndefined()
  })

  it('are all checked before the first: a value that is refused changes nothing', async () => {
    const problems = await problemsOf(set(NAME, addressOf('10.9.9.1/40'), addressOf('x')))
    expect(problems).toEqual([
      expect.objectContaining({ path: 'Device.IP.Interface.1.IPv4Address.{i}.IPAddress', code: 7012 }),
      expect.objectContaining({ path: 'Device.IP.Interface.1.IPv4Address.{i}.IPAddress', code: 7012 }),
    ])
    expect(changes()).toEqual([])
  })

  it('refuse an interface that the router does not have, and a row that is gone', async () => {
    const step = { ...addressOf('10.9.9.1/24'), values: { address: '10.9.9.1/24', interface: 'ether99' } }
    expect(await problemsOf(set(step))).toMatchObject([{ code: 7012 }])
    expect(await problemsOf(set(portOff('ether99')))).toMatchObject([
      { code: 7016, path: 'Device.Ethernet.Interface.3.' },
    ])
    expect(changes()).toEqual([])
  })

  it('are undone in reverse order when the router refuses a later one', async () => {
    const [own] = await bridge.print('/ip/address')
    const problems = await problemsOf(set(NAME, addressOf('10.9.9.1/24'), addressOf(own?.address ?? '')))
    expect(problems).toMatchObject([{ code: 7025 }])
    expect(problems[0]?.text).toMatch(/^the router refused it: failure: already have such address$/)
    expect(changes()).toEqual([
      '/system/identity/set',
      '/ip/address/add',
      '/ip/address/add',
      '/ip/address/remove',
      '/system/identity/set',
    ])
    expect(await nameNow()).toBe('MikroTik')
    expect((await bridge.print('/ip/address')).map(({ address }) => address)).not.toContain('10.9.9.1/24')
  })

  it('say what could not be undone', async () => {
    bridge.onCommand = ({ path, args }) => {
      if (path === '/ip/address/add') throw trap('failure: something')
      if (path === '/system/identity/set' && args?.name !== 'core') throw trap('not enough permissions (9)')
    }
    const [problem] = await problemsOf(set(NAME, addressOf('10.9.9.1/24')))
    expect(problem?.text).toContain('failure: something; Device.DeviceInfo.HostName could not be undone')
    expect(await nameNow()).toBe('core')
  })

  it('leave a value that somebody else has set meanwhile', async () => {
    const other = async () => {
      await bridge.other('/system/identity/set', { name: 'theirs' })
      throw trap('failure: something')
    }
    const late: WriteStep = portOff('ether5')
    const command = bridge.session.command.bind(bridge.session)
    bridge.session.command = async (asked, options) =>
      asked.path === '/interface/ethernet/set' ? other().then(() => command(asked, options)) : command(asked, options)
    const [problem] = await problemsOf(set(NAME, late))
    expect(problem?.text).toContain('was changed by others meanwhile')
    expect(await nameNow()).toBe('theirs')
  })

  it('put a removed row back, at its place', async () => {
    await bridge.other('/ip/firewall/nat/add', { ...RULE, 'dst-port': '1001', comment: 'one' })
    await bridge.other('/ip/firewall/nat/add', { ...RULE, 'dst-port': '1002', comment: 'two' })
    const before = (await bridge.print('/ip/firewall/nat')).map(({ comment }) => comment)
    bridge.onCommand = ({ path }) => {
      if (path === '/system/identity/set') throw trap('failure: something')
    }
    const remove: WriteStep = {
      kind: 'remove',
      menu: '/ip/firewall/nat',
      match: { properties: { 'dst-port': '1001' } },
      path: 'Device.NAT.PortMapping.1.',
    }
    await problemsOf(set(remove, NAME))
    expect((await bridge.print('/ip/firewall/nat')).map(({ comment }) => comment)).toEqual(before)
  })

  it('set secrets last, and show none of them', async () => {
    const [radio] = await bridge.print('/interface/wifi')
    const key: WriteStep = {
      kind: 'set',
      menu: '/interface/wifi',
      match: { properties: { name: radio?.name ?? '' } },
      values: { 'security.passphrase': 'sehr geheim', 'configuration.ssid': 'neu' },
      path: 'Device.WiFi.AccessPoint.1.Security.KeyPassphrase',
    }
    intents.onEntry = () => expect(JSON.stringify(bridge.intents.open ?? {})).not.toContain('geheim')
    await set(key, NAME)
    expect(changes()).toEqual(['/system/identity/set', '/interface/wifi/set'])
    const wrong = { ...key, values: { 'security.passphrase': 'geheim\n' } }
    expect(JSON.stringify(await problemsOf(set(wrong)))).not.toContain('geheim')
  })

  it('find a row by its natural key at the moment of the write, whatever its .id is', async () => {
    const id = await bridge.other('/ip/address/add', { address: '10.8.8.1/24', interface: 'bridge' })
    const step: WriteStep = {
      kind: 'set',
      menu: '/ip/address',
      match: { properties: { address: '10.8.8.1/24', interface: 'bridge' }, id: id ?? '' },
      values: { disabled: 'yes' },
      path: 'Device.IP.Interface.1.IPv4Address.2.',
    }
    await bridge.other('/ip/address/remove', { '.id': id ?? '' })
    await bridge.other('/ip/address/add', { address: '10.8.8.1/24', interface: 'bridge' })
    await set(step)
    expect(await bridge.print('/ip/address')).toContainEqual(
      expect.objectContaining({ address: '10.8.8.1/24', disabled: 'true' }),
    )
  })

  it.each(['doThenRst', 'doThenFin', 'rst'] as const)(
    'are undone when the router answers again after an answer was lost: %s',
    async (act) => {
      const before = await nameNow()
      bridge.emulated.faults.steps = [{ path: '/ip/address/add', act }]
      const [problem] = await problemsOf(set(NAME, addressOf('10.9.9.1/24')))
      expect(problem).toMatchObject({
        code: 7003,
        text: expect.stringContaining('it is undone when the router answers again'),
      })
      expect(intents.open).toBeDefined()
      const next = await BridgeRouter.at(bridge.emulated, intents)
      await next.writer.settle()
      expect(intents.open).toBeUndefined()
      expect((await next.print('/system/identity'))[0]?.name).toBe(before)
      expect((await next.print('/ip/address')).map(({ address }) => address)).not.toContain('10.9.9.1/24')
      await next.session.close()
    },
  )

  it('wait for the disk once, at their end, when one command does them, and before the first of several', async () => {
    await set(NAME)
    expect(intents.synced).toBe(1)
    intents.onEntry = (kind) => expect(changes().length).toBe(kind === 'begin' ? 1 : 4)
    await set({ ...NAME, values: { name: 'edge' } }, addressOf('10.9.9.1/24'), portOff('ether5'))
    expect(intents.synced).toBe(3)
  })

  it('ask for the rows of a menu once, and for interfaces only when one is named', async () => {
    await set(NAME)
    expect(bridge.sent.map(({ path }) => path)).toEqual(['/system/identity/print', '/system/identity/set'])
    bridge.sent.length = 0
    await set(addressOf('10.9.9.1/24'), addressOf('10.9.8.1/24'))
    expect(bridge.sent.map(({ path }) => path).sort()).toEqual([
      '/interface/print',
      '/ip/address/add',
      '/ip/address/add',
      '/ip/address/print',
    ])
  })

  it('reach no router whose level allows readings only', async () => {
    bridge.level = 0
    expect(await problemsOf(set(NAME))).toMatchObject([{ code: 7006 }])
  })
})

describe('rows that are added each for itself', () => {
  const rows = Array.from({ length: 20 }, (_, i) => addressOf(`10.9.${i}.1/24`))
  const addEach = (...steps: WriteStep[]) =>
    bridge.writer.writeEach(async () => ({ rows: steps.map((step) => (step.kind === 'add' ? [step] : [])) }))
  const addresses = async () => (await bridge.print('/ip/address')).map(({ address }) => address)

  it('are one entry of the journal before the first of them, and one after the last', async () => {
    const entries: [string, number][] = []
    intents.onEntry = (kind) => entries.push([kind, changes().length])
    expect(await addEach(...rows)).toEqual(rows.map(() => undefined))
    expect(entries).toEqual([
      ['begin', 0],
      ['end', 20],
    ])
    expect(intents.synced).toBe(2)
    expect(bridge.sent.filter(({ path }) => path === '/ip/address/print')).toHaveLength(1)
  })

  it('fail alone: when their values are refused, and when the router refuses them', async () => {
    const wrong = addressOf('10.9.9.1/40')
    const [own] = await bridge.print('/ip/address')
    const taken = addressOf(own?.address ?? '')
    const results = await addEach(addressOf('10.9.8.1/24'), wrong, taken, addressOf('10.9.7.1/24'))
    expect(results.map((one) => one?.problems[0]?.code)).toEqual([undefined, 7012, 7025, undefined])
    expect(await addresses()).toEqual(expect.arrayContaining(['10.9.8.1/24', '10.9.7.1/24']))
    expect(intents.open).toBeUndefined()
  })

  it('of a router that stops to answer are there as far as they are said to be', async () => {
    bridge.onCommand = ({ path }) => {
      if (path === '/ip/address/add' && changes().length === 1)
        bridge.emulated.faults.steps = [{ path, act: 'doThenRst' }]
    }
    const results = await addEach(...rows.slice(0, 4))
    expect(results.map((one) => one?.problems[0]?.code)).toEqual([undefined, 7003, 7003, 7003])
    const next = await BridgeRouter.at(bridge.emulated, intents)
    await next.writer.settle()
    expect(intents.open).toBeUndefined()
    const there = (await next.print('/ip/address')).map(({ address }) => address)
    expect(there.filter((address) => address?.startsWith('10.9.'))).toEqual(['10.9.0.1/24'])
    await next.session.close()
  })

  it.each([1, 2, 3, 4, 5])('of a bridge that is killed before entry or command %i are none', async (n) => {
    let count = 0
    const beat = () => {
      if (++count >= n) throw new Killed()
    }
    intents.onEntry = beat
    bridge.onCommand = ({ writes }) => {
      if (writes === true) beat()
    }
    const before = await addresses()
    await addEach(...rows.slice(0, 3)).catch(() => undefined)
    intents.onEntry = () => undefined
    const next = await BridgeRouter.at(bridge.emulated, intents)
    await next.writer.settle()
    expect(intents.open).toBeUndefined()
    expect((await next.print('/ip/address')).map(({ address }) => address)).toEqual(before)
    await next.session.close()
  })
})

describe('a bridge that is killed in the middle of a write', () => {
  const steps = [NAME, addressOf('10.9.9.1/24'), portOff('ether5')]

  /** Kills the bridge before its n-th entry or command, and resolves with another bridge at the same router. */
  async function killedAt(n: number): Promise<{ ended: boolean; next: BridgeRouter }> {
    let count = 0
    const beat = () => {
      if (++count === n) throw new Killed()
      if (count > n) throw new Killed()
    }
    intents.onEntry = beat
    bridge.onCommand = (command: RouterCommand) => {
      if (command.writes) beat()
    }
    const ended = await set(...steps).then(
      () => true,
      () => false,
    )
    intents.onEntry = () => undefined
    return { ended: ended && count < n, next: await BridgeRouter.at(bridge.emulated, bridge.intents) }
  }

  it.each([1, 2, 3, 4, 5])('before entry or command %i: all of it is done, or nothing', async (n) => {
    const before = await state()
    const { next } = await killedAt(n)
    await next.writer.settle()
    expect(next.intents.open).toBeUndefined()
    expect(await state()).toEqual(before)
    await next.session.close()
  })

  it('after the last entry: all of it is done', async () => {
    const before = await state()
    const { ended, next } = await killedAt(6)
    expect(ended).toBe(true)
    await next.writer.settle()
    expect(await state()).not.toEqual(before)
    await next.session.close()
  })

  async function state(): Promise<unknown> {
    const [names, addresses, ports] = await Promise.all(
      ['/system/identity', '/ip/address', '/interface/ethernet'].map((menu) => bridge.print(menu)),
    )
    return {
      names,
      addresses: addresses?.map(({ address, interface: name }) => `${address} ${name}`),
      ports: ports?.map(({ name, disabled }) => `${name} ${disabled}`),
    }
  }
})

describe('the connection of the bridge itself', () => {
  beforeEach(async () => {
    await bridge.other('/ip/address/add', { address: '127.0.0.1/8', interface: 'ether2' })
  })

  it.each<[string, WriteStep]>([
    ['its interface is not switched off', portOff('ether2')],
    [
      'its address is not removed',
      {
        kind: 'remove',
        menu: '/ip/address',
        match: { properties: { address: '127.0.0.1/8' } },
        path: 'Device.IP.Interface.2.IPv4Address.1.',
      },
    ],
    [
      'its address is not changed',
      {
        kind: 'set',
        menu: '/ip/address',
        match: { properties: { address: '127.0.0.1/8' } },
        values: { address: '127.0.0.2/8' },
        path: 'Device.IP.Interface.2.IPv4Address.1.IPAddress',
      },
    ],
    [
      'the port of its service is mapped to nobody',
      {
        kind: 'add',
        menu: '/ip/firewall/nat',
        values: { ...natRule('8000-9000'), comment: 'x' },
        path: 'Device.NAT.PortMapping.',
      },
    ],
  ])('%s', async (_, step) => {
    const problems = await problemsOf(set(NAME, step))
    expect(problems).toHaveLength(1)
    expect(problems[0]?.text).toMatch(/bridge|managed/)
    expect(changes()).toEqual([])
  })

  it('its route is not removed, nor taken over', async () => {
    await bridge.other('/ip/address/remove', { '.id': await idOf('/ip/address', 'address', '127.0.0.1/8') })
    await bridge.other('/ip/route/add', { 'dst-address': '127.0.0.0/8', gateway: 'ether2' })
    const remove: WriteStep = {
      kind: 'remove',
      menu: '/ip/route',
      match: { properties: { 'dst-address': '127.0.0.0/8' } },
      path: 'Device.Routing.Router.1.IPv4Forwarding.2.',
    }
    const better: WriteStep = {
      kind: 'add',
      menu: '/ip/route',
      values: { 'dst-address': '127.0.0.0/16', gateway: 'ether3' },
      path: 'Device.Routing.Router.1.IPv4Forwarding.',
    }
    expect((await problemsOf(set(remove)))[0]?.text).toContain('carries the connection')
    expect((await problemsOf(set(better)))[0]?.text).toContain('would take over')
    expect((await problemsOf(set(portOff('ether2'))))[0]?.text).toContain('carries the connection')
  })

  it('other interfaces are switched off', async () => {
    await set(portOff('ether5'))
    expect(changes()).toEqual(['/interface/ethernet/set'])
  })

  async function idOf(menu: string, property: string, value: string): Promise<string> {
    return (await bridge.print(menu)).find((row) => row[property] === value)?.['.id'] ?? ''
  }
})

/** The process ends here: nothing of it goes on. */
class Killed extends Error {}

const RULE = { chain: 'dstnat', action: 'dst-nat', protocol: 'tcp', 'to-addresses': '192.168.88.9', 'to-ports': '80' }

function natRule(ports: string): Record<string, string> {
  return { ...RULE, 'dst-port': ports }
}

function trap(message: string): RouterOsError {
  return new RouterOsError('trap', message, { all: [message] })
}
