import { join } from 'node:path'
import { ROOT } from './lib/run.mjs'
import { setup } from './lib/setup.mjs'

setup()
// In this process: signals reach it directly.
process.argv.splice(1, 1, join(ROOT, 'dist/src/cli/main.js'), 'serve')
await import('../dist/src/cli/main.js')
