import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import snmp from 'net-snmp'
import { afterEach, describe, expect, it } from 'vitest'
import { systemClock } from '../../../src/base/index.ts'
import { openSnmp, type SnmpOptions } from '../../../src/routeros/index.ts'
import { FakeSnmpAgent, type FakeTable } from '../../support/fake-snmp-agent.ts'
import { createManualClock } from '../../support/manual-clock.ts'

const { Integer, OctetString, Counter64, Gauge, Counter } = snmp.ObjectType
const MIKROTIK = '1.3.6.1.4.1.14988.1.1'
const USER: snmp.User = {
  name: 'isthmus',
  level: snmp.SecurityLevel.authPriv,
  authProtocol: snmp.AuthProtocols.sha,
  authKey: 'auth-key-of-user',
  privProtocol: snmp.PrivProtocols.aes,
  privKey: 'priv-key-of-user',
}
const SCALARS = {
  '1.3.6.1.2.1.1.5': 'core-router',
  '1.3.6.1.2.1.1.3': 123_456,
  [`${MIKROTIK}.4.4`]: '7.16.1',
  [`${MIKROTIK}.7.3`]: 'HF1234',
  [`${MIKROTIK}.7.9`]: 'RB5009',
  [`${MIKROTIK}.6.1`]: 17,
  [`${MIKROTIK}.3.8`]: 238,
}
const big = (value: bigint): Buffer => {
  const bytes = Buffer.alloc(8)
  bytes.writeBigUInt64BE(value)
  return bytes
}
const TABLES: FakeTable[] = [
  {
    entry: '1.3.6.1.2.1.2.2.1',
    index: [1],
    columns: { 2: OctetString, 8: Integer, 14: Counter, 20: Counter },
    rows: [
      [1, 'ether1', 1, 5, 6],
      [2, 'ether2', 2, 0, 0],
    ],
  },
  {
    entry: '1.3.6.1.2.1.31.1.1.1',
    index: [100],
    columns: { 6: Counter64, 10: Counter64 },
    rows: [[1, big(9_007_199_254_740_993n), big(7n)]],
  },
  {
    entry: '1.3.6.1.2.1.25.3.3.1',
    index: [1],
    columns: { 2: Integer },
    rows: [
      [1, 10],
      [2, 31],
    ],
  },
  {
    entry: '1.3.6.1.2.1.25.2.3.1',
    index: [1],
    columns: { 4: Integer, 5: Integer, 6: Integer },
    rows: [[65_536, 1024, 1_048_576, 262_144]],
  },
  {
    entry: `${MIKROTIK}.1.2.1`,
    index: [101, 102, 103, 104, 105, 106, 107],
    columns: { 3: Integer, 8: Gauge, 9: Gauge, 12: Integer },
    rows: [[170, 187, 204, 221, 238, 15, 3, -61, 65_000_000, 54_000_000, 33]],
  },
  {
    entry: `${MIKROTIK}.3.100.1`,
    index: [1],
    columns: { 2: OctetString, 3: Integer, 4: Integer },
    rows: [
      [1, 'cpu-temperature', 47, 1],
      [2, 'voltage', 238, 3],
      [3, 'unknown', 1, 9],
    ],
  },
  {
    entry: `${MIKROTIK}.19.1.1`,
    index: [1],
    columns: { 2: OctetString, 6: Integer, 9: Integer, 10: Integer },
    rows: [[1, 'sfp1', 41, -2064, -12_500]],
  },
]

const agents: FakeSnmpAgent[] = []
afterEach(async () => {
  for (const agent of agents.splice(0)) await agent.stop()
})

async function start(
  tables: readonly FakeTable[] = TABLES,
): Promise<(login: SnmpOptions['login']) => ReturnType<typeof openSnmp>> {
  const agent = await FakeSnmpAgent.start(SCALARS, tables, USER)
  agents.push(agent)
  return (login) => openSnmp({ host: '127.0.0.1', port: agent.port, login }, { clock: systemClock })
}

const READING = {
  name: 'core-router',
  version: '7.16.1',
  serial: 'HF1234',
  board: 'RB5009',
  upSeconds: 1234,
  dhcpLeases: 17,
  cpuLoad: 21,
  memoryTotal: 1_073_741_824n,
  memoryUsed: 268_435_456n,
  interfaces: [
    {
      name: 'ether1',
      isUp: true,
      receivedBytes: 9_007_199_254_740_993n,
      sentBytes: 7n,
      receiveErrors: 5,
      sendErrors: 6,
    },
    { name: 'ether2', isUp: false, receiveErrors: 0, sendErrors: 0 },
  ],
  health: [
    { name: 'cpu-temperature', value: 47, unit: 'C' },
    { name: 'voltage', value: 23.8, unit: 'V' },
  ],
  clients: [{ mac: 'AA:BB:CC:DD:EE:0F', signalDbm: -61, snrDb: 33, txRateBps: 65_000_000, rxRateBps: 54_000_000 }],
  optics: [{ name: 'sfp1', temperatureC: 41, txMilliDbm: -2064, rxMilliDbm: -12_500 }],
}

describe('a router over SNMP', () => {
  it('is read by v2c, in plain units', async () => {
    const open = await start()
    expect(await open({ community: 'fleet' }).read()).toEqual(READING)
  })

  it('is read by v3 with authentication and privacy', async () => {
    const open = await start()
    const login = {
      user: 'isthmus',
      auth: { protocol: 'sha' as const, key: USER.authKey ?? '' },
      privacy: { protocol: 'aes' as const, key: USER.privKey ?? '' },
    }
    expect(await open(login).read()).toEqual(READING)
    await expect(open({ ...login, auth: { protocol: 'sha', key: 'another-key' } }).read()).rejects.toMatchObject({
      name: 'RouterOsError',
    })
  })

  it('may lack tables', async () => {
    const open = await start([])
    const reading = await open({ community: 'fleet' }).read()
    expect(reading).toMatchObject({ serial: 'HF1234', interfaces: [], clients: [], optics: [] })
    expect(reading.health).toEqual([{ name: 'voltage', value: 23.8, unit: 'V' }])
    expect(reading.cpuLoad).toBeUndefined()
  })

  it.each(['public', 'Public', 'private', ''])('is not asked with the community %j', (community) => {
    expect(() => openSnmp({ host: '127.0.0.1', login: { community } }, { clock: systemClock })).toThrow(
      expect.objectContaining({ kind: 'refused' }),
    )
  })

  it('is not asked with keys that are too short', () => {
    const login = {
      user: 'a',
      auth: { protocol: 'md5' as const, key: 'short' },
      privacy: { protocol: 'des' as const, key: 'long enough' },
    }
    expect(() => openSnmp({ host: '127.0.0.1', login }, { clock: systemClock })).toThrow(/RFC 3414/)
  })

  it('that answers with bytes that are no SNMP, or not at all, is an error in time', async () => {
    const socket = createSocket('udp4')
    const asked = new Promise<void>((resolve) => {
      socket.on('message', (_message, { port }) => {
        socket.send(Buffer.from('30ff0201', 'hex'), port, '127.0.0.1')
        socket.send(Buffer.from('hello'), port, '127.0.0.1')
        resolve()
      })
    })
    socket.bind(0, '127.0.0.1')
    await once(socket, 'listening')
    const clock = createManualClock()
    const source = openSnmp(
      { host: '127.0.0.1', port: socket.address().port, login: { community: 'fleet' } },
      { clock },
    )
    const reading = source.read({ deadlineMs: 1000 }).catch((error) => error.kind)
    await asked
    clock.advance(1000)
    expect(await reading).toBe('timeout')
    const abort = new AbortController()
    const aborted = source.read({ signal: abort.signal })
    abort.abort()
    await expect(aborted).rejects.toMatchObject({ kind: 'cancelled' })
    await expect(source.read({ signal: abort.signal })).rejects.toMatchObject({ kind: 'cancelled', sent: false })
    socket.close()
  })
})
