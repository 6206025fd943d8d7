import { execFile } from 'node:child_process'
import { appendFileSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { promisify } from 'node:util'
import { afterEach, beforeEach, expect, it } from 'vitest'

const LOCK = resolve(import.meta.dirname, '../../scripts/lib/lock.mjs')
let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'isthmus-lock-'))
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

/** A process that notes when it has the lock and when it gives it back. */
function locked(): Promise<unknown> {
  const script = `
    import { appendFileSync } from 'node:fs'
    import { withLock } from ${JSON.stringify(LOCK)}
    withLock(${JSON.stringify(join(folder, 'lock'))}, () => {
      appendFileSync(${JSON.stringify(join(folder, 'notes'))}, 'in ')
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 60)
      appendFileSync(${JSON.stringify(join(folder, 'notes'))}, 'out ')
    }, () => undefined)`
  return promisify(execFile)(process.execPath, ['--input-type=module', '-e', script])
}
const notes = () => readFileSync(join(folder, 'notes'), 'utf8')

it.each([
  ['is free', undefined],
  ['was left by a killed set-up', '999999 some-earlier-birth\n'],
  ['was left by a killed set-up whose pid is another process by now', `${process.pid} some-earlier-birth\n`],
  ['was cut off while it was written', ''],
])('lets one of several set-ups work at a time when the lock %s', async (_, left) => {
  if (left !== undefined) writeFileSync(join(folder, 'lock'), left)
  appendFileSync(join(folder, 'notes'), '')
  await Promise.all([locked(), locked(), locked()])
  expect(notes()).toBe('in out in out in out ')
  expect(existsSync(join(folder, 'lock'))).toBe(false)
})
