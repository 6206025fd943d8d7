import { afterEach, describe, expect, it } from 'vitest'
import { silentLog, systemClock } from '../../src/base/index.ts'
import {
  enrolmentCheck,
  openAny,
  openApi,
  openSnmp,
  openSsh,
  parseDurationSeconds,
  type RouterOs,
  type RouterSession,
} from '../../src/routeros/index.ts'
import { type EmulatedRouter, ROUTER_PROFILES, type RouterOptions, startRouter } from '../../src/simulator/index.ts'

const ends: (() => Promise<void> | void)[] = []
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end()
})
const parts = { clock: systemClock, log: silentLog }
const USER = { name: 'isthmus', password: 'secret', group: ['api', 'ssh', 'read', 'write', 'test', 'reboot'] }
const ACCOUNT = { host: '127.0.0.1', user: USER.name, password: USER.password }

async function start(options: RouterOptions = {}): Promise<EmulatedRouter> {
  const router = await startRouter({ users: [USER], ssh: true, ...options })
  ends.push(() => router.close())
  return router
}
async function kept(opening: Promise<RouterSession>): Promise<RouterSession> {
  const session = await opening
  ends.push(() => session.close())
  return session
}
const api = (router: EmulatedRouter) =>
  kept(openApi({ ...ACCOUNT, port: router.port, security: { kind: 'plain' } }, parts))
const ssh = (router: EmulatedRouter) =>
  kept(openSsh({ ...ACCOUNT, port: router.sshPort, hostKey: router.sshHostKey }, parts))

describe.each(ROUTER_PROFILES)('a router of profile %s', (profile) => {
  it.each([
    ['/interface/print', ['.id', 'name', 'type', 'disabled', 'running', 'comment']],
    ['/ip/address/print', ['.id', 'address', 'interface', 'dynamic']],
    ['/ip/dns/print', ['servers', 'allow-remote-requests']],
    ['/ip/firewall/nat/print', ['.id', 'chain', 'action', 'dst-port', 'comment']],
    ['/system/resource/print', ['version', 'board-name', 'architecture-name']],
    ['/system/identity/print', ['name']],
  ])('shows the same over SSH as over its API: %s', async (path, proplist) => {
    const router = await start({ profile })
    const read = async (session: RouterOs) => (await session.command({ path, proplist })).rows
    const [byApi, bySsh] = [await read(await api(router)), await read(await ssh(router))]
    expect(bySsh).toEqual(byApi)
    // An access point without a way to the Internet of its own has no rules of NAT.
    if (!path.includes('nat') || profile !== 'cap') expect(bySsh.length).toBeGreaterThan(0)
  })
})

describe('a router over SSH', () => {
  it('is written as it is over its API, and refuses in the same words', async () => {
    const router = await start()
    const session = await ssh(router)
    const { ret = '' } = await session.command({
      path: '/ip/address/add',
      args: { address: '198.51.100.1/24', interface: 'ether2', comment: 'by SSH' },
      writes: true,
    })
    expect(ret).toMatch(/^\*[0-9A-F]+$/)
    await session.command({ path: '/ip/address/set', args: { '.id': ret, comment: 'changed' }, writes: true })
    const print = { path: '/ip/address/print', proplist: ['comment'], query: ['address=198.51.100.1/24'] }
    expect((await session.command(print)).rows).toEqual([{ comment: 'changed' }])
    await session.command({ path: '/ip/address/remove', args: { '.id': ret }, writes: true })
    expect((await session.command(print)).rows).toEqual([])
    const gone = { path: '/ip/address/remove', args: { '.id': ret }, writes: true }
    const errors = await Promise.all(
      [session, await api(router)].map((one) => one.command(gone).catch((error) => `${error.kind} ${error.message}`)),
    )
    expect(errors[0]).toMatch(/^trap no such item/)
    expect(errors[1]).toMatch(/^trap no such item/)
  })

  it('shows spans of time that have the same length', async () => {
    const router = await start()
    const uptime = async (session: RouterOs) =>
      parseDurationSeconds((await session.command({ path: '/system/resource/print' })).rows[0]?.uptime ?? '')
    const [byApi, bySsh] = [await uptime(await api(router)), await uptime(await ssh(router))]
    expect(Math.abs((byApi ?? 0) - (bySsh ?? 1e9))).toBeLessThan(60)
  })

  it('is found where the API is closed, and can be enrolled', async () => {
    const router = await start()
    const { session, failed } = await openAny(
      {
        ...ACCOUNT,
        apiSsl: { port: router.tlsPort || 1, security: { kind: 'ca' } },
        ssh: { port: router.sshPort, hostKey: router.sshHostKey },
      },
      parts,
    )
    ends.push(() => session.close())
    expect([session.transport, failed.map(({ kind }) => kind)]).toEqual(['ssh', ['unreachable']])
    const { identity, findings } = await enrolmentCheck(session, { user: USER.name, purpose: 'manage' })
    expect(identity.serial).toBe(router.serial)
    expect(findings.filter(({ code }) => code === 'missingRight')).toEqual([])
  })

  it('names the right to log in that an account lacks', async () => {
    const router = await start({ users: [{ ...USER, group: ['api', 'read'] }] })
    const opening = openAny({ ...ACCOUNT, ssh: { port: router.sshPort, hostKey: router.sshHostKey } }, parts)
    await expect(opening).rejects.toMatchObject({ kind: 'login', message: expect.stringContaining('right `ssh`') })
  })
})

describe('a router over SNMP', () => {
  it('has readings that agree with its API', async () => {
    const router = await start({ snmp: { community: 'fleet-only' } })
    const source = openSnmp({ host: '127.0.0.1', port: router.snmpPort, login: { community: 'fleet-only' } }, parts)
    const reading = await source.read()
    const session = await api(router)
    const { rows } = await session.command({ path: '/interface/print', proplist: ['name', 'running'] })
    expect(reading.serial).toBe(router.serial)
    expect(reading.interfaces.map(({ name }) => name).sort()).toEqual(rows.map(({ name }) => name).sort())
    for (const { name, isUp } of reading.interfaces)
      expect([name, isUp]).toEqual([name, rows.find((row) => row.name === name)?.running === 'true'])
    expect(reading.cpuLoad).toBeGreaterThanOrEqual(0)
  })
})
