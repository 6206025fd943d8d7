import { existsSync, mkdtempSync, rmSync, statfsSync, statSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { errorText } from '../../base/index.ts'
import type { Config } from '../../config/index.ts'
import { inStartWords } from '../parts/start-error.ts'
import { type Finding, finding } from './finding.ts'

const LEAST_BYTES = 1e9
const FEW_BYTES = 5e9

/** Checks that the data folder is writable and private, and that its disk has room. */
export function examineFolder(config: Config): Finding[] {
  const { ok, problem, warning } = finding('folder')
  const folder = resolve(config.dataDir)
  const nearest = nearestFolder(folder)
  try {
    rmSync(mkdtempSync(join(nearest, '.isthmus-doctor-')), { recursive: true })
  } catch (error) {
    return [problem(errorText(inStartWords(error, { ...config, dataDir: nearest })))]
  }
  const { bavail, bsize } = statfsSync(nearest)
  const free = bavail * bsize
  const room = `data folder ${folder}: ${(free / 1e9).toFixed(1)} GB free`
  const found =
    free < LEAST_BYTES
      ? problem(`${room}; the database needs room to write, make at least 5 GB free`)
      : free < FEW_BYTES
        ? warning(`${room}; make more room before it is used up`)
        : ok(room)
  const mode = nearest === folder && process.platform !== 'win32' ? statSync(folder).mode & 0o077 : 0
  if (mode === 0) return [found]
  return [found, warning(`other users of this machine can look into ${folder}; chmod 700 ${folder}`)]
}

function nearestFolder(folder: string): string {
  let nearest = folder
  while (!existsSync(nearest) && dirname(nearest) !== nearest) nearest = dirname(nearest)
  return nearest
}
