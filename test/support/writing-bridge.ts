import { silentLog, systemClock } from '../../src/base/index.ts'
import { GuardedRouter, IntentFile } from '../../src/bridge/index.ts'
import { ManagementCheck } from '../../src/bridge/write/management-check.ts'
import { RouterWriter } from '../../src/bridge/write/router-writer.ts'
import type { WriteStep } from '../../src/bridge/write/write-step.ts'
import { openApi } from '../../src/routeros/index.ts'

// A process that does one write at a router, to be killed: port of the router, file of the intents, steps as JSON.
const [port = '', path = '', steps = '[]'] = process.argv.slice(2)
const account = { host: '127.0.0.1', port: Number(port), user: 'admin', password: '' }
const parts = { clock: systemClock, log: silentLog }
const router = new GuardedRouter(await openApi({ ...account, security: { kind: 'plain' } }, parts), () => 1)
const writer = new RouterWriter(router, await IntentFile.open(path), new ManagementCheck(router), silentLog)
await writer.write(async () => ({ steps: JSON.parse(steps) as WriteStep[], doing: 'set' }))
console.log('done')
process.exit(0)
