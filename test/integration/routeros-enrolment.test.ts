import { afterEach, describe, expect, it } from 'vitest'
import { silentLog, systemClock } from '../../src/base/index.ts'
import { enrolmentCheck, openApi } from '../../src/routeros/index.ts'
import { type RouterOptions, startRouter } from '../../src/simulator/index.ts'
import { ScriptedRouterOs } from '../support/scripted-router-os.ts'

const ends: (() => Promise<void>)[] = []
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end()
})

/** Findings on an emulated router whose account has these rights. */
async function check(rights: string[], options: RouterOptions = {}, purpose: 'watch' | 'manage' = 'manage') {
  const user = { name: 'isthmus', password: 'secret', group: rights }
  const router = await startRouter({ users: [user], ...options })
  ends.push(async () => router.close())
  const session = await openApi(
    { host: '127.0.0.1', port: router.port, security: { kind: 'plain' }, user: user.name, password: user.password },
    { clock: systemClock, log: silentLog },
  )
  ends.push(() => session.close())
  const report = await enrolmentCheck(session, { user: user.name, purpose })
  return { router, report, lacks: report.findings.filter(({ code }) => code === 'missingRight') }
}

describe('a router that is enrolled', () => {
  it('says which it is, on a board and on a CHR', async () => {
    const board = await check(['api', 'read', 'write', 'test', 'reboot'])
    expect(board.report.identity).toMatchObject({ serial: board.router.serial, model: expect.any(String) })
    expect(board.report.identity.version).toMatch(/^7\.18/)
    expect(board.lacks).toEqual([])
    const chr = await check(['api', 'read', 'write', 'test', 'reboot'], { profile: 'chr' })
    expect(chr.report.identity.serial).toMatch(/\S/)
    expect(chr.report.findings.filter(({ severity }) => severity === 'error')).toEqual([])
  })

  it.each<[string, string[], string[]]>([
    ['nothing', ['api'], ['read']],
    ['no writing and no tests', ['api', 'read'], ['write', 'test']],
    ['no tests', ['api', 'read', 'write'], ['test']],
  ])('and whose account may do %s has its missing rights named', async (_name, rights, missing) => {
    const { lacks } = await check(rights)
    expect(lacks.map(({ subject }) => subject)).toEqual(missing)
    for (const { message, subject } of lacks) expect(message).toContain(`the right \`${subject}\``)
  })

  it('to be watched is not written to', async () => {
    const { lacks, router } = await check(['api', 'read', 'test'], {}, 'watch')
    expect(lacks).toEqual([])
    expect(router.state.store.table('/log').some(({ values }) => values.message?.includes('identity'))).toBe(false)
  })

  it('at home has the limits of its device-mode named', async () => {
    const { report } = await check(['api', 'read', 'write', 'test', 'reboot'], { profile: 'home' })
    const limits = report.findings.filter(({ code }) => code === 'deviceMode')
    expect(limits.map(({ subject }) => subject)).toContain('fetch')
    expect(limits[0]?.message).toContain('device-mode `home` forbids fetch')
  })

  it('has the weaknesses of its services named', async () => {
    const { report } = await check(['api', 'read', 'write', 'test', 'reboot'])
    const services = report.findings.filter(({ code }) => code === 'service').map(({ message }) => message)
    expect(services.join('\n')).toMatch(/plain API is on[\s\S]*no certificate[\s\S]*from everywhere/)
  })
})

describe('findings', () => {
  const answers =
    (rows: Record<string, Record<string, string>>) =>
    ({ path }: { path: string }) => ({ rows: rows[path] === undefined ? [] : [rows[path]] })

  it('name the account admin, an old version, a flagged router and one without an identity', async () => {
    const router = new ScriptedRouterOs(
      answers({
        '/system/resource/print': { version: '6.45.9 (long-term)' },
        '/system/device-mode/print': { mode: 'home', flagged: 'yes', fetch: 'yes' },
      }),
    )
    const { findings } = await enrolmentCheck(router, { user: 'admin', purpose: 'manage' })
    expect(findings.map(({ code, severity }) => `${code} ${severity}`)).toEqual([
      'identity error',
      'version warning',
      'account warning',
      'flagged warning',
    ])
  })

  it('are no excuse for a connection that ended', async () => {
    const router = new ScriptedRouterOs(() => 'closed')
    await expect(enrolmentCheck(router, { user: 'a', purpose: 'watch' })).rejects.toMatchObject({ kind: 'closed' })
  })
})
