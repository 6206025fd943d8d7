import { AppError } from '../base/index.ts'
import { FAULTS, type Fault, isFault } from './faults.ts'
import type { FleetMix } from './fleet.ts'
import { SIMULATED_KINDS, type SimulatedKind } from './simulated-device.ts'

/** Reads `dualStack=10,uspOnly=5`; kinds that are not named have none. AppError `invalid` for any other form. */
export function readMix(text: string): FleetMix {
  const mix: FleetMix = { legacyTr098: 0, tr181NoAgent: 0, dualStack: 0, uspOnly: 0 }
  for (const item of text.split(',')) {
    const [name = '', count = ''] = item.split('=').map((part) => part.trim())
    const kind = SIMULATED_KINDS.find((known) => known === name)
    if (kind === undefined || !/^\d{1,4}$/.test(count))
      throw new AppError('invalid', `--mix takes kind=number,...; kinds are ${SIMULATED_KINDS.join(', ')}`)
    mix[kind] = Number(count)
  }
  const total = Object.values(mix).reduce((sum, count) => sum + count, 0)
  if (total < 1 || total > 5000) throw new AppError('invalid', '--mix makes from 1 to 5000 devices')
  return mix
}

/**
 * Reads `slow,fault9002+noCookies`: faults in the order in which devices get them, those joined by `+` for one device.
 * AppError `invalid` for an unknown one.
 */
export function readFaults(text: string): (readonly Fault[])[] {
  return text.split(',').map((item) =>
    item.split('+').map((part) => {
      const name = part.trim()
      if (!isFault(name))
        throw new AppError('invalid', `--faults: ${JSON.stringify(name)} is none of ${FAULTS.join(', ')}`)
      return name
    }),
  )
}

/** Reads `all`, or kinds with commas between. AppError `invalid` for an unknown one. */
export function readKinds(text: string): readonly SimulatedKind[] {
  if (text === 'all') return SIMULATED_KINDS
  return text.split(',').map((item) => {
    const found = SIMULATED_KINDS.find((name) => name === item.trim())
    if (found === undefined)
      throw new AppError(
        'invalid',
        `--fault-kinds takes all, or some of ${SIMULATED_KINDS.join(', ')}, with commas between`,
      )
    return found
  })
}
