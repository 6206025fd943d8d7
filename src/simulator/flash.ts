import { closeSync, existsSync, fsyncSync, mkdirSync, openSync, readFileSync, renameSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { AppError, errorText } from '../base/index.ts'
import type { InstanceTree, TreeChange } from '../tree/index.ts'
import type { SavedDevice } from './simulated-device.ts'

/** A change of one device since it was last written whole. */
type FlashEntry =
  | { device: string; set: string; to: string }
  | { device: string; row: string }
  | { device: string; gone: string }
  | { device: string; state: Omit<SavedDevice, 'tree'> }
  | { device: string; whole: SavedDevice }

/** Bytes of changes after which the devices are written whole again. */
const MAX_LOG = 32 * 1024 * 1024

/**
 * The flash memory of a fleet: every device whole in `fleet.json`, and each later change as a line of `fleet.log`,
 * written before the device answers for it. A killed process loses nothing that a device has acknowledged; a line that
 * was cut off is the last one and belongs to no answer.
 */
export class Flash {
  readonly #dir: string
  #log: number | undefined
  #size = 0

  constructor(dir: string) {
    this.#dir = dir
  }

  /**
   * Returns the devices as they were written last, and the entries to apply to them in order. AppError when a file
   * cannot be read.
   */
  load(): { devices: Record<string, SavedDevice>; entries: FlashEntry[] } {
    const snapshot = this.#file('fleet.json')
    try {
      const devices = existsSync(snapshot)
        ? (JSON.parse(readFileSync(snapshot, 'utf8')) as Record<string, SavedDevice>)
        : {}
      return { devices, entries: this.#readLog() }
    } catch (error) {
      throw new AppError(
        'invalid',
        `the fleet in ${this.#dir} cannot be read (${errorText(error)}); remove it to begin anew`,
      )
    }
  }

  #readLog(): FlashEntry[] {
    const file = this.#file('fleet.log')
    if (!existsSync(file)) return []
    const lines = readFileSync(file, 'utf8').split('\n')
    // The text behind the last line end was cut off.
    lines.pop()
    // Logs of version 0.1.0 name the device `box`.
    return lines.map((line) => JSON.parse(line.replace(/^\{"box":/, '{"device":')) as FlashEntry)
  }

  append(entry: FlashEntry): void {
    this.#log ??= this.#open('a')
    const line = `${JSON.stringify(entry)}\n`
    this.#size += line.length
    writeSync(this.#log, line)
  }

  get full(): boolean {
    return this.#size > MAX_LOG
  }

  /**
   * Writes all devices whole and begins the log anew. After a cut at any place the old or the new state is there: the
   * log may be applied twice.
   */
  writeWhole(devices: Iterable<[string, SavedDevice]>): void {
    mkdirSync(this.#dir, { recursive: true })
    const file = this.#file('fleet.json')
    const next = openSync(`${file}.new`, 'w')
    let separator = '{'
    for (const [id, state] of devices) {
      writeSync(next, `${separator}${JSON.stringify(id)}:${JSON.stringify(state)}`)
      separator = ',\n'
    }
    writeSync(next, separator === '{' ? '{}' : '}')
    fsyncSync(next)
    closeSync(next)
    renameSync(`${file}.new`, file)
    this.close()
    this.#log = this.#open('w')
    this.#size = 0
  }

  close(): void {
    if (this.#log !== undefined) closeSync(this.#log)
    this.#log = undefined
  }

  #open(flags: 'a' | 'w'): number {
    mkdirSync(this.#dir, { recursive: true })
    return openSync(this.#file('fleet.log'), flags)
  }

  #file(name: string): string {
    return join(this.#dir, name)
  }
}

/** Returns one change of a tree as an entry. */
export function entryOf(device: string, change: TreeChange): FlashEntry {
  if (change.kind === 'created') return { device, row: change.path }
  if (change.kind === 'deleted') return { device, gone: change.path }
  return { device, set: change.path, to: change.value ?? '' }
}

/** Makes the change in a tree that has no listeners yet. */
export function replay(tree: InstanceTree, entry: FlashEntry): void {
  if ('set' in entry) tree.put(entry.set, entry.to)
  else if ('row' in entry) tree.makeRow(entry.row)
  else if ('gone' in entry) tree.deleteRow(entry.gone, 'device')
}
