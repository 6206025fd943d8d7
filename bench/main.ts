import { writeFileSync } from 'node:fs'
import { cpus } from 'node:os'
import { parseArgs } from 'node:util'
import { drawReach } from './picture.ts'
import { printRow } from './print.ts'
import { isReached, limitText, type Reach, valueText } from './reach.ts'
import { bridgeRow } from './rows/bridge.ts'
import { firstContactRow } from './rows/first-contact.ts'
import { hostileRow } from './rows/hostile.ts'
import { informRow } from './rows/inform.ts'
import { linksRow } from './rows/links.ts'
import { listRow } from './rows/list.ts'
import { mappedReadRow } from './rows/mapped-read.ts'
import { migrateRow } from './rows/migrate.ts'
import { notifyRow } from './rows/notify.ts'
import { planRow } from './rows/plan.ts'
import { sessionRow } from './rows/session.ts'
import { startWorld, type World } from './world.ts'

const { values: flags, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    /** Rows to run, with commas between; the same as naming them: `npm run bench -- hostile`. */
    only: { type: 'string', default: '' },
    seconds: { type: 'string', default: '5' },
    rounds: { type: 'string', default: '3' },
    links: { type: 'string', default: '5000' },
    devices: { type: 'string', default: '100000' },
    routers: { type: 'string', default: '500' },
    moves: { type: 'string', default: '80' },
    /** File for a picture (SVG) of the limits and of the measured values. */
    picture: { type: 'string', default: '' },
  },
})
const seconds = Number(flags.seconds)
const rounds = Number(flags.rounds)
const only = [...positionals, ...flags.only.split(',')].filter((name) => name !== '')

/** Each row has a server and a database of its own, so that none pays for the data of another. */
const ROWS: [string, string[], (world: World) => Promise<Reach[]>][] = [
  ['inform', ['--discovery', 'subtree'], (world) => informRow(world, seconds, rounds)],
  ['session', ['--discovery', 'subtree'], (world) => sessionRow(world, seconds, rounds)],
  ['first-contact', [], (world) => firstContactRow(world, rounds)],
  ['mapped-read', [], (world) => mappedReadRow(world, rounds)],
  ['notify', [], (world) => notifyRow(world, seconds, rounds)],
  ['links', [], (world) => linksRow(world, Number(flags.links))],
  ['migrate', ['--discovery', 'subtree'], (world) => migrateRow(world, Number(flags.moves))],
  ['plan', [], (world) => planRow(world, Number(flags.devices))],
  ['list', [], (world) => listRow(world, Number(flags.devices))],
  ['bridge', [], (world) => bridgeRow(world, Number(flags.routers))],
  ['hostile', ['--discovery', 'none'], (world) => hostileRow(world)],
]

const machine = `Node ${process.version}, ${cpus().length} x ${cpus()[0]?.model ?? 'unknown CPU'}`
const reaches: Reach[] = []

console.log(machine)
console.log('CPU is user and system time of the process named; load generator and database share the same cores.')
for (const [name, serverFlags, row] of ROWS) {
  if (only.length > 0 && !only.includes(name)) continue
  const world = await startWorld(serverFlags)
  try {
    reaches.push(...(await row(world)))
  } finally {
    await world.stop()
  }
}
if (reaches.length > 0) {
  printRow(
    'What was to be reached',
    reaches.map((reach) => {
      const reached = isReached(reach)
      const word = reached === undefined ? 'not measured' : reached ? 'reached' : 'missed'
      return [reach.name, valueText(reach), `${limitText(reach)}: ${word}`]
    }),
  )
  if (flags.picture !== '') writeFileSync(flags.picture, drawReach(reaches, `npm run bench on ${machine}`))
}
process.exit(0)
