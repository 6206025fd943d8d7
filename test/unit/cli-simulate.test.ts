import { describe, expect, it } from 'vitest'
import { readFaults, readMix } from '../../src/cli/simulate.ts'
import { describeFaults, FAULTS, quirksOf } from '../../src/simulator/index.ts'

describe('the flags of isthmus simulate', () => {
  it('--mix names kinds with numbers', () => {
    expect(readMix('dualStack=3, uspOnly=2')).toEqual({ legacyTr098: 0, tr181NoAgent: 0, dualStack: 3, uspOnly: 2 })
  })

  it.each(['', 'toaster=1', 'dualStack', 'dualStack=x', 'dualStack=0', 'dualStack=9999'])(
    '--mix refuses %j',
    (text) => {
      expect(() => readMix(text)).toThrow(/--mix/)
    },
  )

  it('--faults are dealt in order, several to one box with +', () => {
    expect(readFaults('slow,fault9002+noCookies')).toEqual([['slow'], ['fault9002', 'noCookies']])
    expect(() => readFaults('slow,bogus')).toThrow(/"bogus" is none of .*rejectsWrite/)
  })
})

describe('scripted faults', () => {
  it('are each described, and each changes a box', () => {
    for (const fault of FAULTS) {
      expect(describeFaults()).toContain(fault)
      const { cpe, agent } = quirksOf([fault], 'S 1')
      if (fault !== 'powerLoss') expect({ ...cpe, ...agent }).not.toEqual({})
    }
  })

  it('add up', () => {
    const { cpe, agent } = quirksOf(['slow', 'fault9002', 'noTimer'], 'S1')
    expect(cpe).toEqual({ answerDelayMs: 60, fault9002Above: 5 })
    expect(agent).toEqual({ answerDelayMs: 60, noTimer: true })
  })
})
