import { createHash } from 'node:crypto'
import {
  accessSync,
  constants,
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { delimiter, join, relative, sep } from 'node:path'
import { withLock } from './lock.mjs'
import { mustRun, ROOT } from './run.mjs'

const DIST = join(ROOT, 'dist')
const DATAMODEL = join('src', 'datamodel', 'data')
/** Files that the server sends to browsers as they are. */
const DOCS_PAGE = join('src', 'api', 'docs-page')

/**
 * Prepares the checkout: exact packages, build, embedded database. Does only what is not done yet, and prints what it
 * does.
 */
export function setup() {
  alone(() => {
    install()
    compile()
    if (!process.env.MONGODB_URI && !hasMongod())
      mustRun(process.execPath, [join(DIST, 'src/cli/main.js'), 'engine', '--cache', engineCache()])
  })
  process.env.ISTHMUS_ENGINE_CACHE ??= engineCache()
}

/** dist/ from the sources. */
export function build() {
  alone(compile)
}

/** One set-up of a checkout at a time: what another one has done meanwhile is found done. */
function alone(work) {
  checkNode()
  mkdirSync(join(ROOT, 'data'), { recursive: true })
  withLock(join(ROOT, 'data', 'setup.lock'), work, () => console.log('waiting for another set-up of this checkout'))
}

/** Returns the folder that keeps the engine of the embedded database for all data folders of this checkout. */
function engineCache() {
  return process.env.ISTHMUS_ENGINE_CACHE ?? join(ROOT, 'data', 'engine')
}

/** As the server looks for it: then nothing needs to be fetched. */
function hasMongod() {
  const program = process.platform === 'win32' ? 'mongod.exe' : 'mongod'
  return (process.env.PATH ?? '').split(delimiter).some((folder) => {
    try {
      accessSync(join(folder, program), constants.X_OK)
      return true
    } catch {
      return false
    }
  })
}

function checkNode() {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number)
  if (major > 20 || (major === 20 && minor >= 19)) return
  console.error(`Isthmus needs Node 20.19 or newer; this is ${process.versions.node}.`)
  process.exit(1)
}

/** The packages of the lock file, exactly; again only when that file has changed. The stamp lies among them and goes when they do. */
function install() {
  const stamp = join(ROOT, 'node_modules', '.isthmus-lock')
  const wanted = createHash('sha256')
    .update(readFileSync(join(ROOT, 'package-lock.json')))
    .digest('hex')
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === wanted) return
  console.log('installing the packages of the lock file')
  // The build needs its tools, also with NODE_ENV=production.
  mustRun('npm', ['ci', '--include=dev', '--no-audit', '--no-fund', '--loglevel=error'])
  writeFileSync(stamp, wanted)
}

/** Again only when a source has changed. Made beside and put in place whole, so that what runs from dist/ never finds half of it. */
function compile() {
  const wanted = digest(['src', 'migrations', 'bench', 'tsconfig.json', 'tsconfig.build.json', 'package-lock.json'])
  const stamp = join(DIST, '.stamp')
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === wanted) return
  console.log('building')
  const made = `${DIST}.new`
  const old = `${DIST}.old`
  for (const folder of [made, old]) rmSync(folder, { recursive: true, force: true })
  const tsc = join(ROOT, 'node_modules/typescript/bin/tsc')
  mustRun(process.execPath, [tsc, '-p', 'tsconfig.build.json', '--outDir', made])
  cpSync(join(ROOT, DOCS_PAGE), join(made, DOCS_PAGE), { recursive: true })
  writeFileSync(join(made, '.stamp'), wanted)
  if (existsSync(DIST)) renameSync(DIST, old)
  renameSync(made, DIST)
  rmSync(old, { recursive: true, force: true })
}

function digest(paths) {
  const hash = createHash('sha256')
  const visit = (path) => {
    if (!existsSync(path)) return
    const name = relative(ROOT, path)
    if (statSync(path).isDirectory()) {
      for (const entry of readdirSync(path).sort()) visit(join(path, entry))
    } else if (/\.(ts|json|html|css|js)$/.test(path) && !name.startsWith(DATAMODEL + sep))
      hash.update(name).update(readFileSync(path))
  }
  for (const path of paths) visit(join(ROOT, path))
  return hash.digest('hex')
}
