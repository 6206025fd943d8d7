import { setup } from './lib/setup.mjs'

setup()
console.log('set up')
