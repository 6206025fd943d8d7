import { createSocket, type Socket } from 'node:dgram'
import { once } from 'node:events'
import fc from 'fast-check'
import snmp from 'net-snmp'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { systemClock } from '../../src/base/index.ts'
import { openSnmp, RouterOsError, type SnmpOptions } from '../../src/routeros/index.ts'
import { FakeSnmpAgent } from '../support/fake-snmp-agent.ts'

const USER: snmp.User = {
  name: 'isthmus',
  level: snmp.SecurityLevel.authPriv,
  authProtocol: snmp.AuthProtocols.sha,
  authKey: 'auth-key-of-user',
  privProtocol: snmp.PrivProtocols.aes,
  privKey: 'priv-key-of-user',
}
const bends = fc.array(
  fc.record({ at: fc.double({ min: 0, max: 1, noNaN: true }), byte: fc.nat(255), how: fc.nat(3) }),
  {
    maxLength: 4,
  },
)
type Bends = typeof bends extends fc.Arbitrary<infer T> ? T : never

/** Bytes changed, cut out, cut off or doubled. */
function bent(datagram: Buffer, how: Bends): Buffer {
  let bytes = Buffer.from(datagram)
  for (const { at, byte, how: kind } of how) {
    const i = Math.floor(at * Math.max(bytes.length - 1, 0))
    if (kind === 0 && bytes.length > 0) bytes[i] = byte
    else if (kind === 1) bytes = Buffer.concat([bytes.subarray(0, i), bytes.subarray(i + 1)])
    else if (kind === 2) bytes = bytes.subarray(0, i)
    else bytes = Buffer.concat([bytes, bytes.subarray(i)])
  }
  return bytes
}

describe('an agent that sends bent datagrams', () => {
  let agent: FakeSnmpAgent
  let front: Socket
  let back: Socket
  let current: Bends = []

  beforeAll(async () => {
    const scalars = { '1.3.6.1.2.1.1.5': 'router', '1.3.6.1.4.1.14988.1.1.7.3': 'HF1' }
    const entry = '1.3.6.1.2.1.2.2.1'
    const { Integer, OctetString } = snmp.ObjectType
    const rows = [1, 2, 3].map((n) => [n, `ether${n}`, 1])
    agent = await FakeSnmpAgent.start(
      scalars,
      [{ entry, index: [1], columns: { 2: OctetString, 8: Integer }, rows }],
      USER,
    )
    front = createSocket('udp4')
    back = createSocket('udp4')
    let client = 0
    front.on('message', (message, { port }) => {
      client = port
      back.send(message, agent.port, '127.0.0.1')
    })
    back.on('message', (message) => front.send(bent(message, current), client, '127.0.0.1'))
    for (const socket of [front, back]) {
      socket.bind(0, '127.0.0.1')
      await once(socket, 'listening')
    }
  })
  afterAll(async () => {
    front.close()
    back.close()
    await agent.stop()
  })

  it.each<[string, SnmpOptions['login']]>([
    ['v2c', { community: 'fleet' }],
    [
      'v3',
      {
        user: USER.name,
        auth: { protocol: 'sha', key: USER.authKey ?? '' },
        privacy: { protocol: 'aes', key: USER.privKey ?? '' },
      },
    ],
  ])('has a reading or an error, over %s', async (_name, login) => {
    await fc.assert(
      fc.asyncProperty(bends, async (how) => {
        current = how
        const source = openSnmp({ host: '127.0.0.1', port: front.address().port, login }, { clock: systemClock })
        const outcome = await source.read({ deadlineMs: 60 }).catch((error: unknown) => error)
        expect(outcome instanceof RouterOsError || (outcome instanceof Object && 'interfaces' in outcome)).toBe(true)
      }),
      { numRuns: 60 },
    )
  })
})
