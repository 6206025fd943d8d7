import { expect, it } from 'vitest'
import { MeasuredRouter } from '../../../../src/bridge/metrics/measured-router.ts'
import { type RouterOs, RouterOsError, type RouterReply } from '../../../../src/routeros/index.ts'
import { createManualClock } from '../../../support/manual-clock.ts'

it('counts reads and writes of a router by their outcome, with the time until each was over', async () => {
  const clock = createManualClock()
  const answers: (() => RouterReply)[] = []
  const router: RouterOs = {
    localAddress: undefined,
    remoteAddress: undefined,
    async command() {
      clock.advance(250)
      const answer = answers.shift()
      if (answer === undefined) throw new Error('a fault of this side')
      return answer()
    },
    stream: () => ({ stop: async () => undefined }),
    close: async () => undefined,
  }
  const counted: string[] = []
  const metrics = { routerCommand: (...all: [string, string, number]) => void counted.push(all.join(' ')) }
  const measured = new MeasuredRouter(router, metrics, clock)
  answers.push(
    () => ({ rows: [] }),
    () => {
      throw new RouterOsError('trap', 'no such item')
    },
  )
  await measured.command({ path: '/ip/address/print' })
  await expect(measured.command({ path: '/ip/address/set', writes: true })).rejects.toThrow('no such item')
  await expect(measured.command({ path: '/ip/address/print' })).rejects.toThrow('this side')
  expect(counted).toEqual(['read done 250', 'write trap 250', 'read failed 250'])
})
