import { describe, expect, it } from 'vitest'
import { silentLog } from '../../../src/base/index.ts'
import { AgentLink } from '../../../src/usp/controller/agent-link.ts'
import { Liveness, livenessLimits } from '../../../src/usp/controller/liveness.ts'
import { Codec, responseMsg } from '../../../src/usp/wire/index.ts'
import { createManualClock, settled } from '../../support/manual-clock.ts'

const codec = new Codec()
const OWN = 'self::controller-test'
const LIMITS = livenessLimits(300)
/** Ping rounds come so often. */
const ROUND_MS = 30_000

/** Links whose Agents answer, or not, and the liveness over them. */
function world(options: { count?: number; fraction?: () => number } = {}) {
  const { count = 1, fraction = () => 0.5 } = options
  const clock = createManualClock()
  const told: string[] = []
  const asked: AgentLink[] = []
  const closed: string[] = []
  let answers: (n: number) => boolean = () => true
  const liveness = new Liveness(
    {
      clock,
      random: { fraction },
      log: silentLog,
      onAnswering: (agent) => told.push(`${agent.endpointId} answers`),
      onSilent: (agent) => told.push(`${agent.endpointId} is silent`),
    },
    300,
  )
  const agents = Array.from({ length: count }, (_, n) => {
    const endpointId = `proto::a${n}`
    const agent: AgentLink = new AgentLink({
      connectRecord: 'websocketConnect',
      id: `l${n}`,
      codec,
      ownId: OWN,
      clock,
      onTimeout: (late) => liveness.missed(late),
      link: {
        endpointId,
        proof: 'none',
        secret: undefined,
        remoteAddress: '',
        openedAt: clock.now(),
        isOpen: true,
        prove: () => undefined,
        pause: () => undefined,
        resume: () => undefined,
        send(record) {
          asked.push(agent)
          const { body } = codec.decodeRecord(record)
          if (body.kind !== 'noSession' || !answers(n)) return true
          const { msgId } = codec.decodeMsg(body.payload)
          queueMicrotask(() => {
            liveness.heard(agent)
            const answer = responseMsg(msgId, 'get_resp', { req_path_results: [] })
            if (answer.kind === 'response') agent.answered(answer)
          })
          return true
        },
        close(reason) {
          closed.push(`${endpointId} ${reason}`)
          agent.close(reason)
        },
      },
    })
    return agent
  })
  return {
    clock,
    told,
    asked,
    closed,
    liveness,
    agents,
    answer(rule: (n: number) => boolean) {
      answers = rule
    },
    /** The rounds of so many milliseconds. */
    async rounds(ms: number) {
      for (let passed = 0; passed < ms; passed += ROUND_MS) {
        clock.advance(ROUND_MS)
        for (const agent of agents) if (!agent.closed) liveness.look(agent)
        await settled(4)
      }
    },
  }
}

describe('an Agent', () => {
  it('answers from its first Message on, and not before', () => {
    const { liveness, agents, told } = world()
    const [agent] = agents as [AgentLink]
    expect([liveness.answers(agent), liveness.heardAt(agent)]).toEqual([false, undefined])
    liveness.heard(agent)
    liveness.heard(agent)
    expect(liveness.answers(agent)).toBe(true)
    expect(told).toEqual(['proto::a0 answers'])
  })

  it('that notifies is not probed', async () => {
    const { liveness, agents, asked, rounds } = world()
    for (let i = 0; i < 10; i++) {
      liveness.heard(agents[0] as AgentLink)
      await rounds(300_000)
    }
    expect(asked).toHaveLength(0)
  })

  it('that is quiet is probed, and not again before it was quiet as long once more', async () => {
    const { asked, rounds, told, closed } = world()
    await rounds(LIMITS.quietMs)
    expect(asked).toHaveLength(0)
    await rounds(LIMITS.quietMs / 2)
    expect(asked).toHaveLength(1)
    await rounds(LIMITS.quietMs * 10)
    expect(asked.length).toBeLessThan(10)
    expect([told, closed]).toEqual([['proto::a0 answers'], []])
  })

  it('that keeps its link and answers no more is silent after one probe, and its link is closed after some more', async () => {
    const { liveness, agents, asked, told, closed, answer, rounds } = world()
    liveness.heard(agents[0] as AgentLink)
    answer(() => false)
    await rounds(LIMITS.quietMs * 1.25 + ROUND_MS)
    expect(asked).toHaveLength(1)
    await rounds(ROUND_MS)
    expect(told).toEqual(['proto::a0 answers', 'proto::a0 is silent'])
    expect(closed).toEqual([])
    await rounds(8 * ROUND_MS)
    expect(closed).toEqual(['proto::a0 notAnswering'])
    expect(asked).toHaveLength(LIMITS.maxUnanswered)
    expect(told).toHaveLength(2)
  })

  it('that left a request without an answer is probed at once, and nothing is made of it when it answers then', async () => {
    const { clock, liveness, agents, asked, told, answer } = world()
    const [agent] = agents as [AgentLink]
    liveness.heard(agent)
    answer(() => false)
    const refused = agent.request('get', { param_paths: ['Device.A'], max_depth: 0 }).catch((error) => error.code)
    await settled(4)
    answer(() => true)
    clock.advance(30_000)
    expect(await refused).toBe('timeout')
    await settled(4)
    expect(asked).toHaveLength(2)
    clock.advance(60_000)
    expect(told).toEqual(['proto::a0 answers'])
  })

  it('that answers while a probe is out, if only to something else, is not silent', async () => {
    const { clock, liveness, agents, told, answer } = world()
    const [agent] = agents as [AgentLink]
    liveness.heard(agent)
    answer(() => false)
    liveness.missed(agent)
    clock.advance(10_000)
    liveness.heard(agent)
    clock.advance(60_000)
    await settled(4)
    expect(told).toEqual(['proto::a0 answers'])
  })

  it('that was silent answers again with its next Message', async () => {
    const { clock, liveness, agents, told, closed, answer, rounds } = world()
    const [agent] = agents as [AgentLink]
    liveness.heard(agent)
    answer(() => false)
    liveness.missed(agent)
    clock.advance(30_000)
    await settled(4)
    expect(told.at(-1)).toBe('proto::a0 is silent')
    liveness.heard(agent)
    answer(() => true)
    await rounds(5 * ROUND_MS)
    expect(told.slice(1)).toEqual(['proto::a0 is silent', 'proto::a0 answers'])
    expect(closed).toEqual([])
  })

  it('is counted from now on when the clock is set back', async () => {
    const { clock, liveness, agents, asked, rounds } = world()
    const [agent] = agents as [AgentLink]
    const { now } = clock
    clock.now = () => now() + 3_600_000
    liveness.heard(agent)
    clock.now = now
    await rounds(LIMITS.quietMs * 1.25 + 2 * ROUND_MS)
    expect(asked).toHaveLength(1)
  })
})

describe('20,000 links of Agents that say nothing by themselves', () => {
  it('are probed once each in the time that one is, spread over it, and never too many at once', async () => {
    let last = 1
    const fraction = () => {
      last = (last * 16_807) % 2_147_483_647
      return last / 2_147_483_647
    }
    const { asked, clock, agents, liveness } = world({ count: 20_000, fraction })
    let most = 0
    for (let passed = 0; passed < LIMITS.quietMs * 1.5 + ROUND_MS; passed += ROUND_MS) {
      clock.advance(ROUND_MS)
      const before = asked.length
      for (const agent of agents) liveness.look(agent)
      expect(asked.length - before).toBeLessThanOrEqual(LIMITS.maxProbing)
      while (new Set(asked).size < asked.length) throw new Error('one was asked twice')
      for (let now = -1; now !== asked.length; ) {
        now = asked.length
        await settled(2)
      }
      most = Math.max(most, asked.length - before)
    }
    expect(asked).toHaveLength(20_000)
    expect(most).toBeLessThan(3000)
  })

  it('that are all deaf cost no more probes at once than are allowed', async () => {
    const { asked, clock, agents, liveness, answer, closed } = world({ count: 20_000 })
    answer(() => false)
    for (const agent of agents) liveness.look(agent)
    clock.advance(LIMITS.quietMs * 2)
    for (const agent of agents) liveness.look(agent)
    expect(asked).toHaveLength(LIMITS.maxProbing)
    clock.advance(LIMITS.probeTimeoutMs)
    await settled(4)
    expect(asked).toHaveLength(2 * LIMITS.maxProbing)
    expect(closed).toEqual([])
  })
})
