import { describe, expect, it } from 'vitest'
import { GuardedRouter, type Level, RouterWords } from '../../../src/bridge/index.ts'
import { RouterOsError } from '../../../src/routeros/index.ts'
import { ScriptedRouterOs } from '../../support/scripted-router-os.ts'

const words = new RouterWords((name) => name === 'ether1')
const refused = expect.objectContaining({ kind: 'refused', sent: false })

describe('words for a router', () => {
  it('makes commands of the table, with values in the form of their type', () => {
    expect(words.print('/ip/address', ['.id', 'address'], ['interface=ether1'])).toEqual({
      path: '/ip/address/print',
      proplist: ['.id', 'address'],
      query: ['interface=ether1'],
    })
    expect(words.add('/ip/address', { address: '10.0.0.01/24', interface: 'ether1', disabled: 'false' })).toEqual({
      path: '/ip/address/add',
      args: { address: '10.0.0.1/24', interface: 'ether1', disabled: 'no' },
      writes: true,
    })
    expect(words.set('/system/identity', undefined, { name: 'core' })).toEqual({
      path: '/system/identity/set',
      args: { name: 'core' },
      writes: true,
    })
    expect(words.monitor('/interface/wifi', '*2')).toMatchObject({ args: { '.id': '*2', once: '' } })
    expect(words.unset('/interface/wifi', '*2', 'channel.frequency')).toMatchObject({
      args: { '.id': '*2', 'value-name': 'channel.frequency' },
      writes: true,
    })
    expect(words.run('/system', 'reboot')).toEqual({ path: '/system/reboot', writes: true })
  })

  it('refuses words that are not in the table', () => {
    const free: { print(menu: string, names: readonly string[], query?: readonly string[]): unknown } = words
    expect(() => free.print('/system/script', ['name'])).toThrow(refused)
    expect(() => free.print('/ip/dhcp-client', ['script'])).toThrow(refused)
    expect(() => free.print('/interface/wifi', ['security.passphrase'])).toThrow(refused)
    expect(() => free.print('/interface', ['__proto__'])).toThrow(refused)
    expect(() => free.print('/ip/firewall/nat', ['.id'], ['comment=mine'])).toThrow(refused)
    expect(() => free.print('/interface', ['name'], ['tag=1'])).toThrow(refused)
    expect(() => words.set('/ip/address', undefined, { address: '10.0.0.1/24' })).toThrow(refused)
  })

  it('refuses values of another type, and names no secret in the error', () => {
    expect(() => words.set('/interface/wifi', '*1', { 'security.passphrase': 'geheim\n' })).toThrow(
      'security.passphrase must be a key of 8 to 63 bytes',
    )
    expect(() => words.add('/ip/address', { address: '10.0.0.1/24', interface: 'ether9' })).toThrow(
      'interface must be the name of an interface of this router',
    )
    expect(() => words.remove('/ip/address', '[find]')).toThrow('.id must be the .id of a row')
  })
})

describe('the guard of a router', () => {
  it('lets commands pass up to the level of the router', async () => {
    let level: Level = 0
    const router = new ScriptedRouterOs(() => ({ rows: [] }))
    const guarded = new GuardedRouter(router, () => level)
    await guarded.command(words.print('/interface', ['name']))
    await expect(guarded.command(words.set('/system/identity', undefined, { name: 'x' }))).rejects.toEqual(refused)
    level = 1
    await guarded.command(words.set('/system/identity', undefined, { name: 'x' }))
    await expect(guarded.command(words.run('/system', 'reboot'))).rejects.toEqual(refused)
    level = 2
    await guarded.command(words.run('/system', 'reboot'))
    await expect(guarded.command(words.run('/system', 'reset-configuration'))).rejects.toEqual(refused)
    expect(router.commands.map(({ command }) => command.path)).toEqual([
      '/interface/print',
      '/system/identity/set',
      '/system/reboot',
    ])
  })

  it('masks secrets of a command in the errors of the router', async () => {
    const router = new ScriptedRouterOs(() => {
      throw new RouterOsError('trap', 'invalid value "hush-hush" for pass', {
        category: 1,
        all: ['invalid value "hush-hush" for pass', 'failure'],
      })
    })
    const guarded = new GuardedRouter(router, () => 1)
    const command = words.set('/interface/wifi', '*1', { 'security.passphrase': 'hush-hush' })
    await expect(guarded.command(command)).rejects.toMatchObject({
      kind: 'trap',
      message: 'invalid value "[secret]" for pass',
      category: 1,
      all: ['invalid value "[secret]" for pass', 'failure'],
    })
  })

  it('marks commands that change something, whatever the caller said', async () => {
    const router = new ScriptedRouterOs(() => ({ rows: [] }))
    await new GuardedRouter(router, () => 3).command({ path: '/system/reboot', writes: false })
    expect(router.commands[0]?.command.writes).toBe(true)
  })

  it('removes secrets and code from replies and streams', async () => {
    const row = { name: 'wifi1', 'security.passphrase': 'p', 'on-up': 'c', password: 'p', pin: '1' }
    const router = new ScriptedRouterOs(() => ({ rows: [row] }))
    const guarded = new GuardedRouter(router, () => 0)
    expect((await guarded.command(words.print('/interface/wifi', ['name']))).rows).toEqual([{ name: 'wifi1' }])
    const rows: unknown[] = []
    guarded.stream(words.listen('/interface/wifi', ['name']), {
      onRow: (one) => rows.push(one),
      onEnd: () => undefined,
    })
    router.push('/interface/wifi/listen', row)
    expect(rows).toEqual([{ name: 'wifi1' }])
    await expect(guarded.command(words.listen('/interface/wifi', ['name']))).rejects.toEqual(refused)
  })
})
