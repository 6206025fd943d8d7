import { describe, expect, it } from 'vitest'
import { faultyLinks } from '../../../src/simulator/faulty-links.ts'
import { scaledClock } from '../../../src/simulator/scaled-clock.ts'
import type { AgentTransport, ControllerLink, LinkEvents, LinkTarget } from '../../../src/usp/index.ts'
import { createManualClock } from '../../support/manual-clock.ts'

const TARGET: LinkTarget = {
  row: 'Device.LocalAgent.Controller.1.',
  controllerId: 'proto::controller',
  endpointId: 'proto::agent',
  host: 'localhost',
  port: 1,
  path: '/usp',
  tls: false,
  keepAliveS: 60,
}
const record = (n: number) => Uint8Array.of(n)

/** A transport whose links write down what is done to them. */
function recorded(): { transport: AgentTransport; log: string[]; events(): LinkEvents } {
  const log: string[] = []
  let opened: LinkEvents | undefined
  const link: ControllerLink = {
    send: ([n]) => log.push(`send ${n}`) > 0,
    leave: ([n]) => void log.push(`leave ${n}`),
    refuse: () => void log.push('refuse'),
    cut: () => void log.push('cut'),
  }
  const transport: AgentTransport = {
    dial: async (_target, events) => {
      opened = events
      return link
    },
  }
  const events = () => {
    if (opened === undefined) throw new Error('nothing was dialled')
    return opened
  }
  return { transport, log, events }
}

describe('links with quirks', () => {
  const clock = createManualClock()
  const draws: number[] = []
  const random = { bytes: () => new Uint8Array(), fraction: () => draws.shift() ?? 0.5 }
  const open = async (quirks: Parameters<typeof faultyLinks>[1]) => {
    const inner = recorded()
    const received: number[] = []
    const transport = faultyLinks(inner.transport, quirks, { clock, random })
    const link = await transport.dial(TARGET, { onRecord: ([n]) => received.push(n ?? -1), onClose: () => undefined })
    return { ...inner, received, link }
  }

  it('without one are those of the transport inside', async () => {
    const { link, events, log, received } = await open({})
    link.send(record(1))
    events().onRecord(record(2))
    expect([log, received]).toEqual([['send 1'], [2]])
  })

  it('that are silent carry no Record in either direction, and close', async () => {
    const { link, events, log, received } = await open({ neverOnboards: true })
    link.send(record(1))
    events().onRecord(record(2))
    link.cut()
    expect([log, received]).toEqual([['cut'], []])
  })

  it('that are slow hand each Record over later, in order', async () => {
    const { events, received } = await open({ answerDelayMs: 60 })
    events().onRecord(record(1))
    clock.advance(59)
    events().onRecord(record(2))
    expect(received).toEqual([])
    clock.advance(1)
    expect(received).toEqual([1])
    clock.advance(59)
    expect(received).toEqual([1, 2])
  })

  it('that break are cut by chance after some Records', async () => {
    const { events, log, received } = await open({ dropsLinkAfter: 2 })
    draws.push(0.9, 0.1)
    for (const n of [1, 2, 3, 4]) events().onRecord(record(n))
    expect([log, received]).toEqual([['cut'], [1, 2, 3]])
  })
})

describe('a scaled clock', () => {
  it('runs so many times as fast as the one inside, for waits and for times', () => {
    const clock = createManualClock()
    const fast = scaledClock(clock, 10)
    const start = fast.now()
    const rung: number[] = []
    fast.after(1000, () => rung.push(fast.now() - start))
    const cancel = fast.after(500, () => rung.push(-1))
    cancel()
    clock.advance(99)
    expect(rung).toEqual([])
    clock.advance(1)
    expect(rung).toEqual([1000])
  })

  it('of 1 is the clock itself', () => {
    const clock = createManualClock()
    expect(scaledClock(clock, 1)).toBe(clock)
  })
})
