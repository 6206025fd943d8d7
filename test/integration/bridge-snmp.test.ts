import { afterEach, describe, expect, it } from 'vitest'
import { type Log, silentLog } from '../../src/base/index.ts'
import type { RouterRow } from '../../src/bridge/index.ts'
import { type EmulatedRouter, startRouter } from '../../src/simulator/index.ts'
import { startAedes } from '../support/aedes-broker.ts'
import { MqttBridge } from '../support/mqtt-bridge.ts'
import { MqttUser } from '../support/mqtt-user.ts'
import { openWay } from '../support/router-way.ts'
import { until } from '../support/until.ts'

const stops: (() => Promise<unknown> | unknown)[] = []
afterEach(async () => {
  for (const stop of stops.splice(0).reverse()) await stop()
})

const COMMUNITY = { community: 'not-public' }
const USER = {
  user: 'isthmus',
  auth: { protocol: 'sha', key: 'auth-key-of-test' },
  privacy: { protocol: 'aes', key: 'priv-key-of-test' },
} as const
const ADMIN = { username: 'admin', password: '' }

let index = 860
type AgentLogin = NonNullable<Parameters<typeof startRouter>[0]>['snmp']

async function router(snmp: AgentLogin): Promise<EmulatedRouter> {
  const started = await startRouter({ index: index++, profile: 'v7.18', ...(snmp === undefined ? {} : { snmp }) })
  stops.push(() => started.close())
  return started
}

/** A bridge with one router, over a broker; the words of the ways that it reports, and all lines of its log. */
async function world(emulated: EmulatedRouter, row: Partial<RouterRow>) {
  const { port, stop } = await startAedes()
  stops.push(stop)
  const lines: string[] = []
  const note = (fields: object, message: string) => void lines.push(`${JSON.stringify(fields)} ${message}`)
  const log: Log = { ...silentLog, info: note, warn: note, error: note, debug: note, child: () => log }
  const user = await MqttUser.at(port)
  const bridge = await MqttBridge.start({ url: `mqtt://127.0.0.1:${port}`, telemetryMs: 300, log })
  stops.push(
    () => user.end(),
    () => bridge.stop(),
  )
  bridge.serve('r1', emulated, { snmpPort: emulated.snmpPort, ...row })
  const last = async (metric: string, is: (text: string) => boolean = () => true) =>
    JSON.parse(await user.last(`network/mikrotik/r1/telemetry/${metric}`, is))
  return { bridge, user, last, lines, ways: () => bridge.states.get('r1')?.ways ?? [] }
}

const isOverSnmp = (text: string) => text.includes('"source":"snmp"')

describe('a router that is read over SNMP', () => {
  it.each([
    ['v2c', COMMUNITY, COMMUNITY],
    ['v3', { user: USER.user, authKey: USER.auth.key, privKey: USER.privacy.key }, USER],
  ])(
    '%s shows measured values under the same paths, and says that they come from there',
    async (_name, agent, snmp) => {
      const emulated = await router(agent)
      const { last, ways, user, lines } = await world(emulated, { snmp: 'prefer', login: { ...ADMIN, snmp } })
      expect(await last('cpu_load', isOverSnmp)).toMatchObject({ unit: '%', value: expect.any(Number) })
      expect(await last('memory_free', isOverSnmp)).toMatchObject({ unit: 'KiB' })
      const traffic = await last('traffic', isOverSnmp)
      expect(traffic.values).toContainEqual(
        expect.objectContaining({
          interface: 'ether1',
          path: expect.stringMatching(/^Device\.Ethernet\.Interface\.\d+\.$/),
        }),
      )
      const temperature = await last('temperature', isOverSnmp)
      expect(temperature.values.length).toBeGreaterThan(0)
      const voltage = await last('voltage', isOverSnmp)
      expect(voltage).toMatchObject({ unit: 'V', values: [{ sensor: 'voltage', value: expect.any(Number) }] })
      // The time of the last restart is that of the connection.
      expect((await last('uptime')).labels).toEqual({})
      await until(() => ways().some((way) => way.startsWith('snmp: answers')))
      expect(ways()[0]).toMatch(/^api: used$/)
      const told = [...lines, ...user.heard.map(({ text }) => text), ...ways()].join('\n')
      for (const secret of ['not-public', USER.auth.key, USER.privacy.key]) expect(told).not.toContain(secret)
    },
    60_000,
  )

  it('auto is read over the connection, and over SNMP while that is gone', async () => {
    const emulated = await router(COMMUNITY)
    const way = await openWay(emulated.port)
    stops.push(() => way.shut())
    const { last, user, ways } = await world(emulated, {
      port: way.port,
      snmp: 'auto',
      login: { ...ADMIN, snmp: COMMUNITY },
    })
    expect((await last('cpu_load')).labels).toEqual({})
    await last('traffic')
    await until(() => ways().includes('snmp: answers; used where the connection cannot read'))
    way.shut()
    await user.last('network/mikrotik/r1/state/online', (text) => text === 'offline')
    const heard = user.heard.length
    const after = (metric: string) =>
      user.heard
        .slice(heard)
        .some(({ topic, text }) => topic === `network/mikrotik/r1/telemetry/${metric}` && isOverSnmp(text))
    await until(() => ['cpu_load', 'memory_free', 'uptime', 'traffic', 'temperature'].every(after))
  })

  it('is not asked with a community that everyone knows, and says why nothing comes from there', async () => {
    const emulated = await router({ community: 'public' })
    const login = { ...ADMIN, snmp: { community: 'public' } }
    const { last, ways } = await world(emulated, { snmp: 'prefer', login })
    expect((await last('cpu_load')).labels).toEqual({})
    expect(ways()).toContainEqual(expect.stringMatching(/^snmp: the communities public and private are known/))
  })

  it('is read over the connection when SNMP does not answer, or another router does', async () => {
    const [emulated, other] = [await router(undefined), await router(COMMUNITY)]
    const login = { ...ADMIN, snmp: COMMUNITY }
    const { bridge, last, ways } = await world(emulated, { snmp: 'prefer', snmpPort: other.snmpPort, login })
    expect((await last('cpu_load')).labels).toEqual({})
    await until(() => ways().some((way) => way.includes('another serial number')))
    bridge.serve('r1', emulated, { snmp: 'prefer', snmpPort: 9, login, revision: 7 })
    await until(() => ways().some((way) => /no answer over SNMP|ECONNREFUSED/.test(way)))
  })
})
