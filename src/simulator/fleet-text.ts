import { AppError } from '../base/index.ts'
import { DEVICE_FAMILIES, FAMILY_NAMES } from './families/index.ts'
import { FAULTS, type Fault, isFault } from './faults.ts'
import type { FleetItem, FleetMix } from './fleet.ts'
import { SIMULATED_KINDS, type SimulatedKind } from './simulated-device.ts'

/**
 * Reads `dualStack=10,huaweiOnt=5`; kinds and families that are not named have none. AppError `invalid` for any other
 * form.
 */
export function readMix(text: string): FleetMix {
  const mix: FleetMix = {}
  let total = 0
  for (const item of text.split(',')) {
    const [name = '', count = ''] = item.split('=').map((part) => part.trim())
    if (!isItem(name) || !/^\d{1,4}$/.test(count))
      throw new AppError('invalid', `--mix takes name=number,...; names are ${ITEMS.join(', ')}`)
    total += Number(count) - (mix[name] ?? 0)
    mix[name] = Number(count)
  }
  if (total < 1 || total > 5000) throw new AppError('invalid', '--mix makes from 1 to 5000 devices')
  return mix
}

const ITEMS: readonly FleetItem[] = [...SIMULATED_KINDS, ...FAMILY_NAMES]

function isItem(name: string): name is FleetItem {
  return ITEMS.some((item) => item === name)
}

/** Returns one line per family, for people. */
export function describeFamilies(): string {
  const width = Math.max(...FAMILY_NAMES.map((name) => name.length)) + 2
  return FAMILY_NAMES.map((name) => `  ${name.padEnd(width)}${DEVICE_FAMILIES[name].sentence}`).join('\n')
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
