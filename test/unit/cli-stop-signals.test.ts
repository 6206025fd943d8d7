import { describe, expect, it } from 'vitest'
import { createStopSignals } from '../../src/cli/server/stop-signals.ts'

describe('signals that ask the server to end', () => {
  it('stop it once when one Ctrl-C arrives twice, and end the process at once when a person sends another', () => {
    let now = 1_000_000
    const signal = createStopSignals(() => now)
    expect(signal()).toBe('stop')
    now += 20
    expect(signal()).toBe('stop')
    now += 480
    expect(signal()).toBe('stop')
    now += 1
    expect(signal()).toBe('endAtOnce')
    expect(signal()).toBe('endAtOnce')
  })
})
