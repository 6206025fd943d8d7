import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { printOptions } from '../../../src/config/index.ts'

it('shows the option table in the README as `isthmus options` prints it', () => {
  const readme = readFileSync(join(import.meta.dirname, '../../../README.md'), 'utf8')
  const section = /<!-- options -->\n([\s\S]*?)\n?<!-- \/options -->/.exec(readme)?.[1]
  expect(section?.trim()).toBe(printOptions())
})
