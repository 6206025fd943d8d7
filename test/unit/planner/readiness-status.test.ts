import { describe, expect, it } from 'vitest'
import type { ReadinessRow } from '../../../src/domain/index.ts'
import { MAX_ROWS, readinessStatus } from '../../../src/planner/readiness/status.ts'

const row = (devices: number, more: Partial<ReadinessRow> = {}): ReadinessRow => ({
  class: 'READY_STANDARD',
  reasons: ['ready'],
  owner: 'cwmp',
  manufacturer: 'Acme',
  model: 'M1',
  softwareVersion: '1.0',
  devices,
  ...more,
})

describe('the readiness of a group', () => {
  it('adds up by class and by model and firmware, each with its most frequent reasons', () => {
    const rows = [
      row(10),
      row(5, { owner: 'usp' }),
      row(3, { class: 'NEEDS_DATA_MODEL', reasons: ['too old'] }),
      row(7, { class: 'NEEDS_DATA_MODEL', reasons: ['no Agent'], softwareVersion: '0.9' }),
    ]
    expect(readinessStatus({ value: rows, countedAt: 42 }, 10)).toEqual({
      devices: 25,
      onUsp: 5,
      countedAt: 42,
      classes: [
        { class: 'READY_STANDARD', devices: 15, onUsp: 5, reasons: [{ text: 'ready', devices: 15 }] },
        {
          class: 'NEEDS_DATA_MODEL',
          devices: 10,
          onUsp: 0,
          reasons: [
            { text: 'no Agent', devices: 7 },
            { text: 'too old', devices: 3 },
          ],
        },
      ],
      firmwares: [
        {
          manufacturer: 'Acme',
          model: 'M1',
          softwareVersion: '1.0',
          devices: 18,
          onUsp: 5,
          classes: { READY_STANDARD: 15, NEEDS_DATA_MODEL: 3 },
          reasons: [
            { class: 'READY_STANDARD', text: 'ready', devices: 15 },
            { class: 'NEEDS_DATA_MODEL', text: 'too old', devices: 3 },
          ],
        },
        {
          manufacturer: 'Acme',
          model: 'M1',
          softwareVersion: '0.9',
          devices: 7,
          onUsp: 0,
          classes: { NEEDS_DATA_MODEL: 7 },
          reasons: [{ class: 'NEEDS_DATA_MODEL', text: 'no Agent', devices: 7 }],
        },
      ],
    })
  })

  it('counts devices that were never judged as unknown, and leaves out what a record does not have', () => {
    const status = readinessStatus({ value: [{ owner: 'cwmp', reasons: [], devices: 2 }], countedAt: 1 }, 10)
    expect(status.classes).toEqual([
      {
        class: 'UNKNOWN',
        devices: 2,
        onUsp: 0,
        reasons: [{ text: 'readiness was not worked out yet', devices: 2 }],
      },
    ])
    expect(status.firmwares).toMatchObject([{ devices: 2, classes: { UNKNOWN: 2 } }])
    expect(Object.keys(status.firmwares[0] ?? {})).not.toContain('model')
  })

  it('lists so many models and firmwares, and marks a list that leaves out others', () => {
    const rows = Array.from({ length: 5 }, (_, i) => row(i + 1, { model: `M${i}` }))
    const status = readinessStatus({ value: rows, countedAt: 1 }, 2)
    expect(status.firmwares.map(({ model }) => model)).toEqual(['M4', 'M3'])
    expect(status).toMatchObject({ devices: 15, truncated: true })
    expect(readinessStatus({ value: rows, countedAt: 1 }, 5).truncated).toBeUndefined()
    const all = Array.from({ length: MAX_ROWS }, () => row(1))
    expect(readinessStatus({ value: all, countedAt: 1 }, 5).truncated).toBe(true)
  })

  it('shows at most ten reasons of a class and three of a firmware', () => {
    const rows = Array.from({ length: 12 }, (_, i) => row(12 - i, { reasons: [`r${i}`] }))
    const { classes, firmwares } = readinessStatus({ value: rows, countedAt: 1 }, 5)
    expect(classes[0]?.reasons.map(({ text }) => text)).toEqual(Array.from({ length: 10 }, (_, i) => `r${i}`))
    expect(firmwares[0]?.reasons.map(({ text }) => text)).toEqual(['r0', 'r1', 'r2'])
  })
})
