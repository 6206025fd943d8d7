import { expect, it } from 'vitest'
import type { Threshold } from '../../../src/bridge/changes/interests.ts'
import { Crossings } from '../../../src/bridge/changes/thresholds.ts'

const SIGNALS = 'Device.WiFi.AccessPoint.*.AssociatedDevice.*.SignalStrength'
const signal = (point: number, client: number) =>
  `Device.WiFi.AccessPoint.${point}.AssociatedDevice.${client}.SignalStrength`

const threshold = (row: number, parameters: string): Threshold => ({
  row: `Device.LocalAgent.Threshold.${row}.`,
  parameters,
  operator: 'Fall',
  value: '-75',
  once: false,
  controller: 'Device.LocalAgent.Controller.1.',
})

/** Crossings with the list of the patterns that they have compiled. */
function createCrossings() {
  const compiled: string[] = []
  const crossings = new Crossings((parameters) => {
    compiled.push(parameters)
    return new RegExp(`^${parameters.replaceAll('.', '\\.').replaceAll('*', '\\d+')}$`)
  })
  return { crossings, compiled }
}

it('a pattern of thresholds is compiled once, however many thresholds have it and however often they are looked at', () => {
  const { crossings, compiled } = createCrossings()
  const all = Array.from({ length: 1000 }, (_, i) => threshold(i + 1, SIGNALS))
  const below = new Map([[signal(1, 1), '-80']])
  expect(crossings.take(all, below)).toHaveLength(1000)
  for (let look = 0; look < 10; look++) expect(crossings.take(structuredClone(all), below)).toEqual([])
  expect(compiled).toEqual([SIGNALS])
})

it('a pattern that comes is compiled alone, and one that no threshold has any more is forgotten', () => {
  const { crossings, compiled } = createCrossings()
  const ofFirst = SIGNALS.replace('*', '1')
  crossings.take([threshold(1, SIGNALS)], new Map())
  crossings.take([threshold(1, SIGNALS), threshold(2, ofFirst)], new Map())
  crossings.take([threshold(2, ofFirst)], new Map())
  expect(compiled).toEqual([SIGNALS, ofFirst])
  crossings.take([threshold(1, SIGNALS)], new Map())
  expect(compiled).toEqual([SIGNALS, ofFirst, SIGNALS])
})

it('a threshold of one parameter needs no pattern, and is about no other one', () => {
  const { crossings, compiled } = createCrossings()
  const values = new Map([
    [signal(1, 1), '-80'],
    [signal(1, 11), '-80'],
  ])
  expect(crossings.take([threshold(1, signal(1, 1))], values).map(({ path }) => path)).toEqual([signal(1, 1)])
  expect(crossings.take([threshold(2, signal(2, 1))], values)).toEqual([])
  expect(compiled).toEqual([])
})

it('a pattern stands for numbered instances of its own table alone', () => {
  const values = new Map([
    [signal(1, 1), '-80'],
    [signal(2, 3), '-80'],
    ['Device.WiFi.AccessPoint.1.AssociatedDevice.1.Noise', '-80'],
  ])
  const paths = new Crossings().take([threshold(1, SIGNALS)], values).map(({ path }) => path)
  expect(paths).toEqual([signal(1, 1), signal(2, 3)])
})
