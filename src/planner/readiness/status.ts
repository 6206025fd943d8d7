import { READINESS_CLASSES, type ReadinessClass, type ReadinessRow, type Timestamp } from '../../domain/index.ts'
import type { Counted } from '../../groups/index.ts'

/** Devices with one reason. */
interface ReasonCount {
  class: ReadinessClass
  text: string
  devices: number
}

/** Devices of one class. `onUsp` of them are owned by USP already. */
interface ClassCount {
  class: ReadinessClass
  devices: number
  onUsp: number
  /** The most frequent reasons. */
  reasons: { text: string; devices: number }[]
}

/** Devices of one model with one firmware. */
interface FirmwareCount {
  manufacturer?: string
  model?: string
  softwareVersion?: string
  devices: number
  onUsp: number
  classes: Partial<Record<ReadinessClass, number>>
  /** The most frequent reasons. */
  reasons: ReasonCount[]
}

/** The devices that could be moved, and those that could not, with the reasons. */
export interface ReadinessStatus {
  /** Absent: all devices. */
  groupId?: string
  name?: string
  devices: number
  onUsp: number
  /** The time at which the devices were counted. */
  countedAt: Timestamp
  classes: ClassCount[]
  /** By model and firmware, those with the most devices first. */
  firmwares: FirmwareCount[]
  /** There are more models and firmwares than are listed, or than were counted. */
  truncated?: true
}

/** The number of rows that one count takes: devices that are alike in reasons, model and firmware make one. */
export const MAX_ROWS = 10_000
const CLASS_REASONS = 10
const FIRMWARE_REASONS = 3
const NOT_JUDGED = 'readiness was not worked out yet'

/** The readiness of counted devices, with at most `limit` models and firmwares. */
export function readinessStatus({ value: rows, countedAt }: Counted<ReadinessRow[]>, limit: number): ReadinessStatus {
  const classes = new Map(
    READINESS_CLASSES.map((name) => [name, { devices: 0, onUsp: 0, reasons: new Map<string, number>() }]),
  )
  const firmwares = new Map<string, Omit<FirmwareCount, 'reasons'> & { reasons: Map<string, ReasonCount> }>()
  const sum = { devices: 0, onUsp: 0 }
  for (const row of rows) {
    const found = row.class ?? 'UNKNOWN'
    const text = row.class === undefined ? NOT_JUDGED : row.reasons.join('; ')
    const onUsp = row.owner === 'usp' ? row.devices : 0
    add(sum, row.devices, onUsp)
    const inClass = classes.get(found)
    if (inClass !== undefined) {
      add(inClass, row.devices, onUsp)
      inClass.reasons.set(text, (inClass.reasons.get(text) ?? 0) + row.devices)
    }
    const { manufacturer, model, softwareVersion } = row
    const key = JSON.stringify([manufacturer, model, softwareVersion])
    const firmware = firmwares.get(key) ?? {
      ...(manufacturer === undefined ? {} : { manufacturer }),
      ...(model === undefined ? {} : { model }),
      ...(softwareVersion === undefined ? {} : { softwareVersion }),
      devices: 0,
      onUsp: 0,
      classes: {},
      reasons: new Map<string, ReasonCount>(),
    }
    firmwares.set(key, firmware)
    add(firmware, row.devices, onUsp)
    firmware.classes[found] = (firmware.classes[found] ?? 0) + row.devices
    const reason = firmware.reasons.get(text) ?? { class: found, text, devices: 0 }
    reason.devices += row.devices
    firmware.reasons.set(text, reason)
  }
  const listed = [...firmwares.values()].sort(most).slice(0, limit)
  return {
    ...sum,
    countedAt,
    classes: [...classes].flatMap(([name, { reasons, ...counts }]) =>
      counts.devices === 0 ? [] : [{ class: name, ...counts, reasons: ranked(reasons, CLASS_REASONS) }],
    ),
    firmwares: listed.map((firmware) => ({
      ...firmware,
      reasons: [...firmware.reasons.values()].sort(most).slice(0, FIRMWARE_REASONS),
    })),
    ...(listed.length < firmwares.size || rows.length >= MAX_ROWS ? { truncated: true } : {}),
  }
}

function add(counts: { devices: number; onUsp: number }, devices: number, onUsp: number): void {
  counts.devices += devices
  counts.onUsp += onUsp
}

function ranked(counts: Map<string, number>, limit: number): { text: string; devices: number }[] {
  return [...counts]
    .map(([text, devices]) => ({ text, devices }))
    .sort(most)
    .slice(0, limit)
}

function most(a: { devices: number }, b: { devices: number }): number {
  return b.devices - a.devices
}
