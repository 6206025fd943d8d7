import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { systemRandom } from '../../src/base/index.ts'
import { DemoFolder } from '../../src/demo/folder.ts'

let dir: string
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'isthmus-demo-folder-'))
})
afterEach(() => rmSync(dir, { recursive: true, force: true }))

const key = () => new DemoFolder(dir).key(systemRandom, () => 'first')

it('makes the API key of a demo once', () => {
  const made = key()
  expect(made).toMatch(/^isthmus_first_.{24,}$/)
  expect(key()).toBe(made)
})

it('makes another API key where a kill left a file without one', () => {
  writeFileSync(join(dir, 'demo.key'), '')
  const made = key()
  expect(made).toMatch(/^isthmus_first_.{24,}$/)
  expect(key()).toBe(made)
})
