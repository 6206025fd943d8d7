import { createHash } from 'node:crypto'
import {
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { mustRun, ROOT } from './run.mjs'

const LOCK = join(ROOT, 'data', 'setup.lock')

/** Makes the checkout ready to run: exact packages, build, embedded database. Does only what is not done yet, and says what it does. */
export function setup({ engine = true } = {}) {
  checkNode()
  mkdirSync(join(ROOT, 'data'), { recursive: true })
  withLock(() => {
    install()
    build()
    if (engine && !process.env.MONGODB_URI && !hasEngine()) {
      mustRun(process.execPath, [join(ROOT, 'dist/src/cli/main.js'), 'engine', '--cache', engineCache()])
    }
  })
  process.env.ISTHMUS_ENGINE_CACHE ??= engineCache()
}

/** Where the embedded database's engine is kept for all data folders of this checkout. */
export function engineCache() {
  return process.env.ISTHMUS_ENGINE_CACHE ?? join(ROOT, 'data', 'engine')
}

function hasEngine() {
  const folders = (process.env.PATH ?? '').split(process.platform === 'win32' ? ';' : ':')
  return folders.some((folder) => existsSync(join(folder, 'mongod')))
}

function checkNode() {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number)
  if (major > 20 || (major === 20 && minor >= 19)) return
  console.error(`Isthmus needs Node 20.19 or newer; this is ${process.versions.node}.`)
  process.exit(1)
}

/** The packages of the lock file, exactly; again only when that file has changed. */
function install() {
  const stamp = join(ROOT, 'node_modules', '.isthmus-lock')
  const wanted = createHash('sha256')
    .update(readFileSync(join(ROOT, 'package-lock.json')))
    .digest('hex')
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === wanted) return
  console.log('installing the packages of the lock file')
  mustRun('npm', ['ci', '--no-audit', '--no-fund', '--loglevel=error'])
  writeFileSync(stamp, wanted)
}

/** dist/ from the sources; again only when one of them has changed. */
export function build() {
  const stamp = join(ROOT, 'dist', '.stamp')
  const wanted = digest(['src', 'migrations', 'bench', 'tsconfig.json', 'tsconfig.build.json', 'package-lock.json'])
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === wanted) return
  console.log('building')
  rmSync(join(ROOT, 'dist'), { recursive: true, force: true })
  mustRun(process.execPath, [join(ROOT, 'node_modules/typescript/bin/tsc'), '-p', 'tsconfig.build.json'])
  writeFileSync(stamp, wanted)
}

function digest(paths) {
  const hash = createHash('sha256')
  const visit = (path) => {
    if (!existsSync(path)) return
    if (statSync(path).isDirectory()) {
      for (const name of readdirSync(path).sort()) visit(join(path, name))
    } else if (/\.(ts|json)$/.test(path) && !path.includes('datamodel/data'))
      hash.update(path).update(readFileSync(path))
  }
  for (const path of paths) visit(join(ROOT, path))
  return hash.digest('hex')
}

/** One set-up at a time; a lock whose process is gone is nobody's. */
function withLock(work) {
  for (let waited = 0; ; waited += 200) {
    try {
      const file = openSync(LOCK, 'wx')
      writeFileSync(file, String(process.pid))
      closeSync(file)
      break
    } catch (error) {
      if (error.code !== 'EEXIST') throw error
      if (!alive(Number(readFileSync(LOCK, 'utf8')))) {
        rmSync(LOCK, { force: true })
        continue
      }
      if (waited === 0) console.log('waiting for another set-up of this checkout')
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 200)
    }
  }
  try {
    work()
  } finally {
    rmSync(LOCK, { force: true })
  }
}

function alive(pid) {
  try {
    process.kill(pid, 0)
    return pid > 0
  } catch {
    return false
  }
}
