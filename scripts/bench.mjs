import { setup } from './lib/setup.mjs'

setup()
await import('../dist/bench/main.js')
