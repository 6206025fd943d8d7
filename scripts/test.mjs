import { spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ROOT } from './lib/run.mjs'
import { setup } from './lib/setup.mjs'

setup()
const args = process.argv.slice(2)
const long = args.includes('--long')
const folder = mkdtempSync(join(tmpdir(), 'isthmus-tests-'))
const report = join(folder, 'report.json')
const config = long ? ['--config', 'vitest.long.config.ts'] : []
const { status } = spawnSync(
  process.execPath,
  [
    join(ROOT, 'node_modules/vitest/vitest.mjs'),
    'run',
    ...config,
    '--reporter=default',
    '--reporter=json',
    `--outputFile.json=${report}`,
    ...args.filter((arg) => arg !== '--long'),
  ],
  { cwd: ROOT, stdio: 'inherit' },
)
const result = existsSync(report)
  ? JSON.parse(readFileSync(report, 'utf8'))
  : { numPassedTests: 0, numFailedTests: 0, numPendingTests: 0, success: false }
rmSync(folder, { recursive: true, force: true })
const skipped = result.numPendingTests + (result.numTodoTests ?? 0)
console.log(
  `Tests: ${result.numPassedTests} passed, ${result.numFailedTests} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`,
)
// Files that do not even load, and errors outside of tests, count in the runner's own code.
process.exit(status === 0 && result.success && result.numPassedTests > 0 ? 0 : 1)
