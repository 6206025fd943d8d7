import { expect, it } from 'vitest'
import { createLog, limitLines } from '../../../src/base/index.ts'
import { createManualClock } from '../../support/manual-clock.ts'

it('writes each message so many times a minute, and says how many lines it left out', () => {
  const written: { msg: string; leftOut?: number }[] = []
  const clock = createManualClock()
  const log = createLog({ destination: { write: (line) => void written.push(JSON.parse(line)) } })
  const lines = limitLines(log, clock, 3)
  for (let i = 0; i < 10; i++) lines.warn({ i }, 'refused')
  lines.info({}, 'another message')
  expect(written.map(({ msg }) => msg)).toEqual(['refused', 'refused', 'refused', 'another message'])
  clock.advance(60_000)
  lines.warn({}, 'refused')
  expect(written.at(-1)).toMatchObject({ msg: 'refused', leftOut: 7 })
})
